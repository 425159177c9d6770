"""Bundles that a leaderboard can take: each checked by itself, as a report would read it, and beside the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fbench.benchmark.bundles.checking import check_bundle
from fbench.benchmark.bundles.findings import BundleCheck, BundleFinding, said
from fbench.benchmark.bundles.together import bundle_folders, bundle_names, check_together
from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import UserError
from fbench.reports.findings.comparisons.usable import usable_trials


def require_usable(run: RunTable) -> None:
    """See that a report of a run leaves nothing out.

    Raises:
        UserError: it would, or would refuse the run.
    """
    for data in run.config.data:
        usable_trials(run, data)


def check_bundles(paths: Sequence[Path]) -> list[BundleCheck]:
    """The checks of bundles, or of all in a folder.

    Raises:
        UserError: a path is no bundle and holds none.
    """
    folders = bundle_folders(paths)
    checks = [
        replace(_read_as_a_report(check_bundle(path)), name=name)
        for path, name in zip(folders, bundle_names(folders), strict=True)
    ]
    for place, found in [(checks.index(check), found) for check, found in check_together(checks)]:
        checks[place] = _with(checks[place], found)
    return checks


def _read_as_a_report(check: BundleCheck) -> BundleCheck:
    if check.run is None or not check.passes:
        return check
    try:
        require_usable(check.run)
    except (UserError, OSError, ValueError, KeyError) as error:
        reason = said(error).replace(f"{check.path}/", "")
        return _with(check, BundleFinding("the run", f"makes no report: {reason}"))
    return check


def _with(check: BundleCheck, found: BundleFinding) -> BundleCheck:
    return replace(check, findings=(*check.findings, found))
