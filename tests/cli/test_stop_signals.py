"""What a signal asks of a run, and which exit code it gets."""

from __future__ import annotations

import signal
from collections.abc import Generator, Sequence

import pytest

from fbench.benchmark.records.events import Listen
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.executors import NO_LIMITS, TrialLimits
from fbench.benchmark.runs.stopping import Stopping
from fbench.benchmark.store.trial_result import TrialResult
from fbench.cli.stop_signals import StopSignals


class Busy:
    """An executor that notes whether it was asked to stop."""

    asked = 0

    def run(
        self, specs: Sequence[TrialSpec], listen: Listen, limits: TrialLimits = NO_LIMITS
    ) -> Generator[TrialResult, None, None]:
        yield from ()

    def ask_to_stop(self) -> None:
        self.asked += 1


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 4), (getattr(signal, "SIGHUP", signal.SIGTERM), 4)]
)
def test_the_first_signal_lets_trials_stop_and_the_second_interrupts(number: signal.Signals, code: int) -> None:
    stopping, busy = Stopping(), Busy()
    signals = StopSignals(stopping)
    before = signal.signal(number, signal.SIG_DFL)
    try:
        with signals.heard(), stopping.of(busy):
            signal.raise_signal(number)
            assert (busy.asked, signals.was_asked, signals.exit_code) == (1, True, code)
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
            assert signals.exit_code == code  # of the first
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        signal.signal(number, before)


def test_a_signal_interrupts_what_is_no_trial() -> None:
    with StopSignals(Stopping()).heard(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)


def test_signals_that_are_ignored_from_the_start_stay_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        signals = StopSignals(Stopping())
        with signals.heard():
            signal.raise_signal(signal.SIGTERM)
        assert not signals.was_asked
    finally:
        signal.signal(signal.SIGTERM, before)
