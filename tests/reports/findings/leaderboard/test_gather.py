"""Networks of bundles beside each other: trained alike or apart, ordered, tied, and never believed unchecked."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundled_run import change, seal_again

from fbench.benchmark.bundles.making import make_bundle, write_bundle
from fbench.benchmark.records.specs import NetworkSpec
from fbench.benchmark.store.run_table import load_run
from fbench.core.errors import UserError
from fbench.reports.findings.comparisons.evidence import gather
from fbench.reports.findings.comparisons.summary import summarise_networks
from fbench.reports.findings.leaderboard.gather import gather_leaderboard
from fbench.reports.findings.leaderboard.model import Board
from fbench.reports.findings.overview.contenders import contenders
from fbench.statistics.comparison.multiplicity import holm
from fbench.statistics.comparison.networks import compare_networks
from tests.reports import fabricated_run
from tests.reports.fabricated_bundles import THREE, fabricate_bundle, fabricate_whole_run, recipe_of, repeat
from tests.reports.fabricated_run import Recipe


def the_board(*bundles: Path) -> Board:
    (board,) = gather_leaderboard(bundles).boards
    return board


def split_recipes() -> tuple[Recipe, Recipe]:
    """Alpha and gamma in one, beta in the other."""
    one = recipe_of({name: THREE[name] for name in ("alpha", "gamma")})
    return one, recipe_of({"beta": THREE["beta"]})


def test_networks_are_ordered_and_tied_as_in_the_report_of_their_run(tmp_path: Path) -> None:
    board = the_board(fabricate_bundle(tmp_path / "one"))
    assert [row.label for row in board.rows] == ["alpha", "beta", "gamma"]
    assert [row.place for row in board.rows] == [1, 2, 3]
    table = load_run(tmp_path / "one-run")
    evidence = gather(table, table.config.data[0])
    wanted = contenders(evidence, summarise_networks(evidence))
    assert [(row.label, row.bound) for row in board.rows] == [(one.network, one.bound) for one in wanted]
    assert [row.label for row in board.contenders] == ["alpha", "beta"]
    assert board.leader is board.rows[0]


def test_each_is_held_against_the_leader_and_corrected_over_all_pairs(tmp_path: Path) -> None:
    board = the_board(fabricate_bundle(tmp_path / "one"))
    leader, *others = board.rows
    assert leader.against_leader is None
    found = [row.against_leader for row in others]
    wanted = [
        compare_networks(row.trained.correct, leader.trained.correct, row.trained.seeds, leader.trained.seeds)
        for row in others
    ]
    assert [one and one.difference.new_images for one in found] == [one.new_images for one in wanted]
    assert board.pairs == 3
    p_values = holm([one.new_images.p_value for one in wanted], tests=3)
    assert [one and one.decision.p_adjusted for one in found] == p_values.tolist()
    assert [one and one.decision.verdict for one in found][1] == "worse"


def test_bundles_that_were_trained_alike_make_one_board_whose_seeds_are_pairs(tmp_path: Path) -> None:
    one, two = split_recipes()
    apart = the_board(fabricate_bundle(tmp_path / "one", one), fabricate_bundle(tmp_path / "two", two))
    together = the_board(fabricate_bundle(tmp_path / "both"))
    assert [(row.label, row.bundles) for row in apart.rows] == [
        ("alpha", ("one",)),
        ("beta", ("two",)),
        ("gamma", ("one",)),
    ]
    for ours, theirs in zip(apart.rows, together.rows, strict=True):
        assert np.array_equal(ours.trained.correct, theirs.trained.correct)
        assert (ours.bound, ours.against_leader) == (theirs.bound, theirs.against_leader)
    against = apart.rows[1].against_leader
    assert against is not None
    assert against.difference.pairing == "paired"


def test_seeds_of_one_network_from_several_bundles_are_its_seeds(tmp_path: Path) -> None:
    fabricate_bundle(tmp_path / "one", recipe_of(seeds=range(3)))
    fabricate_bundle(tmp_path / "two", recipe_of(seeds=range(2, 5)))  # both have seed 2
    board = the_board(tmp_path / "one", tmp_path / "two")
    whole = the_board(fabricate_bundle(tmp_path / "whole"))
    assert [row.trained.seeds for row in board.rows] == [tuple(range(5))] * 3
    assert [row.accuracy for row in board.rows] == [row.accuracy for row in whole.rows]
    assert board.rows[0].bundles == ("one", "two")


def test_the_same_trial_with_another_result_is_refused_by_name(tmp_path: Path) -> None:
    fabricate_bundle(tmp_path / "one")
    fabricate_bundle(tmp_path / "two", recipe_of(THREE | {"alpha": 0.3}))
    with pytest.raises(UserError) as refused:
        gather_leaderboard([tmp_path / "one", tmp_path / "two"])
    said = str(refused.value)
    assert said.startswith(f"{tmp_path / 'two'} does not pass fbench submit --check (trials/")
    assert re.search(rf"\(alpha on fer2013, seed \d\) has another result than in {tmp_path / 'one'}; leave one", said)


def test_a_bundle_that_does_not_pass_is_refused_by_name(tmp_path: Path) -> None:
    bundle = fabricate_bundle(tmp_path / "one")
    (bundle / "run.json").write_bytes((bundle / "run.json").read_bytes() + b"\n")
    with pytest.raises(UserError, match=r"one does not pass fbench submit --check \(run.json was changed since"):
        gather_leaderboard([bundle])


def test_networks_of_one_name_and_other_code_are_named_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fabricate_bundle(tmp_path / "one")
    spec = fabricated_run.network_spec

    def edited(name: str) -> NetworkSpec:
        return spec(name).model_copy(update={"digest": "ab" * 32}) if name == "alpha" else spec(name)

    monkeypatch.setattr(fabricated_run, "network_spec", edited)
    fabricate_bundle(tmp_path / "two", recipe_of({"alpha": 0.6, "delta": 0.5}))
    labels = {row.label for row in the_board(tmp_path / "one", tmp_path / "two").rows}
    first = spec("alpha").digest[:7]
    assert labels == {f"alpha ({first})", "alpha (abababa)", "beta", "gamma", "delta"}


def test_other_budgets_and_data_have_boards_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fabricate_bundle(tmp_path / "one")
    fabricate_bundle(tmp_path / "longer", recipe_of(epochs=8))
    data = fabricated_run.data_spec

    def other(recipe: Recipe, name: str) -> object:
        return data(recipe, name).model_copy(update={"fingerprint": "cd" * 32})

    monkeypatch.setattr(fabricated_run, "data_spec", other)
    fabricate_bundle(tmp_path / "other", recipe_of(collapsed=("gamma",)))
    found = gather_leaderboard([tmp_path / name for name in ("one", "longer", "other")])
    first = f"fer2013 ({fabricated_run.hash_of('fer2013'):064x}"[:16] + ")"
    assert [board.heading for board in found.boards] == [
        f"{first}, fbench@1, 4 epochs",
        f"{first}, fbench@1, 8 epochs",
        "fer2013 (cdcdcdc), fbench@1, 4 epochs",
    ]
    assert len(found.answers) == 3


def test_settings_that_differ_beside_are_in_the_heading(tmp_path: Path) -> None:
    fabricate_bundle(tmp_path / "one")
    two = Path(shutil.copytree(tmp_path / "one", tmp_path / "two"))
    for file in two.glob("trials/*/record.json"):
        change(file, lambda record: record["machine"]["versions"].update(torch="2.14.0"))
    seal_again(two)
    headings = [board.heading for board in gather_leaderboard([tmp_path / "one", two]).boards]
    assert headings == [
        "fer2013, fbench@1, 4 epochs; PyTorch version 2.13",
        "fer2013, fbench@1, 4 epochs; PyTorch version 2.14",
    ]


def test_a_network_of_one_seed_and_one_that_collapsed_are_shown_and_not_compared(tmp_path: Path) -> None:
    missing = [("beta", seed) for seed in range(1, 5)]
    run = recipe_of(THREE | {"delta": 0.5}, collapsed=("delta",), missing=missing)
    write_bundle(make_bundle(fabricate_whole_run(tmp_path / "run", run), partial=True), tmp_path / "one")
    found = gather_leaderboard([tmp_path / "one"])
    (board,) = found.boards
    assert {row.label for row in board.rows if row.bound is None} == {"beta", "delta"}
    assert board.pairs == 1
    assert found.answers[0].endswith("2 networks are not compared (one seed, or most collapsed).")
    assert len(found.bundles[0].missing) == 4


def test_of_smoke_nothing_is_tested(tmp_path: Path) -> None:
    bundle = fabricate_bundle(tmp_path / "one")
    change(bundle / "run.json", lambda config: config.update(preset="smoke"))
    seal_again(bundle)
    board = the_board(bundle)
    assert board.leader is None
    assert "smoke" in board.untested
    assert "nothing is tested: the preset smoke" in gather_leaderboard([bundle]).answers[0]


def test_who_was_repeated_is_counted_for_each_network(tmp_path: Path) -> None:
    bundle = fabricate_bundle(tmp_path / "one")
    repeat(bundle, "alpha", 0)
    repeat(bundle, "alpha", 3)
    repeat(bundle, "beta", 1, same=False)
    found = gather_leaderboard([bundle])
    words = {row.label: row.repeated.words for row in found.boards[0].rows}
    assert words == {"alpha": "yes, 2 of 5", "beta": "another result, 1 of 5", "gamma": "no"}
    assert found.boards[0].rows[0].repeated.machines == ("Example CPU @ 2.00GHz",)
    (line,) = found.bundles
    assert (line.repeated.trials, line.repeated.same, line.repeated.other) == (15, 2, 1)


def test_a_trial_that_two_bundles_trained_at_other_times_was_repeated_and_a_copy_was_not(tmp_path: Path) -> None:
    fabricate_bundle(tmp_path / "one")
    two = Path(shutil.copytree(tmp_path / "one", tmp_path / "two"))
    assert {row.repeated.words for row in the_board(tmp_path / "one", two).rows} == {"no"}
    for file in two.glob("trials/*/record.json"):
        record = json.loads(file.read_text())
        if record["spec"]["network"]["name"] == "beta":
            change(file, lambda record: record.update(started_at="2026-02-02T03:04:05+00:00"))
    seal_again(two)
    words = {row.label: row.repeated.words for row in the_board(tmp_path / "one", two).rows}
    assert words == {"alpha": "no", "beta": "yes, 5 of 5", "gamma": "no"}


def test_who_submits_is_named_only_where_they_said_so(tmp_path: Path) -> None:
    fabricate_bundle(tmp_path / "one")
    fabricate_bundle(tmp_path / "two", replace(recipe_of(), epochs=8), by="A lab")
    assert [line.by for line in gather_leaderboard([tmp_path / "one", tmp_path / "two"]).bundles] == ["", "A lab"]


def test_the_leader_and_its_ties_are_in_a_sentence(tmp_path: Path) -> None:
    fabricate_bundle(tmp_path / "one")
    (answer,) = gather_leaderboard([tmp_path / "one"]).answers
    assert answer.startswith("fer2013, fbench@1, 4 epochs: alpha leads with ")
    assert answer.endswith("; beta may be the best too; 1 other is shown to be less accurate.")


def test_all_folds_of_a_data_set_are_one_board_of_new_subjects(tmp_path: Path) -> None:
    names = tuple(f"ck48-fold{fold}of3" for fold in (1, 2, 3))
    run = fabricate_whole_run(tmp_path / "run", recipe_of(data=names, images=60, images_of_subject=6))
    data = tuple(
        one.model_copy(update={"source": "ck48", "options": {"fold": f"{fold}/3"}, "unit": "subjects"})
        for fold, one in enumerate(run.config.data, start=1)
    )
    run.folder.create(run.config.model_copy(update={"data": data}))
    write_bundle(make_bundle(load_run(tmp_path / "run")), tmp_path / "one")
    board = the_board(tmp_path / "one")
    assert (board.heading, board.images, board.new_units) == ("ck48-3folds, fbench@1, 4 epochs", 180, "new subjects")
    assert [row.seeds for row in board.rows] == [5, 5, 5]
    assert board.rows[0].repeated.trials == 15  # five seeds of three folds


@pytest.mark.parametrize("mode", ["once", "per_seed"])
def test_tuned_networks_have_a_board_with_their_protocol(tmp_path: Path, mode: str) -> None:
    board = the_board(fabricate_bundle(tmp_path / "one", recipe_of(tuning=mode, kept_default=("beta",))))
    assert board.heading == "fer2013, fbench_tuned@1, 4 epochs"
    assert [row.seeds for row in board.rows] == [5, 5, 5]
    assert (tmp_path / "one" / "tuning" / "searches").is_dir()
