"""What a signal asks of a run, and which exit code it gets."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
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


RESTING = """
import os, subprocess, sys, time
from fbench.benchmark.runs.stopping import Stopping
from fbench.cli.stop_signals import StopSignals
with StopSignals(Stopping()).heard():
    worker = subprocess.Popen(["sleep", "600"], preexec_fn=lambda: os.setpgid(0, 0))
    print(worker.pid, flush=True)
    while True:
        time.sleep(0.05)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="workers have process groups of their own there")
def test_workers_rest_with_their_command() -> None:
    import psutil

    with subprocess.Popen([sys.executable, "-c", RESTING], stdout=subprocess.PIPE, text=True) as command:
        assert command.stdout is not None
        both = [psutil.Process(command.pid), psutil.Process(int(command.stdout.readline()))]
        try:
            for number, is_stopped in ((signal.SIGTSTP, True), (signal.SIGCONT, False)):
                command.send_signal(number)
                deadline = time.monotonic() + 20
                while any((one.status() == psutil.STATUS_STOPPED) != is_stopped for one in both):
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
        finally:
            for one in both:
                one.kill()
