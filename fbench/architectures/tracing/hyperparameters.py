"""Hyperparameters of torch's own layers, read from what a layer prints of itself (``extra_repr``)."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_NAMED: Final = re.compile(r"(?:^|, )(\w+)=(\([^)]*\)|\[[^\]]*\]|[^,]*)")
_SIDES: Final = re.compile(r"([123])d$")


@dataclass(frozen=True)
class Hyperparameters:
    """What is known of a layer beside its shapes; a layer that has no such hyperparameter has the default.

    Attributes:
        kernel_size: one for each side of the maps that the layer works on: ``(3,)`` in Conv1d, ``(3, 3)`` in Conv2d.
        stride: the same.
        dilation: the same.
        groups: of the channels.
        probability: of a dropout, that a number is set to zero.
        affine: whether a normalisation has a weight and a bias of its own.
    """

    kernel_size: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1
    probability: float | None = None
    affine: bool = True


@lru_cache(maxsize=4096)
def read_hyperparameters(layer: str, printed: str) -> Hyperparameters:
    """The hyperparameters of a layer.

    Args:
        layer: its class, whose last digit says how many sides its maps have; two where there is none.
        printed: its ``extra_repr``, such as ``16, 32, kernel_size=(3, 3), stride=(2, 2), groups=16``. What is no
            literal there is taken as not printed.
    """
    values = {name: _literal(text) for name, text in _NAMED.findall(printed)}
    found = _SIDES.search(layer)
    sides = int(found[1]) if found else 2
    groups, probability = values.get("groups"), values.get("p")
    return Hyperparameters(
        kernel_size=_each_side(values.get("kernel_size"), sides),
        stride=_each_side(values.get("stride"), sides),
        dilation=_each_side(values.get("dilation"), sides),
        groups=groups if isinstance(groups, int) else 1,
        probability=probability if isinstance(probability, int | float) else None,
        affine=values.get("affine", values.get("elementwise_affine")) is not False,
    )


@lru_cache(maxsize=1024)
def _literal(text: str) -> object:
    """Kept, as the layers of a network print few different values."""
    try:
        value: object = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    return value


def _each_side(value: object, sides: int) -> tuple[int, ...]:
    """A size for each side, where it may be given once for all; none where it is no size."""
    sizes = value if isinstance(value, tuple | list) else (value,)
    whole = tuple(size for size in sizes if isinstance(size, int))
    if len(whole) != len(sizes):
        return ()
    return whole * sides if len(whole) == 1 else whole
