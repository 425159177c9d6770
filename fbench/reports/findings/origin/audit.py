"""The data audit as a reader needs it: what was found, and what it means for the numbers of the report."""

from __future__ import annotations

from dataclasses import dataclass

from fbench.benchmark.data.audit.findings import Audit
from fbench.benchmark.data.dataset import SPLITS, SplitName
from fbench.reports.formatting import count, plural


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for: what was found, and what that means; ``bad`` marks what a reader must know."""

    topic: str
    found: str
    meaning: str
    bad: bool


@dataclass(frozen=True)
class AuditSection:
    """Images by class (rows) and split (columns), and the findings."""

    classes: tuple[tuple[str, tuple[int, ...]], ...]
    totals: tuple[int, ...]
    findings: tuple[Finding, ...]


def audit_section(audit: Audit) -> AuditSection:
    """The section of one data set."""
    by_split = [audit.images_by_split_and_class[split] for split in SPLITS]
    return AuditSection(
        classes=tuple(
            (name, tuple(counts[index] for counts in by_split)) for index, name in enumerate(audit.class_names)
        ),
        totals=tuple(sum(counts) for counts in by_split),
        findings=(
            _leaks(audit),
            *_between_splits(audit),
            _redundant(audit),
            _conflicts(audit),
            *_near(audit),
            _blank(audit),
            *_non_faces(audit),
            *_subjects(audit),
            _imbalance(audit),
            *_left_out(audit),
        ),
    )


def _leaks(audit: Audit) -> Finding:
    leaked, test = len(audit.test_rows_with_copies), sum(audit.images_by_split_and_class["test"])
    share = f" ({100 * leaked / test:.1f} % of {count(test)})" if test else ""
    return Finding(
        "Test images with an exact copy in the training or validation split",
        f"{count(leaked)}{share}",
        "The summary has accuracy without them, too." if leaked else "No test image was seen before.",
        leaked > 0,
    )


def _between_splits(audit: Audit) -> list[Finding]:
    words: dict[SplitName, str] = {"train": "training", "validation": "validation", "test": "test"}
    return [
        Finding(
            f"Exact copies between {words[pair.first]} and {words[pair.second]} split",
            f"{plural(pair.distinct_images, 'image')}, {count(pair.rows_in_second)} rows of the latter",
            f"{count(pair.rows_in_second_with_other_label)} of these rows carry another label than a copy.",
            True,
        )
        for pair in audit.exact.across
        if pair.distinct_images
    ]


def _redundant(audit: Audit) -> Finding:
    exact = audit.exact
    return Finding(
        "Exact copies in all",
        f"{plural(exact.redundant_rows, 'redundant row')} in {plural(exact.groups, 'group')}",
        "Some images count more than once." if exact.redundant_rows else "Every image is there once.",
        exact.redundant_rows > 0,
    )


def _conflicts(audit: Audit) -> Finding:
    groups = audit.exact.conflicting_groups
    return Finding(
        "Copies with different labels",
        f"{plural(groups, 'group')}, {plural(audit.exact.rows_in_conflicting_groups, 'row')}",
        "No network can be right on all of them." if groups else "Labels agree.",
        groups > 0,
    )


def _near(audit: Audit) -> list[Finding]:
    if audit.near is None:
        return [Finding("Near copies", "not looked for", "The command fbench data audit compares every pair.", False)]
    return [
        Finding(
            f"Near copies{', one of them mirrored' if near.kind == 'mirrored' else ''} "
            f"(correlation above {near.correlation_above})",
            f"{plural(len(near.pairs), 'pair')}, {count(near.pairs_across_splits)} across splits",
            f"With exact ones, {plural(near.test_rows_with_near_copy, 'test image')} "
            f"{'has' if near.test_rows_with_near_copy == 1 else 'have'} a copy in the training or validation split.",
            near.pairs_across_splits > 0,
        )
        for near in audit.near
    ]


def _blank(audit: Audit) -> Finding:
    return Finding(
        "Blank images",
        f"{count(len(audit.constant_rows))}, of them {count(len(audit.black_rows))} black",
        "They show nothing, whatever their label says." if audit.constant_rows else "Every image shows something.",
        bool(audit.constant_rows),
    )


def _non_faces(audit: Audit) -> list[Finding]:
    if audit.non_face_rows is None:
        return []
    found = count(len(audit.non_face_rows))
    return [Finding("No face, by FERPlus", found, "Most of ten taggers saw no face.", bool(audit.non_face_rows))]


def _subjects(audit: Audit) -> list[Finding]:
    if audit.subjects_on_both_sides is None:
        return []
    both = len(audit.subjects_on_both_sides)
    meaning = "Accuracy is partly memory of faces." if both else "The people who test are strangers to the network."
    return [
        Finding("Subjects in more than one split", f"{count(both)} of {count(audit.subjects or 0)}", meaning, both > 0)
    ]


def _imbalance(audit: Audit) -> Finding:
    return Finding(
        "Largest class of the training split over the smallest",
        f"{audit.imbalance:.1f}",
        "Read balanced accuracy and macro F1 beside top-1." if audit.imbalance > 1.5 else "Classes are nearly even.",
        audit.imbalance > 1.5,
    )


def _left_out(audit: Audit) -> list[Finding]:
    return [
        Finding("Left out on reading", count(len(part.names)), f"Each {part.reason}.", True) for part in audit.left_out
    ]
