"""What a user asks of ``fbench run``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fbench.ablations.suite import Suite
from fbench.benchmark.clusters.options import ClusterOptions
from fbench.benchmark.data.catalogue import known_data
from fbench.benchmark.data.references import parse_reference, with_option
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.records.budget import Budget, Preset, load_preset
from fbench.benchmark.records.numerics import FusedBatchNorm, Precision
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.protocol_changes import NO_AUGMENTATION
from fbench.benchmark.records.protocol_library import changed, load_protocol
from fbench.benchmark.runs.shards import Shard
from fbench.core.errors import UserError

FEWEST_SEEDS = 2  # of one seed nobody can tell the chance
MOST_SEEDS = 10_000


@dataclass(frozen=True)
class RunRequest:
    """What a user asks of ``fbench run``. ``jobs`` none means the cores of a CPU, or one trial on an
    accelerator; ``max_seeds`` means to add seeds until comparisons are decided, up to so many.

    ``epochs``, ``learning_rate`` and ``batch_size`` take the place of the protocol's, the first and the last also of
    what the preset's budget has; without ``augmentation`` images are trained on as they are.

    ``image_size`` and ``channels`` are those of all data sets whose images can be made so.

    ``wait`` means to wait for another process that is at work in the run's folder; ``retries`` is how often a trial is
    tried again that failed in a way that may pass; ``trial_timeout_s`` how long it may take, none a multiple of its
    estimate. ``uniform_microbatch`` means another run, of the same trials, with the microbatch that fits where trials
    failed for lack of the device's memory.

    ``only_comparable`` means that networks which cannot be computed as is asked are trained in a run of their own,
    beside that of the others; otherwise all are computed in the nearest way that works for all.

    ``fused_batch_norm`` is what computes batch normalisation together with the activation after it; none means
    PyTorch's own layers. ``trials_together`` is how many trials of fbench's own networks one process trains at a time
    on CUDA.

    ``energy`` means to read energy on an accelerator, which takes two seconds of each network in each setting; on a CPU
    it is read where it can be.

    ``cluster`` is where trials are trained; none means in processes of this machine.

    ``shard`` is the part of the trials that is trained here, where others are elsewhere; none means all of them.
    """

    suite: str | Suite = "ablations"
    only: tuple[str, ...] = ()
    protocol: str = "fbench"
    epochs: int | None = None
    learning_rate: float | None = None
    batch_size: int | None = None
    augmentation: bool = True
    preset: str = "quick"
    data: tuple[str, ...] = ("synthetic",)
    image_size: int | None = None
    channels: str | None = None
    seeds: int | None = None
    device: str = "auto"
    precision: Precision = "fp32"
    compile: bool = False
    fused_batch_norm: FusedBatchNorm | None = None
    trials_together: int = 1
    jobs: int | None = None
    out: Path | None = None
    take_from: tuple[Path, ...] = ()
    plugins: tuple[Path, ...] = ()
    numerics_of: Path | None = None
    only_comparable: bool = False
    keep_failed: bool = False
    max_seeds: int | None = None
    wait: bool = False
    retries: int = 0
    trial_timeout_s: float | None = None
    uniform_microbatch: bool = False
    energy: bool = False
    shard: Shard | None = None
    cluster: ClusterOptions | None = None

    def protocol_and_preset(self) -> tuple[Protocol, Preset]:
        """The protocol with the changes that are asked for, under a name that tells them, and the preset with what is
        left of its budget.

        Raises:
            UserError: an unknown name, a file that is not valid, or a change that no protocol can have.
        """
        protocol, preset = load_protocol(self.protocol), load_preset(self.preset)
        asked = {"epochs": self.epochs, "learning_rate": self.learning_rate, "batch_size": self.batch_size}
        changes: dict[str, Any] = {key: value for key, value in asked.items() if value is not None}
        if self.batch_size is not None:  # on every data set
            changes |= dict.fromkeys(f"batch_size_for_data.{name}" for name in protocol.batch_size_for_data)
        if not self.augmentation:
            changes |= dict([NO_AUGMENTATION])
        budget = preset.budget
        if self.epochs is not None:
            budget = Budget(train_images=budget.train_images)
        elif self.batch_size is not None:
            budget = budget.model_copy(update={"batch_size": None})
        return changed(protocol, changes), preset.model_copy(update={"budget": budget})

    def references(self) -> list[DataReference]:
        """The data sets, with the size and channels that are asked for where they have these options.

        Raises:
            UserError: a data set that cannot be meant, or none that can have the size or channels.
        """
        found = [parse_reference(text) for text in self.data]
        asked = {"size": self.image_size, "channels": self.channels}
        for option, value in asked.items():
            if value is None:
                continue
            able = [option in {one.name for one in known_data(reference.name).options} for reference in found]
            if not any(able):
                names = ", ".join(reference.name for reference in found)
                raise UserError(
                    f"{option} {value} was asked for, and the images of {names} are of one kind; leave it out, or give "
                    "images of your own with --data folder=PATH."
                )
            found = [
                with_option(reference, option, str(value)) if can else reference
                for reference, can in zip(found, able, strict=True)
            ]
        return found

    def check_seeds(self) -> None:
        """Refuse numbers of seeds that cannot work.

        Raises:
            UserError: fewer than one seed, both kinds of number at once, a largest number that compares nothing, or a
                shard of a run whose number of seeds is not fixed.
        """
        if self.shard is not None and self.max_seeds is not None:
            raise UserError(
                f"--shard {self.shard} was given with --until-decided, whose next seeds depend on all trials; give "
                "--seeds for a fixed number."
            )
        if self.seeds is not None and not 1 <= self.seeds <= MOST_SEEDS:
            raise UserError(f"--seeds {self.seeds} was given; give 1 to {MOST_SEEDS:,}.")
        if self.max_seeds is None:
            return
        if self.seeds is not None:
            raise UserError(
                f"--seeds {self.seeds} was given with --until-decided, which takes up to {self.max_seeds}; give "
                "--seeds for a fixed number, or --max-seeds for the most."
            )
        if not FEWEST_SEEDS <= self.max_seeds <= MOST_SEEDS:
            raise UserError(f"--max-seeds {self.max_seeds} was given; give {FEWEST_SEEDS} to {MOST_SEEDS:,}.")
