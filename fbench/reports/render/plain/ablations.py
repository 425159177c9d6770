"""Every ablation of a run in one table: each pair once, under its baseline, with its verdict and what it costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fbench.reports.findings.comparisons.comparison import Comparison
from fbench.reports.findings.comparisons.families import CORRECTION_WORDS
from fbench.reports.findings.model import DataFindings
from fbench.reports.findings.overview.ablations import Ablation
from fbench.reports.formatting import MISSING, count, listing, margin, plural, points, points_range, significant
from fbench.reports.render.plain.model import Column, PlainTable
from fbench.statistics.timing import TimeRatio

_COLUMNS = (
    Column("Network", kind="name"),
    Column("Difference", "points"),
    Column("Interval", "points", kind="range"),
    Column("Verdict", kind="text"),
    Column("Parameters", "×"),
    Column("MACs", "×"),
)
_LATENCY = (Column("Latency", "×"), Column("Latency", "95 % interval", kind="range"))


def ablation_table(section: DataFindings, synthetic: str) -> PlainTable:
    """The comparisons of all studies on one data set; ``synthetic`` marks a caption where the data are."""
    found = section.overview.ablations
    is_timed = _is_timed(found)
    return PlainTable(
        caption=f"Ablations on {section.data.name}{synthetic}: top-1 on the {section.split_words} minus that of the "
        f"baseline{section.given}, and cost as a multiple of the baseline’s",
        label=f"{section.key}-ablations",
        columns=(*_COLUMNS, *_LATENCY) if is_timed else _COLUMNS,
        rows=tuple(
            (*_cells(one.comparison), *(_latency(one.comparison.cost.latency) if is_timed else ())) for one in found
        ),
        note=" ".join(_notes(section, found)),
        group_heading="Against",
        groups=tuple(one.comparison.baseline for one in found),
    )


def _cells(row: Comparison) -> tuple[str, ...]:
    cost = row.cost
    return (
        row.network,
        points(row.estimate),
        points_range(*row.interval) if row.is_tested else MISSING,
        row.verdict,
        significant(cost.trainable_params),
        significant(cost.macs),
    )


def _latency(found: TimeRatio | None) -> tuple[str, str]:
    if found is None:
        return MISSING, MISSING
    return significant(found.ratio), f"{significant(found.low)} to {significant(found.high)}"


def _is_timed(found: Sequence[Ablation]) -> bool:
    return any(one.comparison.cost.latency for one in found)


def _notes(section: DataFindings, found: Sequence[Ablation]) -> Iterator[str]:
    """What the numbers rest on: margin, correction, seeds, budget, and what a time is of."""
    yield f"The margin that matters is {_margins(found)}."
    yield f"Intervals are for {section.new_units} and new seeds{_corrections(found)}."
    if any(one.comparison.analysis for one in found):
        yield "Where seeds were added until decided, they are the repeated ones of the interim analysis."
    yield f"{_seeds(found)} a comparison; {section.overview.trained}."
    if section.budget is not None:
        yield section.budget.sentence
    if _is_timed(found):
        yield "Latency is of a batch of 1, timed together with the baseline’s."
    if section.timed_for:
        yield f"Times were measured for the image size and classes of {section.timed_for} alone."


def _margins(found: Sequence[Ablation]) -> str:
    margins = dict.fromkeys(one.margin for one in found)
    if len(margins) == 1:
        return margin(*margins)
    studies = {size: list(dict.fromkeys(one.study for one in found if one.margin == size)) for size in margins}
    return listing([f"{margin(size)} in {listing(names)}" for size, names in studies.items()])


def _corrections(found: Sequence[Ablation]) -> str:
    families = [family for family in dict.fromkeys(one.family for one in found) if family.is_corrected]
    if not families:
        return ", of 95 % for each comparison alone"
    (words,) = {CORRECTION_WORDS[one.correction] for one in families}
    sizes = listing([count(one.size) for one in families])
    return f", corrected after {words} over {sizes} comparisons"


def _seeds(found: Sequence[Ablation]) -> str:
    numbers = sorted({one.comparison.difference.seeds for one in found})
    return plural(numbers[0], "seed") if len(numbers) == 1 else f"{count(numbers[0])} to {count(numbers[-1])} seeds"
