"""A report from runs: everything a page shows, gathered and drawn, then written as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypedDict, Unpack

from fbench.architectures.errors import UserError
from fbench.benchmark.files import replacing
from fbench.benchmark.maps import FaceMaps
from fbench.benchmark.table import RunTable, load_run
from fbench.reports.answer import answer
from fbench.reports.audit import audit_section
from fbench.reports.batches import batch_curves
from fbench.reports.blueprint import network_plans
from fbench.reports.claims.section import ClaimsSection, claims_section
from fbench.reports.counters import counter_table
from fbench.reports.differences import run_differences
from fbench.reports.document import (
    BatchSection,
    DataSection,
    FacesSection,
    LearningGroup,
    ManySection,
    NetworkDrawing,
    Report,
    RooflineSection,
    RunSection,
    StudySection,
    Theme,
    TrainingTimeSection,
)
from fbench.reports.evidence import Evidence, gather
from fbench.reports.faces import face_sections
from fbench.reports.factors import factor_section
from fbench.reports.figures.architecture import architecture_drawing
from fbench.reports.figures.batches import latency_by_batch, throughput_by_batch
from fbench.reports.figures.drawing import Illustration
from fbench.reports.figures.roofline import roofline_chart
from fbench.reports.figures.sparkline import sparklines
from fbench.reports.figures.training_time import training_time_chart
from fbench.reports.fronts import front_result
from fbench.reports.headline import cautions, without_copies
from fbench.reports.html import render
from fbench.reports.illustrations import (
    confusion_differences,
    confusion_figures,
    forest_figure,
    interaction_figure,
    learning_figures,
    many_figures,
    pareto_figures,
)
from fbench.reports.many import many_result
from fbench.reports.palette import Appearance, assign_appearances
from fbench.reports.provenance import provenance
from fbench.reports.published import printed_top1, published_rows
from fbench.reports.readings import count_readings
from fbench.reports.recalls import recall_section
from fbench.reports.roofs import roofline
from fbench.reports.run_names import run_names
from fbench.reports.studies import StudyResult, study_results, suite_of
from fbench.reports.summary import summarise_networks
from fbench.reports.timings import main_setting
from fbench.reports.training_time import training_times
from fbench.reports.wording import listing
from fbench.statistics.comparison.multiplicity import Correction

MOST_MATRICES: Final = 32
"""Confusion matrices in one part of a page; more are too many to look at."""

MOST_CURVES_OF_BATCHES: Final = 16
"""Networks in the figures by batch size, which have a line for each."""

MOST_CURVES: Final = 10
"""Networks in one figure of learning curves."""


def build_report(
    runs: Sequence[RunTable],
    *,
    title: str | None = None,
    theme: Theme = "auto",
    correction: Correction = "holm",
    refresh_s: int | None = None,
    shown_faces: ShownFaces | None = None,
) -> str:
    """The text of an offline HTML page about one or more runs; equal runs give equal text.

    Arguments and errors are those of :func:`gather_report`.
    """
    report = gather_report(
        runs, title=title, theme=theme, correction=correction, refresh_s=refresh_s, shown_faces=shown_faces
    )
    return render(report)


def gather_report(
    runs: Sequence[RunTable],
    *,
    title: str | None = None,
    theme: Theme = "auto",
    correction: Correction = "holm",
    refresh_s: int | None = None,
    shown_faces: ShownFaces | None = None,
) -> Report:
    """Everything that a page about these runs shows, before it is drawn.

    Args:
        runs: at least one; each data set of each run becomes a part of the page.
        title: the page's heading; by default the suite's title.
        theme: colours as the reader's system asks, or always light or dark.
        correction: of the tests of each study; the false discovery rate is for exploring.
        refresh_s: after how many seconds a browser opens the page again; none: never.
        shown_faces: maps of images that may not be kept, one mapping for each run, by network and data
            set; the page then shows them.

    Raises:
        UserError: no run, or a run whose suite or predictions cannot be read.
    """
    if not runs:
        raise UserError("No run was given; name at least one run folder.")
    networks = dict.fromkeys(network for run in runs for network in run.networks)
    looks = assign_appearances(networks)
    names = run_names(runs)
    evidences = [[gather(run, data) for data in run.config.data] for run in runs]
    claims = claims_section(runs, [evidence for of_run in evidences for evidence in of_run])
    alone = claims if len(runs) == 1 and len(evidences[0]) == 1 else None
    faces = shown_faces or [{} for _ in runs]
    return Report(
        title=title or " · ".join(dict.fromkeys(suite_of(run).title for run in runs)),
        theme=theme,
        refresh_s=refresh_s,
        correction=correction,
        looks=looks,
        data_sections=tuple(
            _data_section(evidence, looks, _Place(f"run{r}-data{d}", names[r - 1]), correction, alone, faces[r - 1])
            for r, of_run in enumerate(evidences, start=1)
            for d, evidence in enumerate(of_run, start=1)
        ),
        run_sections=tuple(
            _run_section(run, of_run, looks, _Place(f"run{r}", names[r - 1]))
            for r, (run, of_run) in enumerate(zip(runs, evidences, strict=True), start=1)
        ),
        claims=claims,
    )


def write_report(run_paths: Sequence[Path], output: Path, **options: Unpack[ReportOptions]) -> Path:
    """Write the report of the runs in these folders to ``output`` and return its path.

    Raises:
        UserError: a folder is not a run, or ``output`` cannot be written.
    """
    text = build_report([load_run(path) for path in run_paths], **options)
    try:
        with replacing(output) as stream:
            stream.write(text.encode())
    except OSError as error:
        raise UserError(f"The report cannot be written to {output} ({error.strerror}); name another file.") from error
    return output


ShownFaces = Sequence[Mapping[tuple[str, str], FaceMaps]]


class ReportOptions(TypedDict, total=False):
    """Options of :func:`gather_report`."""

    title: str | None
    theme: Theme
    correction: Correction
    refresh_s: int | None
    shown_faces: ShownFaces | None


class _Place(NamedTuple):
    """Where a part stands: the key that its ids begin with, and what its run is called."""

    key: str
    run_name: str


def _data_section(
    evidence: Evidence,
    looks: dict[str, Appearance],
    place: _Place,
    correction: Correction,
    claims: ClaimsSection | None,
    shown_faces: Mapping[tuple[str, str], FaceMaps],
) -> DataSection:
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
        faces=_faces_section(evidence, shown_faces, key),
        drawings=_drawings(evidence, key),
        training_time=_training_time_section(evidence, studies, looks, key),
        batches=_batch_section(evidence, looks, key),
        roofline=_roofline_section(evidence, looks, key),
        published=tuple(published),
        audit=audit_section(audit) if (audit := evidence.run.audits.get(evidence.data.name)) else None,
    )


def _shown_matrices(evidence: Evidence, pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """All networks, or the first of those that studies compare where there are too many to look at."""
    first = [name for pair in pairs for name in reversed(pair)] + list(evidence.networks)
    kept = list(dict.fromkeys(first))[:MOST_MATRICES]
    return tuple(network for network in evidence.networks if network in kept)


def _faces_section(evidence: Evidence, shown: Mapping[tuple[str, str], FaceMaps], key: str) -> FacesSection | None:
    found = face_sections(evidence.run, evidence, shown)[:MOST_MATRICES]
    if not found:
        return None
    pairs = [one.illustrations(f"{key}-faces{place}") for place, one in enumerate(found, start=1)]
    return FacesSection(
        sources=tuple(dict.fromkeys(f"{one.source}, networks of seed {one.seed}" for one in found)),
        real=any((one.network, evidence.data.name) in shown for one in found) and not evidence.data.may_show_images,
        grad_cam=tuple(first for first, _ in pairs),
        feature_maps=tuple(second for _, second in pairs),
    )


def _drawings(evidence: Evidence, key: str) -> tuple[NetworkDrawing, ...]:
    plans = network_plans(evidence.run, evidence.data.name)[:MOST_MATRICES]
    return tuple(
        NetworkDrawing(
            plan.networks,
            Illustration(
                f"{key}-drawing{place}",
                listing(list(plan.networks)),
                architecture_drawing(plan.blueprint, plan.networks[0]),
            ),
        )
        for place, plan in enumerate(plans, start=1)
    )


def _training_time_section(
    evidence: Evidence, studies: Sequence[StudyResult], looks: dict[str, Appearance], key: str
) -> TrainingTimeSection | None:
    baseline = studies[0].study.baseline if studies else next(iter(evidence.networks), "")
    times = training_times(evidence, baseline)
    if times is None:
        return None
    chart = training_time_chart(times.rows, looks)
    return TrainingTimeSection(times, Illustration(f"{key}-training-time", "Training time of a trial", chart))


def _batch_section(evidence: Evidence, looks: dict[str, Appearance], key: str) -> BatchSection | None:
    curves = batch_curves(evidence)
    shown = curves[:MOST_CURVES_OF_BATCHES]
    if not shown:
        return None
    return BatchSection(
        curves=curves,
        latency=Illustration(f"{key}-latency-by-batch", "Time of a call by batch size", latency_by_batch(shown, looks)),
        throughput=Illustration(
            f"{key}-throughput-by-batch", "Images a second by batch size", throughput_by_batch(shown, looks)
        ),
        left_out=len(curves) - len(shown),
    )


def _roofline_section(evidence: Evidence, looks: dict[str, Appearance], key: str) -> RooflineSection | None:
    found = roofline(evidence)
    if found is None:
        return None
    return RooflineSection(found, Illustration(f"{key}-roofline", "Roofline", roofline_chart(found, looks)))


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


def _run_section(
    run: RunTable, evidences: Sequence[Evidence], looks: dict[str, Appearance], place: _Place
) -> RunSection:
    key = place.key
    return RunSection(
        key=key,
        run_name=place.run_name,
        many=_many_section(evidences, looks, key) if len(evidences) > 1 else None,
        counters=counter_table(run),
        failed=tuple(run.failed()),
        missing=tuple(run.missing()),
        planned=len(run.plan),
        readings=tuple(count_readings(run)),
        provenance=provenance(run),
    )
