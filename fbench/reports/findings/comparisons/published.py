"""Paper against measured: the papers' printed figures beside ours, with the reason where they differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fbench.ablations.published import PublishedValue, published_values
from fbench.architectures.contract import ContractRow, built_in_contract
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.findings.comparisons.summary import NetworkSummary
from fbench.reports.formatting import count, minus, number, percent, percent_range, points

TOP1: Final = "top-1, %"
_CONTRACT_INPUT: Final = (1, 48, 48)
_CONTRACT_CLASSES: Final = 7
_DATA_OF_PAPERS: Final = {"fer2013": "fer2013", "ck48": "ck_plus", "ck48-by_frame": "ck_plus"}


@dataclass(frozen=True)
class PublishedRow:
    """One printed figure of a network beside ours, as text; ``difference`` is ours minus the paper's."""

    network: str
    paper: str
    section: str
    quantity: str
    stated: str
    measured: str
    difference: str
    remark: str


def published_rows(evidence: Evidence, summary: list[NetworkSummary]) -> list[PublishedRow]:
    """The printed figures that can be held against this run: top-1 on the same data, and parameters.

    Parameters are left out where the networks were built for another input or number of classes.
    """
    accuracies = _stated_accuracies(evidence.data.name)
    rows = []
    for row in summary:
        rows += [_accuracy_row(row, value) for value in accuracies if value.architecture == row.network]
        rows += _parameter_rows(row, evidence.networks[row.network].records[0])
    return rows


def printed_top1(rows: Iterable[PublishedRow]) -> dict[str, tuple[PublishedRow, ...]]:
    """The printed accuracies of each network that has one."""
    found: dict[str, tuple[PublishedRow, ...]] = {}
    for row in rows:
        if row.quantity == TOP1:
            found[row.network] = (*found.get(row.network, ()), row)
    return found


def _stated_accuracies(data: str) -> list[PublishedValue]:
    wanted = _DATA_OF_PAPERS.get(data)
    if wanted is None:
        return []
    return [value for value in published_values() if (value.data, value.metric) == (wanted, "top1")]


def _accuracy_row(row: NetworkSummary, value: PublishedValue) -> PublishedRow:
    ours = row.accuracy.new_images
    return PublishedRow(
        network=row.network,
        paper=value.paper,
        section=value.section,
        quantity=TOP1,
        stated=number(value.value, 2),
        measured=f"{percent(ours.estimate)} ({percent_range(ours.low, ours.high)})",
        difference=points(ours.estimate - value.value / 100),
        remark=value.remark,
    )


def _parameter_rows(row: NetworkSummary, record: TrialRecord) -> list[PublishedRow]:
    network = record.spec.network
    stated = built_in_contract().get(row.network)
    same_task = network.input_shape == _CONTRACT_INPUT and network.options["num_classes"] == _CONTRACT_CLASSES
    if stated is None or not same_task:
        return []
    figures = (
        ("total parameters (Keras)", stated.stated_total, row.cost.total_params_keras),
        ("trainable parameters", stated.stated_trainable, row.cost.trainable_params),
    )
    return [
        PublishedRow(
            network=row.network,
            paper=stated.paper,
            section=stated.paper_row,
            quantity=quantity,
            stated=count(printed),
            measured=count(ours),
            difference=minus(f"{ours - printed:+,}") if ours != printed else "0",
            remark=_remark(stated),
        )
        for quantity, printed, ours in figures
        if printed is not None and ours is not None
    ]


def _remark(stated: ContractRow) -> str:
    rounded = f"Printed to the nearest {stated.stated_precision:,}." if stated.stated_precision > 1 else ""
    return " ".join(part for part in (rounded, stated.reason) if part)
