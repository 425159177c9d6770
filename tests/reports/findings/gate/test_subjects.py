from __future__ import annotations

from pathlib import Path

import pytest

from fbench.benchmark.store.files import write_cost_file
from fbench.core.errors import UserError
from fbench.reports.findings.gate.subjects import load_side, pairs
from tests.reports.fabricated_cost import cost, series
from tests.reports.fabricated_run import fabricate_run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_cost_file(tmp_path / "speed.json", cost(series("ires", 1.0), series("arch1", 1.0)))
    return tmp_path / "speed.json"


def test_a_side_is_a_file_or_a_run_with_or_without_a_network(file: Path, tmp_path: Path) -> None:
    fabricate_run(tmp_path / "run")
    assert load_side(str(file)).networks == ("ires", "arch1")
    assert load_side(f"{file}:arch1").networks == ("arch1",)
    assert load_side(str(tmp_path / "run")).networks == ("ires", "ires_no_se", "ires_relu")


def test_a_path_may_hold_a_colon(tmp_path: Path) -> None:
    path = tmp_path / "c:speed.json"
    write_cost_file(path, cost(series("ires", 1.0)))
    assert load_side(str(path)).network is None
    assert load_side(f"{path}:ires").network == "ires"


def test_common_networks_are_paired_by_name_and_named_ones_with_each_other(file: Path, tmp_path: Path) -> None:
    fabricate_run(tmp_path / "run")
    by_name = pairs(load_side(str(tmp_path / "run")), load_side(str(file)))
    assert [(pair.base_network, pair.new_network, pair.label) for pair in by_name] == [("ires", "ires", "ires")]
    (named,) = pairs(load_side(f"{file}:ires"), load_side(f"{file}:arch1"))
    assert named.label == "arch1 against ires"
    assert [pair.label for pair in pairs(load_side(str(file)), load_side(f"{file}:arch1"))] == ["arch1"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("nowhere", "There is no nowhere"),
        ("nowhere:ires", "There is no nowhere"),
        ("{file}:irse", "has no network 'irse'. Did you mean 'ires'"),
    ],
)
def test_what_is_not_there_is_told(given: str, sentence: str, file: Path) -> None:
    with pytest.raises(UserError, match=sentence):
        load_side(given.format(file=file))


def test_sides_without_a_common_network_are_refused(file: Path, tmp_path: Path) -> None:
    write_cost_file(tmp_path / "other.json", cost(series("lenet5", 1.0)))
    with pytest.raises(UserError, match="have no network in common"):
        pairs(load_side(str(file)), load_side(str(tmp_path / "other.json")))
