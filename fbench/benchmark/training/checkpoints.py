"""What a trial keeps while it trains, so that another process goes on from there with the same bits.

A checkpoint is one safetensors file: the tensors of the :class:`fbench.benchmark.training.state.TrainingState`, and all
else of it as JSON in the file's metadata.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fbench.benchmark.records.events import Checkpointed, Listen
from fbench.benchmark.store.weights import WeightsError, encode_state, read_state
from fbench.benchmark.training.state import TrainingState
from fbench.core.contained import ContainedPath
from fbench.core.errors import StoppedError, reason_on_a_line
from fbench.core.files import replacing
from fbench.core.working_clock import working_s

SECONDS_BETWEEN: Final = 300.0
"""How long a training may go on without a checkpoint."""

MOST_SHARE: Final = 0.01
FREE_S: Final = 0.3
"""Checkpoints at evaluations take at most this share of a trial's time, or so many seconds. On one core one of IRes
(1 MiB) takes 0.04 s, of ARCH-1 (4 MiB) 0.05 s, of ResNet50 (359 MiB) 2 s, and an epoch of FER2013 at least 45 s: each
evaluation then has one. On an accelerator, where epochs take a second, some go without."""

_NETWORK_STATES: Final = ("network", "average", "best")
_REST: Final = "rest"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CheckpointPlace:
    """Where checkpoints are: ``kept`` is the file to go on from, if it is there; new ones are written to the folder
    ``scratch``."""

    kept: Path | ContainedPath
    scratch: Path


@dataclass(frozen=True)
class Progress:
    """What a trial has behind it: when it began, seconds of work, and after which steps it was gone on with."""

    started_at: str
    elapsed_s: float = 0.0
    resumed_after_steps: tuple[int, ...] = ()


class CheckpointKeeper:
    """Writes checkpoints of one training at evaluations, after five minutes without one, and when asked to stop.

    Without a place it writes none, and stops all the same. ``listen`` is told of each file, which is then the
    listener's. A state that no file can hold is trained all the same, and so is one where the disk refuses; the log
    says so, once.
    """

    def __init__(
        self, place: CheckpointPlace | None, progress: Progress, listen: Listen, asks_to_stop: Callable[[], bool]
    ) -> None:
        self._place, self._progress, self._listen, self._asks_to_stop = place, progress, listen, asks_to_stop
        self._began = self._last = working_s()
        self._writing_s = self._last_s = 0.0
        self._refused = False

    def after_step(self, state: TrainingState) -> None:
        """Keep the state where that is due.

        Raises:
            StoppedError: the training was asked to stop, and its state is kept, if it can be.
        """
        stop = self._asks_to_stop()
        evaluated = bool(state.history) and state.history[-1].step == state.step
        now = working_s()
        if stop or (evaluated and self._is_cheap(now)) or now - self._last >= SECONDS_BETWEEN:
            self._write(state)
            self._last = working_s()
            self._last_s = self._last - now
            self._writing_s += self._last_s
        if stop:
            raise StoppedError

    def _is_cheap(self, now: float) -> bool:
        """Whether another checkpoint, as long as the last, keeps to its share of the time."""
        return self._writing_s + self._last_s <= max(FREE_S, MOST_SHARE * (now - self._began))

    def _write(self, state: TrainingState) -> None:
        if self._place is None or self._refused:
            return
        elapsed_s = self._progress.elapsed_s + working_s() - self._began
        progress = Progress(self._progress.started_at, elapsed_s, self._progress.resumed_after_steps)
        file = self._place.scratch / f"checkpoint-{uuid.uuid4().hex}.safetensors"
        try:
            write_checkpoint(file, state, progress)
            file.chmod(0o600)  # a umask that a network set is in force
        except Exception as error:  # somebody's tensors, or the disk: a training is worth more than its checkpoint
            self._refused = True
            _log.warning("no checkpoint of trial %s is kept: %s", state.trial_id, reason_on_a_line(error))
            return
        self._listen(Checkpointed(state.trial_id, state.step, file))


def begin(
    start: Callable[[], TrainingState], place: CheckpointPlace | None, started_at: str
) -> tuple[TrainingState, Progress]:
    """A training to go on with from its checkpoint, or a new one where there is none that is of use."""
    state, progress = start(), Progress(started_at)
    if place is None or not place.kept.exists():
        return state, progress
    try:
        return state, restore(place.kept, state)
    except Exception as error:  # a broken file, or somebody's network
        _log.warning("the checkpoint of trial %s is of no use: %s", state.trial_id, reason_on_a_line(error))
        return start(), progress


def write_checkpoint(file: Path, state: TrainingState, progress: Progress) -> None:
    """Write a training as it stands.

    Raises:
        WeightsError: its network has a state that no file can hold.
        OSError: the disk refuses.
    """
    parts: dict[str, Any] = {}
    rest: dict[str, Any] = {"trial_id": state.trial_id, "progress": vars(progress)}
    for name, value in state.state_dict().items():
        match name:
            case "network":
                parts |= {f"network/{key}": one for key, one in value.items()}
            case "average" if value is not None:
                parts |= {f"average/{key}": one for key, one in value["module"].items()}
                rest[name] = {"steps": value["steps"]}
            case "best" if value is not None:
                parts |= {f"best/{key}": one for key, one in value["state"].items()}
                rest[name] = {"row": value["row"]}
            case _:
                rest[name] = value
    content = encode_state(parts | {_REST: rest})
    with replacing(file) as stream:
        stream.write(content)


def steps_done(file: Path | ContainedPath) -> int:
    """The optimizer steps of a training that a checkpoint has behind it; 0 where there is none that can be read."""
    try:
        return int(read_state(file)[_REST]["step"]) if file.exists() else 0
    except (WeightsError, KeyError, TypeError, ValueError):
        return 0


def restore(file: Path | ContainedPath, state: TrainingState) -> Progress:
    """Put a new training where that of the file stood.

    Raises:
        WeightsError: the file cannot be read.
        ValueError: it is that of another trial.
        Exception: of any type, where the network does not take its state; ``state`` is then of no use.
    """
    found = read_state(file)
    rest = found.pop(_REST)
    if rest["trial_id"] != state.trial_id:
        raise ValueError(f"{file} is the checkpoint of trial '{rest['trial_id']}'")
    states: dict[str, dict[str, Any]] = {name: {} for name in _NETWORK_STATES}
    for name, value in found.items():
        kind, _, key = name.partition("/")
        states[kind][key] = value
    whole = {name: value for name, value in rest.items() if name not in ("trial_id", "progress")}
    whole["network"] = states["network"]
    if whole["average"] is not None:
        whole["average"] = {"module": states["average"], "steps": whole["average"]["steps"]}
    if whole["best"] is not None:
        whole["best"] = {"row": whole["best"]["row"], "state": states["best"]}
    state.load_state_dict(whole)
    progress = Progress(**rest["progress"])
    return Progress(progress.started_at, progress.elapsed_s, (*progress.resumed_after_steps, state.step))
