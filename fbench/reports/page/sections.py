"""The parts of a report, gathered for each data set of a run and for each run, with their figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from fbench.benchmark.maps import FaceMaps
from fbench.benchmark.table import RunTable
from fbench.reports.claims.section import ClaimsSection
from fbench.reports.comparisons.evidence import Evidence
from fbench.reports.comparisons.factors import factor_section
from fbench.reports.comparisons.headline import cautions, without_copies
from fbench.reports.comparisons.many import many_result
from fbench.reports.comparisons.published import printed_top1, published_rows
from fbench.reports.comparisons.studies import StudyResult, study_results
from fbench.reports.comparisons.summary import summarise_networks
from fbench.reports.costs.counters import counter_table
from fbench.reports.costs.timings import main_setting
from fbench.reports.figures.sparkline import sparklines
from fbench.reports.networks.differences import run_differences
from fbench.reports.origin.audit import audit_section
from fbench.reports.origin.provenance import provenance
from fbench.reports.origin.readings import count_readings
from fbench.reports.page.answer import answer
from fbench.reports.page.document import (
    DataSection,
    LearningGroup,
    ManySection,
    RunSection,
    StudySection,
)
from fbench.reports.page.illustrations import (
    confusion_differences,
    confusion_figures,
    forest_figure,
    interaction_figure,
    learning_figures,
    many_figures,
    pareto_figures,
)
from fbench.reports.page.network_sections import MOST_SHOWN, faces_section, network_drawings
from fbench.reports.page.recalls import recall_section
from fbench.reports.page.speed_sections import batch_section, roofline_section, training_time_section
from fbench.reports.palette import Appearance
from fbench.reports.tradeoffs.fronts import front_result
from fbench.statistics.comparison.multiplicity import Correction

MOST_CURVES: Final = 10
"""Networks in one figure of learning curves."""


class Place(NamedTuple):
    """Where a part stands: the key that its ids begin with, and what its run is called."""

    key: str
    run_name: str


def data_section(
    evidence: Evidence,
    looks: dict[str, Appearance],
    place: Place,
    correction: Correction,
    claims: ClaimsSection | None,
    shown_faces: Mapping[tuple[str, str], FaceMaps],
) -> DataSection:
    """Everything of one run on one data set."""
    key = place.key
    summary = summarise_networks(evidence)
    studies = study_results(evidence, correction)
    front = front_result(evidence, summary)
    published = published_rows(evidence, summary)
    pairs = list(dict.fromkeys((row.network, row.baseline) for result in studies for row in result.comparisons))
    shown = _shown_matrices(evidence, pairs)
    return DataSection(
        key=key,
        run_name=place.run_name,
        data=evidence.data,
        split_words=evidence.split_words,
        answer=answer(evidence, summary, front, studies, claims),
        without_copies=without_copies(evidence, summary) if summary else "",
        cautions=tuple(cautions(evidence.run)),
        cost_data=evidence.run.config.data[0].name,
        throughput_words=_throughput_words(evidence.run),
        summary=tuple(summary),
        sparklines=sparklines(evidence.networks),
        printed_top1=printed_top1(published),
        pareto=pareto_figures(summary, looks, key),
        front=front,
        many=_many_section([evidence], looks, key),
        studies=tuple(
            _study_section(evidence, result, looks, f"{key}-study{place}")
            for place, result in enumerate(studies, start=1)
        ),
        learning=_learning_groups(evidence, studies, looks, key),
        recalls=recall_section(evidence, pairs),
        confusion=confusion_figures(evidence, shown, key),
        confusion_changes=confusion_differences(evidence, [pair for pair in pairs if pair[0] in shown], key),
        confusion_left_out=len(evidence.networks) - len(shown),
        faces=faces_section(evidence, shown_faces, key),
        drawings=network_drawings(evidence, key),
        training_time=training_time_section(evidence, looks, key),
        published=tuple(published),
        audit=audit_section(audit) if (audit := evidence.run.audits.get(evidence.data.name)) else None,
    )


def run_section(run: RunTable, evidences: Sequence[Evidence], looks: dict[str, Appearance], place: Place) -> RunSection:
    """What belongs to a run as a whole."""
    key = place.key
    return RunSection(
        key=key,
        run_name=place.run_name,
        many=_many_section(evidences, looks, key) if len(evidences) > 1 else None,
        batches=batch_section(run, looks, key),
        roofline=roofline_section(run, looks, key),
        counters=counter_table(run),
        failed=tuple(run.failed()),
        missing=tuple(run.missing()),
        planned=len(run.plan),
        readings=tuple(count_readings(run)),
        provenance=provenance(run),
    )


def _shown_matrices(evidence: Evidence, pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """All networks, or the first of those that studies compare where there are too many to look at."""
    first = [name for pair in pairs for name in reversed(pair)] + list(evidence.networks)
    kept = list(dict.fromkeys(first))[:MOST_SHOWN]
    return tuple(network for network in evidence.networks if network in kept)


def _study_section(evidence: Evidence, result: StudyResult, looks: dict[str, Appearance], key: str) -> StudySection:
    """A study with its figures, and what else each comparison changes."""
    study = result.study
    factors = factor_section(evidence, study, result.correction)
    differences = (
        run_differences(evidence.run, row.network, row.baseline, evidence.data.name) for row in result.comparisons
    )
    return StudySection(
        result=result,
        forest=forest_figure(result, looks, f"{key}-forest"),
        differences=tuple(found for found in differences if found is not None),
        factors=factors,
        interaction=interaction_figure(factors, study.title, looks, f"{key}-interaction") if factors else None,
    )


def _throughput_words(run: RunTable) -> str:
    """At which batches throughput was measured, for a sentence; empty where it was not."""
    if not run.costs:
        return ""
    cost = run.costs[-1]
    inference, train = main_setting(cost, "inference", best=True), main_setting(cost, "train")
    words = []
    if inference is not None:
        size = inference.batch_size
        words.append(
            "inference in each network's own best batch" if size is None else f"inference in batches of {size}"
        )
    if train is not None:
        words.append(f"training in batches of {train.batch_size}, augmentation included")
    return ", ".join(words)


def _learning_groups(
    evidence: Evidence, studies: Sequence[StudyResult], looks: dict[str, Appearance], key: str
) -> tuple[LearningGroup, ...]:
    """A group for each study, and one for the networks that are in none; large ones in parts."""
    groups = [(result.study.title, result.levels) for result in studies if result.levels]
    shown = {network for _, levels in groups for network in levels}
    if others := tuple(network for network in evidence.networks if network not in shown):
        groups.append(("Other networks" if groups else "All networks", others))
    parts = [
        (
            title if len(levels) <= MOST_CURVES else f"{title}, {start + 1} to {min(start + MOST_CURVES, len(levels))}",
            levels[start : start + MOST_CURVES],
        )
        for title, levels in groups
        for start in range(0, len(levels), MOST_CURVES)
    ]
    found = [
        LearningGroup(title, learning_figures(evidence, levels, looks, f"{key}-learning{place}"))
        for place, (title, levels) in enumerate(parts, start=1)
    ]
    return tuple(group for group in found if group.figures)


def _many_section(evidences: Sequence[Evidence], looks: dict[str, Appearance], key: str) -> ManySection | None:
    result = many_result(evidences)
    if result is None:
        return None
    diagram, profiles = many_figures(result, looks, key)
    synthetic = any(evidence.data.synthetic for evidence in evidences)
    return ManySection(result=result, diagram=diagram, profiles=profiles, synthetic=synthetic)
