"""The model of ``network.json`` reads every file that was ever committed, and gives back the bytes it was made from."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from networks_by_builder import by_builder

from fbench.architectures.contract import built_in_contract
from fbench.architectures.tracing import graph
from fbench.benchmark.records.network_description import NetworkDescription
from fbench.benchmark.records.trial_records import SCHEMA_VERSION
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.training.networks import bare_network_spec, build_and_trace, describe_network
from fbench.core.errors import UserError

RESULTS = Path(__file__).parents[3] / "results" / "fer2013-standard"
COMMITTED = sorted(RESULTS.rglob("network.json"))


def test_there_are_committed_descriptions_of_before() -> None:
    assert len(COMMITTED) >= 10
    assert any("parameter_holders" not in json.loads(file.read_text(encoding="utf-8")) for file in COMMITTED)


@pytest.mark.parametrize("file", COMMITTED, ids=lambda file: file.parent.name)
def test_a_committed_description_is_written_as_it_was_read(file: Path, tmp_path: Path) -> None:
    description = RunFolder(file.parents[2]).network(file.parent.name)
    assert description is not None
    RunFolder(tmp_path).write_network(file.parent.name, description)
    assert RunFolder(tmp_path).network_file(file.parent.name).read_bytes() == file.read_bytes()


def test_a_description_of_before_lacks_what_came_later() -> None:
    description = NetworkDescription.model_validate_json(COMMITTED[0].read_text(encoding="utf-8"))
    assert (description.output_shape, description.parameter_holders, description.not_counted) == (None, (), ())
    assert {(one.frozen_params, one.macs_per_call) for one in description.modules} == {(0, 0)}


@pytest.mark.parametrize("name", by_builder(built_in_contract()))
def test_a_network_is_kept_as_it_was_traced(name: str, tmp_path: Path) -> None:
    spec = bare_network_spec(name, {})
    traced = build_and_trace(spec.resolved)[1]
    description = describe_network(spec)
    assert description.to_json() == traced.to_json()
    folder = RunFolder(tmp_path)
    folder.write_network(spec.digest, description)
    expected = json.dumps(traced.to_json(), indent=1, sort_keys=True) + "\n"
    assert folder.network_file(spec.digest).read_text(encoding="utf-8") == expected
    assert folder.network(spec.digest) == description
    for module, node in zip(description.modules, traced.nodes, strict=True):
        assert module.hyperparameters == node.hyperparameters


CHANGED_BY_HAND: dict[str, tuple[tuple[str | int, ...], object, str]] = {
    "a cycle": (("edges", 3), {"source": 9, "target": 4}, "module 4 of 88 takes the result of module 9"),
    "an edge to nowhere": (("edges", 3, "target"), 88, "module 88 of 88 takes the result of module 3"),
    "an edge from nowhere": (("edges", 3, "source"), -1, "module 4 of 88 takes the result of module -1"),
    "an output from nowhere": (("outputs",), [88], "the network returns the result of module 88 of 88"),
    "modules in another order": (("modules", 7, "index"), 8, "module 8 stands at index 7"),
    "a shape of words": (("modules", 1, "output_shape"), "wide", "(modules.1.output_shape: "),
    "an image of two sides": (("input_shape",), [48, 48], "(input_shape.2: Field required)"),
    "a misspelt field": (("counts", "mac"), 3, "(counts.mac: Extra inputs are not permitted)"),
    "no count": (("counts", "macs"), None, "(counts.macs: Input should be a valid integer)"),
    "a later version": (("schema_version",), 99, "has schema version 99 and this fbench reads 1"),
}


@pytest.fixture(scope="module")
def ires() -> dict[str, Any]:
    return describe_network(bare_network_spec("ires", {})).to_json()


@pytest.mark.parametrize("name", CHANGED_BY_HAND)
def test_a_description_changed_by_hand_is_named_with_what_is_wrong(
    name: str, ires: dict[str, Any], tmp_path: Path
) -> None:
    place, value, reason = CHANGED_BY_HAND[name]
    content: Any = deepcopy(ires)
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    file = RunFolder(tmp_path).network_file("0" * 64)
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UserError, match=re.escape(f"{file} ") + ".*" + re.escape(reason)):
        RunFolder(tmp_path).network("0" * 64)


def test_what_was_not_kept_is_none(tmp_path: Path) -> None:
    assert RunFolder(tmp_path).network("0" * 64) is None


def test_both_sides_name_one_schema_version() -> None:
    assert graph.SCHEMA_VERSION == SCHEMA_VERSION
