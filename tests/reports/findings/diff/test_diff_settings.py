"""Facts of two sides beside each other, and what differs in their networks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from fbench.benchmark.store.files import write_cost_file
from fbench.benchmark.store.run_table import load_run
from fbench.reports.findings.diff.model import DifferingFact
from fbench.reports.findings.diff.networks import compare_pairs
from fbench.reports.findings.diff.settings import compare_settings
from fbench.reports.findings.gate.subjects import load_side, pairs
from fbench.reports.findings.networks.differences import network_differences, network_of_run
from tests.reports.fabricated_cost import cost, series
from tests.reports.fabricated_run import Recipe, fabricate_run

REFERENCE = Path(__file__).parents[4] / "results" / "fer2013-standard"
SMALL = Recipe(images=60)


def test_equal_runs_differ_in_nothing(tmp_path: Path) -> None:
    for name in ("base", "new"):
        fabricate_run(tmp_path / name, SMALL)
    found = compare_settings(load_side(str(tmp_path / "base")), load_side(str(tmp_path / "new")))
    assert found.differing == ()
    assert {"protocol", "preset and budget", "seeds", "data fer2013", "versions of the trials"} <= set(found.same)


def test_only_what_differs_is_listed(tmp_path: Path) -> None:
    fabricate_run(tmp_path / "base", SMALL)
    fabricate_run(tmp_path / "new", replace(SMALL, seeds=(0, 1), epochs=9, selection="last"))
    found = compare_settings(load_side(str(tmp_path / "base")), load_side(str(tmp_path / "new")))
    assert found.differing == (
        DifferingFact("protocol", "selection", "validation", "last"),
        DifferingFact("preset and budget", "epochs", "4", "9"),
        DifferingFact("seeds", "planned", "0, 1, 2", "0, 1"),
    )
    assert found.topics == ("protocol", "preset and budget", "seeds")
    assert "numerics" in found.same


def test_a_measurement_has_facts_of_its_own_alone(tmp_path: Path) -> None:
    fabricate_run(tmp_path / "run", SMALL)
    write_cost_file(tmp_path / "speed.json", cost(series("ires", 1.0)))
    found = compare_settings(load_side(str(tmp_path / "run")), load_side(str(tmp_path / "speed.json")))
    assert "machine of the measurement" in found.same
    assert {fact.topic for fact in found.differing} == {"measurement of cost"}
    assert found.remarks[0].startswith("Only A has facts of: protocol, preset and budget, seeds")


def test_two_networks_of_a_run_differ_in_options_and_layers() -> None:
    (pair,) = pairs(load_side(f"{REFERENCE}:ires"), load_side(f"{REFERENCE}:ires_no_se"))
    (found,) = compare_pairs([pair]).differing
    run = load_run(REFERENCE)
    ours, theirs = (network_of_run(run, "fer2013", name) for name in ("ires_no_se", "ires"))
    assert ours is not None
    assert theirs is not None
    sentence = network_differences(ours, theirs).sentence
    assert found.sentence == sentence.replace("ires_no_se against ires", "ires_no_se in B against ires in A")
    assert [(fact.name, fact.base, fact.new) for fact in found.options] == [("squeeze excite", "4", "none")]


def test_the_same_networks_are_named_once(tmp_path: Path) -> None:
    fabricate_run(tmp_path / "run", SMALL)
    side = load_side(str(tmp_path / "run"))
    found = compare_pairs(pairs(side, side))
    assert (found.differing, found.unknown) == ((), ())
    assert found.same == ("ires", "ires_no_se", "ires_relu")


def test_networks_are_held_against_each_other_as_one_data_set_has_them(tmp_path: Path) -> None:
    """The first data set of one side is not that of the other, and its images have another size."""
    small, same = replace(SMALL, data=("small", "fer2013")), replace(SMALL, data=("fer2013",))
    for name, recipe in (("base", small), ("new", same)):
        run = fabricate_run(tmp_path / name, recipe)
        for row in run.plan if name == "base" else ():
            if row.data == "small":
                file = run.folder.path / "trials" / row.trial_id / "record.json"
                record = json.loads(file.read_text())
                record["spec"]["network"]["options"]["image_size"] = 32
                record["spec"]["network"]["digest"] = "0" * 64
                file.write_text(json.dumps(record))
    found = compare_pairs(pairs(load_side(str(tmp_path / "base")), load_side(str(tmp_path / "new"))))
    assert (found.differing, found.same) == ((), ("ires", "ires_no_se", "ires_relu"))


def test_layers_without_a_description_are_said_to_differ(tmp_path: Path) -> None:
    fabricate_run(tmp_path / "run", SMALL)
    compared = pairs(load_side(f"{tmp_path / 'run'}:ires"), load_side(f"{tmp_path / 'run'}:ires_relu"))
    (found,) = compare_pairs(compared).differing
    assert found.sentence == "Their layers differ, but are not described on both sides"
    assert found.options == (DifferingFact("options", "variant", "ires", "ires_relu"),)
