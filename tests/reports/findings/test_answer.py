"""The answer: at most seven sentences, each written from the results, none about what they cannot say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.answer import answer
from fbench.reports.findings.comparisons.evidence import gather
from fbench.reports.findings.comparisons.studies import study_results
from fbench.reports.findings.comparisons.summary import summarise_networks
from fbench.reports.findings.comparisons.verdicts import verdict_sentence
from fbench.reports.findings.overview.contenders import contenders
from fbench.reports.findings.tradeoffs.fronts import front_result
from fbench.reports.render.html.build import build_report
from tests.reports.fabricated_run import Recipe, fabricate_run, latency_ms, static_cost
from tests.reports.read_page import Page

pytestmark = pytest.mark.usefixtures("unpainted")


def answer_of(run: RunTable) -> dict[str, str]:
    evidence = gather(run, run.config.data[0])
    summary = summarise_networks(evidence)
    studies, found_contenders = study_results(evidence), contenders(evidence, summary)
    found = answer(evidence, summary, front_result(evidence, summary, studies), studies, None, found_contenders)
    assert len(found) <= 7
    return {one.topic: one.text for one in found}


def made(folder: Path, **options: Any) -> dict[str, str]:
    return answer_of(fabricate_run(folder, Recipe(**options)))


def test_the_first_sentence_names_data_protocol_budget_seeds_and_the_winner(run: RunTable) -> None:
    first = answer_of(run)["First"]
    assert first.startswith(
        "3 networks were trained on fer2013 with 3 seeds each (protocol fbench, preset standard: 4 epochs, batch size "
        "128); ires came first with top-1 61.8 % on the test split (95 % interval for new images "
    )
    assert ", and ires_relu may be as accurate or more; with 3 seeds" in first


@pytest.mark.parametrize(("seeds", "said"), [(3, True), (5, True), (10, False)])
def test_fewer_seeds_than_a_claim_wants_are_said(folder: Path, seeds: int, said: bool) -> None:
    first = made(folder, seeds=range(seeds), images=60)["First"]
    assert (f"with {seeds} seeds only large differences stand out from chance" in first) is said


def test_the_cheapest_of_the_front_is_named_with_what_the_next_adds(run: RunTable) -> None:
    words = answer_of(run)["Cheap"]
    by_params = sorted(("ires", "ires_no_se", "ires_relu"), key=lambda name: static_cost(name).trainable_params)
    by_time = sorted(("ires", "ires_no_se", "ires_relu"), key=latency_ms)
    assert words.startswith(f"For few parameters {by_params[0]} ({static_cost(by_params[0]).trainable_params:,} ")
    assert f"for a short latency {by_time[0]} (" in words


def test_differences_are_told_from_the_largest_and_chance_is_called_chance(folder: Path) -> None:
    levels = ("ires", "ires_no_se", "ires_relu", "ires_flatten")
    study = {"name": "all", "title": "All", "question": "?", "baseline": "ires", "levels": levels}
    accuracy = {"ires": 0.62, "ires_no_se": 0.5, "ires_relu": 0.62, "ires_flatten": 0.3}
    words = made(folder, accuracy=accuracy, seeds=range(6), studies=(study,))
    assert words["What matters"].startswith("At this budget and on new images, against ires: ires_flatten loses ")
    assert " points and ires_no_se loses " in words["What matters"]
    assert words["Undecided"].startswith("Chance could explain ires_relu against ires (")


def test_the_seeds_that_would_tell_are_those_of_the_study(folder: Path) -> None:
    study = {"name": "a", "title": "A", "question": "?", "baseline": "ires", "levels": ("ires", "ires_relu")}
    run = fabricate_run(folder, Recipe(accuracy={"ires": 0.62, "ires_relu": 0.6}, seeds=range(6), studies=(study,)))
    (result,) = study_results(gather(run, run.config.data[0]))
    (told,) = re.findall(r"about ([\d,]+) seeds would tell with a chance of 80 %", answer_of(run)["Undecided"])
    assert f"about {told} seeds each would decide with a chance of 80 %" in verdict_sentence(
        result.comparisons[0], result
    )


def test_a_pair_of_two_studies_is_told_once(folder: Path) -> None:
    study = {"title": "T", "question": "?", "baseline": "ires", "levels": ("ires", "ires_no_se")}
    studies = ({**study, "name": "a"}, {**study, "name": "b"})
    words = made(folder, accuracy={"ires": 0.7, "ires_no_se": 0.3}, seeds=range(5), studies=studies)
    assert words["What matters"].count("ires_no_se") == 1


def test_one_seed_claims_nothing(folder: Path) -> None:
    words = made(folder, seeds=(0,))
    assert "one training per network cannot tell a better network from a lucky seed" in words["First"]
    assert set(words) == {"First", "Learning"}


def test_one_network_reached_and_did_not_come_first(folder: Path) -> None:
    words = made(folder, accuracy={"ires": 0.6}, seeds=(0, 1), with_cost=False)
    assert "1 network was trained on fer2013 with 2 seeds (" in words["First"]
    assert "ires reached top-1 " in words["First"]


def test_without_a_finished_trial_there_is_one_sentence(folder: Path) -> None:
    words = made(folder, failed=(("ires", 0),), accuracy={"ires": 0.6}, seeds=(0,), with_cost=False)
    assert list(words.values()) == ["No trial on fer2013 has finished: 1 failed and 0 have no record yet."]


def test_the_page_begins_with_the_answer(page: Page, run: RunTable) -> None:
    start = page.text.index("First. 3 networks were trained")
    assert start < page.text.index("Quality: means over seeds")
    assert all(text in page.text for text in answer_of(run).values())


def test_claims_are_counted_on_a_page_of_one_data_set(run: RunTable) -> None:
    assert "Claims. Of the " in Page(build_report([run])).text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seeds": range(10)}, "No training collapsed: 0 of 10 of each network (up to 31 %)."),
        (
            {"seeds": range(10), "collapsed_trials": (("ires_no_se", 4),)},
            "Trainings that collapsed: 1 of 10 of ires_no_se (0 to 45 %); 0 of 10 of each other network (up to 31 %).",
        ),
        (
            {"seeds": (0,), "collapsed": ("ires", "ires_relu")},
            "Trainings that collapsed: the only one of ires (at least 3 %) and the only one of ires_relu (at least 3 "
            "%); 0 of 1 of each other network (up to 98 %).",
        ),
    ],
)
def test_how_many_trainings_collapsed_is_said_with_the_exact_bound(
    folder: Path, changes: dict[str, Any], said: str
) -> None:
    assert made(folder, images=70, **changes)["Learning"] == said.replace(
        "p = ", "p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"
    )
