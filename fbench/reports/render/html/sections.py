"""The parts of a report, gathered for each data set of a run and for each run, with their figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from fbench.benchmark.maps.face_maps import FaceMaps
from fbench.benchmark.store.run_table import RunTable
from fbench.reports.figures.sparkline import sparklines
from fbench.reports.figures.tuning_curve import TuningCurve, tuning_curve
from fbench.reports.findings.comparisons.budget import short_budget
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.findings.comparisons.folds import whole_data_sets
from fbench.reports.findings.comparisons.many import many_result
from fbench.reports.findings.costs.counters import counter_table
from fbench.reports.findings.costs.timings import main_setting
from fbench.reports.findings.model import DataFindings, Findings, StudyFindings
from fbench.reports.findings.origin.audit import audit_section
from fbench.reports.findings.origin.provenance import provenance
from fbench.reports.findings.origin.readings import count_readings
from fbench.reports.findings.origin.tuning import TuningFindings
from fbench.reports.palette import Style
from fbench.reports.render.html.class_figures import confusion_differences, confusion_figures, recall_figures
from fbench.reports.render.html.document import (
    DataSection,
    ManySection,
    RunSection,
    StudySection,
)
from fbench.reports.render.html.drawn import drawn_networks
from fbench.reports.render.html.figure_parts import FigureInputs, figure_parts
from fbench.reports.render.html.illustrations import (
    ablations_figure,
    interaction_figure,
    many_figures,
    pareto_figures,
)
from fbench.reports.render.html.network_sections import faces_section, network_drawings
from fbench.reports.render.html.recalls import recall_section
from fbench.reports.render.html.speed_sections import batch_section, roofline_section, training_time_section


class SectionKey(NamedTuple):
    """Where a part stands: the key that its ids begin with, and what its run is called."""

    key: str
    run_name: str


def fields_of(findings: DataFindings | Findings | StudyFindings) -> dict[str, Any]:
    """The fields of findings, for the part of a page that adds figures to them."""
    return {field.name: getattr(findings, field.name) for field in fields(findings)}


def data_section(
    found: DataFindings,
    evidence: Evidence,
    styles: dict[str, Style],
    shown_faces: Mapping[tuple[str, str], FaceMaps],
) -> DataSection:
    """The figures of one run on one data set, with its findings."""
    key = found.key
    studies = [study.result for study in found.studies]
    drawn = drawn_networks(found)
    compared = dict.fromkeys((row.network, row.baseline) for result in studies for row in result.comparisons)
    pairs = [pair for pair in compared if set(pair) <= set(drawn.names)]
    inputs = FigureInputs(found, evidence, styles, drawn.names)
    recalls = recall_section(evidence, drawn.names, pairs)
    figures = {
        "studies": tuple(
            _study_section(study, styles, f"{key}-study{index}") for index, study in enumerate(found.studies, start=1)
        )
    }
    return DataSection(
        **(fields_of(found) | figures),
        forest=ablations_figure(found.overview, found.data.name, found.budget, f"{key}-ablations"),
        throughput_words=_throughput_words(evidence.run),
        sparklines=sparklines(evidence.networks),
        tuning_curves=_tuning_curves(found.tuning),
        accuracy_figures=figure_parts(inputs, "accuracy"),
        pareto=pareto_figures(found.summary, found.times_apart, styles, key),
        learning_figures=figure_parts(inputs, "learning"),
        recalls=recalls,
        recall_changes=recall_figures(recalls, studies, styles, key),
        confusion=confusion_figures(evidence, drawn.names, key),
        confusion_changes=confusion_differences(evidence, pairs, key),
        faces=faces_section(found, drawn.names, shown_faces, key),
        drawings=network_drawings(found.plans, drawn.names, key),
        drawn=drawn,
        training_time=training_time_section(evidence, styles, key),
        audit=audit_section(audit) if (audit := evidence.run.audits.get(evidence.data.name)) else None,
    )


def _tuning_curves(found: TuningFindings | None) -> dict[str, TuningCurve]:
    """The curve of each network that has one."""
    rows = found.networks if found is not None else ()
    return {row.network: curve for row in rows if (curve := tuning_curve(row)) is not None}


def run_section(
    run: RunTable, evidences: Sequence[Evidence], styles: dict[str, Style], section: SectionKey
) -> RunSection:
    """What belongs to a run as a whole."""
    key, whole = section.key, whole_data_sets(evidences)
    return RunSection(
        key=key,
        run_name=section.run_name,
        budget=next((found for data in run.config.data if (found := short_budget(run.config, data))), None),
        many=_many_section(whole, styles, key) if len(whole) > 1 else None,
        batches=batch_section(run, styles, key),
        roofline=roofline_section(run, styles, key),
        counters=counter_table(run),
        failed=tuple(run.failed()),
        missing=tuple(run.missing()),
        planned=len(run.plan),
        readings=tuple(count_readings(run)),
        provenance=provenance(run),
    )


def _study_section(found: StudyFindings, styles: dict[str, Style], key: str) -> StudySection:
    """A study with its figure."""
    title, factors = found.result.study.title, found.factors
    return StudySection(
        **fields_of(found),
        interaction=interaction_figure(factors, title, styles, f"{key}-interaction") if factors else None,
    )


def _throughput_words(run: RunTable) -> str:
    """At which batches throughput was measured, for a sentence; empty where it was not."""
    if not run.costs:
        return ""
    cost = run.costs[-1]
    inference, train = main_setting(cost, "inference", best=True), main_setting(cost, "train")
    words = []
    if inference is not None:
        words.append("inference in the batch that gave most, which stands beside it")
    if train is not None:
        words.append(f"training in batches of {train.batch_size}, augmentation included")
    return ", ".join(words)


def _many_section(evidences: Sequence[Evidence], styles: dict[str, Style], key: str) -> ManySection | None:
    result = many_result(evidences)
    if result is None:
        return None
    diagram, profiles = many_figures(result, styles, key)
    synthetic = any(evidence.data.synthetic for evidence in evidences)
    return ManySection(result=result, diagram=diagram, profiles=profiles, synthetic=synthetic)
