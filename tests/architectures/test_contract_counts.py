"""The contract equals the published expectation, the networks equal the contract, and a drift is seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from networks_by_builder import by_builder

from fbench.architectures import counts as counting
from fbench.architectures.contract import (
    BUILT_IN_CONTRACT,
    ContractRow,
    Counts,
    built_in_contract,
    read_contract,
    render_contract,
    user_contract,
)
from fbench.architectures.counts import check_contract, count, update_contract
from fbench.architectures.listing import list_here
from fbench.architectures.registry import list_architectures, loaded_names
from fbench.core.errors import UserError

SPECIFICATION = Path(__file__).parents[3] / "shared" / "specs" / "expected_counts.json"
NAMES = by_builder(list_architectures())


def expected() -> dict[str, Any]:
    if not SPECIFICATION.is_file():
        pytest.skip(f"the specification {SPECIFICATION.name} is not beside this checkout")
    architectures: dict[str, Any] = json.loads(SPECIFICATION.read_text(encoding="utf-8"))["architectures"]
    return architectures


def test_contract_names_the_networks_of_the_specification() -> None:
    assert list(built_in_contract()) == list(expected())


def test_contract_equals_the_specification_in_every_count_and_printed_figure() -> None:
    for name, wanted in expected().items():
        row = built_in_contract()[name]
        assert row.counts is not None
        stated = wanted["paper_stated"] or {"total": None, "trainable": None, "precision": 1}
        difference = wanted["difference_from_stated"] or {"total": None, "trainable": None}
        assert row.counts.trainable_params == wanted["trainable_params"], name
        assert row.counts.bn_running_stats == wanted["bn_running_stats"], name
        assert row.counts.total_params_keras == wanted["total_params_keras"], name
        assert row.counts.macs == wanted["macs"], name
        assert (row.stated_total, row.stated_trainable) == (stated["total"], stated["trainable"]), name
        assert row.stated_precision == stated["precision"], name
        assert row.difference_from_stated == difference["total"], name
        assert row.trainable_difference_from_stated == difference["trainable"], name
        assert (row.paper, row.role, row.status) == (wanted["paper"], wanted["role"], wanted["status"]), name


@pytest.mark.parametrize("name", NAMES)
def test_network_counts_what_its_contract_says(name: str) -> None:
    assert count(name).counts == built_in_contract()[name].counts


def test_decorated_names_are_the_names_of_the_contract() -> None:
    assert sorted(loaded_names(built_in=True)) == sorted(built_in_contract())


def test_a_printed_figure_that_is_said_to_match_is_reached_by_rounding_half_up() -> None:
    for row in built_in_contract().values():
        if row.stated_total is None or row.status.startswith("does not match"):
            continue
        assert row.counts is not None
        step = row.stated_precision
        assert (row.counts.total_params_keras + step // 2) // step * step == row.stated_total, row.name


def test_contract_file_is_what_its_rows_render_to() -> None:
    assert BUILT_IN_CONTRACT.read_text(encoding="utf-8") == render_contract(built_in_contract())


def test_row_survives_a_file_whatever_its_text(tmp_path: Path) -> None:
    row = ContractRow(
        "net",
        Counts(1, 2, 3),
        description='quotes " and \\ and é\nand a line',
        aliases=("a", "b"),
        stated_total=100,
        stated_precision=100,
        open_choices=("one", 'two "2"'),
    )
    (tmp_path / "contract.toml").write_text(render_contract({"net": row}), encoding="utf-8")
    assert read_contract(tmp_path / "contract.toml") == {"net": row}


def test_contract_in_force_has_no_drift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert check_contract(list_here().networks, ["ires", "lenet5"]) == []


def test_a_changed_count_is_a_readable_drift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = dict(built_in_contract())
    rows["ires"] = ContractRow("ires", Counts(52_600, 2_256, 2_877_632))
    monkeypatch.setattr(counting, "built_in_contract", lambda: rows)
    assert [drift.message for drift in check_contract(list_here().networks, ["ires"])] == [
        "trainable_params: contract 52,600, counted 52,663 (+63)",
        "total_params_keras: contract 54,856, counted 54,919 (+63)",
    ]


def test_update_writes_counts_and_keeps_what_is_kept_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    copy = tmp_path / "contract.toml"
    with_these_macs = [name for name, row in built_in_contract().items() if row.counts and row.counts.macs == 2_877_632]
    spoiled = BUILT_IN_CONTRACT.read_text(encoding="utf-8").replace("macs = 2877632", "macs = 1")
    copy.write_text(spoiled, encoding="utf-8")
    built_in_contract.cache_clear()
    monkeypatch.setattr("fbench.architectures.contract.BUILT_IN_CONTRACT", copy)
    monkeypatch.setattr(counting, "BUILT_IN_CONTRACT", copy)
    try:
        changed = update_contract(list_here().networks, with_these_macs)
    finally:
        built_in_contract.cache_clear()
    assert changed == [copy]
    assert copy.read_text(encoding="utf-8") == BUILT_IN_CONTRACT.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[net]\nmac = 1\n", "unknown key 'mac'. Did you mean 'macs'?"),
        ("[net]\nmacs = 'many'\n", "give a whole number"),
        ("[net]\naliases = 'x'\n", "give a list of texts"),
        ("[net]\npaper = 3\n", "give text"),
        ("[net]\nmacs = 1\n", "lacks 'trainable_params'"),
        ("net = 3\n", "give a table"),
        ("[net\n", "cannot be read as a contract"),
    ],
)
def test_a_broken_user_contract_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "fbench_contract.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as error:
        user_contract(tmp_path / "fbench_contract.toml")
    assert message in str(error.value)
    assert "fbench_contract.toml" in str(error.value)
