"""The findings of runs: read once from their folders, for every form of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

from fbench.benchmark.maps.face_maps import FaceMaps
from fbench.benchmark.records.imported import ImportedResults
from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import UserError
from fbench.reports.findings.answer import answer
from fbench.reports.findings.claims.section import ClaimsSection, claims_section
from fbench.reports.findings.comparisons.budget import short_budget
from fbench.reports.findings.comparisons.evidence import Evidence, gather
from fbench.reports.findings.comparisons.factors import FactorSection, factor_sections
from fbench.reports.findings.comparisons.families import family_sentences
from fbench.reports.findings.comparisons.folds import folds_sentence, whole_data_sets, with_all_folds
from fbench.reports.findings.comparisons.headline import cautions, without_copies
from fbench.reports.findings.comparisons.over_data_sets import DataSetsFindings, pooled_findings
from fbench.reports.findings.comparisons.published import printed_top1, published_rows
from fbench.reports.findings.comparisons.studies import StudyResult, study_results
from fbench.reports.findings.comparisons.summary import summarise_networks
from fbench.reports.findings.costs.machines import times_apart
from fbench.reports.findings.faces import network_maps
from fbench.reports.findings.imported import imported_rows
from fbench.reports.findings.model import DataFindings, Findings, RunTrials, StudyFindings
from fbench.reports.findings.networks.blueprint import network_plans
from fbench.reports.findings.networks.differences import NetworkDifferences, network_differences, network_of_run
from fbench.reports.findings.next_step import next_step
from fbench.reports.findings.origin.run_names import run_names
from fbench.reports.findings.origin.tuning import tuning_findings
from fbench.reports.findings.overview.gather import overview
from fbench.reports.findings.tradeoffs.fronts import front_result
from fbench.reports.left_out import Omissions
from fbench.statistics.comparison.multiplicity import Correction

ShownFaces = Sequence[Mapping[tuple[str, str], FaceMaps]]


@dataclass(frozen=True)
class ReadRuns:
    """Findings with what they were made of: for each run, what each of its data sets says."""

    findings: Findings
    names: tuple[str, ...]
    evidences: tuple[tuple[Evidence, ...], ...]


def gather_findings(
    runs: Sequence[RunTable],
    *,
    title: str | None = None,
    correction: Correction = "holm",
    imported: Sequence[ImportedResults] = (),
) -> Findings:
    """All numbers and words of a report; nothing is drawn.

    Arguments and errors are those of :func:`fbench.reports.render.html.build.gather_report`.
    """
    return read_runs(runs, title=title, correction=correction, imported=imported).findings


def read_runs(
    runs: Sequence[RunTable],
    *,
    title: str | None = None,
    correction: Correction = "holm",
    shown_faces: ShownFaces | None = None,
    imported: Sequence[ImportedResults] = (),
) -> ReadRuns:
    """Findings for :func:`fbench.reports.render.html.build.gather_report`, whose arguments and errors these are."""
    if not runs:
        raise UserError("No run was given; name at least one run folder.")
    names = run_names(runs)
    noted = [[Omissions(run.folder.path) for _ in run.config.data] for run in runs]
    evidences = tuple(
        with_all_folds([gather(run, data, one) for data, one in zip(run.config.data, of_run, strict=True)])
        for run, of_run in zip(runs, noted, strict=True)
    )
    omissions = [
        [*of_run, *(Omissions(run.folder.path) for _ in range(len(found) - len(of_run)))]
        for run, of_run, found in zip(runs, noted, evidences, strict=True)
    ]
    claims = claims_section(runs, [one for of_run in evidences for one in whole_data_sets(of_run)])
    alone = claims if len(runs) == 1 and len(evidences[0]) == 1 else None
    faces = shown_faces or [{} for _ in runs]
    whole = zip(names, runs, evidences, strict=True)
    by_run = [
        tuple(
            _data_findings(
                evidence, (f"run{r + 1}-data{d + 1}", names[r]), correction, alone, faces[r], omissions[r][d]
            )
            for d, evidence in enumerate(of_run)
        )
        for r, of_run in enumerate(evidences)
    ]
    findings = Findings(
        title=_title(runs, title),
        data_sections=tuple(section for of_run in by_run for section in of_run),
        run_trials=tuple(
            RunTrials(run.config.name, tuple((row, run.trials.get(row.trial_id)) for row in run.plan)) for run in runs
        ),
        claims=claims,
        imported=tuple(imported_rows(imported, [(name, run, whole_data_sets(of_run)) for name, run, of_run in whole])),
        over_data_sets={
            name: pooled
            for name, of_run, sections in zip(names, evidences, by_run, strict=True)
            if (pooled := _pooled(name, of_run, sections, correction)) is not None
        },
    )
    return ReadRuns(findings, tuple(names), evidences)


def _pooled(
    name: str, evidences: Sequence[Evidence], sections: Sequence[DataFindings], correction: Correction
) -> DataSetsFindings | None:
    """What a run's data sets say together, all folds of one being one."""
    results = {
        evidence.data.name: [study.result for study in section.studies]
        for evidence, section in zip(evidences, sections, strict=True)
    }
    parts = [(one, results[one.data.name]) for one in whole_data_sets(evidences) if not one.is_smoke]
    return pooled_findings(name, parts, correction)


def _title(runs: Sequence[RunTable], given: str | None) -> str:
    """The title; bytes of an argument that are no UTF-8, which Python keeps as surrogates, as question marks."""
    text = given or " · ".join(dict.fromkeys(_title_of(run) for run in runs))
    return text.encode("utf-8", "replace").decode()


def _title_of(run: RunTable) -> str:
    """The suite's title; of a run of some of its studies, how many."""
    planned, studies = set(run.networks), run.config.suite.studies
    whole = [study for study in studies if planned.issuperset(study.levels)]
    part = f": {len(whole)} of its {len(studies)} studies" if 0 < len(whole) < len(studies) else ""
    return f"{run.config.suite.title}{part}"


def _data_findings(
    evidence: Evidence,
    section: tuple[str, str],
    correction: Correction,
    claims: ClaimsSection | None,
    shown: Mapping[tuple[str, str], FaceMaps],
    omissions: Omissions,
) -> DataFindings:
    """One run on one data set, at the place with this key and the name of the run."""
    key, run_name = section
    run = evidence.run
    summary = summarise_networks(evidence)
    results = study_results(evidence, correction)
    front = front_result(evidence, summary, results)
    published = published_rows(evidence, summary)
    factors = factor_sections(evidence, [result.study for result in results], correction)
    studies = tuple(_study_findings(evidence, result, factors.get(result.study.name), omissions) for result in results)
    maps = network_maps(run, evidence, shown, omissions)
    plans = network_plans(run, evidence.recorded_data, omissions)
    budget, to_do = short_budget(run.config, evidence.data), next_step(run, results)
    apart = times_apart(evidence, {row.network: row.cost.record for row in summary if row.cost.record is not None})
    first = overview(evidence, summary, results, budget, to_do, apart)
    return DataFindings(
        key=key,
        run_name=run_name,
        recorded_name=run.config.name,
        data=evidence.data,
        split_words=evidence.split_words,
        unit=evidence.unit,
        folds=evidence.folds,
        budget=budget,
        overview=first,
        answer=answer(evidence, summary, front, results, claims, first.contenders),
        cautions=tuple(text for text in (folds_sentence(evidence), *cautions(run)) if text),
        families=tuple(family_sentences(list(dict.fromkeys(result.family for result in results)))),
        next_step=to_do,
        summary=tuple(summary),
        without_copies=without_copies(evidence, summary) if summary else "",
        timed_for=run.config.data[0].name if run.costs and not any(row.cost.record for row in summary) else "",
        front=front,
        studies=studies,
        published=tuple(published),
        printed_top1=printed_top1(published),
        maps=maps,
        plans=plans,
        left_out=omissions.found,
        tuning=tuning_findings(run, evidence.data.name),
        times_apart=apart,
    )


def _study_findings(
    evidence: Evidence, result: StudyResult, factors: FactorSection | None, omissions: Omissions
) -> StudyFindings:
    """A study, what else each comparison changes, and its factors."""
    described = cache(partial(network_of_run, evidence.run, evidence.recorded_data))  # most have one baseline

    def difference(network: str, baseline: str) -> NetworkDifferences | None:
        ours, theirs = described(network), described(baseline)
        return network_differences(ours, theirs) if ours and theirs else None

    differences = (
        omissions.attempt(
            f"what {row.network} changes from {row.baseline}", partial(difference, row.network, row.baseline)
        )
        for row in result.comparisons
    )
    return StudyFindings(
        result,
        tuple(found for found in differences if found is not None),
        factors,
    )
