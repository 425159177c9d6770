"""Several runs in one judgement: seeds and networks add up, and nothing else may differ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.core.errors import UserError
from fbench.reports.findings.claims.pool import gather_claim_inputs, pool
from fbench.statistics.clusters import clusters_of
from tests.reports.findings.claims.runs import claim_of, judged, run_of

TEST: dict[str, Any] = {"kind": "more_accurate", "network": "ires", "than": "ires_no_se", "data": "fer2013"}
BOTH = {"ires": 0.62, "ires_no_se": 0.48}


def changed(run: RunTable, folder: Path, **fields: Any) -> RunTable:
    """The run with other fields of its configuration."""
    config = run.config.model_copy(update=fields)
    run.folder.create(config)
    return load_run(folder)


def test_seeds_of_two_runs_add_up(tmp_path: Path) -> None:
    first = run_of(tmp_path / "a", BOTH, seeds=range(6))
    second = run_of(tmp_path / "b", BOTH, seeds=range(4, 10))
    assert judged(claim_of(TEST), [first]).verdict == "undecided"
    found = judged(claim_of(TEST), [second, first])
    assert found.verdict == "supported"
    assert "10 seeds" in found.why
    assert found.why == judged(claim_of(TEST), [run_of(tmp_path / "c", BOTH, seeds=range(10))]).why


def test_networks_of_two_runs_are_paired_by_seed(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / name, {name: accuracy}) for name, accuracy in BOTH.items()]
    assert "10 seeds" in judged(claim_of(TEST), runs).why


def test_runs_of_two_data_sets_stand_side_by_side(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / "fer", BOTH), run_of(tmp_path / "ck", BOTH, data=("ck48",), epochs=7)]
    found = judged(claim_of({**TEST, "data": ["fer2013", "ck_plus"]}), runs)
    assert (found.verdict, len(found.parts)) == ("supported", 2)


def test_ck_plus_split_by_frame_is_another_data_set_for_claims(tmp_path: Path) -> None:
    run = run_of(tmp_path / "ck", BOTH, data=("ck48-by_frame",))
    (data,) = run.config.data
    options = {"source": "ck48", "options": {"split": "by_frame"}}
    run = changed(run, run.folder.path, data=(data.model_copy(update=options),))
    assert judged(claim_of({**TEST, "data": "ck_plus_by_frame"}), [run]).verdict == "supported"
    by_subject = judged(claim_of({**TEST, "data": "ck_plus"}), [run])
    assert by_subject.verdict == "undecided"
    assert "trainings of ires and ires_no_se on CK+ (" in by_subject.missing
    assert "on CK+ split by frame (" in judged(claim_of({**TEST, "data": "ck_plus_by_frame"})).missing


def test_a_run_may_hold_several_data_sets(tmp_path: Path) -> None:
    run = run_of(tmp_path / "both", BOTH, data=("fer2013", "imed"))
    assert judged(claim_of({**TEST, "data": ["fer2013", "imed"]}), [run]).verdict == "supported"


def test_a_run_without_the_claims_networks_does_not_stand_in_the_way(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / "a", BOTH), run_of(tmp_path / "b", {"arch1": 0.5}, epochs=9, seeds=(0,))]
    assert judged(claim_of(TEST), runs).verdict == "supported"


@pytest.mark.parametrize("field", ["budget", "protocol", "numerics", "data"])
def test_runs_that_differ_in_anything_else_are_refused_with_the_field_and_both_runs(tmp_path: Path, field: str) -> None:
    first, second = run_of(tmp_path / "a", BOTH, seeds=(0, 1)), run_of(tmp_path / "b", BOTH, seeds=(2, 3))
    (data,) = second.config.data
    changes: dict[str, tuple[Any, str]] = {
        "budget": (second.config.budget.model_copy(update={"epochs": 9}), "budget.epochs is 6 in the first and 9"),
        "protocol": (
            second.config.protocol.model_copy(update={"label_smoothing": 0.3}),
            "protocol.label_smoothing is",
        ),
        "numerics": (
            second.config.numerics.model_copy(update={"precision": "bf16"}),
            "numerics.precision is fp32 in the first and bf16",
        ),
        "data": ((data.model_copy(update={"fingerprint": "f" * 64}),), "data fingerprint is"),
    }
    value, words = changes[field]
    with pytest.raises(UserError) as error:
        judged(claim_of(TEST), [first, changed(second, tmp_path / "b", **{field: value})])
    assert words in str(error.value)
    assert f"in {tmp_path / 'a'} and {tmp_path / 'b'} cannot be pooled" in str(error.value)


def test_a_network_that_was_changed_between_two_runs_is_refused(tmp_path: Path) -> None:
    first, second = run_of(tmp_path / "a", BOTH, seeds=(0, 1)), run_of(tmp_path / "b", BOTH, seeds=(2, 3))
    for record in second.trials.values():
        network = record.spec.network.model_copy(update={"digest": "e" * 64})
        spec = record.spec.model_copy(update={"network": network})
        file = second.folder.trial_folder(record.trial_id) / "record.json"
        file.write_text(record.model_copy(update={"spec": spec}).model_dump_json(), encoding="utf-8")
    with pytest.raises(UserError, match=r"trials of ires in .* its network digest is .* in the first and eeee"):
        judged(claim_of(TEST), [first, load_run(tmp_path / "b")])


def test_images_that_one_run_knows_to_belong_together_do_so_for_all(tmp_path: Path) -> None:
    """The first run is of an fbench that kept no subjects; the second kept them."""
    runs = [run_of(tmp_path / "old", {"ires": 0.62}), run_of(tmp_path / "new", {"ires_no_se": 0.48})]
    inputs = gather_claim_inputs(runs)
    old, new = inputs.holdings
    clusters = clusters_of([image // 10 for image in range(500)])
    known = replace(new, evidence=replace(new.evidence, clusters=clusters, unit="subjects"))
    found = pool(replace(inputs, holdings=(old, known)), "fer2013", tuple(BOTH))
    assert found is not None
    assert {(side.clusters, side.unit) for side in found.networks.values()} == {(clusters, "subjects")}
