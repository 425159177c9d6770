"""What each run of a report is called, so that two of the same name can be told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fbench.benchmark.store.run_table import RunTable


def run_names(runs: Sequence[RunTable]) -> tuple[str, ...]:
    """The runs' own names; where one is given twice, with the folder's name, and with a number where that fails too."""
    names = [run.config.name for run in runs]
    folders = [run.folder.path.resolve().name for run in runs]
    named = [
        f"{name} ({folder})" if names.count(name) > 1 and folder != name else name
        for name, folder in zip(names, folders, strict=True)
    ]
    seen: Counter[str] = Counter()
    found = []
    for name in named:
        seen[name] += 1
        found.append(f"{name} [{seen[name]}]" if named.count(name) > 1 else name)
    return tuple(found)
