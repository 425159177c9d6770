"""Everything that is said of two networks on the same images, from their answers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from fbench.statistics.clusters import Clusters
from fbench.statistics.comparison.effect_size import EffectSize, paired_effect_size, unpaired_effect_size
from fbench.statistics.comparison.mcnemar import McNemarTest, mcnemar
from fbench.statistics.comparison.paired import compare
from fbench.statistics.comparison.paired import new_images_difference as paired_new_images
from fbench.statistics.comparison.unpaired import unpaired_new_images, unpaired_this_test_set
from fbench.statistics.crossed import as_matrix
from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.possible import DifferenceOfShares, bounded
from fbench.statistics.sign_flip import SignFlipTest
from fbench.statistics.single import AccuracySummary, summarise

Pairing = Literal["paired", "unpaired"]

CONFIDENCE: Final = 0.95

FEWEST_PAIRS: Final = 2
"""Seeds in common from which on seeds are pairs: with one, nothing is known of the chance of a seed."""

SHARE_OF_PAIRS: Final = Fraction(2, 3)
"""Of the seeds of the network that has fewer, from which on the common ones are pairs and the others are left out: with
a smaller share more would be lost with the seeds left out than is gained by pairs."""


@dataclass(frozen=True)
class NetworkComparison:
    """The difference of ours minus theirs, in fractions of 1.

    Attributes:
        pairing: whether equal seeds were compared with each other, or all seeds of one with all of the other.
        this_test_set: for these images; chance is the seed.
        new_images: for new seeds and new images; verdicts rest on it.
        sign_flip: the exact test of ``this_test_set`` over pairs of seeds; none where seeds are not pairs.
        mcnemar: the exact test of two trainings on these images; none with more than one training a side.
        effect_size: in units of the spread over seeds; none with one seed on a side.
        our_seeds: seeds of ours that were used.
        their_seeds: seeds of theirs that were used; equal to ``our_seeds`` where seeds are pairs.
        images: of the test set.
    """

    pairing: Pairing
    this_test_set: MeanEstimate
    new_images: MeanEstimate
    sign_flip: SignFlipTest | None
    mcnemar: McNemarTest | None
    effect_size: EffectSize | None
    our_seeds: tuple[int, ...]
    their_seeds: tuple[int, ...]
    images: int

    @property
    def seeds(self) -> int:
        """Of the side that has fewer."""
        return min(len(self.our_seeds), len(self.their_seeds))


def compare_networks(
    ours: npt.ArrayLike,
    theirs: npt.ArrayLike,
    our_seeds: tuple[int, ...],
    their_seeds: tuple[int, ...],
    confidence: float = CONFIDENCE,
    clusters: Clusters | None = None,
) -> NetworkComparison:
    """Compare two networks by their answers.

    Seeds that both have are pairs and the others are left out, where they are at least two and two thirds of the seeds
    of the network that has fewer; otherwise, unless each has but one and the same, all seeds of both are used unpaired.
    The numbers of the seeds alone decide, never the answers. No interval is wider than two accuracies allow.

    Args:
        ours: shape (R_A seeds, C images); 1 or True where the answer was right.
        theirs: shape (R_B seeds, C images), of the same images in the same order.
        our_seeds: the seed of each row of ours.
        their_seeds: the seed of each row of theirs.
        confidence: of all intervals, two-sided.
        clusters: of the images, where they are not independent; ``new_images`` is then for new clusters.

    Raises:
        ValueError: rows and seeds that do not match, a seed twice, different numbers of images, values that are not
            finite, or a confidence not between 0 and 1.
    """
    a, b = as_matrix(ours), as_matrix(theirs)
    for matrix, seeds in ((a, our_seeds), (b, their_seeds)):
        if len(matrix) != len(seeds) or len(set(seeds)) != len(seeds):
            raise ValueError(f"{len(matrix)} rows do not match the seeds {list(seeds)}; give each row one seed.")
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"{a.shape[1]} and {b.shape[1]} images do not pair; give both networks the same images.")
    pairs = paired_seeds(our_seeds, their_seeds)
    if pairs:
        return _paired(*_rows_of(a, b, our_seeds, their_seeds, pairs), pairs, confidence, clusters)
    here, new = _bounds(a, b, confidence, clusters)
    return NetworkComparison(
        pairing="unpaired",
        this_test_set=bounded(unpaired_this_test_set(a, b, confidence), here),
        new_images=bounded(unpaired_new_images(a, b, confidence, clusters), new),
        sign_flip=None,
        mcnemar=_of_single_trainings(a, b),
        effect_size=unpaired_effect_size(a.mean(axis=1), b.mean(axis=1), confidence)
        if min(len(a), len(b)) > 1
        else None,
        our_seeds=our_seeds,
        their_seeds=their_seeds,
        images=a.shape[1],
    )


def new_images_difference(
    ours: npt.ArrayLike,
    theirs: npt.ArrayLike,
    our_seeds: tuple[int, ...],
    their_seeds: tuple[int, ...],
    clusters: Clusters | None = None,
    accuracies: tuple[AccuracySummary, AccuracySummary] | None = None,
) -> MeanEstimate:
    """The difference for new images alone, as :func:`compare_networks` has it, without its exact tests.

    ``accuracies`` are those of all seeds of both, where they are known: what many differences of one network share.
    """
    a, b = as_matrix(ours), as_matrix(theirs)
    pairs = paired_seeds(our_seeds, their_seeds)
    if pairs:
        a, b = _rows_of(a, b, our_seeds, their_seeds, pairs)
    uses_all = not pairs or our_seeds == their_seeds
    if accuracies is not None and uses_all:
        bounds = DifferenceOfShares(accuracies[0].new_images, accuracies[1].new_images)
    else:
        bounds = _bounds(a, b, CONFIDENCE, clusters)[1]
    if not pairs:
        return bounded(unpaired_new_images(a, b, clusters=clusters), bounds)
    return bounded(paired_new_images(a - b, clusters=clusters), bounds)


def paired_seeds(our_seeds: tuple[int, ...], their_seeds: tuple[int, ...]) -> tuple[int, ...]:
    """The seeds that are pairs; empty where all seeds of both are used unpaired."""
    theirs = set(their_seeds)
    common = tuple(seed for seed in our_seeds if seed in theirs)
    fewest = min(len(our_seeds), len(their_seeds))
    is_enough = len(common) >= FEWEST_PAIRS and len(common) >= SHARE_OF_PAIRS * fewest
    return common if is_enough or our_seeds == their_seeds else ()


def _rows_of(
    a: npt.NDArray[np.float64],
    b: npt.NDArray[np.float64],
    our_seeds: tuple[int, ...],
    their_seeds: tuple[int, ...],
    pairs: tuple[int, ...],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The rows of both sides that are pairs, in one order."""
    return _rows_of_seeds(a, our_seeds, pairs), _rows_of_seeds(b, their_seeds, pairs)


def _rows_of_seeds(
    matrix: npt.NDArray[np.float64], seeds: tuple[int, ...], wanted: tuple[int, ...]
) -> npt.NDArray[np.float64]:
    if seeds == wanted:
        return matrix
    places = {seed: place for place, seed in enumerate(seeds)}
    return matrix[[places[seed] for seed in wanted]]


def _paired(
    a: npt.NDArray[np.float64],
    b: npt.NDArray[np.float64],
    seeds: tuple[int, ...],
    confidence: float,
    clusters: Clusters | None,
) -> NetworkComparison:
    found = compare(a - b, confidence, clusters)
    here, new = _bounds(a, b, confidence, clusters)
    return NetworkComparison(
        pairing="paired",
        this_test_set=bounded(found.this_test_set, here),
        new_images=bounded(found.new_images, new),
        sign_flip=found.sign_flip,
        mcnemar=_of_single_trainings(a, b),
        effect_size=paired_effect_size(a.mean(axis=1), b.mean(axis=1), confidence) if len(seeds) > 1 else None,
        our_seeds=seeds,
        their_seeds=seeds,
        images=a.shape[1],
    )


def _bounds(
    a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], confidence: float, clusters: Clusters | None
) -> tuple[DifferenceOfShares, DifferenceOfShares]:
    """What the difference can be, for these images and for new ones."""
    ours, theirs = summarise(a, confidence, clusters), summarise(b, confidence, clusters)
    return (
        DifferenceOfShares(ours.this_test_set, theirs.this_test_set),
        DifferenceOfShares(ours.new_images, theirs.new_images),
    )


def _of_single_trainings(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> McNemarTest | None:
    return mcnemar(a[0], b[0]) if len(a) == len(b) == 1 else None
