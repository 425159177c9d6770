"""Imports run downhill: each folder of the package imports only from the floors below it."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import fbench
from fbench.benchmark.data import catalogue

ROOT = Path(fbench.__file__).parent
FRONT = 5
FLOORS = {"core": 0, "architectures": 1, "statistics": 1, "ablations": 2, "benchmark": 3, "reports": 4}


def floor(module: str) -> int:
    return FLOORS.get([*module.split("."), ""][1], FRONT)


@functools.cache
def imports(file: Path) -> frozenset[str]:
    """Modules of the package that a file imports anywhere, but for type checking only."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    typing_only = {
        node
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.unparse(branch.test)
        for statement in branch.body
        for node in ast.walk(statement)
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node not in typing_only:
            assert node.level == 0, f"{file}:{node.lineno} imports by a relative name"
            found.add(node.module or "")
        elif isinstance(node, ast.Import) and node not in typing_only:
            found |= {alias.name for alias in node.names}
    return frozenset(name for name in found if name.partition(".")[0] == "fbench")


def test_no_module_imports_from_a_floor_above_its_own() -> None:
    uphill = []
    for file in ROOT.rglob("*.py"):
        module = ".".join(["fbench", *file.relative_to(ROOT).with_suffix("").parts])
        own = floor(module)
        uphill += [f"{module} imports {name}" for name in imports(file) if floor(name) > own]
    assert uphill == []


def test_architectures_and_statistics_do_not_know_each_other() -> None:
    pairs = [("architectures", "fbench.statistics"), ("statistics", "fbench.architectures")]
    for folder, other in pairs:
        known = [name for file in (ROOT / folder).rglob("*.py") for name in imports(file)]
        assert not [name for name in known if name.startswith(other)]


def test_reports_know_nothing_of_torch_or_training() -> None:
    for file in (ROOT / "reports").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "import torch" not in text
        assert "benchmark.training" not in text


def test_the_benchmark_floor_has_rooms_and_no_loose_file() -> None:
    assert [file.name for file in (ROOT / "benchmark").glob("*.py")] == ["__init__.py"]


def test_no_files_import_each_other_in_a_circle() -> None:
    """Imports inside functions count; every file can be taken away after those that import it."""
    names = {".".join(["fbench", *file.relative_to(ROOT).with_suffix("").parts]): file for file in ROOT.rglob("*.py")}
    waiting = {name: (imports(file) & names.keys()) - {name} for name, file in names.items()}
    waiting[catalogue.__name__] |= set(catalogue.DATA_SETS.values())  # which it imports by name
    while leaves := [name for name, needed in waiting.items() if not needed & waiting.keys()]:
        for name in leaves:
            del waiting[name]
    assert waiting == {}


def test_findings_are_numbers_and_words() -> None:
    """What is found knows neither how it is drawn nor how it is written down."""
    above = ("fbench.reports.figures", "fbench.reports.render", "fbench.reports.palette")
    known = {name for file in (ROOT / "reports" / "findings").rglob("*.py") for name in imports(file)}
    assert [name for name in sorted(known) if name.startswith(above)] == []
