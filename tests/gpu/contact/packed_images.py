"""Gray images in few bytes, without loss: FER2013 takes 49 MB so, 54 with LZMA over differences, 59 as PNG.

Each pixel is predicted from ten above and to the left, by weights that are fitted for each kind of neighbourhood (how
much it varies, and whether more along rows or columns). What is left is coded with the frequencies of one of 64
contexts, by how much the neighbourhood varies and how far off the predictions around it were, as in Wu and Memon (1997,
IEEE Trans. Communications 45(4)), with asymmetric numeral systems (Duda 2013, arXiv:1311.2540): a state for each image,
all images at a time, so that NumPy's calls are few. Equal images are kept once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

CONTEXTS: Final = 64
LEVELS: Final = 8
"""Of how much a neighbourhood varies, in choosing weights."""
BITS: Final = 15
"""Frequencies of a context sum to two to this power."""
WEIGHT_BITS: Final = 12
LEAST_STATE: Final = 2**16
FITTED_ON: Final = 1400
"""Images that weights and contexts are fitted on; more change the size by less than a thousandth."""
OUTSIDE: Final = 128
"""Pixels above an image; those beside it are their neighbours'."""
NEAR: Final = ((0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-2, 1), (-1, -2), (-1, 2), (-2, -1))
"""Rows and columns from a pixel to those it is predicted from: W, N, NW, NE, WW, NN first."""
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Rule:
    """How pixels are predicted: ``weights`` int32 (11, kinds), of neighbours and of one, and the ``levels`` (7,) at
    which neighbourhoods vary more."""

    weights: Ints
    levels: Ints

    def predict(self, near: list[Ints], kind: Ints) -> Ints:
        """The prediction (N,) from neighbours, each (N,), in neighbourhoods of these kinds (N,)."""
        total = self.weights[-1][kind]
        for weights, values in zip(self.weights, near, strict=False):
            total += weights[kind] * values
        clipped: Ints = np.clip(total >> WEIGHT_BITS, 0, 255)
        return clipped

    def kind(self, near: list[Ints], activity: Ints) -> Ints:
        """The kind (N,) of a neighbourhood that varies so much."""
        west, north, north_west = near[:3]
        direction = np.sign(np.abs(west - north_west) - np.abs(north - north_west)) + 1
        found: Ints = np.searchsorted(self.levels, activity).astype(np.int32) * 3 + direction
        return found


def pack_images(images: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
    """Arrays that :func:`unpack_images` takes, of images uint8 (N, H, W)."""
    count, height, width = images.shape
    _, first, which = np.unique(images.reshape(count, -1), axis=0, return_index=True, return_inverse=True)
    pixels = np.ascontiguousarray(images[first].transpose(1, 2, 0))
    rule, edges = _fitted(pixels[:, :, :: max(1, len(first) // FITTED_ON)])
    symbols = np.empty((height * width, len(first)), np.uint8)
    contexts = np.empty_like(symbols)
    for position, (values, predicted, activity) in enumerate(_walk(pixels, rule)):
        contexts[position] = np.searchsorted(edges, activity)
        symbols[position] = (values - predicted) & 255
    frequencies = np.stack([_frequencies(symbols[contexts == one]) for one in range(CONTEXTS)])
    words, states = _coded(symbols, contexts, frequencies)
    arrays: dict[str, npt.NDArray[Any]] = {"words": words, "states": states, "frequencies": frequencies}
    arrays |= {
        "edges": edges,
        "weights": rule.weights,
        "levels": rule.levels,
        "shape": np.array(images.shape, np.int64),
    }
    return arrays | {"copies": which.reshape(-1).astype(np.uint32)}


def unpack_images(packed: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.uint8]:
    """The images uint8 (N, H, W) that :func:`pack_images` was given.

    Raises:
        ValueError: the arrays were changed.
    """
    _, height, width = (int(one) for one in packed["shape"])
    frequencies = packed["frequencies"].astype(np.uint64)
    below = np.cumsum(frequencies, axis=1) - frequencies
    slots = np.stack([np.repeat(np.arange(256, dtype=np.uint8), row.astype(np.int64)) for row in frequencies])
    states, words, used = packed["states"].astype(np.uint64), packed["words"], 0
    pixels = np.empty((height, width, len(states)), np.uint8)
    walk = _walk(pixels, Rule(packed["weights"], packed["levels"]))
    for row in range(height):
        for column in range(width):
            _, predicted, activity = next(walk)
            context = np.searchsorted(packed["edges"], activity)
            slot = states & np.uint64(2**BITS - 1)
            symbol = slots[context, slot.astype(np.int64)]
            states = frequencies[context, symbol] * (states >> np.uint64(BITS)) + slot - below[context, symbol]
            low = np.flatnonzero(states < LEAST_STATE)
            if used + len(low) > len(words):
                raise ValueError("the packed images are damaged: their code ends early")
            states[low] = (states[low] << np.uint64(16)) | words[used : used + len(low)]
            used += len(low)
            pixels[row, column] = (predicted + symbol) & 255
    if used != len(words) or np.any(states != LEAST_STATE):
        raise ValueError("the packed images are damaged: their code does not come out even")
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[packed["copies"]])


def _walk(pixels: npt.NDArray[np.uint8], rule: Rule) -> Iterator[tuple[npt.NDArray[np.uint8], Ints, Ints]]:
    """Pixel after pixel of images (H, W, N): its values (N,), what is predicted, and how uncertain that is.

    A pixel is read when the next is asked for, so that it may be written meanwhile.
    """
    _, width, count = pixels.shape
    missed = np.zeros((2, width + 4, count), np.int32)
    for row, column, near in _neighbourhoods(pixels):
        if column == 0:
            missed[0], missed[1] = missed[1], 0
        activity = _activity(near)
        predicted = rule.predict(near, rule.kind(near, activity))
        at = column + 2
        activity += 2 * (missed[1, at - 1] + missed[0, at]) + missed[0, at - 1] + missed[0, at + 1]
        yield pixels[row, column], predicted, activity
        missed[1, at] = np.abs(pixels[row, column] - predicted)


def _neighbourhoods(pixels: npt.NDArray[np.uint8]) -> Iterator[tuple[int, int, list[Ints]]]:
    """Row, column and the values (N,) of each neighbour, pixel after pixel."""
    height, width, count = pixels.shape
    known = np.full((3, width + 4, count), OUTSIDE, np.int32)  # two rows above and this, two columns more at each side
    for row in range(height):
        known[:2] = known[1:].copy()
        known[2, :2] = known[1, 2]
        for column in range(width):
            yield row, column, [known[2 + down, column + 2 + right] for down, right in NEAR]
            known[2, column + 2] = pixels[row, column]
        known[2, width + 2 :] = known[2, width + 1]


def _activity(near: list[Ints]) -> Ints:
    """How much a neighbourhood varies."""
    west, north, north_west, north_east, west2, north2 = near[:6]
    found: Ints = np.abs(west - north_west) + np.abs(north - north_west) + np.abs(north - north_east)
    found += np.abs(west - west2) + np.abs(north - north2)
    return found


def _fitted(pixels: npt.NDArray[np.uint8]) -> tuple[Rule, Ints]:
    """Least squares over some images (H, W, N), and where contexts begin: quantiles of how uncertain they are."""
    near = [np.stack(one) for one in zip(*([v.copy() for v in n] for _, _, n in _neighbourhoods(pixels)), strict=True)]
    activity = _activity(near)
    levels = np.quantile(activity, np.arange(1, LEVELS) / LEVELS).astype(np.int32)
    kinds = Rule(np.zeros((len(NEAR) + 1, 1), np.int32), levels).kind(near, activity)
    weights = np.zeros((len(NEAR) + 1, 3 * LEVELS), np.int32)
    targets = pixels.reshape(near[0].shape)
    for kind in range(3 * LEVELS):
        here = kinds == kind
        if here.any():
            known = np.stack([*(one[here] for one in near), np.ones(here.sum())], 1)
            found = np.linalg.lstsq(known, targets[here].astype(np.float64), rcond=None)[0]
            found[-1] += 0.5  # so that cutting the fraction off rounds
            weights[:, kind] = np.rint(found * 2**WEIGHT_BITS)
    rule = Rule(weights, levels)
    uncertain = np.concatenate([activity for _, _, activity in _walk(pixels, rule)])
    return rule, np.quantile(uncertain, np.arange(1, CONTEXTS) / CONTEXTS).astype(np.int32)


def _frequencies(symbols: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
    """How often each symbol (256,) comes, of two to the power of ``BITS``; at least once where it comes at all."""
    counts = np.bincount(symbols, minlength=256) + (0 if len(symbols) else 1)
    scaled = np.where(counts > 0, np.maximum(1, counts * 2**BITS // counts.sum()), 0)
    scaled[np.argmax(scaled)] += 2**BITS - scaled.sum()
    return scaled.astype(np.uint16)


def _coded(
    symbols: npt.NDArray[np.uint8], contexts: npt.NDArray[np.uint8], frequencies: npt.NDArray[np.uint16]
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint32]]:
    """Words in the order in which they are read, and the states (N,) that reading begins with."""
    wide = frequencies.astype(np.uint64)
    below = np.cumsum(wide, axis=1) - wide
    states = np.full(symbols.shape[1], LEAST_STATE, np.uint64)
    words: list[npt.NDArray[np.uint16]] = []
    for position in range(len(symbols) - 1, -1, -1):
        at = contexts[position], symbols[position]
        frequency = wide[at]
        high = np.flatnonzero(states >= frequency << np.uint64(32 - BITS))
        words.append(states[high].astype(np.uint16))
        states[high] >>= np.uint64(16)
        states = ((states // frequency) << np.uint64(BITS)) + states % frequency + below[at]
    return np.concatenate(words[::-1]), states.astype(np.uint32)
