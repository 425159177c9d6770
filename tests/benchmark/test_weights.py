from __future__ import annotations

import json
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save, save_file
from torch import nn

from fbench.benchmark.store.weights import STATE_KEY, WeightsError, encode_state, read_state


def through_a_file(state: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What is read from the file that a state becomes."""
    file = folder / "weights.safetensors"
    file.write_bytes(encode_state(state))
    return read_state(file)


def in_inference_mode() -> torch.Tensor:
    with torch.inference_mode():
        return torch.randn(3)


def rare() -> dict[str, torch.Tensor]:
    """Tensors that torch warns of as it makes them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "complex32": torch.complex(NUMBERS, -NUMBERS).to(torch.complex32),
            "coo": torch.eye(4).to_sparse(),
            "coo_with_repeats": torch.sparse_coo_tensor(torch.tensor([[0, 0], [1, 1]]), torch.ones(2), (2, 2)),
            "complex_coo": torch.eye(4, dtype=torch.complex64).to_sparse(),
            "csr": torch.eye(4).to_sparse_csr(),
            "csc": torch.eye(4).to_sparse_csc(),
            "bsr": torch.eye(4).to_sparse_bsr((2, 2)),
            "quantised": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
            "nested": torch.nested.nested_tensor([torch.ones(1), torch.ones(2)]),
        }


NUMBERS = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
RARE = rare()
TENSORS = {
    **{name: RARE[name] for name in ("complex32", "coo", "coo_with_repeats", "complex_coo", "csr", "csc", "bsr")},
    "fp32": NUMBERS,
    "fp64": NUMBERS.double(),
    "fp16": NUMBERS.half(),
    "bf16": NUMBERS.bfloat16(),
    "fp8": NUMBERS.to(torch.float8_e4m3fn),
    "fp8_of_amd": NUMBERS.to(torch.float8_e4m3fnuz),
    "exponents": NUMBERS.abs().to(torch.float8_e8m0fnu),
    "int64": torch.arange(5),
    "uint16": torch.arange(5).to(torch.uint16),
    "uint16_of_no_dimension": torch.tensor(7).to(torch.uint16),
    "bool": NUMBERS > 0,
    "of_no_dimension": torch.tensor(3),
    "empty": torch.zeros(0, 3),
    "nan": torch.tensor([torch.nan, torch.inf, -0.0]),
    "transposed": NUMBERS.t(),
    "channels_last": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
    "every_second": NUMBERS[:, ::2],
    "complex": torch.complex(NUMBERS, -NUMBERS),
    "complex128": torch.tensor(1 + 2j, dtype=torch.complex128),
    "conjugate": torch.complex(NUMBERS, -NUMBERS).conj(),
    "negative": torch.complex(NUMBERS, -NUMBERS).conj().imag,
    "empty_complex": torch.zeros(0, 3, dtype=torch.complex64),
    "expanded": torch.ones(1, 4).expand(3, 4),
    "expanded_complex": torch.ones(1, dtype=torch.complex64).expand(5),
    "expanded_uint16": torch.ones(1).to(torch.uint16).expand(5),
    "computed_in_inference_mode": in_inference_mode(),
    "parameter": nn.Parameter(NUMBERS.clone()),
}


@pytest.mark.parametrize("name", TENSORS)
def test_a_tensor_comes_back_with_its_type_shape_and_bits(name: str, tmp_path: Path) -> None:
    value = TENSORS[name]
    found = through_a_file({"layer.x": value, "other": torch.ones(2)}, tmp_path)
    assert found.keys() == {"layer.x", "other"}
    assert_same(found["layer.x"], value)


def assert_same(found: torch.Tensor, value: torch.Tensor) -> None:
    assert (found.dtype, found.shape, found.layout) == (value.dtype, value.shape, value.layout)
    if value.layout is not torch.strided:
        assert found.layout is not torch.sparse_coo or found.is_coalesced() == value.is_coalesced()
        found, value = found.to_dense(), value.to_dense()
    assert bits(found) == bits(value)


def bits(value: torch.Tensor) -> bytes:
    plain = value.detach().resolve_conj().resolve_neg()
    numbers = (torch.view_as_real(plain) if plain.is_complex() else plain).clone(memory_format=torch.contiguous_format)
    return bytes(numbers.view(-1).view(torch.uint8).tolist())


def test_a_plain_state_is_the_file_that_safetensors_writes(tmp_path: Path) -> None:
    state = {"a.weight": NUMBERS, "a.bias": torch.arange(3)}
    assert encode_state(state) == save(state)
    save_file(state, tmp_path / "older.safetensors")
    found = read_state(tmp_path / "older.safetensors")
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)


def test_an_expanded_tensor_takes_the_room_of_its_numbers(tmp_path: Path) -> None:
    assert len(encode_state({"a": torch.ones(1).expand(10_000_000)})) < 1000


def test_names_of_one_tensor_share_it_and_other_programs_read_the_first(tmp_path: Path) -> None:
    layer, other = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
    other.weight = layer.weight
    network = nn.ModuleDict({"a": layer, "b": other})
    found = through_a_file(network.state_dict(), tmp_path)
    assert found["a.weight"] is found["b.weight"]
    assert torch.equal(found["a.weight"], layer.weight)
    plain = load_file(tmp_path / "weights.safetensors")
    assert list(plain) == ["a.weight"]
    with safe_open(tmp_path / "weights.safetensors", "pt") as archive:
        assert json.loads(archive.metadata()[STATE_KEY]) == {"shared": {"b.weight": "a.weight"}}


def test_parts_of_one_tensor_come_back_with_their_own_numbers(tmp_path: Path) -> None:
    """A network that shares them in memory gets equal numbers for each place, in whatever order they are loaded."""
    state = {"whole": NUMBERS, "part": NUMBERS[1:3], "turned": NUMBERS.t(), "seen_flat": NUMBERS.view(-1)}
    found = through_a_file(state, tmp_path)
    assert found.keys() == state.keys()
    for name, value in state.items():
        assert_same(found[name], value)


def test_a_state_without_tensors_is_a_file(tmp_path: Path) -> None:
    assert through_a_file({}, tmp_path) == {}


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -(2**70),
        1e-300,
        -0.0,
        float("inf"),
        1 + 2j,
        "ä\n\ud800",
        b"\x00\xff",
        bytearray(b"ab"),
        [],
        {},
        (1, (2.5, [None])),
        {1: "a", "1": "b", (1, 2): {"c"}},
        OrderedDict([("b", 1), ("a", 2)]),
        frozenset({1, 2}),
        torch.float16,
        torch.Size([1, 2]),
        {"dict": [["like", "a tag"]]},
    ],
)
def test_extra_state_of_plain_values_comes_back_equal_and_of_its_type(value: object, tmp_path: Path) -> None:
    found = through_a_file({"a._extra_state": value, "w": torch.ones(1)}, tmp_path)
    assert found.keys() == {"a._extra_state", "w"}
    assert found["a._extra_state"] == value
    assert type(found["a._extra_state"]) is type(value)
    assert repr(found["a._extra_state"]) == repr(value)


def test_a_number_of_more_digits_than_python_prints_comes_back(tmp_path: Path) -> None:
    assert through_a_file({"a._extra_state": 10**5000}, tmp_path)["a._extra_state"] - 10**5000 == 0


def test_tensors_and_arrays_within_extra_state_come_back(tmp_path: Path) -> None:
    state = {"_extra_state": {"t": [NUMBERS, torch.ones(2, dtype=torch.complex64)], "n": np.arange(6.0)[::-2]}}
    state["_extra_state#1"] = {"name": "as those within might be called"}
    found = through_a_file(state, tmp_path)
    assert found.keys() == state.keys()
    inside = found["_extra_state"]
    assert torch.equal(inside["t"][0], NUMBERS)
    assert torch.equal(inside["t"][1], torch.ones(2, dtype=torch.complex64))
    np.testing.assert_array_equal(inside["n"], [5.0, 3.0, 1.0])
    assert inside["n"].dtype == np.float64


class Wrapper(torch.Tensor):
    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


class Named(torch.Tensor):
    """Numbers like any other tensor's."""


def test_a_tensor_of_a_subclass_without_a_memory_of_its_own_kind_is_kept_as_its_numbers(tmp_path: Path) -> None:
    found = through_a_file({"a": NUMBERS.as_subclass(Named)}, tmp_path)
    assert type(found["a"]) is torch.Tensor
    assert torch.equal(found["a"], NUMBERS)


def endless() -> list[object]:
    value: list[object] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("a._extra_state", {"k": [object()]}, "'a._extra_state' is or holds an object of class object"),
        ("a._extra_state", type("Level", (int,), {})(3), "an object of class Level"),
        ("a._extra_state", len, "builtin_function_or_method"),
        ("a._extra_state", endless(), "a value that JSON cannot hold"),
        ("a._extra_state", {"t": torch.ones(1, device="meta")}, "'a._extra_state' has no numbers"),
        ("b", torch.ones(1, device="meta"), "'b' has no numbers (it is on the meta device)"),
        ("b", RARE["quantised"], "'b' is a quantised tensor"),
        ("b", nn.parameter.UninitializedParameter(), "'b' never got a shape"),
        ("b", RARE["nested"], "'b' is a nested tensor"),
        ("b", torch.ones(2).as_subclass(Wrapper), "'b' is a tensor of class Wrapper"),
        ("b", torch.ones(2).to_mkldnn(), "'b' is a mkldnn tensor"),
        ("__metadata__", torch.ones(2), "no place for a tensor called '__metadata__'"),
        ("\udcff", torch.ones(2), "the safetensors format refuses them"),
    ],
)
def test_what_only_pickle_could_keep_is_named(name: str, value: object, reason: str) -> None:
    with pytest.raises(WeightsError) as raised:
        encode_state({"w": torch.ones(1), name: value})
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    "notes",
    [
        "no JSON",
        "[]",
        '{"shared": {"b": "nowhere"}}',
        '{"values": {"b": {"of no kind": 1}}}',
        '{"values": {"b": {"tensor": "nowhere"}}}',
        '{"stored_as": {"a": {"dtype": "load", "shape": [2]}}}',
        '{"stored_as": {"a": {"expanded": [3]}}}',
        '{"stored_as": {"a": {"layout": "sparse_coo", "shape": [2], "parts": {"indices": "a"}, "coalesced": true}}}',
    ],
)
def test_metadata_changed_by_hand_are_one_sentence(notes: str, tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    save_file({"a": torch.ones(2)}, file, {STATE_KEY: notes})
    with pytest.raises(WeightsError, match="holds no weights that can be read"):
        read_state(file)


def test_a_file_of_another_kind_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(b"PK\x03\x04")
    for file in (tmp_path / "w", tmp_path / "nowhere"):
        with pytest.raises(WeightsError, match="holds no weights that can be read"):
            read_state(file)
