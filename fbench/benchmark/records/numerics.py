"""Numerics: what changes the bits of a result. Fixed when a run is created, by rules, stored, and reused.

The rules look at the device kind and the options alone, never at a measurement of the run, so that resuming, more
workers or another machine of the same kind repeat the same arithmetic.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from itertools import combinations
from typing import Final, Literal

from pydantic import PositiveInt

from fbench.core.errors import UserError
from fbench.core.schema import FrozenModel

MOST_TOGETHER: Final = 16
"""PyTorch has 32 streams for a device, of which no two trainings may share one."""

DeviceKind = Literal["cpu", "cuda", "mps"]
NUMERICS_VERSIONS: Final[Mapping[DeviceKind, int]] = {"cpu": 6, "cuda": 7, "mps": 6}
"""Raised when training code changes results on a kind of device; part of every trial's identity."""

Precision = Literal["fp32", "tf32", "bf16"]
FusedBatchNorm = Literal["triton", "eager"]


class Numerics(FrozenModel):
    """What decides the bits: arithmetic, layout, and batch sizes of evaluation."""

    numerics_version: int = 6
    """That of a file which does not say it."""
    device_kind: DeviceKind
    precision: Precision
    threads_per_trial: PositiveInt | None
    """CPU threads of one trial; none on an accelerator, where they do not enter the result, and one is enough."""
    memory_format: Literal["contiguous", "channels_last"]
    compile: bool = False
    cuda_graph: bool = False
    """Whether a whole training step is recorded once and replayed."""
    fused_batch_norm: FusedBatchNorm | None = None
    """What computes batch normalisation together with the activation after it in training: Triton's kernels, or
    PyTorch's operations, slower, by the same formulas. None, until a device has shown which is faster: PyTorch's own
    layers, one after the other. It takes no part where the network is compiled, as the compiler fuses them."""
    microbatch: PositiveInt | None = None
    """Images per backward pass; none means the whole batch at once."""
    evaluation_batch_size: PositiveInt
    trials_together: PositiveInt = 1
    """Trials of one process at a time on CUDA, each on a stream of its own. They have the bits of each alone where
    nothing else is wrong; a part of the numerics until a device has shown it."""

    def of_cost(self) -> dict[str, object]:
        """What a measurement of cost depends on, as it is hashed: one network is measured at a time."""
        found = self.model_dump(mode="json", exclude={"trials_together"})
        if self.fused_batch_norm is None:  # as before there was such a field
            del found["fused_batch_norm"]
        return found

    def eager(self) -> Numerics:
        """The same arithmetic, neither compiled nor recorded."""
        return self.model_copy(update={"compile": False, "cuda_graph": False})

    def other_ways(self) -> tuple[Numerics, ...]:
        """Safer ways to compute the same on this kind of device, those that give up least first; the last is the plain
        one: eager, and on CUDA contiguous and in fp32 too."""
        parts: tuple[dict[str, object], ...] = ({"compile": False, "cuda_graph": False},)
        if self.fused_batch_norm:
            parts = ({"fused_batch_norm": None}, *parts)
        if self.device_kind == "cuda":
            parts = ({"memory_format": "contiguous"}, {"precision": "fp32"}, *parts)
        found: dict[Numerics, None] = {}
        for given_up in range(1, len(parts) + 1):
            for chosen in combinations(parts, given_up):
                found[self.model_copy(update=dict(ChainMap(*chosen)))] = None
        return tuple(way for way in found if way != self)

    def words_beside(self, other: Numerics) -> tuple[str, ...]:
        """What is other here than there, in single words."""
        program = "recorded" if self.cuda_graph else "compiled" if self.compile else "eager"
        words = {"memory_format": self.memory_format, "precision": self.precision, "cuda_graph": program}
        words["compile"] = program
        words["fused_batch_norm"] = "fused" if self.fused_batch_norm else "unfused"
        return tuple(dict.fromkeys(word for name, word in words.items() if getattr(self, name) != getattr(other, name)))


def choose_numerics(
    device_kind: DeviceKind,
    precision: Precision = "fp32",
    *,
    compile: bool = False,
    fused_batch_norm: FusedBatchNorm | None = None,
    trials_together: int = 1,
) -> Numerics:
    """The numerics of a new run.

    CPU: one thread per trial, since side by side single-threaded trials are 5-13 % faster than one trial on two
    threads, and ``--jobs`` then never changes a result; channels_last, 1.2 to 1.9 times as fast as contiguous
    (``results/training/cpu_choices.csv``). CUDA: channels_last for its tensor cores, and a graph of the whole step,
    since a compact network's several hundred kernels take longer to launch than to run. Compiled only where asked.

    Raises:
        UserError: the precision or the fused kernels do not exist on the device, or trials cannot run together there.
    """
    if fused_batch_norm == "triton" and device_kind != "cuda":
        raise UserError(
            f"--fused-batch-norm triton was given, whose kernels are for CUDA; on {device_kind} leave it out, or give "
            "eager."
        )
    if trials_together != 1:
        _refuse_together(device_kind, trials_together, compile=compile)
    if precision == "tf32" and device_kind != "cuda":
        raise UserError(f"Precision tf32 was given, which exists on CUDA only; on {device_kind} use fp32 or bf16.")
    if precision == "bf16" and device_kind == "mps":
        raise UserError("Precision bf16 was given, which is not reliable on MPS; use fp32.")
    return Numerics(
        numerics_version=NUMERICS_VERSIONS[device_kind],
        device_kind=device_kind,
        precision=precision,
        threads_per_trial=1 if device_kind == "cpu" else None,
        memory_format="contiguous" if device_kind == "mps" else "channels_last",
        compile=compile,
        cuda_graph=device_kind == "cuda",
        fused_batch_norm=fused_batch_norm,
        evaluation_batch_size=256 if device_kind == "cpu" else 2048,
        trials_together=trials_together,
    )


def _refuse_together(device_kind: DeviceKind, trials_together: int, *, compile: bool) -> None:
    """
    Raises:
        UserError: so many trials cannot run together on a device.
    """
    given = f"--trials-together {trials_together} was given"
    if not 1 <= trials_together <= MOST_TOGETHER:
        raise UserError(f"{given}; give 1 to {MOST_TOGETHER}.")
    if device_kind != "cuda":
        raise UserError(f"{given}, which needs streams of CUDA; on {device_kind} give --jobs, or leave it out.")
    if compile:
        raise UserError(f"{given} with --compile, which compiles one network of a process at a time; leave one out.")
