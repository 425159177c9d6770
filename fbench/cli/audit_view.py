"""What ``fbench data audit`` prints."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from fbench.benchmark.data.audit.findings import Audit, NearCopies
from fbench.benchmark.data.dataset import SPLITS, ImageDataset
from fbench.core.errors import readable

SHOWN_PAIRS = 5
SHOWN_NAMES = 3


def print_audit(audit: Audit, dataset: ImageDataset) -> None:
    """Print the findings as tables and lines; what was not looked for is said."""
    # Descriptions and names are the user's: "[old]" in a folder's name is no markup, ":smile:" no emoji.
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(audit.description)
    console.print(_counts(audit))
    console.print(f"Largest class of the training split over the smallest: {audit.imbalance:.1f}\n")
    console.print(_exact(audit))
    exact = audit.exact
    console.print(
        f"Exact copies in all: {exact.redundant_rows:,} redundant rows in {exact.groups:,} groups "
        f"({exact.rows_in_groups:,} rows); {exact.conflicting_groups:,} groups carry different labels "
        f"({exact.rows_in_conflicting_groups:,} rows); {exact.groups_across_splits:,} groups span splits "
        f"({exact.rows_in_groups_across_splits:,} rows)."
    )
    console.print(
        f"Test images with an exact copy in the training or validation split: {len(audit.test_rows_with_copies):,}\n"
    )
    _print_near(console, audit, dataset)
    console.print(f"Blank images: {_rows(audit.constant_rows, dataset)}; all black: {len(audit.black_rows)}")
    _print_non_faces(console, audit, dataset)
    _print_subjects(console, audit)
    for part in audit.left_out:
        names = ", ".join(map(readable, part.names[:SHOWN_NAMES]))
        more = f" and {len(part.names) - SHOWN_NAMES:,} more" if len(part.names) > SHOWN_NAMES else ""
        console.print(f"Left out, each {part.reason}: {len(part.names):,} ({names}{more})")
    if audit.conversion:
        console.print(f"Conversion: {audit.conversion}")


def _counts(audit: Audit) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Images by class and split", title_justify="left")
    table.add_column("class")
    for split in SPLITS:
        table.add_column(split, justify="right")
    for index, name in enumerate(audit.class_names):
        table.add_row(name, *(f"{audit.images_by_split_and_class[split][index]:,}" for split in SPLITS))
    table.add_section()
    table.add_row("all", *(f"{sum(audit.images_by_split_and_class[split]):,}" for split in SPLITS))
    return table


def _exact(audit: Audit) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Exact copies", title_justify="left")
    table.add_column("where")
    for column in ("distinct images", "rows", "with another label"):
        table.add_column(column, justify="right")
    for split, within in audit.exact.within_split.items():
        table.add_row(
            f"within {split}", f"{within.groups:,}", f"{within.rows:,}", _plural(within.conflicting_groups, "group")
        )
    for pair in audit.exact.across:
        table.add_row(
            f"{pair.first} and {pair.second}",
            f"{pair.distinct_images:,}",
            f"{pair.rows_in_first:,} and {pair.rows_in_second:,}",
            _plural(pair.rows_in_second_with_other_label, "row"),
        )
    return table


def _print_near(console: Console, audit: Audit, dataset: ImageDataset) -> None:
    if audit.near is None:
        console.print("Near copies: not looked for; leave --quick out to compare every pair of images.")
        return
    for near in audit.near:
        console.print(
            f"Near copies{' (one mirrored)' if near.kind == 'mirrored' else ''}, correlation above "
            f"{near.correlation_above}: {_plural(len(near.pairs), 'pair')} of distinct images, "
            f"{near.pairs_across_splits:,} across splits, {near.pairs_with_other_label:,} with different labels; test "
            "images with an exact copy or one of these in the training or validation split: "
            f"{near.test_rows_with_near_copy:,}"
        )
        _print_pairs(console, near, dataset)


def _print_pairs(console: Console, near: NearCopies, dataset: ImageDataset) -> None:
    for pair in near.pairs[:SHOWN_PAIRS]:
        first, second = (readable(dataset.sample_ids[row]) for row in (pair.first_row, pair.second_row))
        labels = "" if pair.same_label else ", different labels"
        console.print(
            f"    {first} ({pair.first_split}) and {second} ({pair.second_split}): {pair.correlation:.4f}{labels}"
        )


def _print_non_faces(console: Console, audit: Audit, dataset: ImageDataset) -> None:
    if audit.non_face_rows is not None:
        console.print(f"No face, by FERPlus: {_rows(audit.non_face_rows, dataset)}")
    elif audit.data_name.startswith("fer2013"):
        console.print("No face: not known; FERPlus tells it of FER2013 (--ferplus fer2013new.csv).")


def _print_subjects(console: Console, audit: Audit) -> None:
    if audit.subjects_on_both_sides is None:
        console.print("Subjects: the source does not tell who is shown.")
        return
    both = [found.subject for found in audit.subjects_on_both_sides]
    console.print(
        f"Subjects: {audit.subjects:,}, of them in more than one split: {len(both):,}"
        + (f" ({', '.join(both[:SHOWN_NAMES])}{', ...' if len(both) > SHOWN_NAMES else ''})" if both else "")
    )


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _rows(rows: tuple[int, ...], dataset: ImageDataset) -> str:
    names = ", ".join(readable(dataset.sample_ids[row]) for row in rows[:SHOWN_NAMES])
    return f"{len(rows):,}" + (f" ({names}{', ...' if len(rows) > SHOWN_NAMES else ''})" if rows else "")
