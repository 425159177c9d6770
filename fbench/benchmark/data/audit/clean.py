"""From an audit to a cleaned index: which rows to leave out, by which rule, and for which copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from fbench.benchmark.data.audit.findings import Audit
from fbench.benchmark.data.copies import COPY_REASON
from fbench.benchmark.data.dataset import SPLITS, ImageDataset
from fbench.core.errors import UserError, did_you_mean


@dataclass(frozen=True)
class CleaningRule:
    """What a rule takes, in the plural, and what is then said of each image: "was left out because it ..."."""

    takes: str
    reason: str


RULES: Final = {
    "blank": CleaningRule("constant images of the training and validation split", "is blank"),
    "non_faces": CleaningRule(
        "images that annotators call no face, in every split, where that is known", "is no face to most annotators"
    ),
    "copies_across_splits": CleaningRule(
        "training and validation images that are exact copies of one in a later split", COPY_REASON
    ),
    "near_copies_across_splits": CleaningRule(
        "training and validation images that nearly equal one in a later split, as is or mirrored",
        "nearly equals an image in a later split, as it is or mirrored",
    ),
    "conflicting_copies": CleaningRule(
        "training images whose exact copies carry different labels, all of them", "has an exact copy with another label"
    ),
    "copies_within_training": CleaningRule(
        "training images that repeat an earlier training image", "repeats an earlier training image"
    ),
}
"""Rules by name, in the order in which they are asked; a row is left out by the first that names it.

Only non_faces can change the test split, and results on it are then no longer comparable with others', so it is not
among the defaults. Copies within the validation or test split stay: they weigh some images twice, but leak nothing.
"""
DEFAULT_RULES: Final = tuple(name for name in RULES if name != "non_faces")
"""Those that leave the test split as it is."""


@dataclass(frozen=True)
class LeftOutRow:
    """A row of the data set that the cleaned one has not: why, and the row whose copy it is, if any."""

    row: int
    rule: str
    copy_of: int | None = None


def check_rules(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names in the order of :data:`RULES`; none at all are the defaults.

    Raises:
        UserError: an unknown name.
    """
    for name in names:
        if name not in RULES:
            raise UserError(
                f"There is no cleaning rule '{name}'.{did_you_mean(name, RULES)} Allowed: {', '.join(RULES)}."
            )
    return tuple(name for name in RULES if name in (names or DEFAULT_RULES))


def require_findings(rules: tuple[str, ...], *, near: bool, non_faces: bool) -> None:
    """See that an audit that looks for near copies, or knows non-faces, as told can serve the rules.

    Raises:
        UserError: a rule needs what the audit does not look for.
    """
    if "near_copies_across_splits" in rules and not near:
        raise UserError("The rule near_copies_across_splits needs a full audit; leave --quick out, or the rule.")
    if "non_faces" in rules and not non_faces:
        raise UserError("The rule non_faces needs FERPlus votes; give them with --ferplus fer2013new.csv.")


def rows_to_leave_out(dataset: ImageDataset, audit: Audit, rules: tuple[str, ...]) -> list[LeftOutRow]:
    """What the rules leave out, by row, each row once.

    Raises:
        UserError: a rule needs what the audit did not look for.
    """
    require_findings(rules, near=audit.near is not None, non_faces=audit.non_face_rows is not None)
    found: dict[int, LeftOutRow] = {}
    finders = {
        "blank": lambda: [
            LeftOutRow(row, "blank") for row in audit.constant_rows if dataset.split[row] != SPLITS.index("test")
        ],
        "non_faces": lambda: [LeftOutRow(row, "non_faces") for row in audit.non_face_rows or ()],
        "copies_across_splits": lambda: _across_splits(dataset),
        "near_copies_across_splits": lambda: _near_across_splits(dataset, audit),
        "conflicting_copies": lambda: _conflicting(dataset),
        "copies_within_training": lambda: _within_training(dataset),
    }
    for rule in rules:
        for row in finders[rule]():
            found.setdefault(row.row, row)
    return [found[row] for row in sorted(found)]


def _groups_by_member(dataset: ImageDataset) -> list[list[int]]:
    """The rows of each group of two or more equal images."""
    members: dict[int, list[int]] = {}
    for row, group in enumerate(dataset.copy_groups.tolist()):
        members.setdefault(group, []).append(row)
    return [rows for rows in members.values() if len(rows) > 1]


def _across_splits(dataset: ImageDataset) -> list[LeftOutRow]:
    found = []
    for rows in _groups_by_member(dataset):
        latest = max(rows, key=lambda row: (int(dataset.split[row]), -row))
        found += [
            LeftOutRow(row, "copies_across_splits", latest)
            for row in rows
            if dataset.split[row] < dataset.split[latest]
        ]
    return found


def _near_across_splits(dataset: ImageDataset, audit: Audit) -> list[LeftOutRow]:
    groups = dataset.copy_groups
    members: dict[int, list[int]] = {}
    for row, group in enumerate(groups.tolist()):
        members.setdefault(group, []).append(row)
    found = []
    for near in audit.near or ():
        for pair in near.pairs:
            rows = members[int(groups[pair.first_row])], members[int(groups[pair.second_row])]
            for mine, theirs in (rows, rows[::-1]):
                latest = max(theirs, key=lambda row: (int(dataset.split[row]), -row))
                found += [
                    LeftOutRow(row, "near_copies_across_splits", latest)
                    for row in mine
                    if dataset.split[row] < dataset.split[latest]
                ]
    return found


def _conflicting(dataset: ImageDataset) -> list[LeftOutRow]:
    train = SPLITS.index("train")
    return [
        LeftOutRow(
            row, "conflicting_copies", next(other for other in rows if dataset.labels[other] != dataset.labels[row])
        )
        for rows in _groups_by_member(dataset)
        if len(np.unique(dataset.labels[rows])) > 1
        for row in rows
        if dataset.split[row] == train
    ]


def _within_training(dataset: ImageDataset) -> list[LeftOutRow]:
    train = SPLITS.index("train")
    found = []
    for rows in _groups_by_member(dataset):
        first, *others = [row for row in rows if dataset.split[row] == train] or [-1]
        found += [LeftOutRow(row, "copies_within_training", first) for row in others]
    return found
