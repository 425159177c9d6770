"""The data audit in a report, and the headline without the test images that have a copy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fbench.benchmark.data.audit.findings import Audit, ExactCopies, SplitCopies
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.reports.findings.gather import gather_findings
from fbench.reports.findings.origin.audit import audit_section
from fbench.reports.render.csv.runs import summary_rows
from fbench.reports.render.html.build import build_report
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.read_page import Page

pytestmark = pytest.mark.usefixtures("unpainted")


def audit_of(run: RunTable, leaked: tuple[int, ...]) -> Audit:
    (data,) = run.config.data
    none = SplitCopies(groups=0, rows=0, redundant_rows=0, conflicting_groups=0)
    return Audit(
        data_name=data.name,
        data_fingerprint=data.fingerprint,
        description="",
        conversion="",
        class_names=data.class_names,
        images_by_split_and_class={
            "train": (280, 300, 290, 280, 280, 290, 280),
            "validation": (60,) * 7,
            "test": (57,) * 7,
        },
        imbalance=300 / 280,
        left_out=(),
        exact=ExactCopies(
            distinct_images=2790,
            redundant_rows=10,
            groups=10,
            rows_in_groups=20,
            groups_by_size={"2": 10},
            conflicting_groups=0,
            rows_in_conflicting_groups=0,
            groups_across_splits=10,
            rows_in_groups_across_splits=20,
            conflicting_groups_across_splits=0,
            within_split={"train": none, "validation": none, "test": none},
            across=(),
        ),
        constant_rows=(),
        black_rows=(),
        test_rows_with_copies=leaked,
    )


def audited(folder: Path, leaked: tuple[int, ...]) -> RunTable:
    run = fabricate_run(folder, Recipe(images=400))
    run.folder.write_audit(run.config.data[0].fingerprint, audit_of(run, leaked))
    return load_run(folder)


def test_headline_and_summary_are_also_given_without_copies(folder: Path) -> None:
    leaked = tuple(range(0, 400, 8))
    run = audited(folder, leaked)
    page = Page(build_report([run]))
    kept = np.ones(400, bool)
    kept[list(leaked)] = False
    expected = run.correctness("ires", "fer2013").correct[:, kept].mean()
    assert (
        "Without the 50 test images that have an exact copy in the training or validation split, "
        f"ires has {100 * expected:.1f} %"
    ) in page.text
    assert "without copies" in page.text
    row = next(row for row in summary_rows(gather_findings([run])) if row["network"] == "ires")
    assert row["images_without_copies"] == 350
    assert row["top1_without_copies"] == expected


def test_nothing_is_said_of_copies_where_there_are_none(folder: Path) -> None:
    page = Page(build_report([audited(folder, ())]))
    assert "Without the" not in page.text
    assert "without copies" not in page.text
    assert "Data audit" in page.text


def test_a_run_without_an_audit_has_no_section(page: Page) -> None:
    assert "Data audit" not in page.text


def test_every_finding_says_what_it_means(run: RunTable) -> None:
    section = audit_section(audit_of(run, (1, 2)))
    assert section.totals == (2000, 420, 399)
    assert all(finding.found and finding.meaning for finding in section.findings)
    (leaks,) = [finding for finding in section.findings if finding.topic.startswith("Test images")]
    assert (leaks.found, leaks.bad) == ("2 (0.5 % of 399)", True)
