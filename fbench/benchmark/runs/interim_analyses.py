"""A run that adds seeds until its comparisons are decided: what was planned beforehand, and what each interim analysis
found.

``interim_analyses.json`` in the run's folder keeps it. The verdict of such a comparison is that of the interim analysis
at which it stopped: a p-value of all its seeds, taken after all the others, would promise too much.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fbench.ablations.family import families, family_of
from fbench.ablations.study import comparisons
from fbench.ablations.suite import Suite
from fbench.benchmark.records.interim_analyses import ComparisonKey, InterimAnalyses, InterimAnalysis, State
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.run_table import RunTable, first_names
from fbench.core.errors import UserError
from fbench.statistics.classification import confusion_matrix
from fbench.statistics.collapse import Collapses, is_collapsed
from fbench.statistics.comparison.networks import FEWEST_PAIRS
from fbench.statistics.comparison.paired import new_images_difference
from fbench.statistics.seeds.power import variance_components
from fbench.statistics.seeds.sequential import AnalysisResult, analysis_levels, analysis_seeds, judge_analysis


def has_its_trials(analysis: InterimAnalysis, run: RunTable) -> bool:
    """Whether the run still holds the trials that an interim analysis rests on."""
    ours, theirs = (
        {record.spec.seed for record in run.records(name, analysis.data) if record.spec.seed < analysis.seeds}
        for name in (analysis.network, analysis.baseline)
    )
    return len(ours & theirs) == analysis.pairs


def planned_analyses(folder: RunFolder, max_seeds: int) -> InterimAnalyses:
    """The interim analyses of a run to go on with, or those of a new one.

    Raises:
        UserError: interim analyses that were planned for another number of seeds: how much each may spend was settled
            then.
    """
    found = folder.interim_analyses()
    if found is not None and found.max_seeds != max_seeds:
        raise UserError(
            f"The interim analyses of {folder.path} were planned for at most {found.max_seeds} seeds, which settled "
            f"what each may spend; give --max-seeds {found.max_seeds}, or another folder with --out."
        )
    return found or InterimAnalyses(max_seeds=max_seeds)


def comparison_keys(suite: Suite, data: tuple[str, ...]) -> list[ComparisonKey]:
    """Every comparison of a suite on every data set, in order."""
    return [
        ComparisonKey(study.name, network, baseline, name)
        for name in data
        for study in suite.studies
        for network, baseline in comparisons(study)
    ]


def open_keys(suite: Suite, data: tuple[str, ...], analyses: InterimAnalyses) -> list[ComparisonKey]:
    """The comparisons that want another interim analysis."""
    return [key for key in comparison_keys(suite, data) if analyses.is_open(key)]


def next_analysis(key: ComparisonKey, analyses: InterimAnalyses) -> int:
    """The number of seeds at the next look at an open comparison."""
    latest = analyses.latest(key)
    return next(seeds for seeds in analysis_seeds(analyses.max_seeds) if latest is None or seeds > latest.seeds)


def wanted_seeds(suite: Suite, data: tuple[str, ...], analyses: InterimAnalyses) -> dict[tuple[str, str], int]:
    """How many seeds each network needs on each data set for the next look at what is open; at least those it was
    analysed with."""
    wanted: dict[tuple[str, str], int] = {}

    def want(network: str, name: str, seeds: int) -> None:
        wanted[network, name] = max(seeds, wanted.get((network, name), 0))

    for key in comparison_keys(suite, data):
        latest = analyses.latest(key)
        seeds = next_analysis(key, analyses) if latest is None or latest.state == "open" else latest.seeds
        want(key.network, key.data, seeds)
        want(key.baseline, key.data, seeds)
    alone = {level for study in suite.studies if not comparisons(study) for level in study.levels}
    for network in alone:
        for name in data:
            want(network, name, analysis_seeds(analyses.max_seeds)[0])
    return wanted


def take_analyses(suite: Suite, run: RunTable, data: tuple[str, ...], analyses: InterimAnalyses) -> InterimAnalyses:
    """Analyse every open comparison whose next analysis has all its trials, finished or failed.

    Each has an equal share of the level of its family (:mod:`fbench.ablations.family`).
    """
    found = []
    groups = {name: families(run.config.suite, _planned(run, name), first_names(run.plan, name)) for name in data}
    for key in open_keys(suite, data, analyses):
        seeds = next_analysis(key, analyses)
        if _all_ended(run, key, seeds):
            margin = suite.study(key.study).margin_points / 100
            level = analyses.level / family_of(key.study, groups[key.data]).size
            found.append(_analyse(run, key, seeds, analyses.max_seeds, margin, level))
    return analyses.model_copy(update={"analyses": (*analyses.analyses, *found)})


def _planned(run: RunTable, data: str) -> set[str]:
    return {row.network for row in run.plan if row.data == data}


def _all_ended(run: RunTable, key: ComparisonKey, seeds: int) -> bool:
    ended = {(row.network, row.data, row.seed) for row in run.plan if row.trial_id in run.trials}
    return all((name, key.data, seed) in ended for name in (key.network, key.baseline) for seed in range(seeds))


def _analyse(
    run: RunTable, key: ComparisonKey, seeds: int, max_seeds: int, margin: float, level: float
) -> InterimAnalysis:
    levels = analysis_levels(max_seeds, level)
    index = next(index for index, one in enumerate(levels) if one.seeds == seeds)
    sides = [_trainings(run, name, key.data, seeds) for name in (key.network, key.baseline)]
    common = [seed for seed in sides[0] if seed in sides[1]]
    learned = [seed for seed in common if not any(side[seed].collapsed for side in sides)]
    is_last = seeds == max_seeds
    analysis = InterimAnalysis(
        **key._asdict(),
        seeds=seeds,
        pairs=len(common),
        learned_pairs=len(learned),
        different_level=levels[index].different,
        equivalent_level=levels[index].equivalent,
        state="last analysis" if is_last else "open",
    )
    # To stop, or to find it futile to go on, wants trainings that learned; at the end all speak.
    used = common if is_last and len(learned) < FEWEST_PAIRS else learned
    if len(used) < FEWEST_PAIRS:
        return analysis
    clusters = run.clusters(key.data)
    differences = _differences(sides, used)
    others = [] if len(used) == len(common) else [new_images_difference(_differences(sides, common), clusters=clusters)]
    found = judge_analysis(
        new_images_difference(differences, clusters=clusters),
        variance_components(differences, clusters),
        differences.shape[1] if clusters is None else clusters.count,
        margin,
        levels,
        index,
        neither_learned=all(_collapses(side).most for side in sides),
        with_collapsed=next(iter(others), None),
    )
    return analysis.model_copy(
        update={
            "estimate": found.estimate,
            "low": found.low,
            "high": found.high,
            "p_value": found.p_value,
            "p_equivalent": found.p_equivalent,
            "verdict": found.verdict,
            "learned_verdict": found.learned_verdict,
            "chance_to_decide": found.chance_to_decide,
            "state": _state(found, last=is_last),
        }
    )


class _Training(NamedTuple):
    """Which images (N,) one trial has right, and whether it collapsed."""

    correct: npt.NDArray[np.bool_]
    collapsed: bool


def _trainings(run: RunTable, network: str, data: str, seeds: int) -> dict[int, _Training]:
    """The finished trials of a network up to an interim analysis, by seed."""
    rule, found = run.config.protocol.collapse, {}
    for record in run.records(network, data):
        if record.spec.seed < seeds:
            part, history = run.classes(record)[run.headline_split], run.history(record)
            confusion = confusion_matrix(part.labels, part.predicted, len(record.spec.data.class_names))
            loss = history[-1].train_loss if history else None
            found[record.spec.seed] = _Training(
                part.correct, is_collapsed(confusion, loss, rule.chance, rule.loss_factor)
            )
    return found


def _collapses(side: dict[int, _Training]) -> Collapses:
    return Collapses(sum(one.collapsed for one in side.values()), len(side))


def _differences(sides: Sequence[dict[int, _Training]], seeds: Sequence[int]) -> npt.NDArray[np.int8]:
    """Correctness of the network minus that of its baseline (seeds, images)."""
    ours, theirs = (np.array([side[seed].correct for seed in seeds], dtype=np.int8) for side in sides)
    return np.asarray(ours - theirs)


def _state(found: AnalysisResult, *, last: bool) -> State:
    if found.verdict != "undecided":
        return "decided"
    return "last analysis" if last else "futile" if found.futile else "open"
