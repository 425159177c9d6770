"""The checks that every builder makes of its switches, so that a wrong value is one sentence."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeVar

from fbench.core.errors import UserError, did_you_mean
from fbench.core.type_words import shown

LevelT = TypeVar("LevelT")
MOST: Final = 1_000_000
"""Of classes, channels, pixels a side, units: a layer of so many has no room on any machine, and counts of more run
over in PyTorch, each in another way."""


def one_of(switch: str, value: LevelT, levels: Collection[LevelT]) -> LevelT:
    """Return ``value`` when it is one of the levels of ``switch``.

    Raises:
        UserError: it is not; the legal levels are named.
    """
    if value in list(levels):
        return value
    hint = did_you_mean(value, [str(level) for level in levels]) if isinstance(value, str) else ""
    raise UserError(f"{switch} is {shown(value)}; give one of: {', '.join(map(str, levels))}.{hint}")


def whole_number(switch: str, value: object, smallest: int = 1) -> int:
    """Return ``value`` when it is an int (not a bool) of at least ``smallest`` and at most :data:`MOST`.

    Raises:
        UserError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < smallest:
        raise UserError(f"{switch} is {shown(value)}; give a whole number of at least {smallest}.")
    if value > MOST:
        raise UserError(f"{switch} is {shown(value)}; give a whole number of {smallest} to {MOST:,}.")
    return value


def yes_or_no(switch: str, value: object) -> bool:
    """Return ``value`` when it is a bool.

    Raises:
        UserError: it is not.
    """
    if not isinstance(value, bool):
        raise UserError(f"{switch} is {shown(value)}; give true or false.")
    return value


def widths(switch: str, value: object) -> tuple[int, ...]:
    """Return a non-empty list of positive whole numbers as a tuple.

    Raises:
        UserError: it is something else.
    """
    if isinstance(value, str) or not isinstance(value, Sequence) or not value:
        raise UserError(f"{switch} is {shown(value)}; give a list of whole numbers such as [512, 512].")
    return tuple(whole_number(switch, width) for width in value)


def dropout_rate(value: object) -> float:
    """Return a dropout rate in [0, 1).

    Raises:
        UserError: it is outside, or not a number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise UserError(f"dropout is {shown(value)}; give a rate of at least 0 and below 1.")
    return float(value)


def check_geometry(
    network: str,
    num_classes: object,
    in_channels: object,
    image_size: object,
    feature_size: Callable[[int], int] = lambda size: size,
) -> None:
    """Check the three switches that every builder has.

    Args:
        network: the name used in the error.
        num_classes: number of logits, at least 1.
        in_channels: channels of the image, at least 1.
        image_size: height and width of the image in pixels.
        feature_size: from an image size in pixels to the smallest feature map inside the network, in pixels;
            the image is too small where that is below 1. The default says that every size works.

    Raises:
        UserError: a value cannot work; for an image size the smallest that works is named.
    """
    whole_number("num_classes", num_classes)
    whole_number("in_channels", in_channels)
    size = whole_number("image_size", image_size)
    if feature_size(size) < 1:
        smallest = next(larger for larger in range(size + 1, 100_000) if feature_size(larger) >= 1)
        raise UserError(f"image_size is {size}, too small for {network}; the smallest that works is {smallest} pixels.")


def halved(size: int, times: int) -> int:
    """The side of a map in pixels after stride-2 layers with `same` padding, each ceil(size / 2)."""
    for _ in range(times):
        size = -(-size // 2)
    return size
