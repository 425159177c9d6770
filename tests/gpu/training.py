"""Trials on the pretended device."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.store.trial_result import TrialResult
from fbench.benchmark.training import loop, trial
from fbench.benchmark.training.trial import TrialContext, run_trial
from tests.gpu.pretended import DEVICE, PretendedCuda, pretended_cuda
from tests.support import network_spec_of, trial_spec_of


def cuda_spec(
    dataset: ImageDataset, architecture: str = "lenet5", *, options: dict[str, Any] | None = None, **protocol: Any
) -> TrialSpec:
    """A small trial as a run on CUDA has it, its step recorded as a graph; keywords change the default protocol."""
    spec = trial_spec_of(dataset, architecture, **protocol)
    changes: dict[str, Any] = {"numerics": choose_numerics("cuda")}
    if options is not None:
        changes["network"] = network_spec_of(architecture, dataset, **options)
    return spec.model_copy(update=changes)


def eager(spec: TrialSpec) -> TrialSpec:
    """The same trial with nothing recorded."""
    return spec.model_copy(update={"numerics": spec.numerics.eager()})


def with_protocol(spec: TrialSpec, protocol: Protocol) -> TrialSpec:
    """The same trial by another protocol."""
    return spec.model_copy(update={"protocol": protocol})


def trained(spec: TrialSpec, dataset: ImageDataset) -> TrialResult:
    """What comes of a trial on the pretended device, which must not fail."""
    with pretended_cuda():
        result = run_trial(spec, dataset, TrialContext(DEVICE))
    assert result.record.status == "finished", result.failure_details
    return result


@contextmanager
def training_never_waits(patch: pytest.MonkeyPatch) -> Iterator[PretendedCuda]:
    """Within the block it is an error that a training's loop waits for the device: after its first step, which may be
    recorded, and but in evaluations, which are read."""
    with pretended_cuda() as device:
        evaluation_row = loop._evaluation_row

        def evaluation_that_may_wait(*given: Any) -> Any:
            with device.no_waiting(refused=False):
                return evaluation_row(*given)

        def training_steps(state: Any, listen: Any, after_step: Callable[[Any], None]) -> Generator[None, None, Any]:
            def watching(state: Any) -> None:
                device.refuses_waiting = True
                after_step(state)

            try:
                return (yield from loop.training_steps(state, listen, watching))
            finally:
                device.refuses_waiting = False

        patch.setattr(loop, "_evaluation_row", evaluation_that_may_wait)
        patch.setattr(trial, "training_steps", training_steps)
        yield device
