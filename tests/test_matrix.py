"""The script that makes environments, as far as it decides something, and the table that it wrote."""

from __future__ import annotations

import csv
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

from tests.scripts_as_modules import load_script


@pytest.fixture(scope="module")
def matrix() -> ModuleType:
    return load_script("matrix")


@pytest.mark.parametrize(
    ("requirement", "exact"),
    [
        ("numpy>=2.1", "numpy==2.1"),
        ("opencv-python-headless>=4.13.0.90,<5", "opencv-python-headless==4.13.0.90"),
        ("mtcnn==1.0.0", "mtcnn==1.0.0"),
        ("fvcore>=0.1.5.post20221221", "fvcore==0.1.5.post20221221"),
        ("Pillow <13, >= 11", "pillow==11"),
    ],
)
def test_the_lower_bound_of_a_requirement(matrix: ModuleType, requirement: str, exact: str) -> None:
    assert matrix.at_lower_bound(requirement) == exact


def test_a_requirement_without_a_lower_bound_is_refused(matrix: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"torch<3 in pyproject\.toml has no lower bound"):
        matrix.at_lower_bound("torch<3")


def test_the_lowest_environment_pins_every_dependency_within_its_own_bounds(
    matrix: ModuleType,
) -> None:
    project = matrix.read_project()
    wanted = [Requirement(one) for one in (*project.required, *project.extras["onnx"], *project.extras["faces"])]
    pinned = {one.name: one for one in map(Requirement, matrix.requirements(project, "lower"))}
    for requirement in wanted:
        if requirement.name == "torch":  # comes from a build for CPUs
            assert "torch" not in pinned
            continue
        (bound,) = pinned[requirement.name].specifier
        assert bound.operator == "=="
        assert requirement.specifier.contains(bound.version)


def test_a_python_that_is_not_there_is_a_row_that_says_so(
    matrix: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(matrix.ENVIRONMENTS, "ancient", ("newest", "3.2"))
    row = matrix.tried("ancient", matrix.read_project(), tmp_path / "env", None)
    assert (row.python, row.passed, row.reason) == ("3.2", 0, "no interpreter")
    assert not (tmp_path / "env").exists()


def test_the_committed_table_has_every_environment_and_no_failure(matrix: ModuleType) -> None:
    with matrix.TABLE.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["environment"] for row in rows] == list(matrix.ENVIRONMENTS)
    for row in rows:
        assert row["failed"] == "0"
        assert row["reason"] or (int(row["passed"]) > 0 and row["skipped"] == "0")


def test_the_committed_table_of_the_build_with_cuda_has_no_failure(matrix: ModuleType) -> None:
    with matrix.TABLE.with_name("cuda.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["environment"] for row in rows] == list(matrix.WITH_CUDA)
    assert rows[0]["python"].startswith("3.12.")
    assert rows[0]["packages"].startswith("torch 2.11.0")
    assert rows[0]["failed"] == "0"
    assert int(rows[0]["passed"]) > 1000


def test_the_environment_with_cuda_has_that_torch_and_what_the_suites_need(matrix: ModuleType) -> None:
    project = matrix.read_project()
    wanted = {Requirement(one).name: Requirement(one) for one in matrix.requirements(project, "cuda")}
    assert str(wanted["torch"].specifier) == "==2.11.0"
    assert {"pytest-xdist", "hypothesis", "onnx"} <= wanted.keys()
    assert all((matrix.ROOT / "tests" / one).exists() for one in matrix.SUITES)
    assert not set(matrix.WITH_CUDA) & set(matrix.ENVIRONMENTS)
