"""Times of several machines: told apart, and compared within one alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.costs.machines import machine_words
from fbench.reports.findings.gather import gather_findings
from fbench.reports.findings.model import DataFindings
from fbench.reports.render.html.build import build_report
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.read_page import Page

pytestmark = pytest.mark.usefixtures("unpainted")

THREE = {"ires": 0.62, "ires_no_se": 0.48, "ires_relu": 0.61}


def section_of(run: RunTable) -> DataFindings:
    (found,) = gather_findings([run]).data_sections
    return found


def measured_on_two(run: RunTable) -> RunTable:
    """The same run, but ``ires_relu`` timed on another machine, in a measurement of its own."""
    cost = run.costs[0]
    other = cost.machine.model_copy(update={"processor": "another processor"})

    def of(names: set[str], **changes: object) -> object:
        return cost.model_copy(
            update={
                "static": {name: one for name, one in cost.static.items() if name in names},
                "series": tuple(one for one in cost.series if one.network in names),
                **changes,
            }
        )

    return replace(run, costs=(of({"ires", "ires_no_se"}), of({"ires_relu"}, machine=other)))  # type: ignore[arg-type] # cost records


def test_times_of_one_machine_say_nothing_of_machines(folder: Path) -> None:
    apart = section_of(fabricate_run(folder, Recipe(accuracy=THREE, images=60))).times_apart
    assert apart.sentences == ()
    assert apart.letter_of("ires") == ""


def test_each_network_says_on_which_machine_it_was_timed(folder: Path) -> None:
    run = measured_on_two(fabricate_run(folder, Recipe(accuracy=THREE, images=60)))
    found = section_of(run)
    assert [(one.letter, one.networks) for one in found.times_apart.measured] == [
        ("A", ("ires", "ires_no_se")),
        ("B", ("ires_relu",)),
    ]
    assert "another processor" in found.times_apart.measured[1].words
    (warned,) = [line for line in found.overview.trust if line.topic == "Machines"]
    assert warned.is_warning
    assert (
        warned.text
        == "measured on 2 machines, and comparable within one alone: ires and ires_no_se on A; ires_relu on B."
    )


def test_times_of_two_machines_are_neither_compared_nor_drawn_together(folder: Path) -> None:
    run = measured_on_two(fabricate_run(folder, Recipe(accuracy=THREE, images=60)))
    found = section_of(run)
    ratios = {row.network: row.cost.latency for study in found.studies for row in study.result.comparisons}
    assert ratios["ires_no_se"] is not None
    assert ratios["ires_relu"] is None
    page = Page(build_report([run]))
    cost = page.table("Cost: counts for one image in evaluation mode; accuracy repeated")
    assert {name: [cell for cell in cost.row(name) if cell in ("A", "B")] for name in THREE} == {
        "ires": ["A"],
        "ires_no_se": ["A"],
        "ires_relu": ["B"],
    }
    assert "latency at batch 1 on machine A, ms" in page.text
    assert "comparable within one alone. A: ires and ires_no_se on " in page.text


def test_times_of_trainings_are_of_the_machine_that_trained_most(folder: Path) -> None:
    run = fabricate_run(folder, Recipe(accuracy=THREE, seeds=range(4), images=60))
    slow = next(one for one in run.trials.values() if one.spec.network.name == "ires" and one.spec.seed == 3)
    assert slow.times is not None
    moved = slow.model_copy(
        update={
            "machine": slow.machine.model_copy(update={"processor": "a slow processor"}),
            "times": slow.times.model_copy(update={"train_time_s": 1e6}),
        }
    )
    before = {row.network: row.train_time_s for row in section_of(run).summary}
    found = section_of(replace(run, trials={**run.trials, slow.trial_id: moved}))
    after = {row.network: row.train_time_s for row in found.summary}
    assert after["ires"] is not None
    assert before["ires"] is not None
    assert after["ires"] < 1e5
    assert after["ires_no_se"] == before["ires_no_se"]
    assert found.times_apart.trained_on == machine_words(slow.machine)
    assert "a slow processor" not in " ".join(found.times_apart.sentences)
