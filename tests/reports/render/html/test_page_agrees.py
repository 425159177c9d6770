"""A page contradicts neither itself nor its findings: all its numbers, verdicts and repeated cells are held to them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.reports.render.html.build import gather_report
from fbench.reports.render.html.html import render
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.page_agreement import (
    NUMBER,
    disagreeing_cells,
    known_numbers,
    unexplained_numbers,
    wrong_verdicts,
)
from tests.reports.read_page import Page

pytestmark = pytest.mark.usefixtures("unpainted")
REFERENCE = Path(__file__).parents[4] / "results" / "fer2013-standard"


def faults_of(runs: Sequence[RunTable], *changed: tuple[str, str]) -> list[str]:
    report = gather_report(runs)
    html = render(report)
    for old, new in changed:
        assert old in html
        html = html.replace(old, new, 1)
    page = Page(html)
    numbers = unexplained_numbers(page.sentences, known_numbers(report, [run.config for run in runs]))
    return [*numbers, *wrong_verdicts(page, report), *disagreeing_cells(page)]


def crossed(folder: Path) -> RunTable:
    levels = ("ires", "ires_relu", "ires_no_se", "ires_no_se_relu")
    factors = {
        name: {
            "squeeze_excite": "no" if "no_se" in name else "yes",
            "activation": "ReLU" if "relu" in name else "h_swish",
        }
        for name in levels
    }
    study = {"name": "s", "title": "S", "question": "?", "baseline": "ires", "levels": levels, "factors": factors}
    accuracy = {"ires": 0.62, "ires_relu": 0.6, "ires_no_se": 0.5, "ires_no_se_relu": 0.5}
    recipe = Recipe(
        accuracy=accuracy, seeds=range(6), images=200, studies=(study,), collapsed_trials=(("ires_no_se", 2),)
    )
    return fabricate_run(folder, recipe)


@pytest.mark.slow
def test_the_committed_run_agrees_with_itself() -> None:
    assert faults_of([load_run(REFERENCE)]) == []


@pytest.mark.slow
def test_crossed_factors_and_collapsed_trainings_agree(tmp_path: Path) -> None:
    assert faults_of([crossed(tmp_path / "run")]) == []


def test_one_seed_and_synthetic_data_agree(tmp_path: Path) -> None:
    recipe = Recipe(seeds=(0,), images=60, synthetic=True, data=("synthetic",))
    assert faults_of([fabricate_run(tmp_path / "run", recipe)]) == []


@pytest.mark.slow
def test_the_check_finds_a_verdict_and_a_cell_that_were_changed(run: RunTable) -> None:
    assert faults_of([run]) == []
    assert faults_of([run], ("</span> worse</td>", "</span> better</td>")) != []
    cell = '<td class="group mean">61.8</td>'  # of the cost; the table of quality has it too
    assert faults_of([run], (cell, cell.replace("61.8", "61.9"))) != []


def test_the_check_finds_most_numbers_of_sentences_in_which_one_digit_was_changed(run: RunTable) -> None:
    """Not all: what results is by chance another number of the same network now and then."""
    report = gather_report([run])
    known, tried, found = known_numbers(report, [run.config]), 0, 0
    for sentence in Page(render(report)).sentences:
        for number in NUMBER.finditer(sentence):
            digits = re.sub(r"\D", "", number[0])
            if len(digits) < 3:
                continue
            last = str((int(digits[-1]) + 3) % 10)
            wrong = f"{sentence[: number.end() - 1]}{last}{sentence[number.end() :]}"
            tried += 1
            found += bool(unexplained_numbers([wrong], known))
    assert tried >= 20
    assert found / tried > 0.5
