"""Arrays in npz files of anybody."""

from __future__ import annotations

import contextlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fbench.core.npz import read_npz, write_npz


def test_arrays_of_numbers_and_text_are_read_as_numpy_reads_them(tmp_path: Path) -> None:
    arrays = {"a": np.arange(6).reshape(2, 3), "b": np.array(["x", "yz"]), "c": np.array(1.5, np.float16)}
    np.savez_compressed(tmp_path / "x.npz", **arrays)  # type: ignore[arg-type]
    found = read_npz(tmp_path / "x.npz")
    assert set(found) == set(arrays)
    for name, values in arrays.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype == values.dtype


def _npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


@pytest.mark.parametrize(
    "member",
    [
        _npy("{'descr': '|u1', 'fortran_order': False, 'shape': (10000000000000,)}", bytes(10)),
        _npy("{'descr': '|u1', 'fortran_order': False, 'shape': (-5,)}", bytes(10)),
        _npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", bytes(10)),
        _npy("{'descr': '|u1', 'fortran_order': False, 'shape': " + "(" * 50),
        _npy("[]"),
        b"",
        b"\x93NUMPY",
    ],
)
def test_arrays_that_are_not_there_and_objects_are_refused(tmp_path: Path, member: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("a.npy", member)
    with pytest.raises(ValueError, match=r"."):
        read_npz(tmp_path / "x.npz")


def test_a_bomb_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(3_000_000))
    (tmp_path / "x.npz").write_bytes(content.getvalue())
    with pytest.raises(ValueError, match="2,000,000 bytes that are read at most"):
        read_npz(tmp_path / "x.npz", 2_000_000)


def test_whatever_is_damaged_is_an_error_of_value(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.arange(50))
    whole = (tmp_path / "x.npz").read_bytes()
    generator = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(whole[: int(generator.integers(1, len(whole) + 1))])
        damaged[int(generator.integers(len(damaged)))] ^= 1 << int(generator.integers(8))
        (tmp_path / "x.npz").write_bytes(damaged)
        with contextlib.suppress(ValueError):
            read_npz(tmp_path / "x.npz")


@pytest.mark.parametrize("compressed", [True, False])
def test_what_is_written_is_read_back_and_nothing_is_pickled(compressed: bool) -> None:
    arrays = {"a": np.arange(6).reshape(2, 3), "b": np.array(["x", "yz"])}
    stream = io.BytesIO()
    write_npz(stream, arrays, compressed=compressed)
    with np.load(io.BytesIO(stream.getvalue()), allow_pickle=False) as found:
        assert set(found.files) == set(arrays)
    with pytest.raises(ValueError, match="'c' is of the type object"):
        write_npz(io.BytesIO(), {"c": np.array([object()])})


def test_an_argument_that_older_numpy_wrote_as_an_array_is_passed_over(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.arange(3))
    with zipfile.ZipFile(tmp_path / "x.npz", "a") as archive, archive.open("allow_pickle.npy", "w") as stream:
        np.lib.format.write_array(stream, np.array(False))
    assert set(read_npz(tmp_path / "x.npz")) == {"a"}
