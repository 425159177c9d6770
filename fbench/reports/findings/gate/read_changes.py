"""How much NEW differs from BASE in one metric: counts exactly, the rest with an interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from fbench.benchmark.records.cost_records import ALLOCATOR_PEAK, RESIDENT_GROWTH, CostRecord, EnergyReading
from fbench.benchmark.records.cost_specs import CostMode
from fbench.reports.findings.comparisons.evidence import Evidence, NetworkEvidence
from fbench.reports.findings.comparisons.learning import compare_evidence, learned_sides
from fbench.reports.findings.comparisons.studies import why_untested
from fbench.reports.findings.comparisons.units import NEW_UNITS
from fbench.reports.findings.gate.change import MeasuredChange, Unknown, Unmeasured, share_of
from fbench.reports.findings.gate.comparable import require_one_arithmetic, require_one_machine, require_one_training
from fbench.reports.findings.gate.imported_changes import imported_accuracy
from fbench.reports.findings.gate.metrics import Asked, ReadChange
from fbench.reports.findings.gate.subjects import ComparedPair, Side
from fbench.reports.findings.gate.time_changes import Records, TimeMetric, time_change
from fbench.reports.formatting import listing, plural
from fbench.statistics.comparison.networks import NetworkComparison
from fbench.statistics.intervals import Interval, t_interval
from fbench.statistics.mover import interval_difference

MEMORY_BETWEEN_SESSIONS_MIB: Final = {RESIDENT_GROWTH: 0.1, ALLOCATOR_PEAK: 0.0}
"""Standard deviation of a peak memory between processes, whatever its size: the largest in
``results/speed/sessions.csv``, rounded up; what an allocator counts is exact. Other ways to read it have an unknown
one."""

HOW: Final = {RESIDENT_GROWTH: "resident set of a fresh process", ALLOCATOR_PEAK: "allocator's peak"}

Found = list[tuple[str, MeasuredChange | Unknown]]


def count_of(field: str) -> ReadChange:
    """The change of a count, by its name in the records."""
    return lambda pair, asked: [("", _count(pair, field))]


def time_of(mode: CostMode, quantile: float = 0.5) -> ReadChange:
    """The change of a quantile of the time of a call."""
    metric = TimeMetric(mode, quantile)
    return _measured(lambda pair, records, asked: time_change(pair, metric, records, asked))


def rate_of(mode: CostMode) -> ReadChange:
    """The change of the images a second in the best batch."""
    metric = TimeMetric(mode, rate=True)
    return _measured(lambda pair, records, asked: time_change(pair, metric, records, asked))


def peak_memory_of(mode: CostMode) -> ReadChange:
    """The change of a peak memory."""
    return _measured(lambda pair, records, asked: _memory(pair, records, mode, asked.confidence))


def energy() -> ReadChange:
    """The change of the energy of an image in inference."""
    return _measured(lambda pair, records, asked: _energy(pair, records, asked.confidence))


def accuracy() -> ReadChange:
    """The difference in accuracy for new images, on each data set in common."""

    def found(pair: ComparedPair, asked: Asked) -> Found:
        if pair.base.imported is not None or pair.new.imported is not None:
            return imported_accuracy(pair, asked.confidence)
        return list(_on_each_data_set(pair, partial(_accuracy, asked.confidence)))

    return found


def quality_of(per_seed: Callable[[NetworkEvidence], Sequence[float]]) -> ReadChange:
    """The difference of a quality of single trials, a fraction of 1 for each seed in the order of their evidence, on
    each data set in common; chance is the seed, on this test set."""
    return lambda pair, asked: list(_on_each_data_set(pair, partial(_quality, per_seed, asked.confidence)))


def _measured(read: Callable[[ComparedPair, Records, Asked], MeasuredChange | Unknown]) -> ReadChange:
    """A reading of what was measured on both sides.

    The function that is returned raises UserError: different machines (unless asked for) or arithmetic.
    """

    def found(pair: ComparedPair, asked: Asked) -> Found:
        base, new = pair.base.cost(pair.base_network), pair.new.cost(pair.new_network)
        if base is None or new is None:
            side, network = (pair.words[0], pair.base_network) if base is None else (pair.words[1], pair.new_network)
            return [("", Unmeasured(f"{side} holds no measurement of {network}"))]
        require_one_arithmetic(base, new)
        if not asked.other_machine:
            require_one_machine(base, new)
        return [("", read(pair, Records(base, new), asked))]

    return found


def _count(pair: ComparedPair, field: str) -> MeasuredChange | Unknown:
    found = []
    sides = (pair.base, pair.base_network), (pair.new, pair.new_network)
    for word, (side, network) in zip(pair.words, sides, strict=True):
        number = _number(side, network, field)
        if number is None:
            return Unmeasured(f"{word} holds no count of {network}")
        found.append(number)
    base, new = found
    share = new / base - 1 if base else (0.0 if new == base else math.inf)
    return MeasuredChange(share, share, share, f"{base:,} to {new:,}", exact=True)


def _number(side: Side, network: str, field: str) -> int | None:
    """Counted with the measurement of cost, or noted by the trials."""
    static = side.static(network)
    if static is not None:
        return int(getattr(static, field))
    trials = [one.networks[network].records[0] for one in side.evidence if network in one.networks]
    return int(getattr(trials[0], field)) if trials and hasattr(trials[0], field) else None


def _memory(pair: ComparedPair, records: Records, mode: CostMode, confidence: float) -> MeasuredChange | Unknown:
    base, new = _peaks_mib(records.base, pair.base_network, mode), _peaks_mib(records.new, pair.new_network, mode)
    common = sorted(base.keys() & new.keys())
    if not common:
        return Unmeasured(f"no peak memory of {mode} was read on both sides with one batch and in one way")
    batch_size, method = common[0]
    if method not in MEMORY_BETWEEN_SESSIONS_MIB:
        return Unknown(f"peak memory was read as {method}, which varies from process to process; measure both anew")
    sides = [Interval(peak, peak, peak, confidence) for peak in (new[common[0]], base[common[0]])]
    found = interval_difference(sides[:1], sides[1:], math.sqrt(2) * MEMORY_BETWEEN_SESSIONS_MIB[method])
    estimate, low, high = (value / base[common[0]] for value in (found.estimate, found.low, found.high))
    exact = MEMORY_BETWEEN_SESSIONS_MIB[method] == 0
    return MeasuredChange(estimate, low, high, f"{mode}, batch {batch_size}, {HOW[method]}", exact=exact)


def _peaks_mib(cost: CostRecord, network: str, mode: CostMode) -> dict[tuple[int, str], float]:
    """By batch and method."""
    found = [one for one in cost.memory if (one.network, one.mode) == (network, mode)]
    return {(one.batch_size, one.method): one.peak_memory_mib for one in found if one.peak_memory_mib is not None}


def _energy(pair: ComparedPair, records: Records, confidence: float) -> MeasuredChange | Unknown:
    """Of the last inference setting in common, which has the largest batch."""
    sides = _energies(records.base, pair.base_network), _energies(records.new, pair.new_network)
    common = [label for label in sides[0] if label in sides[1]]
    if not common:
        return Unmeasured("no energy of an inference was read on both sides in one setting")
    found = []
    for side in sides:
        reading = side[common[-1]]
        if reading.joules_per_image is None:
            return Unmeasured(f"energy is {reading.method}")
        if len(reading.readings_j_per_image) < 2:
            return Unknown(f"energy is {reading.method}")
        if np.ptp(reading.readings_j_per_image) == 0:
            return Unknown("all readings of energy are equal, so that their resolution hides how they vary")
        found.append(t_interval(np.log(reading.readings_j_per_image), confidence))
    return share_of(interval_difference(found[1:], found[:1]), common[-1])


def _energies(cost: CostRecord, network: str) -> dict[str, EnergyReading]:
    return {one.setting.label: one for one in cost.energy if one.network == network and one.setting.mode == "inference"}


ReadTrials = Callable[[Evidence, NetworkEvidence, NetworkEvidence], MeasuredChange | Unknown]
"""What is read of the new side's evidence, the base network and the new one."""


def _on_each_data_set(pair: ComparedPair, read: ReadTrials) -> Iterator[tuple[str, MeasuredChange | Unknown]]:
    """What is read on each data set in common.

    Raises:
        UserError: different data sets, protocols, budgets or numerics.
    """
    if not pair.base.evidence or not pair.new.evidence:
        yield "", Unmeasured("accuracy needs a run's folder on both sides")
        return
    base = {evidence.data.name: evidence for evidence in pair.base.evidence}
    common = [evidence for evidence in pair.new.evidence if evidence.data.name in base]
    if not common:
        yield "", Unmeasured("the runs have no data set in common")
    for new in common:
        theirs = base[new.data.name].networks.get(pair.base_network)
        ours = new.networks.get(pair.new_network)
        if theirs is None or ours is None:
            side, network = ("BASE", pair.base_network) if theirs is None else ("NEW", pair.new_network)
            yield new.data.name, Unmeasured(f"{side} has no finished trial of {network}")
            continue
        require_one_training(theirs, ours)
        yield new.data.name, _read(read, base[new.data.name], new, theirs, ours)


def _read(
    read: ReadTrials, base: Evidence, new: Evidence, theirs: NetworkEvidence, ours: NetworkEvidence
) -> MeasuredChange | Unknown:
    """What trainings say: of those that learned, with what all of them say where any collapsed."""
    if untested := why_untested(base, new):
        return Unknown(untested)
    if ours.collapsed and theirs.collapsed:
        return Unknown("neither learned, as both are within chance of the largest class")
    every, learned = read(new, theirs, ours), learned_sides(ours, theirs)
    if learned is None or isinstance(every, Unknown):
        return every
    found = read(new, *reversed(learned))
    if isinstance(found, Unknown):
        return found
    left_out = listing(
        [
            f"{one.collapses.collapsed} of {one.collapses.trainings} of {word}"
            for word, one in (("BASE", theirs), ("NEW", ours))
        ]
    )
    how = f"{found.how}; trainings that learned, {left_out} collapsed"
    return replace(found, how=how, exact=found.exact and every.exact, with_collapsed=every)


def _accuracy(
    confidence: float, new: Evidence, theirs: NetworkEvidence, ours: NetworkEvidence
) -> MeasuredChange | Unknown:
    fewest = min(len(ours.seeds), len(theirs.seeds))
    if fewest < 2:
        return Unknown(f"one side has {plural(fewest, 'seed')}, and the chance of a seed shows in two or more")
    compared = compare_evidence(ours, theirs, confidence)
    found = compared.new_images
    return MeasuredChange(
        found.estimate,
        found.low,
        found.high,
        f"{new.split_words}, {NEW_UNITS[new.unit]} and seeds, {_seed_words(compared)}, {compared.images:,} images",
        "more seeds narrow it, as far as the test set allows",
    )


def _quality(
    per_seed: Callable[[NetworkEvidence], Sequence[float]],
    confidence: float,
    new: Evidence,
    theirs: NetworkEvidence,
    ours: NetworkEvidence,
) -> MeasuredChange | Unknown:
    """Paired by seed; where all differences are equal their resolution hides how they vary."""
    before, after = (dict(zip(side.seeds, per_seed(side), strict=True)) for side in (theirs, ours))
    common = sorted(before.keys() & after.keys())
    if len(common) < 2:
        return Unknown(f"both sides have {plural(len(common), 'seed')} in common, and chance shows in two or more")
    differences = [after[seed] - before[seed] for seed in common]
    how = f"{new.split_words}, these images, {plural(len(common), 'seed')}"
    if not any(differences):
        return MeasuredChange(0.0, 0.0, 0.0, f"{how}, equal with each", exact=True)
    found = t_interval(differences, confidence)
    low, high = max(-1.0, found.low), min(1.0, found.high)  # of a quality from 0 to 1
    return MeasuredChange(found.estimate, low, high, how, "more seeds narrow it")


def _seed_words(compared: NetworkComparison) -> str:
    if compared.pairing == "paired":
        return plural(compared.seeds, "seed")
    return f"{len(compared.our_seeds)} and {len(compared.their_seeds)} seeds, unpaired"
