from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from face_maps import made_up_maps

from fbench.benchmark.maps.face_maps import MAPS_FILE, read_maps, write_maps
from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError


def test_maps_come_back_as_they_were_written(tmp_path: Path) -> None:
    maps = made_up_maps()
    write_maps(ContainedPath(tmp_path), maps)
    back = read_maps(ContainedPath(tmp_path))
    assert back is not None
    for field in fields(maps):
        written, read = getattr(maps, field.name), getattr(back, field.name)
        np.testing.assert_array_equal(read, written)
        assert type(read) is type(written)
    assert back.predicted_names == ("sad", "happy")


def test_equal_maps_are_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_maps(ContainedPath(tmp_path) / name, made_up_maps())
    assert (tmp_path / "a" / MAPS_FILE).read_bytes() == (tmp_path / "b" / MAPS_FILE).read_bytes()


def test_images_that_may_not_be_kept_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the images of people may not be written"):
        write_maps(ContainedPath(tmp_path), made_up_maps(source="images of people", may_be_kept=False))
    assert list(tmp_path.iterdir()) == []


def test_no_file_is_none_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    assert read_maps(ContainedPath(tmp_path)) is None
    for content in (b"", b"not a zip file"):
        (tmp_path / MAPS_FILE).write_bytes(content)
        with pytest.raises(UserError, match=r"maps\.npz cannot be read"):
            read_maps(ContainedPath(tmp_path))
    np.savez_compressed(tmp_path / MAPS_FILE, seed=np.array(0))
    with pytest.raises(UserError, match=r"maps\.npz cannot be read"):
        read_maps(ContainedPath(tmp_path))
