"""Whatever a run asks of networks beside training them: users' networks answer in a worker process, with a time limit.

fbench's own networks answer in this process on a CPU, and in the worker on an accelerator, as some of its errors are
the end of a process. Those that were defined in this very session always answer here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from fbench.benchmark.machine.machine_roofline import MachineRoofline
from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.cost_specs import CostSpec
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.specs import NetworkSpec, TrialSpec
from fbench.benchmark.runs.stopping import Stopping
from fbench.benchmark.runs.together_task import choosing_task
from fbench.benchmark.runs.training_task import foreign_code
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.workers.messages import Task
from fbench.benchmark.workers.note import blank_note, read_note
from fbench.benchmark.workers.supervisor import Failure, Outcome, Supervisor
from fbench.benchmark.workers.waiting import limited, outcomes_said

if TYPE_CHECKING:
    import torch

_ANSWERS: Final = "fbench.benchmark.runs.network_answers"
_ESTIMATE_LIMIT_S: Final = 120.0
_PROGRAM_LIMIT_S: Final = 900.0
_MAPS_LIMIT_S: Final = 300.0
_COST_LIMIT_S: Final = 900.0
"""Between two things that a measurement of cost tells; the longest is a block of all networks."""
_COST_SAID_AFTER_S: Final = 120.0
""""Counting ires" or a block of timings that takes longer is said."""


def is_of_user(network: NetworkSpec) -> bool:
    """Whether a network is a user's, and can be built in another process."""
    return foreign_code(network) is not None and not network.is_of_session


def answers_elsewhere(network: NetworkSpec, device: torch.device) -> bool:
    """Whether a network that works on a device does so in another process."""
    return not network.is_of_session and (device.type != "cpu" or foreign_code(network) is not None)


class NetworkTasks:
    """Asks networks in a worker process, which is started when it is needed; ``scratch`` is for logs and files.

    ``grace_s`` is how long a measurement of cost may take to end with what it has; the rest ends at once. A network is
    waited for no longer than a user lets a trial take (``trial_timeout_s``).
    """

    def __init__(self, scratch: Path, grace_s: float = 0.0, trial_timeout_s: float | None = None) -> None:
        self._scratch, self._trial_timeout_s = scratch / "networks", trial_timeout_s
        self._supervisor = Supervisor(1, self._scratch, grace_s=grace_s)

    def end(self) -> None:
        """End the process."""
        self._supervisor.end()

    def estimate_trials_s(self, specs: Sequence[TrialSpec], device: torch.device) -> dict[str, float]:
        """As :func:`fbench.benchmark.cost.estimate.estimate_trials_s`; 0 too for a network that dies or hangs."""
        from fbench.benchmark.cost.estimate import estimate_trials_s

        elsewhere = {spec.trial_id: spec for spec in specs if answers_elsewhere(spec.network, device)}
        found = estimate_trials_s([spec for spec in specs if spec.trial_id not in elsewhere], device)
        alike: dict[tuple[str, str], list[str]] = {}
        for trial_id, spec in elsewhere.items():
            alike.setdefault((spec.network.digest, spec.data.fingerprint), []).append(trial_id)
        tasks = [_estimate_task(elsewhere[ids[0]], device) for ids in alike.values()]
        names = {trial_id: spec.network.name for trial_id, spec in elsewhere.items()}
        answers = {outcome.task.name: outcome.value for outcome in self._outcomes(tasks, names)}
        for ids in alike.values():
            answer = answers.get(ids[0])
            found |= dict.fromkeys(ids, float(answer) if isinstance(answer, int | float) else 0.0)
        return found

    def measure_cost(
        self,
        spec: CostSpec,
        device: torch.device,
        passes: int,
        progress: Callable[[str], None],
        roofline: MachineRoofline,
        stopping: Stopping | None = None,
        left_out: Mapping[str, str] = MappingProxyType({}),
        preparation_s: float | None = None,
    ) -> CostRecord | Failure:
        """As :func:`fbench.benchmark.cost.measure.measure_cost`; a network of which the process dies is left out of the
        record, with the reason, as are those that are ``left_out`` from the start. A failure of all comes back where no
        one network is to blame.

        Raises:
            KeyboardInterrupt: it was asked to stop (``stopping``) before anything was timed.
        """
        from fbench.benchmark.cost.measure import measure_cost

        if not any(answers_elsewhere(network, device) for network in spec.networks):
            return measure_cost(spec, device, passes, progress, roofline, preparation_s=preparation_s)
        stopping, without = stopping or Stopping(), dict(left_out)
        while True:
            told = [""]

            def hear(_: Task, what: object, told: list[str] = told) -> None:
                told[0] = str(what)
                progress(told[0])

            def whom(_: Task, told: list[str] = told) -> str:
                return f"the measurement of cost ({told[0]})"

            note = self._scratch / "timed.txt"
            blank_note(note)
            task = _cost_task(spec, device, passes, roofline, without, note, preparation_s)
            with stopping.of(self._supervisor):
                outcomes = list(outcomes_said(self._supervisor, [task], whom, hear, _COST_SAID_AFTER_S))
            if stopping.was_asked and (not outcomes or outcomes[0].failure is not None):
                raise KeyboardInterrupt
            (outcome,) = outcomes
            if outcome.failure is None:
                return CostRecord.model_validate(outcome.value)
            names = [one.name for one in spec.networks if one.name not in without]
            network = _network_in(told[0], names)
            if network is None and read_note(note) in names:  # it died while all were timed in turn
                network = read_note(note)
            if network is None:
                return outcome.failure
            without[network] = outcome.failure.reason

    def failing_programs(
        self,
        networks: Sequence[NetworkSpec],
        protocol: Protocol,
        batch_size: int,
        numerics: Numerics,
        device: torch.device,
    ) -> dict[str, str]:
        """As :func:`fbench.benchmark.runs.program_check.failing_programs`; so does one whose process dies or hangs."""
        from fbench.benchmark.runs.program_check import failing_programs

        here = [network for network in networks if not answers_elsewhere(network, device)]
        reasons = failing_programs(here, protocol, batch_size, numerics, device)
        arguments = {
            "protocol": protocol.model_dump(mode="json"),
            "batch_size": batch_size,
            "numerics": numerics.model_dump(mode="json"),
            "device": str(device),
        }
        tasks = [
            Task(
                network.name,
                f"{_ANSWERS}:check_program",
                arguments | {"network": network.model_dump(mode="json")},
                foreign_code(network),
                _PROGRAM_LIMIT_S,
            )
            for network in networks
            if answers_elsewhere(network, device)
        ]
        for outcome in self._outcomes(tasks, {network.name: network.name for network in networks}):
            reason = outcome.value if outcome.failure is None else outcome.failure.reason
            if isinstance(reason, str):
                reasons[outcome.task.name] = reason.partition("\n")[0]
        return reasons

    def trials_together(self, spec: TrialSpec, device: torch.device) -> int:
        """How many trainings like this one at a time the device is fastest with; one where that cannot be measured."""
        (outcome,) = self._supervisor.run([choosing_task(spec, str(device))])
        return outcome.value if outcome.failure is None and isinstance(outcome.value, int) else 1

    def add_maps(self, folder: RunFolder, spec: TrialSpec) -> None:
        """Write the maps of a trained network.

        Raises:
            Exception: of any type, where its own process is this one.
            NoMapsError: it died, hung or raised.
        """
        from fbench.benchmark.maps.making import add_maps_of

        if not is_of_user(spec.network):
            add_maps_of(folder, spec, folder)
            return
        (outcome,) = self._outcomes([_maps_task(folder, spec, self._scratch)], {spec.trial_id: spec.network.name})
        if outcome.failure is not None:
            raise NoMapsError(outcome.failure.reason)
        if outcome.value is True:
            folder.take_maps(spec.trial_id, RunFolder(self._scratch))

    def _outcomes(self, tasks: Sequence[Task], networks: Mapping[str, str]) -> Iterator[Outcome]:
        """Those of tasks that one network each is asked by, which are given by the names of the tasks."""
        in_time = [replace(one, limit_s=limited(one.limit_s, self._trial_timeout_s)) for one in tasks if one.limit_s]
        return outcomes_said(self._supervisor, in_time, lambda task: f"the network '{networks[task.name]}'")


@contextmanager
def network_tasks(
    scratch: Path | None = None, grace_s: float = 0.0, trial_timeout_s: float | None = None
) -> Iterator[NetworkTasks]:
    """Tasks of networks within a block; a folder of the system's is used where none is given."""
    with ExitStack() as stack:
        folder = scratch or Path(stack.enter_context(TemporaryDirectory(prefix="fbench-")))
        tasks = NetworkTasks(folder, grace_s, trial_timeout_s)
        stack.callback(tasks.end)
        yield tasks


class NoMapsError(Exception):
    """A network gave no maps; the message says why."""


def _estimate_task(spec: TrialSpec, device: torch.device) -> Task:
    arguments = {"spec": spec.model_dump(mode="json"), "device": str(device)}
    return Task(spec.trial_id, f"{_ANSWERS}:estimate", arguments, spec.network.source_sha256, _ESTIMATE_LIMIT_S)


def _cost_task(
    spec: CostSpec,
    device: torch.device,
    passes: int,
    roofline: MachineRoofline,
    left_out: dict[str, str],
    note: Path,
    preparation_s: float | None,
) -> Task:
    arguments = {
        "spec": spec.model_dump(mode="json"),
        "device": str(device),
        "passes": passes,
        "roofline": roofline.model_dump(mode="json"),
        "left_out": dict(left_out),
        "note": str(note),
        "preparation_s": preparation_s,
    }
    return Task("cost", f"{_ANSWERS}:measure", arguments, "cost", _COST_LIMIT_S, limit_from_last_told=True)


def _maps_task(folder: RunFolder, spec: TrialSpec, scratch: Path) -> Task:
    arguments = {
        "folder": str(folder.path),
        "spec": spec.model_dump(mode="json"),
        "data_path": spec.data.path,
        "scratch": str(scratch),
    }
    return Task(spec.trial_id, f"{_ANSWERS}:make_maps", arguments, spec.network.digest, _MAPS_LIMIT_S)


def _network_in(what: str, names: Sequence[str]) -> str | None:
    """The network that a measurement was busy with, of what it told last."""
    for name in names:
        if what in (f"counting {name}", f"peak memory of {name}", f"energy of {name}"):
            return name
        if what.startswith(f"warming up {name}, "):
            return name
    return None
