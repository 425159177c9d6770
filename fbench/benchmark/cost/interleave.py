"""Timing calls in interleaved, randomised blocks, so that whatever the machine does meanwhile hits all alike.

A block goes through the settings in random order. At its start every network is copied to another place in memory, in
random order. Then, in turns, all networks are visited in random order, each with a few calls. Blocks are what
statistics count: two equal networks differ within a block by chance alone, one way or the other with the same
probability, whatever else the machine does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Final, NamedTuple

import numpy as np

from fbench.benchmark.cost.calls import Call
from fbench.benchmark.cost.clock import Clock
from fbench.benchmark.records.cost_records import SettingFailure, TimingSeries
from fbench.benchmark.records.cost_specs import Setting
from fbench.core.errors import reason_of
from fbench.core.working_clock import working_s

RHYTHMS: Final = ((0.01, 1, 5), (0.05, 1, 2))
"""A call below so many seconds is visited with so many untimed and timed calls; a longer one is timed once.

The untimed one refills the caches, which the network before has emptied. Both buildings of a network have one rhythm:
where the number of calls followed each one's own warm-up, the later was found up to 1.5 % faster than its equal."""

SETTLED: Final = 0.97
WINDOW: Final = 5
MOST_WARMUP_S: Final = 2.0
MOST_WARMUP_CALLS: Final = 200


@dataclass(frozen=True)
class TimedCall:
    """A call with what the record says of it."""

    network: str
    setting: Setting
    batch_size: int
    call: Call
    instance: int = 0


@dataclass(frozen=True)
class Schedule:
    """How many blocks, about how many seconds they take together, and the seed of every order."""

    blocks: int
    seconds: float
    seed: int


@dataclass(frozen=True)
class WarmUp:
    """How a call warmed up: calls, whether times had settled, and the time of a call then."""

    calls: int
    settled: bool
    call_s: float


@dataclass(frozen=True)
class Rhythm:
    """How often a network is called when it is visited: first untimed, then timed."""

    untimed: int
    timed: int


class _Sample(NamedTuple):
    """One timed call; kept as one, so that an interruption never cuts through it."""

    block: int
    turn: int
    order: int
    parts_s: tuple[float, ...]


@dataclass(frozen=True)
class Timed:
    """What was timed, what failed, and whether somebody interrupted it before the last block."""

    series: tuple[TimingSeries, ...]
    failures: tuple[SettingFailure, ...]
    interrupted: bool = False


@dataclass
class _Column:
    """The samples of one call as they come."""

    timed: TimedCall
    warm_up: WarmUp
    rhythm: Rhythm
    samples: list[_Sample] = field(default_factory=list)
    dropped: int = 0
    failure: str | None = None

    def series(self, threads: int) -> TimingSeries:
        rounded = [tuple(round(part, 9) for part in parts) for parts in (sample.parts_s for sample in self.samples)]
        names = self.timed.call.parts
        return TimingSeries(
            network=self.timed.network,
            instance=self.timed.instance,
            setting=self.timed.setting,
            batch_size=self.timed.batch_size,
            threads=threads,
            blocks=tuple(sample.block for sample in self.samples),
            turns=tuple(sample.turn for sample in self.samples),
            orders=tuple(sample.order for sample in self.samples),
            times_s=tuple(round(sum(parts), 9) for parts in rounded),
            parts_s={name: tuple(parts[i] for parts in rounded) for i, name in enumerate(names)} if names[1:] else {},
            warmup_calls=self.warm_up.calls,
            warm=self.warm_up.settled,
            dropped_calls=self.dropped,
        )


def warm_up(call: Call, clock: Clock, most_s: float = MOST_WARMUP_S) -> WarmUp:
    """Call until times have settled: the median of the last five is at least 97 % of that of the five before.

    It ends unsettled after ``most_s`` seconds (though not before two calls) or 200 calls.
    """
    call.prepare()
    times: list[float] = []
    started = working_s()
    while len(times) < MOST_WARMUP_CALLS:
        times.append(sum(clock.time(call)))
        if settled(times):
            return WarmUp(len(times), True, median(times[-WINDOW:]))
        if len(times) >= 2 and working_s() - started > most_s:
            break
    return WarmUp(len(times), False, median(times[-WINDOW:]))


def settled(times: Sequence[float]) -> bool:
    """Whether the last five times are no longer falling."""
    if len(times) < 2 * WINDOW:
        return False
    return median(times[-WINDOW:]) >= SETTLED * median(times[-2 * WINDOW : -WINDOW])


def time_interleaved(
    calls: Sequence[tuple[TimedCall, WarmUp]],
    clock: Clock,
    schedule: Schedule,
    threads: int,
    progress: Callable[[str], None] = lambda what: None,
    visiting: Callable[[str], None] = lambda network: None,
    after_error: Callable[[BaseException], None] = lambda error: None,
) -> Timed:
    """Time warm calls; a block lasts ``seconds / blocks``, and every call is timed in it at least once.

    ``progress`` is told of blocks, and ``visiting`` which network is called next; it has to be as quick as a thought.
    ``after_error`` is given what a call raised, and may raise where nothing more can be timed.

    A call that fails is left out from then on and named with its reason; what was timed before is kept, and so it is
    when somebody presses Ctrl-C.
    """
    generator = np.random.default_rng(schedule.seed)
    columns = [_Column(timed, warm, _rhythm_of(timed, calls)) for timed, warm in calls]
    groups: dict[Setting, list[_Column]] = {}
    for column in columns:
        groups.setdefault(column.timed.setting, []).append(column)
    settings = list(groups)
    share_s = schedule.seconds / schedule.blocks / max(1, len(settings))
    interrupted = False
    try:
        for block in range(schedule.blocks):
            progress(f"timing, block {block + 1} of {schedule.blocks}")
            for index in generator.permutation(len(settings)):
                _time_group(groups[settings[index]], clock, block, share_s, generator, visiting, after_error)
    except KeyboardInterrupt:
        interrupted = True
    failures = [
        SettingFailure(network=column.timed.network, setting=column.timed.setting, reason=column.failure)
        for column in columns
        if column.failure is not None
    ]
    return Timed(tuple(one.series(threads) for one in columns if one.samples), tuple(failures), interrupted)


def _rhythm_of(timed: TimedCall, calls: Sequence[tuple[TimedCall, WarmUp]]) -> Rhythm:
    """The rhythm of a network in a setting, by its quickest building."""
    same = [warm for one, warm in calls if (one.network, one.setting) == (timed.network, timed.setting)]
    return rhythm(min(warm.call_s for warm in same))


def _time_group(
    group: Sequence[_Column],
    clock: Clock,
    block: int,
    seconds: float,
    generator: np.random.Generator,
    visiting: Callable[[str], None],
    after_error: Callable[[BaseException], None],
) -> None:
    """One block of one setting: move everything, then visit all networks in turns until the time is used up."""
    started = working_s()
    for index in generator.permutation(len(group)):
        visiting(group[index].timed.network)
        _guarded(group[index], group[index].timed.call.place, after_error)
    turn = 0
    while any(column.failure is None for column in group) and (turn == 0 or working_s() - started < seconds):
        for order, index in enumerate(generator.permutation(len(group))):
            visiting(group[index].timed.network)
            _guarded(group[index], partial(_visit, group[index], clock, block, turn, order), after_error)
        turn += 1


def _guarded(column: _Column, action: Callable[[], None], after_error: Callable[[BaseException], None]) -> None:
    if column.failure is None:
        try:
            action()
        except (Exception, SystemExit) as error:  # out of memory included: recorded and survived
            column.failure = reason_of(error)
            after_error(error)


def _visit(column: _Column, clock: Clock, block: int, turn: int, order: int) -> None:
    call = column.timed.call
    call.prepare()
    for _ in range(column.rhythm.untimed):
        clock.time(call)
    for _ in range(column.rhythm.timed):
        parts = clock.time(call)
        if min(parts) < 0 or sum(parts) <= 0:
            column.dropped += 1
            continue
        column.samples.append(_Sample(block, turn, order, parts))


def rhythm(call_s: float) -> Rhythm:
    """Untimed and timed calls of one visit."""
    return next((Rhythm(untimed, timed) for below_s, untimed, timed in RHYTHMS if call_s < below_s), Rhythm(0, 1))
