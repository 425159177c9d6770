"""A run of two small networks on stripes, three evaluations each, with whatever listens."""

from __future__ import annotations

from pathlib import Path

import pytest
from coarse_fbench import leave_cost_out
from support import make_stripes, two_lenets

from fbench.benchmark.data import loaded
from fbench.benchmark.records.events import Evaluated, Event
from fbench.benchmark.runs.listener import RunListener, Together
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.session import run
from fbench.benchmark.store.run_table import RunTable

EVALUATIONS = 3


def prepare(patch: pytest.MonkeyPatch, cache: Path) -> None:
    """Stripes take the place of the embedded data, and no cost is measured."""
    stripes = make_stripes()
    patch.setattr("fbench.benchmark.runs.planning.load_dataset", lambda reference: stripes)
    patch.setattr(loaded, "_load_once", lambda reference: stripes)
    patch.setenv("FBENCH_CACHE_DIR", str(cache))
    leave_cost_out(patch)


def told(out: Path, *listeners: RunListener, seeds: int = 1) -> RunTable:
    """Train what is not trained yet."""
    request = RunRequest(
        suite=two_lenets(), preset="smoke", epochs=EVALUATIONS, seeds=seeds, jobs=1, device="cpu", out=out
    )
    return run(request, Together(*listeners))


class Interrupts(RunListener):
    """A user who presses Ctrl-C after some evaluations."""

    def __init__(self, after: int) -> None:
        self._left = after

    def happened(self, event: Event) -> None:
        if isinstance(event, Evaluated):
            self._left -= 1
            if self._left == 0:
                raise KeyboardInterrupt
