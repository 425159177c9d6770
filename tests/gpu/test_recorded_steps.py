"""A step that is recorded as a CUDA graph trains to the bits of the eager one."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.machine import cuda_graph
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.training.trial import TrialContext, run_trial
from tests.gpu.pretended import DEVICE, pretended_cuda
from tests.gpu.same_bits import same_bits
from tests.gpu.training import cuda_spec, eager, trained

ADAM = {"kind": "adam", "learning_rate": 0.003}
SGD = {"kind": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-4}
PLAIN_SGD = {"kind": "sgd", "learning_rate": 0.05, "momentum": 0.0, "nesterov": False}
MIXUP = {"flip_probability": 0.5, "mixup_alpha": 0.4, "erasing_probability": 0.5}


@pytest.mark.parametrize(
    "protocol",
    [
        {},
        {"optimizer": ADAM},
        {"optimizer": SGD},
        {"optimizer": PLAIN_SGD, "gradient_clip_norm": None},
        {"ema_decay": 0.95},
        {"augmentation": MIXUP},
        {"augmentation": MIXUP, "ema_decay": 0.95, "optimizer": SGD},
    ],
    ids=["adamw", "adam", "momentum", "plain descent", "moving average", "mixup", "mixup, average, momentum"],
)
def test_a_recorded_step_trains_to_the_bits_of_the_eager_one(stripes: ImageDataset, protocol: dict[str, Any]) -> None:
    spec = cuda_spec(stripes, **protocol)
    assert same_bits(trained(spec, stripes), trained(eager(spec), stripes))


@pytest.mark.parametrize(
    "optimizer", [{"kind": "adamw", "learning_rate": 0.003}, ADAM, SGD], ids=lambda one: one["kind"]
)
def test_dropout_draws_the_same_in_a_recorded_step(stripes: ImageDataset, optimizer: dict[str, Any]) -> None:
    """The warm-up draws too, and the generator is put back after it."""
    spec = cuda_spec(stripes, options={"dropout": 0.4}, optimizer=optimizer)
    assert same_bits(trained(spec, stripes), trained(eager(spec), stripes))


def test_a_step_in_microbatches_is_recorded_whole(stripes: ImageDataset) -> None:
    spec = cuda_spec(stripes)
    spec = spec.model_copy(update={"numerics": spec.numerics.model_copy(update={"microbatch": 10})})
    assert same_bits(trained(spec, stripes), trained(eager(spec), stripes))


def test_bf16_is_recorded_with_its_casts(stripes: ImageDataset) -> None:
    """A weight that autocast had cast once for all steps would stay as it was built."""
    spec = cuda_spec(stripes)
    spec = spec.model_copy(update={"numerics": spec.numerics.model_copy(update={"precision": "bf16"})})
    recorded = trained(spec, stripes)
    assert same_bits(recorded, trained(eager(spec), stripes))
    assert not same_bits(recorded, trained(cuda_spec(stripes), stripes))


def test_every_step_is_a_replay_of_one_recording(stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    graphs: list[Any] = []
    own = cuda_graph.recorded

    def kept(*given: Any) -> Any:
        graphs.append(own(*given))
        return graphs[-1]

    monkeypatch.setattr("fbench.benchmark.training.step.recorded", kept)
    result = trained(cuda_spec(stripes), stripes)
    assert [graph.replays for graph in graphs] == [result.record.steps_done]


def test_a_training_that_goes_on_from_its_state_has_the_bits_of_one_that_never_stopped(stripes: ImageDataset) -> None:
    """The graph is recorded anew then, over an optimizer that has moments."""
    spec = cuda_spec(stripes, options={"dropout": 0.4}, ema_decay=0.9)
    whole = _states(spec, stripes, stop_after=None)
    assert _states(spec, stripes, stop_after=3) == whole


def _states(spec: TrialSpec, dataset: ImageDataset, stop_after: int | None) -> list[bytes]:
    """The bits of all weights at the end, of a training that is taken to another state after so many steps."""
    from fbench.architectures.registry import build
    from fbench.benchmark.machine.device import lay_out, memory_format, numerics_in_force
    from fbench.benchmark.records.budget import plan_steps
    from fbench.benchmark.training.seeds import derive_seeds
    from fbench.benchmark.training.state import TrainingData, TrainingSettings, TrainingState
    from fbench.benchmark.training.tensors import choose_normalisation, split_to_device

    with pretended_cuda(), numerics_in_force(spec.numerics, DEVICE):
        split = split_to_device(dataset, "train", DEVICE, spec.numerics)
        data = TrainingData(split, split, choose_normalisation(spec.protocol, split))
        plan = plan_steps(spec.protocol, spec.budget, len(split.labels))
        settings = TrainingSettings(spec.protocol, plan, spec.numerics, derive_seeds(0))

        def start() -> TrainingState:
            torch.manual_seed(0)
            network = lay_out(build(spec.network.resolved).to(DEVICE), memory_format(spec.numerics))
            return TrainingState(network, data, settings)

        state = start()
        for step in range(plan.steps):
            if step == stop_after:
                kept, state = state.state_dict(), start()
                torch.rand(100)  # whatever else is drawn meanwhile
                state.load_state_dict(kept)
            state.schedule.before_step(step)
            state.train_on(next(state.batches))
            if state.average is not None:
                state.average.follow(state.network)
            state.step += 1
        return [value.cpu().numpy().tobytes() for value in state.evaluated.state_dict().values()]


def test_a_trial_that_would_wait_while_it_is_recorded_fails_with_that(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fbench.benchmark.training import step

    def reading_loss(*given: Any) -> torch.Tensor:
        loss = step.F.cross_entropy(given[0], given[1].labels)
        loss.detach().item()
        return loss

    monkeypatch.setattr(step, "batch_loss", reading_loss)
    with pretended_cuda():
        result = run_trial(cuda_spec(stripes), stripes, TrialContext(DEVICE))
    assert "makes the host wait" in str(result.record.failure_reason)
