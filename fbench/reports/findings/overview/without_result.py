"""Planned networks of which nothing is known: all their trainings failed, or have not been run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.formatting import ELLIPSIS, count

_MOST_OF_A_REASON: Final = 120


@dataclass(frozen=True)
class NetworkWithoutResult:
    """A network without a training that counts; ``reason`` says why, such as ``failed: RuntimeError: no memory``."""

    network: str
    reason: str


def networks_without_result(evidence: Evidence) -> tuple[NetworkWithoutResult, ...]:
    """Those of a run on one data set, in the order of the plan."""
    rows = [row for row in evidence.run.plan if row.data == evidence.recorded_data]
    absent = [name for name in dict.fromkeys(row.network for row in rows) if name not in evidence.networks]
    return tuple(NetworkWithoutResult(name, _reason(evidence, name)) for name in absent)


def _reason(evidence: Evidence, network: str) -> str:
    run, data = evidence.run, evidence.recorded_data
    reasons = [
        record.failure_reason or "" for row, record in run.failed() if (row.network, row.data) == (network, data)
    ]
    missing = sum((row.network, row.data) == (network, data) for row in run.missing())
    if reasons:
        text = " ".join(next(filter(None, reasons), "no reason was recorded").split())
        text = text if len(text) <= _MOST_OF_A_REASON else f"{text[: _MOST_OF_A_REASON - 1]}{ELLIPSIS}"
        return f"failed: {text}" + (f"; {count(missing)} not run yet" if missing else "")
    return "not run yet" if missing else "its predictions are not there"
