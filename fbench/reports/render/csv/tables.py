"""Tables for other programs: one row for each thing, one column for each quantity, six digits of each number."""

from __future__ import annotations

from fbench.reports.findings.comparisons.comparison import Comparison
from fbench.reports.findings.comparisons.studies import StudyResult
from fbench.reports.findings.model import DataFindings, Findings
from fbench.reports.render.csv.runs import Cell, summary_rows, table_text, trial_rows
from fbench.statistics.collapse import collapse_p_value
from fbench.statistics.comparison.equivalence import equivalence_p_values
from fbench.statistics.comparison.verdict import Decision
from fbench.statistics.estimands import MeanEstimate


def summary_csv(report: Findings) -> str:
    """A row for each network on each data set of each run."""
    return table_text(summary_rows(report))


def tidy_tables(report: Findings) -> dict[str, str]:
    """The text of each table by the name of its file; ``claims.csv`` is left out where no claim is judged,
    ``data_sets.csv`` where nothing is compared over several, and ``imported.csv`` where nothing was imported."""
    claims = claim_rows(report)
    return {
        "summary.csv": summary_csv(report),
        "comparisons.csv": table_text(comparison_rows(report)),
        "trials.csv": table_text(trial_rows(report)),
        **({"claims.csv": table_text(claims)} if claims else {}),
        **({"data_sets.csv": table_text(data_set_rows(report))} if report.over_data_sets else {}),
        **({"imported.csv": table_text(imported_rows(report))} if report.imported else {}),
    }


def comparison_rows(report: Findings) -> list[dict[str, Cell]]:
    """A row for each comparison of each study; qualities and their differences are fractions of 1.

    Intervals are of 95 %, for the comparison alone; the corrected one has the confidence at which the comparison was
    tested in its family, and the one of equivalence that at which it was held against the margin. Where seeds were
    added until decided, the corrected interval and p are those of the interim analysis that decided, and ``p_allowed``
    is what its p had to reach in place of a corrected p.

    ``of_trainings`` is ``learned`` where the difference is of trainings that learned alone, and ``all`` where a side
    has fewer than two of these, so that the difference is of all.
    """
    return [
        _comparison_cells(section, item.result, row)
        for section in report.data_sections
        for item in section.studies
        for row in item.result.comparisons
    ]


def claim_rows(report: Findings) -> list[dict[str, Cell]]:
    """A row for each judged claim of the papers; ``missing`` is what it would take to decide it."""
    return [
        {
            "paper": paper.paper,
            "claim": one.claim.id,
            "sentence": one.claim.sentence,
            "section": one.claim.section,
            "verdict": one.verdict,
            "by_arithmetic": str(one.by_arithmetic).lower(),
            "never_decided": str(bool(one.claim.never)).lower(),
            "p_corrected": one.p_value,
            "family": one.family,
            "why": one.why,
            "missing": one.missing,
        }
        for paper in (report.claims.papers if report.claims else ())
        for one in paper.claims
    ]


def data_set_rows(report: Findings) -> list[dict[str, Cell]]:
    """A row for each comparison over several data sets of a run, each counting the same; differences are fractions of
    1. Intervals have the confidence at which the comparison was tested in its family, but that of the next data set,
    which has 95 %."""
    return [
        {
            "run": found.run_name,
            "network": row.network,
            "baseline": row.baseline,
            "data": " ".join(row.by_data),
            "data_sets": row.pooled.data_sets,
            "top1_difference": row.pooled.these.estimate,
            **_decided("on_these", row.these_interval, row.on_these),
            **_decided("in_general", row.new_interval, row.on_new),
            "next_data_set_low": _known(row.pooled.prediction[0]),
            "next_data_set_high": _known(row.pooled.prediction[1]),
            "deviation_between_data_sets": row.pooled.between_sd,
            "margin": row.margin,
            "collapsed_on": " ".join(row.collapsed_on),
        }
        for found in report.over_data_sets.values()
        for row in found.rows
    ]


def _decided(name: str, interval: tuple[float, float], decision: Decision) -> dict[str, Cell]:
    return {
        f"{name}_low": _known(interval[0]),
        f"{name}_high": _known(interval[1]),
        f"{name}_p_corrected": _known(decision.p_adjusted),
        f"{name}_p_equivalent_corrected": _known(decision.p_equivalent_adjusted),
        f"{name}_verdict": decision.verdict,
    }


def imported_rows(report: Findings) -> list[dict[str, Cell]]:
    """A row for each imported network and each network of a run that it is held against; accuracies and differences
    are fractions of 1, and intervals of 95 %, for the row alone."""
    return [
        {
            "source": row.source,
            "network": row.network,
            "data": row.data,
            "split": row.split_words.removesuffix(" split"),
            "trainings": row.trainings,
            "top1": row.top1,
            "run": row.run_name,
            "against": row.against,
            "top1_difference": row.estimate,
            "top1_difference_low": _known(row.interval[0]),
            "top1_difference_high": _known(row.interval[1]),
            "rests_on": row.rests_on,
        }
        for row in report.imported
    ]


def _comparison_cells(section: DataFindings, result: StudyResult, row: Comparison) -> dict[str, Cell]:
    found = row.difference
    analysis = row.analysis if row.analysis is not None and row.analysis.low is not None else None
    p_value = analysis.p_value if analysis else found.new_images.p_value if row.is_tested else None
    low, high = row.interval if row.is_tested else (None, None)
    nearest, farthest = row.equivalence_interval
    return {
        "run": section.run_name,
        "data": section.data.name,
        "split": section.split_words.removesuffix(" split"),
        "unit": section.unit,
        "study": result.study.name,
        "network": row.network,
        "baseline": row.baseline,
        "seeds": found.seeds,
        "images": found.images,
        "pairing": found.pairing,
        **_collapse_cells(row),
        "top1_difference": found.new_images.estimate,
        **_interval("this_test_set", found.this_test_set),
        **_interval("new_units", found.new_images),
        "top1_difference_corrected_low": _known(low),
        "top1_difference_corrected_high": _known(high),
        "top1_difference_equivalence_low": _known(nearest),
        "top1_difference_equivalence_high": _known(farthest),
        "p": _known(p_value),
        "p_corrected": None if analysis else _known(row.decision.p_adjusted),
        "p_allowed": analysis.different_level if analysis else None,
        "p_equivalent": _known(_p_equivalent(row, result)),
        "p_equivalent_corrected": None if analysis else _known(row.decision.p_equivalent_adjusted),
        "correction": result.family.correction,
        "family": result.family.name,
        "family_size": result.family.size,
        "verdict": row.verdict,
        "margin": result.margin,
        "smallest_margin": _known(row.smallest_margin),
        "detectable_difference": _known(row.decision.detectable_difference),
    }


def _collapse_cells(row: Comparison) -> dict[str, Cell]:
    """Trainings of both sides that did not learn; the difference and its verdict are of ``of_trainings``."""
    ours, theirs = row.collapses
    return {
        "trainings": ours.trainings,
        "collapsed": ours.collapsed,
        "baseline_trainings": theirs.trainings,
        "baseline_collapsed": theirs.collapsed,
        "p_collapsed_as_often": collapse_p_value(ours, theirs),
        "of_trainings": "learned" if row.learned or not ours.collapsed + theirs.collapsed else "all",
    }


def _p_equivalent(row: Comparison, result: StudyResult) -> float | None:
    """Of a difference of the margin or more, for the comparison alone."""
    if row.analysis is not None:
        return row.analysis.p_equivalent
    if not row.is_tested:
        return None
    return float(equivalence_p_values([row.difference.new_images], result.margin)[0])


def _interval(name: str, estimate: MeanEstimate) -> dict[str, Cell]:
    return {
        f"top1_difference_{name}_low": _known(estimate.low),
        f"top1_difference_{name}_high": _known(estimate.high),
    }


def _known(value: float | None) -> float | None:
    """The value, or none where it is not defined."""
    return None if value is None or value != value else value  # NaN differs from itself
