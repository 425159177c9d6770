"""A few odd inputs of every kind, and all that were faults before; ``python -m tests.fuzz`` tries 200,000."""

from __future__ import annotations

import warnings
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.__main__ import COUNTS, FOUND, LIMIT_S, file_name, read_counts
from tests.fuzz.kinds import Kind, all_kinds, restore

NAMES = (
    *("suite", "protocol", "claims", "class map", "CSV of pixels", "CSV of votes"),
    *(f"image, {form}" for form in ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")),
    *("run", "plan", "record", "history", "predictions", "maps", "test readings", "cost in a run", "cost"),
    *("CSV of results", "imported results"),
    *("network", "audit", "weights", "exported network", "plug-in"),
    *(f"{name} of a bundle" for name in ("submission", "record", "repetition")),
    "arguments",
)
pytestmark = pytest.mark.filterwarnings("ignore")  # of NumPy and Pillow, on what is odd


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("inputs")


@pytest.fixture(scope="module")
def kinds(root: Path) -> dict[str, Kind]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {kind.name: kind for kind in all_kinds(root)}


def test_every_kind_is_tried(kinds: dict[str, Kind]) -> None:
    assert tuple(kinds) == NAMES == tuple(read_counts(COUNTS))


@pytest.mark.parametrize("name", NAMES)
def test_the_good_input_is_taken(kinds: dict[str, Kind], root: Path, name: str) -> None:
    assert kinds[name].try_one(kinds[name].good, root)


@pytest.mark.parametrize("name", NAMES)
def test_an_odd_input_is_taken_or_refused_in_a_sentence(kinds: dict[str, Kind], root: Path, name: str) -> None:
    kind = kinds[name]

    @settings(max_examples=8, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(st.randoms(use_true_random=False))
    def try_one(random: Random) -> None:
        kind.try_one(kind.odd(random, kind.good), root)

    try_one()
    restore(kind, root)


@pytest.mark.parametrize("file", sorted(FOUND.glob("*")), ids=lambda file: file.name)
def test_what_was_a_fault_once_is_none(kinds: dict[str, Kind], root: Path, file: Path) -> None:
    (kind,) = (kind for kind in kinds.values() if file_name(kind) == file.name.rpartition("-")[0])
    kind.try_one(file.read_bytes(), root)
    restore(kind, root)


def test_no_kind_has_a_fault_or_takes_long() -> None:
    counts = read_counts(COUNTS)
    assert {name for name, row in counts.items() if row["faults"] or row["over_5_s"]} == set()
    assert max(row["slowest_cpu_s"] for row in counts.values()) < LIMIT_S
