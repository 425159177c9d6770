"""Near copies: every pair of distinct images whose pixels correlate above a threshold, as they are or mirrored.

One blocked matrix product answers both questions. A standardised image x is the sum of its left-right symmetric half
s and its antisymmetric half a; mirroring changes the sign of a alone, so that <x, y> = <s_x, s_y> + <a_x, a_y> and
<x, mirrored y> = <s_x, s_y> - <a_x, a_y>. Each half has half the columns, so both correlations cost one product of
all pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

BLOCK: Final = 1024
"""Images in a block: two products of 1024 x 1024 floats are 8 MB, which stay in the cache of most machines."""
MARGIN: Final = 1e-4
"""Far above the rounding of a float32 product of 2,304 terms (about 1e-6); candidates are computed again in float64."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of images: places ``first`` < ``second`` (P,), and the Pearson correlation (P,) of their pixels."""

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    correlation: npt.NDArray[np.float64]


def correlated_pairs(
    images: npt.NDArray[np.uint8], above: float, progress: Callable[[float], None] = lambda share: None
) -> tuple[Pairs, Pairs]:
    """Every pair of images (N, C, H, W) with a correlation above ``above``: as they are, and the second one mirrored.

    A constant image has no correlation with anything and is in no pair; an image and its own mirror image are not a
    pair. ``progress`` is called with the share of the work done.
    """
    flat = images.reshape(len(images), -1)
    varied = np.flatnonzero(flat.max(axis=1, initial=0) > flat.min(axis=1, initial=255))
    symmetric, antisymmetric = _halves(images[varied])
    found: tuple[list[npt.NDArray[np.int64]], list[npt.NDArray[np.int64]]] = ([], [])
    # Products go into the same memory block after block: new memory for each let the process grow to 1.5 to 2.7 GB on
    # FER2013, by the allocator's mood.
    workspace = torch.empty(3, BLOCK * BLOCK)
    for rows, columns, share in _blocks(len(varied)):
        shape = rows.stop - rows.start, columns.stop - columns.start
        same, other, total = (part[: shape[0] * shape[1]].view(shape) for part in workspace)
        torch.mm(symmetric[rows], symmetric[columns].T, out=same)
        torch.mm(antisymmetric[rows], antisymmetric[columns].T, out=other)
        for kind, combine in enumerate((torch.add, torch.sub)):
            combine(same, other, out=total)
            if float(total.max()) > above - MARGIN:
                hits = torch.nonzero(total > above - MARGIN).numpy() + np.array([rows.start, columns.start])
                found[kind].append(hits[hits[:, 0] < hits[:, 1]])
        progress(share)
    as_is, mirrored = (np.concatenate([np.empty((0, 2), np.int64), *part]) for part in found)
    return _confirmed(images, varied[as_is], above, mirror=False), _confirmed(
        images, varied[mirrored], above, mirror=True
    )


def _blocks(count: int) -> Iterator[tuple[slice, slice, float]]:
    """Blocks of the upper triangle, and the share of them that is done with each."""
    starts = range(0, count, BLOCK)
    total, done = len(starts) * (len(starts) + 1) // 2, 0
    for top in starts:
        for left in range(top, count, BLOCK):
            done += 1
            yield slice(top, min(top + BLOCK, count)), slice(left, min(left + BLOCK, count)), done / total


def _halves(images: npt.NDArray[np.uint8]) -> tuple[torch.Tensor, torch.Tensor]:
    """Symmetric and antisymmetric half of each standardised image, float32 (N, C H ceil(W / 2)).

    The columns that stand for two pixels are scaled by the root of two; the middle column of an odd width is its own
    mirror image and counts once, with an antisymmetric part of zero.
    """
    width = images.shape[3]
    kept = (width + 1) // 2
    scale = np.full(kept, np.sqrt(2), np.float32)
    if width % 2:
        scale[-1] = 1.0
    symmetric = np.empty((len(images), images.shape[1] * images.shape[2] * kept), np.float32)
    antisymmetric = np.empty_like(symmetric)
    for start in range(0, len(images), BLOCK):
        part = slice(start, start + BLOCK)
        values = _standardised(images[part]).astype(np.float32)
        mirrored = values[..., ::-1]
        symmetric[part] = ((values + mirrored)[..., :kept] * (scale / 2)).reshape(len(values), -1)
        antisymmetric[part] = ((values - mirrored)[..., :kept] * (scale / 2)).reshape(len(values), -1)
    return torch.from_numpy(symmetric), torch.from_numpy(antisymmetric)


def _standardised(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Images less their mean, with norm 1, so that an inner product is a correlation; float64, of the same shape."""
    flat = images.reshape(len(images), -1).astype(np.float64)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    return flat.reshape(images.shape)


def _confirmed(
    images: npt.NDArray[np.uint8], candidates: npt.NDArray[np.int64], above: float, *, mirror: bool
) -> Pairs:
    """Candidates whose correlation in float64 is above the threshold, the most alike first."""
    first, second = candidates[:, 0], candidates[:, 1]
    correlation = np.empty(len(candidates))
    for start in range(0, len(candidates), BLOCK):
        part = slice(start, start + BLOCK)
        others = images[second[part]][..., ::-1] if mirror else images[second[part]]
        products = _standardised(images[first[part]]) * _standardised(others)
        correlation[part] = products.reshape(len(products), -1).sum(axis=1)
    order = np.lexsort((second, first, -correlation))
    order = order[correlation[order] > above]
    return Pairs(first[order], second[order], correlation[order])
