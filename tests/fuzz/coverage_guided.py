"""``python -m tests.fuzz.coverage_guided``: inputs that grow where they reach new code of fbench, by Atheris.

Wants the extra ``fuzz``. Every kind of :mod:`tests.fuzz.kinds` has a process of its own, which begins with its good
file and adds its counts to results/fuzz/coverage_guided.csv; faults are kept in tests/fuzz/found, which the tests read.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

from tests.fuzz.__main__ import COLUMNS, LIMIT_S, read_counts, try_input, write_counts

COUNTS = Path(__file__).parents[2] / "results" / "fuzz" / "coverage_guided.csv"
SAVE_EVERY = 50
LONGEST_INPUT_BYTES = 20_000


def main() -> None:
    """Try every kind in turn, or be the process of one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="of each kind")
    parser.add_argument("--kind", action="append", help="only this kind; repeatable")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        fuzz(given.kind[0], given.inside, given.seconds)
        return
    from tests.fuzz.test_fuzz import NAMES

    counts = read_counts(COUNTS)
    for name in given.kind or NAMES:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "tests.fuzz.coverage_guided", "--kind", name, "--inside", folder]
            environment = {**os.environ, "FBENCH_CACHE_DIR": f"{folder}/cache"}
            subprocess.run([*command, "--seconds", str(given.seconds)], env=environment, check=False)
            found = Path(folder) / "counts.json"
            row = json.loads(found.read_text(encoding="utf-8")) if found.exists() else dict.fromkeys(COLUMNS[1:], 0.0)
        before = counts.get(name, dict.fromkeys(COLUMNS[1:], 0.0))
        summed = {column: before[column] + row[column] for column in COLUMNS[1:-1]}
        counts[name] = {**summed, COLUMNS[-1]: max(before[COLUMNS[-1]], row[COLUMNS[-1]])}
        write_counts(COUNTS, counts)


def fuzz(name: str, folder: Path, seconds: int) -> None:
    """Try inputs of one kind until the time is over; Atheris then ends the process."""
    import atheris

    warnings.simplefilter("ignore")
    with atheris.instrument_imports(include=["fbench"]):
        from tests.fuzz.kinds import all_kinds, restore

        root, corpus = folder / "inputs", folder / "corpus"
        root.mkdir()
        corpus.mkdir()
        (kind,) = (one for one in all_kinds(root) if one.name == name)
    (corpus / "good").write_bytes(kind.good)
    row, end = dict.fromkeys(COLUMNS[1:], 0.0), time.monotonic() + seconds

    def save() -> None:
        (folder / "counts.json").write_text(json.dumps(row), encoding="utf-8")

    def try_one(content: bytes) -> None:
        try_input(kind, content, root, row)
        if time.monotonic() > end:
            restore(kind, root)
            save()
            os._exit(0)  # libFuzzer has no time limit that is quiet
        if row["inputs"] % SAVE_EVERY == 0:
            save()

    limits = [f"-max_len={LONGEST_INPUT_BYTES}", f"-timeout={int(20 * LIMIT_S)}", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *limits, str(corpus)], try_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
