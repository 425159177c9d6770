"""Files below a run are opened by one module, which follows no link."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import fbench

ROOT = Path(fbench.__file__).parent
ROOMS = (
    *("benchmark/bundles", "benchmark/store", "benchmark/runs", "benchmark/records", "benchmark/maps"),
    *("benchmark/training", "reports"),
)
OPENERS = {
    *("open", "read_text", "read_bytes", "write_text", "write_bytes", "touch", "symlink_to", "hardlink_to"),
    *("glob", "rglob", "iterdir", "walk", "mkdir", "unlink", "rename", "replace", "rmtree", "copytree", "copyfile"),
    *("load", "save", "savez", "savez_compressed", "loadtxt", "read_csv", "safe_open"),
}
NOT_BELOW_A_RUN = {
    "reports/render/html/html.py": {"read_text"},  # the page's own style and script
    "reports/figures/compact.py": {"open", "save"},  # pictures in memory
    "benchmark/records/protocol_library.py": {"glob"},  # the protocols that come with fbench
    "benchmark/store/ledger.py": {"open", "mkdir"},  # the user's cache
    "benchmark/store/index/cache_file.py": {"glob", "unlink"},  # the user's cache
    "benchmark/store/search_files.py": {"glob"},  # the tables that come with fbench
    "benchmark/runs/resolution.py": {"read_bytes"},  # the user's plug-ins
    "benchmark/runs/local_executor.py": {"rmtree"},  # a new folder of its own, with a name that nobody knows
}


def _calls(file: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute) and function.attr in OPENERS:
                yield function.attr, ast.unparse(node)
            if isinstance(function, ast.Name) and function.id in ("open", "RunFolder"):
                yield function.id, ast.unparse(node)


def _names_a_file(name: str, call: str) -> bool:
    """Whether a call opens a path by itself, told from those of text, data classes, and the one module."""
    harmless = {
        "open": call.startswith("RunFolder.open("),
        "replace": True,  # of text and data classes; of paths only ContainedPath has it, as replacing
        "read_text": call.startswith("read_text("),
        "write_text": call.startswith("write_text("),
        "load": not call.startswith(("np.load", "torch.load")),
        "save": call.startswith("save("),
        "savez_compressed": call.startswith("np.savez_compressed(stream,"),
        "RunFolder": True,
    }
    return not harmless.get(name, False)


def test_rooms_that_read_and_write_runs_open_no_path_by_themselves() -> None:
    found = {}
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            where = file.relative_to(ROOT).as_posix()
            allowed = NOT_BELOW_A_RUN.get(where, set())
            calls = [call for name, call in _calls(file) if name not in allowed and _names_a_file(name, call)]
            if calls:
                found[where] = calls
    assert found == {}
