"""Which of two sides is taken: each case of the rule on made-up runs, with costs that are made up for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fbench.benchmark.records.cost_records import REFERENCE
from fbench.benchmark.store.files import write_cost_file
from fbench.benchmark.store.imported_files import write_imported
from fbench.benchmark.store.run_table import load_run
from fbench.reports.findings.diff.accuracy import compare_accuracy, why_no_accuracy
from fbench.reports.findings.diff.choice import choose
from fbench.reports.findings.diff.gather import gather_difference
from fbench.reports.findings.diff.model import Choice, Cost, CostGroup, CostRow, CostVerdict
from fbench.reports.findings.gate.change import MeasuredChange
from fbench.reports.findings.gate.subjects import load_side, pairs
from fbench.reports.findings.measures.table import metrics
from fbench.reports.render.diff.page import render_difference
from tests.reports.fabricated_cost import cost, series
from tests.reports.fabricated_import import imported_results
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.read_page import Page

SMALL = Recipe(images=120, with_cost=False, accuracy={"ires": 0.6})
NAMES = ("old", "new")
NEITHER = "Neither A nor B is shown to be better"


def made_up(**changes: float) -> Cost:
    """Exact changes of counts, as shares of A."""
    verdicts: dict[str, CostVerdict] = {
        name: "same" if share == 0 else "cheaper" if share < 0 else "dearer" for name, share in changes.items()
    }
    rows = tuple(
        CostRow(metrics()[name], MeasuredChange(share, share, share, "counted", exact=True), verdicts[name])
        for name, share in changes.items()
    )
    return Cost((CostGroup("ires", rows),) if rows else (), 0.95, 0.95, (), ())


def chosen(folder: Path, base: Recipe, new: Recipe, costs: Cost | None = None, network: str = "") -> Choice:
    given = []
    for name, recipe in (("old", base), ("new", new)):
        fabricate_run(folder / name, recipe)
        given.append(f"{folder / name}{f':{network}' if network else ''}")
    compared = pairs(*map(load_side, given))
    found = compare_accuracy(compared)
    return choose(compared, NAMES, found, why_no_accuracy(compared[0]), costs or made_up(macs=0.0))


def test_nothing_changed_where_trials_answers_and_counts_are_equal(tmp_path: Path) -> None:
    assert chosen(tmp_path, SMALL, SMALL) == Choice("same", "Nothing changed: same trials, equal counts.")


def test_nothing_changed_in_what_both_have_where_one_has_a_network_more(tmp_path: Path) -> None:
    recipe = Recipe(images=120)
    fabricate_run(tmp_path / "a", recipe)
    fabricate_run(tmp_path / "b", replace(recipe, accuracy={**recipe.accuracy, "arch1": 0.5}))
    found = gather_difference(load_side(str(tmp_path / "a")), load_side(str(tmp_path / "b"))).choice
    assert found == Choice(
        "same",
        "Nothing changed in what both have: same trials, equal counts; only B has arch1.",
    )


def test_equal_answers_of_other_trials_are_no_same_trials(tmp_path: Path) -> None:
    """The networks are the same, and trained for an epoch more; made-up answers do not depend on that."""
    found = chosen(tmp_path, SMALL, replace(SMALL, epochs=5))
    assert found.sentence == "Nothing changed: the same answers to every image with every seed, equal counts."


@pytest.mark.parametrize(("base", "new", "side"), [(0.3, 0.9, "B"), (0.9, 0.3, "A")])
def test_the_more_accurate_side_is_taken_whatever_it_costs(tmp_path: Path, base: float, new: float, side: str) -> None:
    found = chosen(
        tmp_path,
        replace(SMALL, accuracy={"ires": base}),
        replace(SMALL, accuracy={"ires": new}),
        made_up(macs=0.125, params=-0.5),
    )
    runs = [load_run(tmp_path / name).correctness("ires", "fer2013").correct.mean() for name in ("old", "new")]
    assert found.outcome == side
    name, other = {"A": ("old", "B"), "B": ("new", "A")}[side]
    start = (
        f"Take {side} ({name}): it is more accurate than {other} beyond chance, by {100 * abs(runs[1] - runs[0]):.1f}"
    )
    assert found.sentence.startswith(f"{start} points on fer2013 (+")
    assert found.words.endswith(
        " B is dearer in multiply-accumulates of one image (+12.5 %); it is cheaper in trainable parameters (−50.0 %)."
    )


def test_several_pairs_are_counted_and_one_that_is_worse_leaves_it_open(tmp_path: Path) -> None:
    base = replace(SMALL, accuracy={"ires": 0.3, "arch1": 0.5, "ires_relu": 0.6})
    better = replace(base, accuracy={"ires": 0.9, "arch1": 0.5, "ires_relu": 0.6})
    found = chosen(tmp_path / "a", base, better, made_up())
    assert found == Choice(
        "B",
        "Take B (new): it is more accurate than A beyond chance in 1 of 3 comparisons (ires) and less accurate in "
        "none.",
    )
    both = replace(base, accuracy={"ires": 0.9, "arch1": 0.5, "ires_relu": 0.1})
    assert chosen(tmp_path / "b", base, both) == Choice(
        "neither", f"{NEITHER} in all: B is more accurate beyond chance in ires, A in ires_relu."
    )


EQUAL = replace(SMALL, images=500)
"""Equal answers to 500 images are equivalent within a point."""


@pytest.mark.parametrize(
    ("changes", "outcome", "words"),
    [
        ({"macs": -0.1}, "B", "it is the cheaper one, as B is cheaper in multiply-accumulates of one image (−10.0 %)."),
        ({"macs": 0.1}, "A", "it is the cheaper one, as B is dearer in multiply-accumulates of one image (+10.0 %)."),
        (
            {"macs": 0.1, "params": -0.2},
            "neither",
            "cost differs both ways, B is cheaper in trainable parameters (−20.0 %) and dearer in "
            "multiply-accumulates of one image (+10.0 %).",
        ),
    ],
)
def test_of_two_that_are_equivalent_the_cheaper_is_taken(
    tmp_path: Path, changes: dict[str, float], outcome: str, words: str
) -> None:
    found = chosen(tmp_path, EQUAL, EQUAL, made_up(**changes))
    assert found.outcome == outcome
    start = f"Take {outcome} ({dict(zip('AB', NAMES, strict=True)).get(outcome)})" if outcome != "neither" else NEITHER
    assert found.sentence.startswith(f"{start}: accuracy on fer2013 is equivalent within 1 point (")
    assert "with the same answers to these images" in found.sentence
    assert found.sentence.endswith(words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"macs": -0.1},
            "; B (new) is the cheaper one, as B is cheaper in multiply-accumulates of one image (−10.0 %).",
        ),
        ({"macs": 0.0}, "; no cost differs beyond its interval."),
        ({}, "; no cost is known of both."),
    ],
)
def test_where_accuracy_is_undecided_no_side_is_taken_and_the_cheaper_is_named(
    tmp_path: Path, changes: dict[str, float], words: str
) -> None:
    costs = made_up(**changes)
    found = chosen(tmp_path, SMALL, replace(SMALL, accuracy={"ires": 0.61}), costs)
    assert found.outcome == "neither"
    assert found.sentence.startswith(f"{NEITHER}: accuracy on fer2013 is undecided (")
    assert found.sentence.endswith(f"points){words}")


def test_one_seed_and_the_preset_smoke_decide_nothing_not_even_by_cost(tmp_path: Path) -> None:
    far = replace(SMALL, accuracy={"ires": 0.95})
    one = chosen(tmp_path / "a", replace(SMALL, seeds=(0,)), replace(far, seeds=(0,)), made_up(macs=-0.5))
    assert one == Choice(
        "neither", f"{NEITHER}: one training on a side says nothing of the chance of a seed; nothing is decided."
    )
    for name, recipe in (("old", SMALL), ("new", far)):
        run = fabricate_run(tmp_path / "b" / name, recipe)
        file = run.folder.path / "run.json"
        changed = file.read_text(encoding="utf-8").replace('"preset": "standard"', '"preset": "smoke"')
        file.write_text(changed, encoding="utf-8")
    compared = pairs(*(load_side(str(tmp_path / "b" / name)) for name in ("old", "new")))
    smoke = choose(compared, NAMES, compare_accuracy(compared), (), made_up(macs=-0.5))
    assert smoke == Choice(
        "neither", f"{NEITHER}: the preset smoke only shows that everything runs; nothing is decided."
    )


def test_trials_that_were_not_made_alike_are_said(tmp_path: Path) -> None:
    found = chosen(tmp_path, SMALL, replace(SMALL, epochs=9, accuracy={"ires": 0.95}))
    assert found.sentence.startswith("Take B (new)")
    assert found.words.endswith("were not made alike, so that the settings of training may make the difference.")


def test_other_images_leave_only_cost(tmp_path: Path) -> None:
    found = chosen(tmp_path, SMALL, replace(SMALL, images=200), made_up(macs=-0.1))
    assert found.outcome == "neither"
    assert "accuracy is not compared (ires: top-1 is " in found.sentence
    assert "B (new) is the cheaper one" in found.sentence


def test_measurements_of_speed_say_nothing_of_accuracy(tmp_path: Path) -> None:
    file = tmp_path / "speed.json"
    write_cost_file(file, cost(series("ires", 1.0), series("arch1", 1.10, seed=1)))
    found = gather_difference(load_side(f"{file}:ires"), load_side(f"{file}:arch1")).choice
    assert found.outcome == "neither"
    assert found.sentence.startswith(
        f"{NEITHER}: accuracy is not compared (A and B are measurements of speed, which says nothing of accuracy); "
    )


def test_a_measurement_beside_itself_shows_no_cost_beyond_its_interval(tmp_path: Path) -> None:
    """Of a time's quantiles twenty calls bound the median alone; nothing is known of accuracy."""
    write_cost_file(tmp_path / "speed.json", cost(series("ires", 1.0)))
    side = load_side(str(tmp_path / "speed.json"))
    sentence = gather_difference(side, side).choice.sentence
    assert sentence.startswith(f"{NEITHER}: accuracy is not compared")
    assert sentence.endswith("; no cost differs beyond its interval.")


def test_an_imported_side_is_held_to_an_interval_of_its_own(tmp_path: Path) -> None:
    """A tenth fewer are right of its images than of the run's first training."""
    run = fabricate_run(tmp_path / "run", Recipe(images=400, seeds=range(5)))
    write_imported(tmp_path / "theirs.json", imported_results(run))
    sides = load_side(f"{tmp_path / 'theirs.json'}:their_net"), load_side(f"{tmp_path / 'run'}:ires")
    found = gather_difference(*sides).choice
    assert found.outcome == "B"
    assert found.sentence.startswith("Take B (run:ires): it is more accurate than A beyond chance, by ")


def test_times_of_a_busy_machine_are_not_compared_and_the_reason_is_said(tmp_path: Path) -> None:
    for number, name in enumerate(("quiet", "busy"), start=1):
        record = cost(series("ires", 1.0), series(REFERENCE, 1.0), started_at=f"2026-01-0{number}T00:00:00+00:00")
        percent = 62.0 if name == "busy" else 0.0
        write_cost_file(tmp_path / name, record.model_copy(update={"other_work_percent": percent}))
    found = gather_difference(load_side(str(tmp_path / "quiet")), load_side(str(tmp_path / "busy")))
    (remark,) = found.cost.remarks
    assert remark.startswith("Times are not compared: B was measured while other work took 62 % of the cores; measure")
    assert {row.metric.rests_on for group in found.cost.groups for row in group.rows} == {"counts"}
    assert remark in [answer.sentence for answer in found.answers]
    assert not any("other work" in words for words in found.cost.unknown)
    page = Page(render_difference(found))
    assert page.text.count("B was measured while other work took 62 % of the cores") == 2  # at the top, and with cost
