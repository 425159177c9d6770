"""The script that changes functions: which changes it makes, that each is one, and that its draw is the same again."""

from __future__ import annotations

import ast
import csv
from pathlib import Path
from types import ModuleType

import pytest

from tests.scripts_as_modules import load_script


@pytest.fixture(scope="module")
def mutate() -> ModuleType:
    return load_script("mutate")


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("return a < b", ["a <= b", "a >= b"]),
        ("return a <= b < c", ["a < b < c", "a > b < c", "a <= b <= c", "a <= b >= c"]),
        ("return a is not b", ["a is b"]),
        ("return a - b", ["a + b"]),
        ("return a ** b", ["a * b"]),
        ("return a and b", ["a or b"]),
        ("return not a", ["a"]),
        ("return -a", ["a"]),
        ("return 3", ["4"]),
        ("return 0.5", ["0.25"]),
        ("return True", ["False"]),
        ("return max(a, b)", ["min"]),
        ("return a.argmin(b)", ["a.argmax"]),
        ("return a if b else c", ["not b"]),
        ("if a: pass", ["not a"]),
        ("return a / 'file.csv'", []),
        ("return f'{a:.3f}'", []),
        ("raise ValueError(a + 1)", []),
        ("a: 'b | c' = d", []),
        ("return 'text'", []),
    ],
)
def test_what_an_expression_becomes(mutate: ModuleType, line: str, changed: list[str]) -> None:
    (function,) = ast.parse(f"def f(a: int | str, *, b: tuple[int, int]) -> int | None:\n    {line}\n").body
    assert [ast.unparse(new) for _, new in mutate.changes(function)] == changed


@pytest.mark.slow
def test_a_mutant_differs_from_its_module_in_the_one_expression(mutate: ModuleType) -> None:
    found = mutate.functions(mutate.ROOT / mutate.PACKAGE)
    assert len(found) > 200
    mutants = mutate.drawn(found, 80, seed=3)
    assert len(mutants) == 80
    originals = {one.module: ast.unparse(ast.parse(one.source)).splitlines() for one in found}
    for mutant in mutants:
        before, after = originals[mutant.row.module], mutant.source.splitlines()
        assert len(before) == len(after)
        assert sum(one != other for one, other in zip(before, after, strict=True)) == 1, mutant.row
        compile(mutant.source, mutant.row.module, "exec")


@pytest.mark.slow
def test_the_draw_repeats_and_keeps_its_order_where_functions_leave(mutate: ModuleType) -> None:
    found = mutate.functions(mutate.ROOT / mutate.PACKAGE)
    drawn = [mutant.row for mutant in mutate.drawn(found, 60, seed=0)]
    assert [mutant.row for mutant in mutate.drawn(found[::-1], 60, seed=0)] == drawn
    without = [one for one in found if one.module != drawn[0].module]
    kept = [row for row in drawn if row.module != drawn[0].module]
    assert [mutant.row for mutant in mutate.drawn(without, len(kept), seed=0)] == kept
    assert len({(row.module, row.function) for row in drawn}) == 60


def test_tests_that_name_a_module_run_before_the_rest_of_its_folder(mutate: ModuleType) -> None:
    first, second, *_ = mutate.tests_of("statistics/mover.py", mutate.ROOT)
    assert "tests/statistics/test_mover.py" in first
    assert "tests/statistics/test_timing.py" in second
    parts = mutate.tests_of("reports/findings/gate/time_changes.py", mutate.ROOT)
    assert parts[0] == ["tests/reports/findings/gate/test_time_changes.py"]
    assert "tests/reports/findings/gate/test_judge.py" in parts[1]


def test_a_table_comes_back_as_it_was_written(mutate: ModuleType, tmp_path: Path) -> None:
    rows = [mutate.Row("a.py", "f", 3, "x < 1", "x <= 1", "survived", "", "equal, for x is odd")]
    mutate.write_table(tmp_path / "new" / "table.csv", rows)
    assert mutate.read_table(tmp_path / "new" / "table.csv") == rows
    assert mutate.read_table(tmp_path / "none.csv") == []


def test_the_committed_table_has_an_outcome_of_every_mutant(mutate: ModuleType) -> None:
    with mutate.TABLE.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["outcome"] for row in rows} <= {"killed", "timed out", "survived"}
    assert len({(row["module"], row["function"]) for row in rows}) == len(rows)
    assert all(row["killed_by"] for row in rows if row["outcome"] == "killed")
