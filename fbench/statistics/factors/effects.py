"""Main effects, interactions and simple effects of crossed factors, each as a contrast with both estimands.

A contrast is a weight for each cell. The weights turn the correctness of the cells into one matrix of seeds and images,
and both intervals of its mean are made as those of a difference of two networks: for *this test set* Student's t over
the seeds, for *new images* the crossed random effects model. Each uses the spread of its own contrast alone (Boik 1981,
Psychometrika 46, 241-255), so neither assumes that all cells vary alike: where one cell's seeds spread three times as
far as the others', intervals from the pooled residual of the analysis of variance cover a simple effect in 85 to 87 %
instead of 95 (``results/inference/effects.csv``).
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import isnan
from typing import Literal

import numpy as np
import numpy.typing as npt

from fbench.statistics.clusters import Clusters
from fbench.statistics.comparison.equivalence import equivalence_interval
from fbench.statistics.comparison.multiplicity import Correction
from fbench.statistics.comparison.paired import new_images_difference
from fbench.statistics.comparison.verdict import NOTHING_TESTED, Decision, FamilyMember, decide
from fbench.statistics.crossed import ROUNDING
from fbench.statistics.estimands import MeanEstimate, this_test_set
from fbench.statistics.factors.design import CrossedCorrectness, CrossedDesign
from fbench.statistics.possible import Range, bounded

FloatArray = npt.NDArray[np.float64]

Kind = Literal["main", "interaction", "simple"]
"""``main``: a level against the first, averaged over the other factors. ``interaction``: how much such a difference
changes with the level of another factor (of two: a difference of differences; of three: how much that changes; and so
on), averaged over the rest. ``simple``: a level against the first within one level of one other factor, averaged over
the rest."""


@dataclass(frozen=True)
class LevelChange:
    """From one level of a factor to another."""

    factor: str
    level: str
    against: str


@dataclass(frozen=True)
class Contrast:
    """What is compared.

    Attributes:
        kind: main effect, interaction or simple effect.
        changes: the levels compared, one change for each factor involved.
        within: for a simple effect, the factor that is held and its level; else none.
        weights: of the accuracies of the cells, in the order of ``CrossedDesign.cells``; they sum to 0.
    """

    kind: Kind
    changes: tuple[LevelChange, ...]
    within: tuple[str, str] | None
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Effect:
    """A contrast of accuracies, as a fraction of 1 (0.01 is one point), with both estimands.

    Attributes:
        contrast: what is compared.
        this_test_set: for these images; chance is the seed.
        new_images: for new seeds and new images; verdicts and corrected p-values rest on it.
        decision: the verdict of the family of all effects; *better* is an effect above 0, *worse* one below, and
            *equivalent* one that is certainly smaller than the margin.
        neither_learned: none of its cells learned, or trainings of one collapsed and could not be left out, so that
            nothing is decided.
        with_collapsed: for new images with trainings that collapsed, where the others are of those that learned; a
            verdict is then given only if both say the same.
    """

    contrast: Contrast
    this_test_set: MeanEstimate
    new_images: MeanEstimate
    decision: Decision = NOTHING_TESTED
    neither_learned: bool = False
    with_collapsed: MeanEstimate | None = None

    @property
    def interval(self) -> tuple[float, float]:
        """For new images, at the level at which it was tested in the family; that of 95 % where nothing was tested."""
        level = self.decision.level
        return (self.new_images.low, self.new_images.high) if isnan(level) else self.new_images.interval(1 - level)

    @property
    def equivalence_interval(self) -> tuple[float, float]:
        """For new images, at the level at which it was held against the margin; as ``interval`` without a test."""
        level = self.decision.equivalent_level
        return self.interval if isnan(level) else equivalence_interval(self.new_images, level)


def contrasts(design: CrossedDesign) -> tuple[Contrast, ...]:
    """Every effect of a design: main effects, interactions from two factors up, then simple effects."""
    indices = range(len(design.factors))
    several = [subset for size in indices[1:] for subset in itertools.combinations(indices, size + 1)]
    return tuple(
        itertools.chain(
            *(_crossed("main", design, (index,)) for index in indices),
            *(_crossed("interaction", design, subset) for subset in several),
            *(_simple(design, index, held) for index, held in itertools.permutations(indices, 2)),
        )
    )


def estimate_effects(
    data: CrossedCorrectness,
    margin: float = 0.01,
    correction: Correction = "holm",
    confidence: float = 0.95,
    collapsed: Collection[str] = (),
    clusters: Clusters | None = None,
    every: CrossedCorrectness | None = None,
    unsure: Collection[str] = (),
) -> tuple[Effect, ...]:
    """Estimate every effect of a crossed study, and decide them as one family of tests.

    Args:
        data: answers of all cells.
        margin: the effect that matters in practice, as a fraction of 1.
        correction: of the p-values for new images over the family.
        confidence: of both two-sided intervals.
        collapsed: the cells that did not learn; an effect of such cells alone is undecided.
        clusters: of the images, where they are not independent; ``new_images`` is then for new clusters.
        every: the answers of all trainings, where ``data`` are those that learned: a verdict is then given only if both
            say the same. None where none collapsed.
        unsure: the cells of which trainings collapsed that ``data`` hold all the same, as too few seeds are left
            without them; an effect with such a cell is undecided.

    Returns:
        Effects in the order of :func:`contrasts`. With one seed ``this_test_set`` is undefined (NaN), ``new_images``
        knows only the chance of the images, and nothing is tested.

    Raises:
        ValueError: a margin that is not above 0, or a confidence not between 0 and 1.
    """
    wanted = contrasts(data.design)
    here, new = [], []
    for contrast in wanted:
        matrix = contrast_matrix(data, contrast.weights)
        step, largest = _step_and_largest(contrast)
        here.append(bounded(this_test_set(matrix, confidence, step), Range(-largest, largest)))
        new.append(new_images_difference(matrix, confidence, step, largest, clusters))
    learned = [cell not in collapsed for cell in data.design.cells]
    doubtful = [cell in unsure for cell in data.design.cells]
    unlearned = [
        not any(map(operator.and_, map(bool, one.weights), learned))
        or any(map(operator.and_, map(bool, one.weights), doubtful))
        for one in wanted
    ]
    of_all = [None if every is None else _new_images(every, one, confidence, clusters) for one in wanted]
    effects = [
        Effect(contrast, of_seeds, of_images, neither_learned=mark, with_collapsed=more)
        for contrast, of_seeds, of_images, mark, more in zip(wanted, here, new, unlearned, of_all, strict=True)
    ]
    return decide_together([(effects, margin)], correction)[0]


def decide_together(
    studies: Sequence[tuple[Sequence[Effect], float]], correction: Correction = "holm", planned: int = 0
) -> list[tuple[Effect, ...]]:
    """Decide the effects of several studies as one family.

    Args:
        studies: the effects of each with the margin that matters there.
        correction: of the p-values for new images over the family.
        planned: how many effects the family was planned with, where that is more.

    Raises:
        ValueError: a margin that is not above 0.
    """
    members = [
        FamilyMember(
            effect.new_images,
            margin,
            neither_learned=effect.neither_learned,
            with_collapsed=effect.with_collapsed,
        )
        for effects, margin in studies
        for effect in effects
    ]
    decisions = iter(decide(members, correction, planned=planned))
    return [tuple(replace(effect, decision=next(decisions)) for effect in effects) for effects, _ in studies]


def _new_images(
    data: CrossedCorrectness, contrast: Contrast, confidence: float, clusters: Clusters | None
) -> MeanEstimate:
    matrix = contrast_matrix(data, contrast.weights)
    return new_images_difference(matrix, confidence, *_step_and_largest(contrast), clusters)


def _step_and_largest(contrast: Contrast) -> tuple[float, float]:
    """By how much one answer more can change a contrast, and the most that it can be."""
    return max(map(abs, contrast.weights)), sum(weight for weight in contrast.weights if weight > 0)


def contrast_matrix(data: CrossedCorrectness, weights: Sequence[float]) -> FloatArray:
    """The weighted sum of correctness over the cells, shape (R seeds, C images); what is only rounding is 0."""
    matrix = np.tensordot(np.reshape(weights, data.design.shape), data.correct, axes=len(data.design.shape))
    return np.where(np.abs(matrix) > ROUNDING * np.abs(data.correct).max(), matrix, 0.0)


def _crossed(kind: Kind, design: CrossedDesign, indices: tuple[int, ...]) -> Iterator[Contrast]:
    """Each combination of further levels of the factors at ``places``, against their first levels."""
    for chosen in itertools.product(*(range(1, len(design.levels[index])) for index in indices)):
        vectors = [_average(len(levels)) for levels in design.levels]
        for index, level in zip(indices, chosen, strict=True):
            vectors[index] = _difference(len(design.levels[index]), level)
        changes = tuple(_change(design, index, level) for index, level in zip(indices, chosen, strict=True))
        yield Contrast(kind, changes, None, _outer(vectors))


def _simple(design: CrossedDesign, index: int, held: int) -> Iterator[Contrast]:
    """Each further level of one factor against its first, within each level of another."""
    for within, held_level in enumerate(design.levels[held]):
        for level in range(1, len(design.levels[index])):
            vectors = [_average(len(levels)) for levels in design.levels]
            vectors[held] = np.eye(len(design.levels[held]))[within]
            vectors[index] = _difference(len(design.levels[index]), level)
            change = (_change(design, index, level),)
            yield Contrast("simple", change, (design.factors[held], held_level), _outer(vectors))


def _change(design: CrossedDesign, index: int, level: int) -> LevelChange:
    levels = design.levels[index]
    return LevelChange(design.factors[index], levels[level], levels[0])


def _average(levels: int) -> FloatArray:
    return np.full(levels, 1 / levels)


def _difference(levels: int, level: int) -> FloatArray:
    identity = np.eye(levels)
    return np.asarray(identity[level] - identity[0])


def _outer(vectors: Sequence[FloatArray]) -> tuple[float, ...]:
    return tuple(reduce(np.multiply.outer, vectors).ravel().tolist())
