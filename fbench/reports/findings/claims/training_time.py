"""Claims about training time: paired ratios of training steps that were measured together, while no trial ran."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from fbench.ablations.claim import Claim
from fbench.ablations.claim_tests import TimeTest, TrainingTimeReduction, TrainsFaster
from fbench.benchmark.records.cost_records import CostRecord
from fbench.core.errors import UserError
from fbench.reports.findings.claims.parts import ClaimPart, MissingEvidence
from fbench.reports.findings.claims.pool import FIRST_AND_SECOND, ClaimInputs
from fbench.reports.findings.comparisons.alike import first_difference
from fbench.reports.findings.costs.timings import image_log_times, main_setting
from fbench.reports.findings.gate.comparable import MACHINE_FIELDS
from fbench.reports.formatting import minus, number
from fbench.statistics.statements import StatementAnswer, says_ratio_within, says_shorter
from fbench.statistics.timing import LogTimes, TimeRatio, time_ratio


@dataclass(frozen=True)
class _Measured:
    """Two networks' training steps in one measurement; ``where`` is the folder of its run."""

    where: str
    cost: CostRecord
    ours: LogTimes
    theirs: LogTimes


@dataclass(frozen=True)
class _Reading:
    """A kind of test: between which ratios of time it holds, and what two networks' times answer to it."""

    limits: Callable[[Any], tuple[float, float]]
    judge: Callable[[LogTimes, LogTimes, Any], StatementAnswer]


def _shorter(test: TrainsFaster) -> tuple[float, float]:
    return 1 - test.margin_percent / 100, 1.0


def _says_shorter(ours: LogTimes, theirs: LogTimes, test: TrainsFaster) -> StatementAnswer:
    return says_shorter(ours, theirs, test.margin_percent / 100)


def _as_printed(test: TrainingTimeReduction) -> tuple[float, float]:
    """To half of the last digit that is printed."""
    half = test.precision / 2
    return 1 - (test.high_percent + half) / 100, 1 - (test.low_percent - half) / 100


def _says_as_printed(ours: LogTimes, theirs: LogTimes, test: TrainingTimeReduction) -> StatementAnswer:
    return says_ratio_within(ours, theirs, *_as_printed(test))


_READINGS: Final[Mapping[str, _Reading]] = {
    "trains_faster": _Reading(_shorter, _says_shorter),
    "training_time_reduction": _Reading(_as_printed, _says_as_printed),
}


def time_parts(test: TimeTest, claim: Claim, inputs: ClaimInputs) -> list[ClaimPart]:
    """The parts of a test of training time, one for each network that it is held against.

    Raises:
        UserError: the claim would rest on measurements of different machines, numerics or batches.
    """
    found = {other: _measured(test.network, other, claim, inputs) for other in test.than}
    used = [one for one in found.values() if one is not None]
    for first, second in pairwise(used):
        _require_one_measuring(first, second)
    parts = [_part(test, other, measured) for other, measured in found.items()]
    if isinstance(test, TrainingTimeReduction) and test.reading == "up_to":
        return _largest(parts, found)
    return parts


def measured_ratio(network: str, other: str, claim: Claim, inputs: ClaimInputs) -> TimeRatio | None:
    """How many times as long a training step takes, of the measurement that a claim rests on; none without one."""
    found = _measured(network, other, claim, inputs)
    return None if found is None else time_ratio(found.ours, found.theirs)


def _largest(parts: list[ClaimPart], found: Mapping[str, _Measured | None]) -> list[ClaimPart]:
    """The part of the network that most time is saved against; all parts where any was not measured."""
    measured = [one for one in found.values() if one is not None]
    if len(measured) < len(parts):
        return parts
    ratios = [time_ratio(one.ours, one.theirs).ratio for one in measured]
    return [parts[ratios.index(min(ratios))]]


def _measured(network: str, other: str, claim: Claim, inputs: ClaimInputs) -> _Measured | None:
    """Of the measurements with both, the one that holds most networks of the claim; of equal ones the newest."""
    best: tuple[int, int] | None = None
    found = None
    for index, (where, cost) in enumerate(inputs.costs):
        setting = main_setting(cost, "train")
        series = [cost.find(name, setting) for name in (network, other)] if setting else []
        both = [image_log_times(one) for one in series if one is not None and one.times_s]
        if len(both) < 2 or not both[0].keys() & both[1].keys():
            continue
        rank = (len(set(claim.networks) & set(cost.static)), index)
        if best is None or rank > best:
            best, found = rank, _Measured(where, cost, both[0], both[1])
    return found


def _part(test: TimeTest, other: str, measured: _Measured | None) -> ClaimPart:
    if measured is None:
        return ClaimPart(lacks=(MissingEvidence("cost", networks=(test.network, other)),))
    ratio, reading = time_ratio(measured.ours, measured.theirs), _READINGS[test.kind]
    text = f"{test.network} takes {_change(ratio)} than {other} for a training step"
    answer = reading.judge(measured.ours, measured.theirs, test)
    setting = main_setting(measured.cost, "train")
    batch = f"batch {setting.batch_size}, " if setting else ""
    machine = measured.cost.machine.accelerator or measured.cost.machine.processor
    remarks = (f"training steps on {machine}, {batch}{measured.cost.spec.numerics.precision}",)
    return ClaimPart(text, None, answer, () if answer.supports else _more_blocks(reading.limits(test), ratio), remarks)


def _change(ratio: TimeRatio) -> str:
    """The time as a share less or more, with its interval."""
    word, sign = ("less", -1) if ratio.ratio <= 1 else ("more", 1)
    middle, *ends = (100 * sign * (value - 1) for value in (ratio.ratio, ratio.low, ratio.high))
    if not all(map(math.isfinite, ends)):
        return f"{number(middle, 1)} % {word} time (too few blocks for an interval)"
    return minus(f"{number(middle, 1)} % {word} time ({number(min(ends), 1)} to {number(max(ends), 1)} %)")


def _more_blocks(limits: tuple[float, float], ratio: TimeRatio) -> tuple[MissingEvidence, ...]:
    """Blocks after which the interval would reach no further than to the nearest limit of what is claimed."""
    nearest = min(abs(ratio.ratio / limit - 1) for limit in limits)
    wanted = ratio.blocks_to_tell(nearest)
    blocks = math.ceil(wanted) if math.isfinite(wanted) else 2 * ratio.blocks
    return (MissingEvidence("blocks", amount=max(blocks, ratio.blocks + 1)),)


def _require_one_measuring(first: _Measured, second: _Measured) -> None:
    if found := first_difference(_settings(first.cost), _settings(second.cost), FIRST_AND_SECOND):
        raise UserError(
            f"The costs in {first.where} and {second.where} cannot stand in one claim: {found}; measure all its "
            "networks in one run."
        )


def _settings(cost: CostRecord) -> dict[str, Any]:
    machine = {f"machine.{name}": getattr(cost.machine, name) for name in MACHINE_FIELDS}
    numerics = {f"numerics.{name}": value for name, value in cost.spec.numerics.model_dump().items()}
    setting = main_setting(cost, "train")
    return machine | numerics | {"training batch": setting.batch_size if setting else None}


EVALUATORS: Final = dict.fromkeys(_READINGS, time_parts)
