from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fbench.benchmark.store.run_table import load_run
from fbench.reports.findings.comparisons.evidence import gather
from fbench.reports.findings.comparisons.studies import study_results
from fbench.reports.findings.gather import gather_findings
from fbench.reports.findings.next_step import MOST_SEEDS, NextStep, next_step
from fbench.reports.render.terminal.summary import answer_lines
from tests.reports.fabricated_run import Recipe, fabricate_run

REFERENCE = Path(__file__).parents[3] / "results" / "fer2013-standard"


def step_of(folder: Path, recipe: Recipe) -> NextStep:
    run = fabricate_run(folder, recipe)
    return next_step(run, study_results(gather(run, run.config.data[0])))


def test_the_command_has_the_least_number_of_seeds_that_decides_what_seeds_can_decide() -> None:
    run = load_run(REFERENCE)
    studies = study_results(gather(run, run.config.data[0]))
    found = next_step(run, studies)
    rows = [row for result in studies for row in result.comparisons if row.verdict == "undecided"]
    wanted = [row.more.seeds for row in rows if row.more and row.more.seeds]
    assert (found.compared, found.undecided) == (9, 3)
    assert found.seeds == max(seeds for seeds in wanted if seeds <= MOST_SEEDS)
    assert found.command.endswith(f"--seeds {found.seeds}")
    assert found.sentence.startswith("3 of 9 comparisons are undecided; if the true differences are those seen, ")


def test_a_run_that_decided_everything_needs_no_more(tmp_path: Path) -> None:
    study = {"name": "one", "title": "One", "question": "?", "baseline": "ires", "levels": ("ires", "ires_no_se")}
    recipe = Recipe(accuracy={"ires": 0.9, "ires_no_se": 0.3}, studies=(study,), seeds=range(5))
    found = step_of(tmp_path / "run", recipe)
    assert (found.compared, found.undecided, found.sentence) == (1, 0, "")


def test_where_no_number_of_seeds_decides_none_is_proposed(tmp_path: Path) -> None:
    found = step_of(tmp_path / "run", Recipe(seeds=(0,)))
    assert (found.seeds, found.decided, found.command) == (None, 0, "")
    words = "one training of a network says nothing of the chance of a seed"
    assert found.sentence == f"2 of 2 comparisons are undecided, as {words}."
    tested = replace(found, untested="")
    assert tested.sentence.endswith(f"and {MOST_SEEDS} seeds would decide none of them.")


@pytest.mark.parametrize(
    ("undecided", "decided", "words"),
    [(1, 1, "12 seeds would decide it: run"), (3, 3, "would decide them: run"), (3, 2, "would decide 2 of them: run")],
)
def test_how_many_it_would_decide_is_said(undecided: int, decided: int, words: str) -> None:
    assert NextStep(4, undecided, 12, decided, "run").sentence.endswith(words)


def test_the_answer_of_a_run_has_five_lines_at_most_and_what_is_undecided_is_one_of_them() -> None:
    (section,) = gather_findings([load_run(REFERENCE)]).data_sections
    lines = answer_lines(section)
    assert [topic for topic, _ in lines] == ["Missed", "Take", "What matters", "Undecided", "Learning"]
    assert dict(lines)["Undecided"] == section.next_step.sentence
    assert dict(lines)["Take"].startswith(section.overview.recommendation.sentence)
    decided = replace(section, next_step=NextStep(9, 0, None, 0, ""))
    assert "Undecided" not in dict(answer_lines(decided))
