"""How the maps of a layer lie on the image: straight, mirrored, transposed, or so that no place can be told.

A network may mirror an image before a layer sees it, cut it, fold it into the batch or mix its places. A heat map that
is laid over the image all the same is wrong, so small patches of the image are changed one by one, and where the maps
change is compared with where the patches are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import torch

_PATCHES: Final = 6  # along a side
_DRAWS: Final = 2  # of noise for each patch: with two, correlations of networks without places are lower
_SEED: Final = 6151  # of what the patches are replaced by
_LEAST_CHANGE: Final = 1e-4  # of the largest; less is rounding
_MOST_UNSEEN: Final = 0.15  # of the patches; an edge that no kernel reaches is thinner than a row of them
_MOST_UNREACHED: Final = 0.5  # of the places of a map
_LEAST_CORRELATION: Final = 0.4
"""Untrained networks of the library have 0.57 to 1.00; shuffled places have less than 0.33 in 95 of 100 cases (of 36
patches, by Fisher's transform), and rows and columns must both reach it."""
_LEAST_LINE_CORRELATION: Final = 0.7  # those networks have 0.81 or more, an image that is rolled by half a side 0.54
_LARGEST_SHIFT: Final = 0.4  # of half a side


class MapsLeftOutError(ValueError):
    """Maps that cannot be shown; the message says why, as the end of a sentence about their layer."""


@dataclass(frozen=True)
class Lie:
    """How maps lie on an image: rows or columns run backwards, or rows are columns of the image (``transposed``)."""

    rows_backwards: bool = False
    columns_backwards: bool = False
    transposed: bool = False

    def straighten(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps (..., h, w) turned so that they lie as the image does."""
        backwards = [side for side, turned in ((-2, self.rows_backwards), (-1, self.columns_backwards)) if turned]
        flipped = maps.flip(backwards) if backwards else maps
        return flipped.transpose(-2, -1) if self.transposed else flipped


def find_lies(
    maps_of: Callable[[torch.Tensor], Sequence[torch.Tensor]], image: torch.Tensor, turns: Sequence[int]
) -> list[Lie]:
    """How the maps of each of these calls of a layer lie on an image.

    Args:
        maps_of: from images (N, C, H, W) to what the layer gives at each of its calls, (N, channels, h, w).
        image: (1, C, H, W).
        turns: which calls, from 0.

    Raises:
        MapsLeftOutError: the maps show only part of the image, do not depend on it, or not on its places.
    """
    patched, centres = _patched(image)
    with torch.no_grad():
        calls = maps_of(patched)
    if len(calls) <= max(turns):
        raise MapsLeftOutError("it is not called equally often for every image")
    return [_lie(calls[turn].double(), centres) for turn in turns]


def _patched(image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The image, then the same with one patch each replaced by noise, once for each draw of it.

    The centres (patches, 2) of the patches are in -1 to 1.
    """
    height, width = image.shape[-2:]
    low, high = float(image.min()), float(image.max())
    spread = max(high - low, 1.0)
    generator = torch.Generator().manual_seed(_SEED)
    patches = [(*rows, *columns) for rows in _edges(height) for columns in _edges(width)]
    images = [image]
    for _ in range(_DRAWS):
        noise = (low + spread * torch.rand(image.shape, generator=generator, dtype=torch.float64)).to(image.dtype)
        for top, bottom, left, right in patches:
            changed = image.clone()
            changed[..., top:bottom, left:right] = noise[..., top:bottom, left:right]
            images.append(changed)
    centres = [((top + bottom) / height - 1, (left + right) / width - 1) for top, bottom, left, right in patches]
    return torch.cat(images), torch.tensor(centres, dtype=torch.float64)


def _edges(side: int) -> list[tuple[int, int]]:
    parts = min(_PATCHES, side)
    return [(index * side // parts, (index + 1) * side // parts) for index in range(parts)]


def _lie(maps: torch.Tensor, centres: torch.Tensor) -> Lie:
    images = _DRAWS * len(centres) + 1
    if len(maps) != images:
        raise MapsLeftOutError(f"it gives maps of {len(maps):,} images for {images:,}")
    change = (maps[1:] - maps[:1]).abs().sum(1).unflatten(0, (_DRAWS, len(centres))).sum(0)
    by_patch, by_position = change.sum((1, 2)), change.sum(0)
    if not torch.isfinite(change).all():
        raise MapsLeftOutError("its maps are not finite")
    if not by_patch.any():
        raise MapsLeftOutError("its maps do not depend on the image")
    seen = by_patch > _LEAST_CHANGE * by_patch.max()
    if 1 - seen.double().mean() > _MOST_UNSEEN:
        raise MapsLeftOutError("its maps show only part of the image")
    if (by_position <= _LEAST_CHANGE * by_position.max()).double().mean() > _MOST_UNREACHED:
        raise MapsLeftOutError("the image fills only part of its maps")
    return _judged(_centroids(change[seen]), centres[seen], maps.shape[-2] > 1, maps.shape[-1] > 1)


def _centroids(change: torch.Tensor) -> torch.Tensor:
    """Where maps (patches, h, w) change on average: row and column in -1 to 1, (patches, 2)."""
    height, width = change.shape[-2:]
    total = change.sum((1, 2))
    rows = (2 * torch.arange(height, dtype=torch.float64) + 1) / height - 1
    columns = (2 * torch.arange(width, dtype=torch.float64) + 1) / width - 1
    return torch.stack([(change.sum(2) @ rows) / total, (change.sum(1) @ columns) / total], dim=1)


def _judged(found: torch.Tensor, centres: torch.Tensor, has_rows: bool, has_columns: bool) -> Lie:
    shift = found.mean(0) - centres.mean(0)
    if float(shift.abs().max()) > _LARGEST_SHIFT:
        raise MapsLeftOutError("its maps lie displaced on the image")
    related = _correlations(found, centres)
    straight, crossed = related.abs().diagonal(), related.abs().flip(1).diagonal()
    transposed = bool(crossed.sum() > straight.sum())
    strengths = crossed if transposed else straight
    signs = related.flip(1).diagonal() if transposed else related.diagonal()
    known = torch.tensor([has_rows, has_columns])
    lines = _line_correlations(found, centres.flip(1) if transposed else centres)
    if (strengths[known] < _LEAST_CORRELATION).any() or (lines[known] < _LEAST_LINE_CORRELATION).any():
        raise MapsLeftOutError("the places of its maps are not those of the image")
    backwards = known & (signs < 0)
    return Lie(bool(backwards[0]), bool(backwards[1]), transposed)


def _line_correlations(found: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """How strongly the mean row of each row of patches is related to where these are; the same of columns (2,)."""
    strengths = []
    for axis in (0, 1):
        lines = centres[:, axis].unique()
        means = torch.stack([found[centres[:, axis] == line, axis].mean() for line in lines])
        strengths.append(_correlations(means[:, None], lines[:, None]).abs()[0, 0])
    return torch.stack(strengths)


def _correlations(found: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """Of rows and columns on the maps with those on the image, (2, 2) of two each; 0 where nothing varies."""
    ours, theirs = found - found.mean(0), centres - centres.mean(0)
    scale = ours.norm(dim=0)[:, None] * theirs.norm(dim=0)[None]
    return torch.where(scale > 1e-12, ours.T @ theirs / scale.clamp_min(1e-12), 0.0)
