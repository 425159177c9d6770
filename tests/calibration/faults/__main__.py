"""Proof that no fault loses, doubles or changes what was computed: ``python -m tests.calibration.faults``.

Writes ``results/faults/tries.csv``, a line for each try, and of them ``faults.csv``: for each kind of fault how often
it was tried, and in how many tries a trial was lost after the same command was given again, computed twice, other
than in an undisturbed run, or a command said something else than one sentence. Tries that are in the table are not
made again; ``--only`` and ``--share`` are for a part of them. What a try came to that is not as it should be is noted
in ``notes.txt`` in the folder of the tries.

Linux, a C compiler, and for disks of their own a user who may mount them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from tests.calibration.faults.bench import Bench, Found, import_all, preloaded
from tests.csv_tables import read_rows, save_rows

COLUMNS: Final = ("lost", "doubled", "wrong", "message")
KILLS: Final = 60
Try = Callable[[int], Found]


def kinds(bench: Bench) -> Iterator[tuple[str, Callable[[], tuple[int, Try]]]]:
    """Every kind of fault: its name, and what makes a number of tries and a try by its number, from 1 on."""
    from tests.calibration.faults import files, kills, networks

    def moments(disturb: Callable[..., None], tries: int, *, ends: bool = True) -> tuple[int, Try]:
        found = kills.Moments(bench, jobs=2)
        return tries, lambda number: found.disturbed(number, disturb, ends=ends)

    def changes(where: files.Where, kind: str) -> tuple[int, Try]:
        found = files.Changes(bench, where)
        return found.count, lambda number: found.at(number, kind)

    def clock() -> tuple[int, Try]:
        length_s = kills.Moments(bench, jobs=2).length_s
        return 20, lambda number: kills.set_clock(bench, number, length_s)

    yield "parent killed", partial(moments, kills.kill_parent, KILLS)
    yield "worker killed", partial(moments, kills.kill_worker, KILLS, ends=False)
    yield "all killed", partial(moments, kills.kill_group, KILLS)
    yield "stopped and gone on with", partial(moments, kills.stop_and_go_on, 20, ends=False)
    yield "folder removed", partial(moments, kills.remove_folder, 20, ends=False)
    yield "clock set", clock
    yield "two at once", lambda: (20, partial(kills.two_at_once, bench))
    for kind in files.ERRORS:
        yield f"change to the run, {kind}", partial(changes, "run", kind)
    for kind in files.ERRORS:
        yield f"change to the cache, {kind}", partial(changes, "cache", kind)
    yield "disk of 3 MB", lambda: (20, partial(files.full_disk, bench))
    yield "cache on a full disk", lambda: (10, partial(files.full_cache, bench))
    yield "disk becomes read-only", lambda: (10, partial(files.read_only_disk, bench))
    yield "cache is read-only", lambda: (4, partial(files.read_only_cache, bench))
    for name in networks.NETWORKS:
        yield f"network: {name}", lambda name=name: (1, lambda _: networks.beside(bench, name))  # type: ignore[misc] # bound at once


def main() -> None:
    """Make the tries that the table lacks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results") / "faults")
    parser.add_argument("--place", type=Path, default=Path(tempfile.gettempdir()) / "fbench-faults")
    parser.add_argument("--only", default="", help="Kinds whose name begins so.")
    parser.add_argument("--share", type=float, default=1.0, help="Of the tries of each kind, in even steps.")
    parser.add_argument("--minutes", type=float, default=1e6, help="Begin no try after so many.")
    given = parser.parse_args()
    given.place.mkdir(parents=True, exist_ok=True)
    preloaded(given.place / "shim.so")
    import_all()
    bench = Bench(given.place)
    until = time.monotonic() + 60 * given.minutes
    tries = read_rows(given.out / "tries.csv")
    for kind, plan in kinds(bench):
        if not kind.startswith(given.only) or time.monotonic() > until:
            continue
        count, attempt = plan()
        done = {int(row["try"]) for row in tries if row["kind"] == kind}
        for number in range(1, count + 1, max(1, round(1 / given.share))):
            if number in done or time.monotonic() > until:
                continue
            row = _row(kind, number, count, attempt(number), given.place / "notes.txt")
            tries.append(row)
            print(*(f"{key} {value}" for key, value in row.items()), sep=", ", flush=True)  # noqa: T201 - a script reports by printing
            save_rows(given.out / "tries.csv", tries)
            save_rows(given.out / "faults.csv", _counted(tries))
    save_rows(given.out / "faults.csv", _counted(tries))  # of tries that were made in several folders, too


def _row(kind: str, number: int, of: int, found: Found, notes: Path) -> dict[str, str]:
    flags = {column: str(int(getattr(found, column))) for column in COLUMNS}
    if "1" in flags.values():
        with notes.open("a", encoding="utf-8") as stream:
            wrong = ", ".join(column for column, flag in flags.items() if flag == "1")
            stream.write(f"--- {kind}, try {number}: {wrong}\n{found.note}\n")
    return {"kind": kind, "try": str(number), "of": str(of), **flags}


def _counted(tries: Sequence[Mapping[str, str]]) -> list[dict[str, str | int]]:
    """The table: a line for each kind."""
    found: dict[str, dict[str, str | int]] = {}
    for one in tries:
        row = found.setdefault(
            one["kind"], {"kind": one["kind"], "tries": 0, "of": one["of"], **dict.fromkeys(COLUMNS, 0)}
        )
        row["tries"] = int(row["tries"]) + 1
        for column in COLUMNS:
            row[column] = int(row[column]) + int(one[column])
    return list(found.values())


if __name__ == "__main__":
    main()
