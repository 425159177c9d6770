"""The cost of pairs of networks: every metric of the gate with its change, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Sequence

from fbench.core.schema import FrozenModel
from fbench.reports.findings.comparisons.alike import first_difference
from fbench.reports.findings.diff.model import SIDES, Cost, CostGroup, CostRow, CostVerdict
from fbench.reports.findings.gate.change import MeasuredChange, Unknown, UnknownWhileBusy
from fbench.reports.findings.gate.comparable import MACHINE_FIELDS, NUMERICS_FIELDS
from fbench.reports.findings.gate.conditions import Condition
from fbench.reports.findings.gate.family import ERROR, judge, read_family
from fbench.reports.findings.gate.subjects import ComparedPair
from fbench.reports.findings.measures.table import metrics
from fbench.reports.formatting import listing


def compare_cost(pairs: Sequence[ComparedPair], *, other_machine: bool = False) -> Cost:
    """Every metric of every pair; other machines only where asked, and other arithmetic never."""
    refusals = [_refusal(pair, other_machine=other_machine) for pair in pairs]
    conditions = [Condition(metric, 0.0) for metric in metrics().values() if metric.rests_on != "trials"]
    wanted = [
        (pair, condition)
        for pair, refusal in zip(pairs, refusals, strict=True)
        for condition in conditions
        if not refusal or condition.metric.rests_on == "counts"
    ]
    family = read_family(wanted, other_machine=True)
    groups: dict[int, list[CostRow]] = {}
    unknown: dict[tuple[str, str], list[str]] = {}
    busy: dict[str, None] = {}
    for one in family.readings:
        if isinstance(one.alone, UnknownWhileBusy):
            busy[f"Times are not compared: {one.alone.why}."] = None
        elif isinstance(one.alone, Unknown):
            unknown.setdefault((one.condition.metric.says, one.alone.why), []).append(one.pair.label)
        else:
            row = CostRow(one.condition.metric, one.alone, _verdict(one.together, one.condition))
            groups.setdefault(id(one.pair), []).append(row)
    return Cost(
        groups=tuple(CostGroup(pair.label, tuple(groups[id(pair)])) for pair in pairs if id(pair) in groups),
        confidence=1 - ERROR,
        joint_confidence=family.confidence,
        remarks=(*_remarks(pairs, refusals), *busy),
        unknown=tuple(
            f"{says}{'' if len(labels) == len(pairs) else f' of {listing(labels)}'}: {why}"
            for (says, why), labels in unknown.items()
        ),
    )


def _verdict(change: MeasuredChange | Unknown, condition: Condition) -> CostVerdict:
    if isinstance(change, Unknown):
        return "undecided"
    if change.exact and change.estimate == 0:
        return "same"
    found = judge(change, condition)
    return "dearer" if found.is_worse else "cheaper" if found.is_better else "undecided"


def _refusal(pair: ComparedPair, *, other_machine: bool) -> str:
    """Why nothing that was measured of a pair is compared; empty where it is."""
    base, new = pair.base.cost(pair.base_network), pair.new.cost(pair.new_network)
    if base is None or new is None:
        return ""
    numerics = _fields(base.spec.numerics, NUMERICS_FIELDS), _fields(new.spec.numerics, NUMERICS_FIELDS)
    if difference := first_difference(*numerics, SIDES):
        return f"Cost was measured in different ways ({difference}), so that only counts are compared."
    machines = _fields(base.machine, MACHINE_FIELDS), _fields(new.machine, MACHINE_FIELDS)
    if not other_machine and (difference := first_difference(*machines, SIDES)):
        return (
            f"Cost was measured on different machines ({difference}), so that only counts are compared; with "
            "--other-machine, times are held against the reference load of each machine."
        )
    return ""


def _remarks(pairs: Sequence[ComparedPair], refusals: Sequence[str]) -> tuple[str, ...]:
    found = list(refusals)
    for pair, refusal in zip(pairs, refusals, strict=True):
        base, new = pair.base.cost(pair.base_network), pair.new.cost(pair.new_network)
        if refusal or base is None or new is None:
            continue
        machines = _fields(base.machine, MACHINE_FIELDS), _fields(new.machine, MACHINE_FIELDS)
        if difference := first_difference(*machines, SIDES):
            found.append(
                f"Cost was measured on different machines ({difference}): times are compared as multiples of the "
                "reference load of each machine, memory and energy as they were read."
            )
    return tuple(dict.fromkeys(text for text in found if text))


def _fields(model: FrozenModel, names: tuple[str, ...]) -> dict[str, object]:
    return {name.replace("_", " "): getattr(model, name) for name in names}
