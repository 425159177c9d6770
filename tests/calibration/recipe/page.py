"""The tables of ``docs/recipe.md`` from ``results/recipe/trials.csv``: ``python -m tests.calibration.recipe.page``.

Each table stands between two marks that name its stage, ``<!-- stage NAME -->`` and ``<!-- end -->``; the text around
them is written by hand.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

PAGE: Final = Path("docs/recipe.md")
TABLE: Final = Path("results/recipe/trials.csv")
SENSITIVITY: Final = "sensitivity"
WITHIN_POINTS: Final = 1.0

Trial = dict[str, str]


def read_trials(file: Path = TABLE) -> list[Trial]:
    """The rows of the table of trials."""
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


class Place(NamedTuple):
    """Where a trial stands in the ladder."""

    stage: str
    network: str
    candidate: str


def known_lines(file: Path) -> dict[Place, Trial]:
    """The rows of the table by their places; none where there is no table yet."""
    trials = read_trials(file) if file.exists() else []
    return {Place(trial["stage"], trial["network"], trial["candidate"]): trial for trial in trials}


def points(trial: Trial) -> float:
    """Accuracy on the validation split in percent, the mean of the last three evaluations."""
    return 100 * float(trial["last_validation_top1"])


def stage_table(trials: Sequence[Trial]) -> str:
    """One row for each candidate, and for each network its accuracy and the difference to the first candidate."""
    networks = list(dict.fromkeys(trial["network"] for trial in trials))
    by_place = {(trial["candidate"], trial["network"]): trial for trial in trials}
    lines = ["| candidate | " + " | ".join(f"{name} | difference | loss" for name in networks) + " |"]
    lines.append("|---" + "|--:" * 3 * len(networks) + "|")
    first = {network: next(trial for trial in trials if trial["network"] == network) for network in networks}
    for candidate in dict.fromkeys(trial["candidate"] for trial in trials):
        cells = []
        for network in networks:
            trial = by_place.get((candidate, network))
            if trial is None:
                cells += ["", "", ""]
                continue
            difference = points(trial) - points(first[network])
            cells += [f"{points(trial):.1f}", f"{difference:+.1f}", f"{float(trial['last_validation_loss']):.3f}"]
        lines.append(f"| {candidate} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def sensitivity_table(trials: Sequence[Trial]) -> str:
    """One row for each network: its accuracy at the lower, the middle and the higher rate, and whether the middle one
    is the best or within a point of it. The candidates stand in this order in the table of trials."""
    candidates = list(dict.fromkeys(trial["candidate"] for trial in trials))
    lines = ["| network | " + " | ".join(candidates) + " | middle rate |", "|---" + "|--:" * len(candidates) + "|---|"]
    for network in dict.fromkeys(trial["network"] for trial in trials):
        found = [points(trial) for trial in trials if trial["network"] == network]
        behind = max(found) - found[len(found) // 2]
        verdict = "best" if behind == 0 else f"{behind:.1f} points behind"
        marked = verdict if behind <= WITHIN_POINTS else f"**{verdict}**"
        lines.append(f"| {network} | " + " | ".join(f"{value:.1f}" for value in found) + f" | {marked} |")
    return "\n".join(lines)


def with_tables(page: str, trials: Sequence[Trial]) -> str:
    """The page with every marked table made anew."""

    def made(found: re.Match[str]) -> str:
        stage = found["stage"]
        own = [trial for trial in trials if trial["stage"] == stage]
        table = sensitivity_table(own) if stage.startswith(SENSITIVITY) else stage_table(own)
        return f"<!-- stage {stage} -->\n{table}\n<!-- end -->"

    return re.sub(r"<!-- stage (?P<stage>\w+) -->.*?<!-- end -->", made, page, flags=re.DOTALL)


def main() -> None:
    """Make the tables anew."""
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), read_trials()), encoding="utf-8")


if __name__ == "__main__":
    main()
