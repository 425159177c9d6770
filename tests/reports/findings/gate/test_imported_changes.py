"""Imported results beside a run: new images where the answers are known, these images alone where they are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from fbench.benchmark.records.imported import ImportedResults
from fbench.benchmark.store.imported_files import write_imported
from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import UserError
from fbench.reports.findings.gate.change import MeasuredChange
from fbench.reports.findings.gate.conditions import parse_condition
from fbench.reports.findings.gate.judge import changes_without_gate, judge_gate
from fbench.reports.findings.gate.subjects import ComparedPair, load_side, pairs
from fbench.statistics.comparison.unpaired import unpaired_new_images
from tests.reports.fabricated_import import imported_results
from tests.reports.fabricated_run import Recipe, fabricate_run

SMALL = Recipe(accuracy={"ires": 0.7}, images=400, seeds=range(4))


@pytest.fixture
def run(tmp_path: Path) -> RunTable:
    return fabricate_run(tmp_path / "run", SMALL)


def compared(tmp_path: Path, given: ImportedResults, base: str = "run:ires") -> list[ComparedPair]:
    write_imported(tmp_path / "imported.json", given)
    return list(pairs(load_side(f"{tmp_path / base}"), load_side(f"{tmp_path / 'imported.json'}:their_net")))


def change(compared: list[ComparedPair], condition: str = "accuracy:-50pt") -> MeasuredChange:
    (found,) = judge_gate(compared, [parse_condition(condition)]).judged
    assert found.change is not None, found.why
    return found.change


def test_answers_to_the_same_images_are_compared_for_new_images_with_seeds_that_are_no_pairs(
    tmp_path: Path, run: RunTable
) -> None:
    given = imported_results(run)
    found = change(compared(tmp_path, given))
    ours = np.array([one.predicted for one in given.networks["their_net"]]) == np.array(given.data.labels)
    theirs = run.correctness("ires", "fer2013").correct
    expected = unpaired_new_images(ours, theirs)
    assert (found.estimate, found.low, found.high) == pytest.approx((expected.estimate, expected.low, expected.high))
    assert found.how == (
        "test split, new images and seeds, 3 and 4 seeds, unpaired, 400 images; NEW is imported, not trained here, so "
        "that the training may make the difference"
    )


def test_accuracies_alone_are_compared_for_these_images_by_welchs_interval(tmp_path: Path, run: RunTable) -> None:
    given = imported_results(run, predictions=False)
    found = change(compared(tmp_path, given))
    ours = [one.top1 for one in given.networks["their_net"]]
    theirs = run.correctness("ires", "fer2013").correct.mean(axis=1)
    expected = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert "these images alone (accuracies without predictions), 3 and 4 seeds, unpaired; NEW is imported" in found.how


def test_data_that_were_only_named_are_said_to_be(tmp_path: Path, run: RunTable) -> None:
    found = change(compared(tmp_path, imported_results(run, predictions=False, fingerprint=None, images=None)))
    assert "on fer2013 as was said" in found.how


def test_imported_networks_are_marked(tmp_path: Path, run: RunTable) -> None:
    (pair,) = compared(tmp_path, imported_results(run))
    assert pair.label == "their_net (imported) against ires"
    told = [one for one in changes_without_gate([pair]).judged if one.change]
    assert {one.condition.metric.name for one in told} == {"accuracy"}
    assert {one.data for one in told} == {"fer2013"}


def test_two_imported_networks_are_compared_too(tmp_path: Path, run: RunTable) -> None:
    given = imported_results(run)
    both = given.model_copy(update={"networks": {**given.networks, "other": given.networks["their_net"]}})
    write_imported(tmp_path / "imported.json", both)
    sides = (load_side(f"{tmp_path / 'imported.json'}:{name}") for name in ("other", "their_net"))
    found = change(list(pairs(*sides)))
    assert found.estimate == 0
    assert "BASE and NEW are imported" in found.how


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"fingerprint": "0" * 64}, "BASE has other images under the name fer2013"),
        ({"name": "rafdb", "fingerprint": None}, "BASE has no accuracy on rafdb"),
        ({"split": "validation"}, "BASE was tested on the test split, NEW on the validation split"),
    ],
)
def test_what_was_tested_on_something_else_is_an_error(
    tmp_path: Path, run: RunTable, data: dict[str, object], why: str
) -> None:
    with pytest.raises(UserError, match=why):
        change(compared(tmp_path, imported_results(run, **data)))


def test_images_in_another_order_are_an_error(tmp_path: Path, run: RunTable) -> None:
    given = imported_results(run)
    trainings = tuple(one.model_copy(update={"predicted": one.predicted[::-1]}) for one in given.networks["their_net"])
    turned = {
        "data": given.data.model_copy(update={"labels": given.data.labels[::-1]}),
        "networks": {"their_net": trainings},
    }
    with pytest.raises(UserError, match="other images, or in another order"):
        change(compared(tmp_path, given.model_copy(update=turned)))


def test_a_single_training_decides_nothing(tmp_path: Path, run: RunTable) -> None:
    (found,) = judge_gate(compared(tmp_path, imported_results(run, seeds=1)), [parse_condition("accuracy:-1pt")]).judged
    assert (found.verdict, found.change) == ("undecided", None)
    assert found.why == "one side has 1 seed, and the chance of a seed shows in two or more"


def test_collapsed_trainings_of_the_run_are_counted_in_and_named(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", replace(SMALL, collapsed_trials=(("ires", 3),)))
    assert "(1 of 4 of ires collapsed, and count)" in change(compared(tmp_path, imported_results(run))).how


def test_imported_results_have_no_counts_and_no_times(tmp_path: Path, run: RunTable) -> None:
    with pytest.raises(UserError, match="NEW holds no count of their_net"):
        judge_gate(compared(tmp_path, imported_results(run)), [parse_condition("macs:+0%")])
