"""Near copies: every pair of distinct images whose pixels correlate above a threshold, as they are or mirrored.

One blocked matrix product answers both questions. A standardised image x is the sum of its left-right symmetric half
s and its antisymmetric half a; mirroring changes the sign of a alone, so that <x, y> = <s_x, s_y> + <a_x, a_y> and
<x, mirrored y> = <s_x, s_y> - <a_x, a_y>. Each half has half the columns, so both correlations cost one product of
all pixels.

Most pairs are ruled out by less. Let p be the part of x in a few low frequencies and r the norm of the rest: by Cauchy
and Schwarz <x, y> is at most <p_x, p_y> + r_x r_y, which is again an inner product, of p with r as one more coordinate.
No pair above the threshold is lost; on FER2013 145 coordinates leave 2,000 of 579 million pairs to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fbench.benchmark.data.exact_copies import copy_groups

BLOCK: Final = 1024
"""Images in a block: two products of 1024 x 1024 floats are 8 MB, which stay in the cache of most machines."""
MARGIN: Final = 1e-4
"""Far above the rounding of a float32 product of 2,304 terms (about 1e-6); candidates are computed again in float64."""
FREQUENCIES: Final = 12, 6
"""Rows and columns of the low frequencies of a half (half as many columns, since it is half as wide). On FER2013 8 x 4
leave 2,400 pairs and 16 x 8 leave 1,000; these are the fastest."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of images: places ``first`` < ``second`` (P,), and the Pearson correlation (P,) of their pixels."""

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    correlation: npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Halves:
    """Coordinates float32 (N, D) of the symmetric and of the antisymmetric half of each image."""

    symmetric: torch.Tensor
    antisymmetric: torch.Tensor


def correlated_pairs(
    images: npt.NDArray[np.uint8], above: float, progress: Callable[[float], None] = lambda share: None
) -> tuple[Pairs, Pairs]:
    """Every pair of images (N, C, H, W) with a correlation above ``above``: as they are, and the second one mirrored.

    A constant image has no correlation with anything and is in no pair; an image and its own mirror image are not a
    pair. ``progress`` is called with the share of the work done.
    """
    flat = images.reshape(len(images), -1)
    varied = np.flatnonzero(flat.max(axis=1, initial=0) > flat.min(axis=1, initial=255))
    whole, coarse = _halves(images[varied])
    found: tuple[list[npt.NDArray[np.int64]], list[npt.NDArray[np.int64]]] = ([], [])
    # Products go into the same memory block after block: new memory for each let the process grow to 1.5 to 2.7 GB on
    # FER2013, by the allocator's mood.
    workspace = torch.empty(3, BLOCK * BLOCK)
    for rows, columns, share in _blocks(len(varied)):
        candidates = [_above(product, rows, columns, above) for product in _products(coarse, rows, columns, workspace)]
        # Computing a pair anew takes about as long as a thousandth of a block's product.
        if max(map(len, candidates)) > BLOCK:
            candidates = [
                _above(product, rows, columns, above) for product in _products(whole, rows, columns, workspace)
            ]
        for part, pairs in zip(found, candidates, strict=True):
            part.append(pairs)
        progress(share)
    as_is, mirrored = (np.concatenate([np.empty((0, 2), np.int64), *part]) for part in found)
    return _confirmed(images, varied[as_is], above, mirror=False), _confirmed(
        images, varied[mirrored], above, mirror=True
    )


def linked_groups(images: npt.NDArray[np.uint8], pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The group (N,) of each image: images of a pair (P, 2) are linked, and so are exact copies."""
    _, original, copies = np.unique(copy_groups(images), return_index=True, return_inverse=True)
    links = np.concatenate([pairs, np.stack([np.arange(len(images)), original[copies]], axis=1)])
    graph = coo_array((np.ones(len(links), np.bool_), (links[:, 0], links[:, 1])), shape=(len(images), len(images)))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _blocks(count: int) -> Iterator[tuple[slice, slice, float]]:
    """Blocks of the upper triangle, and the share of them that is done with each."""
    starts = range(0, count, BLOCK)
    total, done = len(starts) * (len(starts) + 1) // 2, 0
    for top in starts:
        for left in range(top, count, BLOCK):
            done += 1
            yield slice(top, min(top + BLOCK, count)), slice(left, min(left + BLOCK, count)), done / total


def _products(halves: _Halves, rows: slice, columns: slice, workspace: torch.Tensor) -> Iterator[torch.Tensor]:
    """Inner products of a block as the images are, and then mirrored, both in the same memory."""
    shape = rows.stop - rows.start, columns.stop - columns.start
    same, other, total = (part[: shape[0] * shape[1]].view(shape) for part in workspace)
    torch.mm(halves.symmetric[rows], halves.symmetric[columns].T, out=same)
    torch.mm(halves.antisymmetric[rows], halves.antisymmetric[columns].T, out=other)
    yield torch.add(same, other, out=total)
    yield torch.sub(same, other, out=total)


def _above(product: torch.Tensor, rows: slice, columns: slice, above: float) -> npt.NDArray[np.int64]:
    """Pairs (P, 2), first < second, of which a block of products is not safely below the threshold."""
    if float(product.max()) <= above - MARGIN:
        return np.empty((0, 2), np.int64)
    hits = torch.nonzero(product > above - MARGIN).numpy() + np.array([rows.start, columns.start])
    return np.asarray(hits[hits[:, 0] < hits[:, 1]])


def _halves(images: npt.NDArray[np.uint8]) -> tuple[_Halves, _Halves]:
    """Halves of each standardised image: whole ones, whose products are correlations, and coarse ones, upper bounds.

    Columns that stand for two pixels are scaled by the root of two; the middle column of an odd width is its own
    mirror image and counts once, with an antisymmetric part of zero. The rest that coarse halves leave out is computed
    in float64, since the root of a small difference of float32 would lose half of its digits.
    """
    channels, height, width = images.shape[1:]
    kept = (width + 1) // 2
    scale = np.full(kept, np.sqrt(2))
    if width % 2:
        scale[-1] = 1.0
    down, along = _low_frequencies(height, FREQUENCIES[0]), _low_frequencies(kept, FREQUENCIES[1])
    size, coarse_size = channels * height * kept, channels * down.shape[1] * along.shape[1]
    whole = np.empty((2, len(images), size), np.float32)
    coarse = np.zeros((2, len(images), coarse_size + 1), np.float32)
    for start in range(0, len(images), BLOCK):
        part = slice(start, start + BLOCK)
        values = _standardised(images[part])
        rest = np.ones(len(values))
        for half, folded in enumerate((values + values[..., ::-1], values - values[..., ::-1])):
            coordinates = folded[..., :kept] * (scale / 2)
            low = (down.T @ coordinates @ along).reshape(len(values), -1)
            whole[half, part] = coordinates.reshape(len(values), -1)
            coarse[half, part, :-1] = low
            rest -= np.square(low).sum(axis=1)
        coarse[0, part, -1] = np.sqrt(rest.clip(min=0))
    return _Halves(*torch.from_numpy(whole)), _Halves(*torch.from_numpy(coarse))


def _low_frequencies(size: int, count: int) -> npt.NDArray[np.float64]:
    """The first ``count`` cosines of ``size`` places (size, count), orthonormal: discrete cosine transform, type II."""
    index, frequency = np.arange(size)[:, None] + 0.5, np.arange(min(size, count))
    cosines = np.cos(np.pi * index * frequency / size)
    return np.asarray(cosines / np.linalg.norm(cosines, axis=0))


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
