"""A report from runs: everything a page shows, gathered and drawn, then written as one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fbench.architectures.errors import UserError
from fbench.benchmark.table import RunTable, load_run
from fbench.reports.audit import audit_section
from fbench.reports.claims.section import claims_section
from fbench.reports.counters import counter_table
from fbench.reports.differences import run_differences
from fbench.reports.document import DataSection, LearningGroup, ManySection, Report, RunSection, StudySection
from fbench.reports.evidence import Evidence, gather
from fbench.reports.factors import factor_section
from fbench.reports.fronts import front_result
from fbench.reports.headline import cautions, findings, headline
from fbench.reports.html import render
from fbench.reports.illustrations import (
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
from fbench.reports.published import published_rows
from fbench.reports.readings import count_readings
from fbench.reports.studies import StudyResult, study_results, suite_of
from fbench.reports.summary import summarise_networks
from fbench.reports.timings import main_setting
from fbench.statistics.comparison.multiplicity import Correction


def build_report(runs: Sequence[RunTable], *, title: str | None = None, correction: Correction = "holm") -> str:
    """The text of an offline HTML page about one or more runs, as :func:`gather_report`; equal runs give equal text."""
    return render(gather_report(runs, title=title, correction=correction))


def gather_report(runs: Sequence[RunTable], *, title: str | None = None, correction: Correction = "holm") -> Report:
    """Everything that a page about one or more runs shows; its figures are not painted yet.

    Args:
        runs: at least one; each data set of each run becomes a part of the page.
        title: the page's heading; by default the suite's title.
        correction: of the tests of each study; the false discovery rate is for exploring.

    Raises:
        UserError: no run, or a run whose suite or predictions cannot be read.
    """
    if not runs:
        raise UserError("No run was given; name at least one run folder.")
    networks = dict.fromkeys(network for run in runs for network in run.networks)
    looks = assign_appearances(networks)
    evidences = [[gather(run, data) for data in run.config.data] for run in runs]
    return Report(
        title=title or " · ".join(dict.fromkeys(suite_of(run).title for run in runs)),
        correction=correction,
        looks=looks,
        data_sections=tuple(
            _data_section(evidence, looks, f"run{r}-data{d}", correction)
            for r, of_run in enumerate(evidences, start=1)
            for d, evidence in enumerate(of_run, start=1)
        ),
        run_sections=tuple(
            _run_section(run, of_run, looks, f"run{r}")
            for r, (run, of_run) in enumerate(zip(runs, evidences, strict=True), start=1)
        ),
        claims=claims_section(runs, [evidence for of_run in evidences for evidence in of_run]),
    )


def write_report(
    run_paths: Sequence[Path], output: Path, *, title: str | None = None, correction: Correction = "holm"
) -> Path:
    """Write the report of the runs in these folders to ``output`` and return its path.

    Raises:
        UserError: a folder is not a run, or ``output`` cannot be written.
    """
    text = build_report([load_run(path) for path in run_paths], title=title, correction=correction)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UserError(f"The report cannot be written to {output} ({error.strerror}); name another file.") from error
    return output


def _data_section(evidence: Evidence, looks: dict[str, Appearance], key: str, correction: Correction) -> DataSection:
    summary = summarise_networks(evidence)
    studies = study_results(evidence, correction)
    return DataSection(
        key=key,
        run_name=evidence.run.config.name,
        data=evidence.data,
        split_words=evidence.split_words,
        headline=tuple(headline(evidence, summary)),
        findings=tuple(findings(studies)),
        cautions=tuple(cautions(evidence.run)),
        cost_data=evidence.run.config.data[0].name,
        throughput_words=_throughput_words(evidence.run),
        summary=tuple(summary),
        pareto=pareto_figures(summary, looks, key),
        front=front_result(evidence, summary),
        many=_many_section([evidence], looks, key),
        studies=tuple(
            _study_section(evidence, result, looks, f"{key}-study{place}")
            for place, result in enumerate(studies, start=1)
        ),
        learning=_learning_groups(evidence, studies, looks, key),
        confusion=confusion_figures(evidence, tuple(evidence.networks), key),
        published=tuple(published_rows(evidence, summary)),
        audit=audit_section(audit) if (audit := evidence.run.audits.get(evidence.data.name)) else None,
    )


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
    """A group for each study, and one for the networks that are in none."""
    groups = [(result.study.title, result.levels) for result in studies if result.levels]
    shown = {network for _, levels in groups for network in levels}
    if others := tuple(network for network in evidence.networks if network not in shown):
        groups.append(("Other networks" if groups else "All networks", others))
    found = [
        LearningGroup(title, learning_figures(evidence, levels, looks, f"{key}-learning{place}"))
        for place, (title, levels) in enumerate(groups, start=1)
    ]
    return tuple(group for group in found if group.figures)


def _many_section(evidences: Sequence[Evidence], looks: dict[str, Appearance], key: str) -> ManySection | None:
    result = many_result(evidences)
    if result is None:
        return None
    diagram, profiles = many_figures(result, looks, key)
    synthetic = any(evidence.data.synthetic for evidence in evidences)
    return ManySection(result=result, diagram=diagram, profiles=profiles, synthetic=synthetic)


def _run_section(run: RunTable, evidences: Sequence[Evidence], looks: dict[str, Appearance], key: str) -> RunSection:
    return RunSection(
        key=key,
        run_name=run.config.name,
        many=_many_section(evidences, looks, key) if len(evidences) > 1 else None,
        counters=counter_table(run),
        failed=tuple(run.failed()),
        missing=tuple(run.missing()),
        planned=len(run.plan),
        readings=tuple(count_readings(run)),
        provenance=provenance(run),
    )
