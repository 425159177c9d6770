"""The command line of fbench, with the machine measured in a second: for tests that do not look at times.

``python tests/coarse_fbench.py run ...`` is ``fbench run ...``; :func:`measure_coarsely` does the same to this process.
"""

from __future__ import annotations

import sys
from functools import partial

import pytest


def measure_coarsely(patch: pytest.MonkeyPatch) -> None:
    """The roofline in one round over one working set; calls in two blocks, and batches up to four."""
    from fbench.benchmark.cost.roofline import measure_roofline
    from fbench.benchmark.runs import run_cost

    patch.setattr(
        measure_roofline,
        "measure_roofline",
        partial(measure_roofline.measure_roofline, working_sets=(2**18,), rounds=1),
    )
    patch.setattr(run_cost, "CostPlan", partial(run_cost.CostPlan, blocks=2, seconds=0.1, largest_batch_size=4))


def leave_cost_out(patch: pytest.MonkeyPatch) -> None:
    """Runs measure no cost: for tests that look at trials alone."""
    patch.setattr("fbench.benchmark.runs.session.measure_run_cost", lambda plan, listener, networks: None)


if __name__ == "__main__":
    from fbench.benchmark.cost import speed
    from fbench.cli.app import main

    with pytest.MonkeyPatch.context() as coarse:
        measure_coarsely(coarse)
        coarse.setattr(speed, "CostPlan", partial(speed.CostPlan, largest_batch_size=4))
        sys.exit(main())
