"""What ``fbench run`` prints at its end: one line a network, the most accurate first, and the answer in five lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Console
from rich.table import Table

from fbench.benchmark.records.specs import DataUnit
from fbench.reports.findings.comparisons.budget import ShortBudget, with_budget
from fbench.reports.findings.comparisons.factor_words import effect_sentences, left_out_sentences
from fbench.reports.findings.comparisons.over_data_sets import DataSetsFindings, pooled_sentence
from fbench.reports.findings.comparisons.summary import NetworkSummary, by_accuracy
from fbench.reports.findings.comparisons.units import heading_of
from fbench.reports.findings.comparisons.verdicts import verdict_sentence
from fbench.reports.findings.measures.table import shown_in
from fbench.reports.formatting import listing, plural

if TYPE_CHECKING:
    from fbench.reports.findings.model import DataFindings, Findings, StudyFindings

WIDE = 100  # columns; a narrower terminal leaves cost to the report

MOST_SENTENCES: Final = 4
"""With more comparisons than this their sentences are left to the report."""

_MOST_POOLED: Final = 5
LINES: Final = 5
TOPICS: Final = ("Missed", "Take", "What matters", "Undecided", "Learning", "First", "Claims", "Cheap")
"""In the order in which they are printed, as many as there are lines."""


def print_summary(findings: Findings, place: str = "") -> None:
    """Print accuracy with both 95 % intervals, and cost, for each data set that has a finished trial; ``place`` is what
    commands need to go on with the run where it lies."""
    console = Console()
    for section in findings.data_sections:
        for one in section.left_out:
            console.print(one.sentence, highlight=False, markup=False, soft_wrap=True, style="yellow")
        if section.summary:
            title = f"\n{_what(section)}: top-1 and 95 % intervals in %{section.given}"
            console.print(title, highlight=False)
            console.print(_table(section.summary, section.unit, with_cost=console.width >= WIDE))
            if section.without_copies:
                console.print(section.without_copies, highlight=False)
            if sum(len(study.result.comparisons) for study in section.studies) <= MOST_SENTENCES:
                for study in section.studies:
                    _print_verdicts(console, study, section.budget)
            _print_answer(console, section, place)
    for found in findings.over_data_sets.values():
        _print_over_data_sets(console, found)


def answer_lines(section: DataFindings) -> list[tuple[str, str]]:
    """The answer of one data set in at most five lines, each a topic and a sentence; what is undecided is one of them,
    with the command that would decide it."""
    said = {sentence.topic: sentence.text for sentence in section.answer}
    said["Undecided"] = section.next_step.sentence
    if section.summary:
        recommendation = section.overview.recommendation
        said["Take"] = " ".join([recommendation.sentence, recommendation.reason]).strip()
    return [(topic, said[topic]) for topic in TOPICS if said.get(topic)][:LINES]


def _print_answer(console: Console, section: DataFindings, place: str) -> None:
    console.print("\nAnswer", style="bold")
    command = section.next_step.command
    for topic, said in answer_lines(section):
        text = said.replace(command, f"{command}{place}") if command else said
        console.print(f"- {topic}: {text}", highlight=False, markup=False, soft_wrap=True)


def _print_over_data_sets(console: Console, found: DataSetsFindings) -> None:
    console.print(f"Over all data sets ({listing(found.data)}):", highlight=False, markup=False)
    for row in found.rows[:_MOST_POOLED]:
        console.print(f"- {pooled_sentence(row)}.", highlight=False, markup=False, soft_wrap=True)
    if len(found.rows) > _MOST_POOLED:
        more = plural(len(found.rows) - _MOST_POOLED, "comparison")
        console.print(f"- {more} more in the report.", highlight=False, markup=False)


def _what(section: DataFindings) -> str:
    """What the accuracies of a summary are of, and whether the epoch was chosen by them."""
    kind = "synthetic faces" if section.data.synthetic else section.data.name
    (trial, *_) = section.summary[0].trials.records
    marked = ", selected on the test set" if trial.spec.protocol.selection == "test" else ""
    return f"{kind}, {section.split_words}{marked}"


def _print_verdicts(console: Console, study: StudyFindings, budget: ShortBudget | None) -> None:
    """A line for each comparison that could be tested, or of which too few images or no learning is all that can be
    said, and for each effect of crossed factors, below the title of its study."""
    result = study.result
    told = [row for row in result.comparisons if row.is_tested or row.few_images or row.neither_learned]
    if told:
        title = with_budget(result.study.title, budget)
        console.print(f"\n{title}", highlight=False, markup=False, style="bold")
    for row in told:
        console.print(f"- {verdict_sentence(row, result)}.", highlight=False, markup=False)
    analysis = study.factors.analysis if study.factors else None
    if analysis is not None and any(row.is_tested for row in result.comparisons):
        for sentence in left_out_sentences(analysis):
            console.print(sentence, highlight=False, markup=False)
        for sentence in effect_sentences(analysis):
            console.print(f"- {sentence}.", highlight=False, markup=False)


def _table(summary: Sequence[NetworkSummary], unit: DataUnit, *, with_cost: bool) -> Table:
    measures = [one for one in shown_in("terminal") if with_cost or one.about != "cost"]
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("network", no_wrap=True)
    for one in measures:
        table.add_column(heading_of(one.form("terminal").title, unit), justify="right")
    for row in by_accuracy(summary):
        table.add_row(row.network, *(one.text(row, "terminal") for one in measures))
    return table
