"""The real FER2013, where a copy lies beside the checkout."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from once import made_once

PACK = Path(__file__).parents[4] / "shared" / "data"


class RealFaces(NamedTuple):
    """Images (35887, 48, 48), emotion and usage, in the order of the published file."""

    images: npt.NDArray[np.uint8]
    emotion: npt.NDArray[np.uint8]
    usage: npt.NDArray[np.uint8]


@pytest.fixture(scope="session")
def real_fer2013(tmp_path_factory: pytest.TempPathFactory) -> RealFaces:
    """All of it, which takes four seconds to unpack; read it only."""
    if not (PACK / "unpack.py").exists():
        pytest.skip("there is no copy of FER2013 in ../shared/data")

    def unpack(folder: Path) -> Path:
        for name, values in zip(RealFaces._fields, unpack_module().load_fer2013(), strict=True):
            np.save(folder / f"{name}.npy", values)
        return folder

    folder = made_once(tmp_path_factory, "real-fer2013", unpack)
    return RealFaces(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in RealFaces._fields))


def unpack_module() -> ModuleType:
    """The program that lies beside the data."""
    spec = importlib.util.spec_from_file_location("unpack", PACK / "unpack.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
