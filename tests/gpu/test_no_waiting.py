"""Between two evaluations no training waits for the device, whatever its protocol."""

from __future__ import annotations

from typing import Any

import pytest

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.protocol_library import list_protocols, load_protocol
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.training.trial import TrialContext, run_trial
from tests.gpu.pretended import DEVICE
from tests.gpu.training import cuda_spec, eager, training_never_waits, with_protocol

EVERYTHING = {
    "augmentation": {
        "flip_probability": 0.5,
        "rotation_degrees": 10.0,
        "shift_fraction": 0.1,
        "zoom_fraction": 0.1,
        "crop_padding_px": 2,
        "erasing_probability": 0.5,
        "mixup_alpha": 0.3,
    },
    "ema_decay": 0.9,
    "test_time_flip": True,
    "normalisation": "per_image",
}


TWO_EPOCHS = Budget(image_passes=192, evaluation_points=3, batch_size=24)
"""So that the beginning of an epoch, whose draws travel to the device, is watched too."""


def never_waits(spec: TrialSpec, dataset: ImageDataset, patch: pytest.MonkeyPatch) -> None:
    with training_never_waits(patch):
        result = run_trial(spec.model_copy(update={"budget": TWO_EPOCHS}), dataset, TrialContext(DEVICE))
    assert result.record.status == "finished", result.failure_details
    assert result.record.steps_done == 8


@pytest.mark.parametrize("protocol", list_protocols())
@pytest.mark.parametrize("way", ["recorded", "eager"])
def test_no_protocol_makes_the_host_wait(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch, protocol: str, way: str
) -> None:
    spec = with_protocol(cuda_spec(stripes), load_protocol(protocol))
    never_waits(spec if way == "recorded" else eager(spec), stripes, monkeypatch)


@pytest.mark.parametrize("way", ["recorded", "eager"])
def test_nothing_that_a_protocol_can_ask_for_makes_the_host_wait(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    spec = cuda_spec(stripes, options={"dropout": 0.2}, **EVERYTHING)
    never_waits(spec if way == "recorded" else eager(spec), stripes, monkeypatch)


def test_a_step_that_reads_a_number_is_noticed(stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    from fbench.benchmark.training.step import Totals

    def reading(self: Totals, name: str, value: Any) -> None:
        if name == "images" and value:
            float(self.loss)
        object.__setattr__(self, name, value)

    monkeypatch.setattr(Totals, "__setattr__", reading, raising=False)
    with pytest.raises(AssertionError, match="__float__ makes the host wait for the device"):
        never_waits(eager(cuda_spec(stripes)), stripes, monkeypatch)
