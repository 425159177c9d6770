"""What a training step is timed with, one factor at a time: changes of numerics, and settings of PyTorch's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

import torch

from fbench.benchmark.records.numerics import Numerics


@dataclass(frozen=True)
class Factor:
    """One change beside the numerics of a new run.

    Attributes:
        name: of the level.
        numerics: fields of :class:`Numerics` with their values.
        fills: whether PyTorch fills new tensors, as it does by default where algorithms are to be deterministic.
        cudnn_benchmark: whether cuDNN tries its algorithms and takes the fastest.
        deterministic: whether algorithms that repeat themselves are asked for.
    """

    name: str
    numerics: Mapping[str, Any] = field(default_factory=dict)
    fills: bool = False
    cudnn_benchmark: bool = False
    deterministic: bool = True

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Set what is PyTorch's within the block, in which numerics are in force already, and put it back."""
        before = (
            torch.utils.deterministic.fill_uninitialized_memory,  # type: ignore[attr-defined] # made at run time
            torch.backends.cudnn.benchmark,
            torch.are_deterministic_algorithms_enabled(),
        )
        try:
            self._set(self.fills, self.cudnn_benchmark, before[2] and self.deterministic)
            yield
        finally:
            self._set(*before)

    @staticmethod
    def _set(fills: bool, benchmark: bool, deterministic: bool) -> None:
        torch.utils.deterministic.fill_uninitialized_memory = fills  # type: ignore[attr-defined] # made at run time
        torch.backends.cudnn.benchmark = benchmark
        torch.use_deterministic_algorithms(deterministic, warn_only=True)


NAMED: Final = (
    Factor("as a run"),
    Factor("bf16", {"precision": "bf16"}),
    Factor("contiguous", {"memory_format": "contiguous"}),
    Factor("contiguous bf16", {"memory_format": "contiguous", "precision": "bf16"}),
    Factor("cudnn benchmark", cudnn_benchmark=True),
    Factor("cudnn benchmark bf16", {"precision": "bf16"}, cudnn_benchmark=True),
    Factor("not deterministic", deterministic=False),
    Factor("fills", fills=True),
    Factor("tf32", {"precision": "tf32"}),
    Factor("eager", {"cuda_graph": False}),
    Factor("eager bf16", {"cuda_graph": False, "precision": "bf16"}),
)
NOT_SWITCHES: Final = frozenset(
    {"numerics_version", "device_kind", "precision", "threads_per_trial", "memory_format", "compile", "cuda_graph"}
    | {"microbatch", "evaluation_batch_size"}
)
"""Fields that the factors above set, that are not of a step, or that take too long to try, as compiling does."""

NOT_LEVELS: Final = frozenset({("fused_batch_norm", "eager")})
"""Levels that nobody trains with: what kernels are held against."""


def factors(of: type[Numerics] = Numerics) -> tuple[Factor, ...]:
    """Those named, and each other level of every further switch that numerics have, in fp32 and bf16."""
    found = list(NAMED[:2])
    for name, info in of.model_fields.items():
        if name in NOT_SWITCHES:
            continue
        for level in _levels(info.annotation):
            if level != info.default and (name, level) not in NOT_LEVELS:
                label = f"{name}={level}".lower() if not isinstance(level, bool) else f"{'' if level else 'no '}{name}"
                found.append(Factor(label, {name: level}))
                found.append(Factor(f"{label} bf16", {name: level, "precision": "bf16"}))
    return (*found, *NAMED[2:])


def _levels(annotation: Any) -> tuple[Any, ...]:
    """The values of a switch: of a truth value both, of a choice each; none of what is a number."""
    if annotation is bool:
        return (False, True)
    if get_origin(annotation) in (Union, UnionType):
        return tuple(level for part in get_args(annotation) for level in _levels(part))
    return get_args(annotation) if get_origin(annotation) is Literal else ()
