"""A study of crossed factors: analysis of variance, effects with both estimands, and checks of the residuals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fbench.ablations.study import Study
from fbench.benchmark.records.specs import DataUnit
from fbench.reports.findings.comparisons.evidence import Evidence, NetworkEvidence
from fbench.reports.findings.comparisons.families import CorrectedFamily
from fbench.reports.findings.comparisons.studies import why_untested
from fbench.statistics.comparison.multiplicity import Correction
from fbench.statistics.comparison.networks import FEWEST_PAIRS
from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.factors.anova import AnalysisOfVariance, analysis_of_variance
from fbench.statistics.factors.design import (
    CrossedCorrectness,
    CrossedDesign,
    SeedLeftOut,
    cross,
    crossed_design,
    missing_cells,
)
from fbench.statistics.factors.effects import Effect, contrasts, decide_together, estimate_effects
from fbench.statistics.factors.pooled import pooled_estimate
from fbench.statistics.factors.residuals import ResidualChecks, check_residuals


@dataclass(frozen=True)
class CellMean:
    """The accuracy of one network of a design, as a fraction of 1, and its level of each factor.

    The interval is for comparing the networks with each other on this test set: it rests on the pooled residual and
    leaves out the chance that a seed shares with all of them. It is cut at 0 and 1.
    """

    network: str
    levels: tuple[str, ...]
    accuracy: MeanEstimate


@dataclass(frozen=True)
class FactorAnalysis:
    """What the trials of a crossed study say of its factors; accuracies are fractions of 1.

    ``left_out`` are seeds that some cell has not finished, ``collapsed`` those left out besides as trainings of these
    cells collapsed. ``unsure`` are the cells with collapsed trainings that are in all the same, as too few seeds are
    left without them. ``unit`` is what is drawn anew in the effects' intervals for new images.
    """

    design: CrossedDesign
    margin: float
    family: CorrectedFamily
    seeds: tuple[int, ...]
    left_out: tuple[SeedLeftOut, ...]
    collapsed: tuple[SeedLeftOut, ...]
    unsure: tuple[str, ...]
    cells: tuple[CellMean, ...]
    variance: AnalysisOfVariance
    effects: tuple[Effect, ...]
    unit: DataUnit
    checks: ResidualChecks


@dataclass(frozen=True)
class FactorSection:
    """The analysis of a crossed study, or why there is none yet, in a sentence."""

    analysis: FactorAnalysis | None
    why_not: str = ""


def factor_sections(
    evidence: Evidence, studies: Sequence[Study], correction: Correction = "holm"
) -> dict[str, FactorSection]:
    """Analyse the crossed studies of a run on one data set, by name; without those that have no factors, or one level
    of each of them.

    All effects on the data set are a family of their own, also those of studies that cannot be analysed yet, unless
    the suite makes each study a family.
    """
    crossed = [study for study in studies if study.factors and len(study.levels) > 1]
    sections = {study.name: _section(evidence, study) for study in crossed}
    each_alone = evidence.run.config.suite.family == "study"
    for group in [[study] for study in crossed] if each_alone else [crossed]:
        sections |= _decided({study.name: sections[study.name] for study in group}, group, correction)
    return sections


def _decided(
    sections: dict[str, FactorSection], studies: Sequence[Study], correction: Correction
) -> dict[str, FactorSection]:
    """The sections with the effects decided as one family."""
    size = sum(len(contrasts(crossed_design(study.factors, first=study.baseline))) for study in studies)
    family = CorrectedFamily("effects of crossed factors", size, correction)
    found = {name: section.analysis for name, section in sections.items() if section.analysis}
    decided = decide_together([(one.effects, one.margin) for one in found.values()], correction, planned=size)
    return sections | {
        name: FactorSection(replace(one, effects=effects, family=family))
        for (name, one), effects in zip(found.items(), decided, strict=True)
    }


def _section(evidence: Evidence, study: Study) -> FactorSection:
    """The analysis of one study, its effects as a family of their own."""
    if untested := why_untested(evidence):
        return FactorSection(None, f"The factors are not analysed, as {untested}.")
    design = crossed_design(study.factors, first=study.baseline)
    if missing := missing_cells(design, list(evidence.networks)):
        return FactorSection(
            None, f"The factors are analysed once all combinations have finished a seed; missing: {', '.join(missing)}."
        )
    networks = {cell: evidence.networks[cell] for cell in design.cells}
    if not set.intersection(*(set(found.seeds) for found in networks.values())):
        return FactorSection(None, "The factors are analysed once all combinations have finished one seed in common.")
    return FactorSection(_analyse(design, networks, study.margin_points / 100))


def _analyse(design: CrossedDesign, networks: Mapping[str, NetworkEvidence], margin: float) -> FactorAnalysis:
    every = _crossed(design, networks)
    learned = {cell: _learned(found) for cell, found in networks.items()}
    common = set.intersection(*(set(found.seeds) for found in learned.values()))
    enough = len(common) >= FEWEST_PAIRS
    data = _crossed(design, learned) if enough else every
    unsure = () if enough else tuple(cell for cell in design.cells if learned[cell].seeds != networks[cell].seeds)
    variance = analysis_of_variance(data.accuracy, design.factors, step=1 / data.correct.shape[-1])
    one_cell = [[float(index == other) for other in range(len(design.cells))] for index in range(len(design.cells))]
    effects = estimate_effects(
        data,
        margin,
        collapsed=[cell for cell, found in networks.items() if found.collapsed],
        clusters=networks[design.cells[0]].clusters,
        every=None if data.seeds == every.seeds else every,
        unsure=unsure,
    )
    return FactorAnalysis(
        design=design,
        margin=margin,
        family=CorrectedFamily("effects of crossed factors", len(effects), "holm"),
        seeds=data.seeds,
        left_out=every.left_out,
        collapsed=tuple(left for left in data.left_out if left.seed in every.seeds),
        unsure=unsure,
        cells=tuple(
            CellMean(cell, levels, _within_bounds(pooled_estimate(data.accuracy, variance, weights)))
            for cell, levels, weights in zip(design.cells, design.combinations, one_cell, strict=True)
        ),
        variance=variance,
        effects=effects,
        unit=networks[design.cells[0]].unit,
        checks=check_residuals(data.accuracy, design, data.seeds),
    )


def _crossed(design: CrossedDesign, networks: Mapping[str, NetworkEvidence]) -> CrossedCorrectness:
    return cross(
        design,
        {cell: found.correct for cell, found in networks.items()},
        {cell: found.seeds for cell, found in networks.items()},
    )


def _learned(network: NetworkEvidence) -> NetworkEvidence:
    """Its trainings that learned, or all where fewer than two did."""
    kept = [seed for seed, bad in zip(network.seeds, network.collapsed_trainings, strict=True) if not bad]
    return network.of_seeds(kept) if len(kept) >= FEWEST_PAIRS else network


def _within_bounds(accuracy: MeanEstimate) -> MeanEstimate:
    low, high = np.clip([accuracy.low, accuracy.high], 0.0, 1.0).tolist()
    return replace(accuracy, low=low, high=high)
