"""Can this run be trusted? Each line, by runs that are made up for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.reports.findings.comparisons.evidence import gather
from fbench.reports.findings.costs.machines import TimesApart
from fbench.reports.findings.gather import gather_findings
from fbench.reports.findings.overview.trust import TrustLine, trust_lines
from fbench.reports.render.html.build import build_report
from tests.reports.fabricated_run import MACHINE, Recipe, fabricate_run
from tests.reports.findings.costs.test_roofline_of_a_machine import ROOFLINE
from tests.reports.read_page import Page

SMALL = Recipe(accuracy={"ires": 0.6, "ires_no_se": 0.5}, images=200, seeds=range(10))


def lines_of(run: RunTable) -> dict[str, TrustLine]:
    return {line.topic: line for line in trust_lines(gather(run, run.config.data[0]), None, TimesApart((), ""))}


@pytest.fixture
def run(tmp_path: Path) -> RunTable:
    return fabricate_run(tmp_path / "run", SMALL)


def test_warnings_come_first_and_a_run_that_is_well_has_none_of_what_it_should_not(run: RunTable) -> None:
    found = trust_lines(gather(run, run.config.data[0]), None, TimesApart((), ""))
    warned = [line.is_warning for line in found]
    assert warned == sorted(warned, reverse=True)
    lines = {line.topic: line for line in found}
    assert lines["Seeds"] == TrustLine("Seeds", "10 of each network.", False)
    assert lines["Budget"] == TrustLine("Budget", "the protocol’s own.", False)
    assert lines["Code"] == TrustLine("Code", "revision 0123456789, nothing uncommitted.", False)
    assert lines["Trials"] == TrustLine("Trials", "all 20 finished.", False)
    assert lines["Collapsed"].text == (
        "no training; after 10 trainings without one, up to 31 % of a network’s may."  # Clopper and Pearson, 0 of 10
    )


@pytest.mark.parametrize(
    ("changes", "topic", "words"),
    [
        ({"seeds": (0,)}, "Seeds", "one training of a network"),
        ({"seeds": range(3)}, "Seeds", "3: only large differences stand out from chance; take 10."),
        ({"collapsed_trials": (("ires", 0),)}, "Collapsed", "1 of 10 of ires (0 to 45 %)."),
        ({"collapsed": ("ires", "ires_no_se")}, "Classes", "no network learned any."),
        ({"avoids_first_class": ("ires",)}, "Classes", "hardly ever recognised: anger (recall 0.0 %), by ires."),
        ({"avoids_first_class": ("ires", "ires_no_se")}, "Classes", "anger (recall 0.0 %), by all 2 networks."),
        ({"failed": (("ires", 0),), "missing": (("ires", 1),)}, "Trials", "of 20, 1 failed and 1 not run yet."),
        (
            {"failed": [("ires", seed) for seed in range(10)]},
            "Trials",
            "of 20, 10 failed; no result of ires.",
        ),
        ({"with_cost": False}, "Times", "not measured."),
    ],
)
def test_what_limits_the_numbers_is_said(tmp_path: Path, changes: dict[str, object], topic: str, words: str) -> None:
    line = lines_of(fabricate_run(tmp_path / "run", replace(SMALL, **changes)))[topic]  # type: ignore[arg-type]
    assert words in line.text
    assert line.is_warning is (topic != "Times")


def test_what_a_sentence_sums_up_is_told_one_by_one(tmp_path: Path) -> None:
    collapsed = tuple((name, seed) for name in ("ires", "ires_no_se") for seed in range(2))
    line = lines_of(fabricate_run(tmp_path / "run", replace(SMALL, collapsed_trials=collapsed)))["Collapsed"]
    assert line.text == "4 of 20 trainings of ires and ires_no_se."
    # Clopper and Pearson, 2 of 10
    assert line.details == ("2 of 10 of ires (3 to 56 %)", "2 of 10 of ires_no_se (3 to 56 %)")


MANY = {f"network_{letter}": 0.5 for letter in "abcdefgh"}
TROUBLE = {
    "avoids_first_class": tuple(MANY)[:5],
    "collapsed_trials": tuple((name, 0) for name in MANY),
    "failed": tuple((name, seed) for name in tuple(MANY)[6:] for seed in range(3)),
}


@pytest.mark.parametrize("changes", [{}, TROUBLE, {"selection": "test"}, {"test": "none"}, {"tuning": "once"}])
def test_every_line_is_short_and_names_a_network_once(tmp_path: Path, changes: dict[str, object]) -> None:
    run = fabricate_run(tmp_path / "run", replace(SMALL, accuracy=MANY, seeds=range(3), **changes))  # type: ignore[arg-type]
    (found,) = gather_findings([run]).data_sections
    lines = [*found.cautions, *(f"{line.topic}: {line.text}" for line in found.overview.trust)]
    assert len(lines) >= 6
    for line in lines:
        assert len(line.split()) <= 26, line
        assert all(line.count(name) <= 1 for name in MANY), line


def test_readings_of_the_test_split_are_counted_and_warned_of_where_they_chose_the_epoch(run: RunTable) -> None:
    first, second, *_ = run.trials
    readings = [
        {"trial_id": one, "data_fingerprint": run.config.data[0].fingerprint, "selected_on": on, "time": "2026"}
        for one, on in ((first, "validation"), (second, "test"), ("of another run", "validation"))
    ]
    file = run.folder.path / "test_readings.jsonl"
    file.write_text("".join(f"{json.dumps(one)}\n" for one in readings), encoding="utf-8")
    line = lines_of(load_run(run.folder.path))["Test split"]
    assert line == TrustLine("Test split", "read 2 times by this run, 1 time by others; 1 chose an epoch.", True)


def busy(run: RunTable, percent: float | None) -> RunTable:
    cost = run.costs[-1].model_copy(update={"other_work_percent": percent, "before": None, "after": None})
    return replace(run, costs=(cost,))


@pytest.mark.parametrize(
    ("percent", "words", "warns"),
    [
        (100.0, "other work took 100 % of the cores", True),
        (15.0, "a quiet machine", False),
        (None, "nothing is known", True),
    ],
)
def test_how_busy_the_machine_was_is_said(run: RunTable, percent: float | None, words: str, warns: bool) -> None:
    line = lines_of(busy(run, percent))["Times"]
    assert words in line.text
    assert line.is_warning is warns


def test_a_roofline_of_a_busier_machine_than_the_times_is_said_apart(run: RunTable) -> None:
    quiet = busy(run, 4.0)
    ceiling = ROOFLINE.model_copy(update={"busy_percent": 50.0})
    cost = quiet.costs[-1].model_copy(update={"roofline": ceiling})
    lines = lines_of(replace(quiet, costs=(cost,)))
    assert lines["Times"] == TrustLine("Times", "measured on a quiet machine (other work 4 % of the cores).", False)
    text = "measured while other work took 50 % of the cores: shares of it are too large."
    assert lines["Roofline"] == TrustLine("Roofline", text, True)


def with_machines(run: RunTable, change: Callable[[int], dict[str, object]]) -> RunTable:
    trials = {
        key: record.model_copy(update={"machine": MACHINE.model_copy(update=change(place))})
        for place, (key, record) in enumerate(run.trials.items())
    }
    return replace(run, trials=trials)


def test_uncommitted_code_and_several_revisions_are_said(run: RunTable) -> None:
    dirty = lines_of(with_machines(run, lambda place: {"git_dirty": place == 3}))["Code"]
    assert dirty == TrustLine("Code", "trainings ran with changes that were in no commit.", True)
    several = lines_of(with_machines(run, lambda place: {"git_revision": f"{place % 2}" * 40}))["Code"]
    assert several == TrustLine("Code", "trainings are of 2 revisions of fbench.", True)


@pytest.mark.slow
@pytest.mark.usefixtures("unpainted")
def test_a_busy_machine_is_said_where_times_are(run: RunTable) -> None:
    page = Page(build_report([busy(run, 64.0)]))
    said = [one for one in page.sentences if "while other work took 64 % of the cores" in one]
    assert len(said) == 3  # in the box of the first screen, below the times of the summary, and above those by batch
    assert not [one for one in Page(build_report([run])).sentences if "while other work took" in one]
