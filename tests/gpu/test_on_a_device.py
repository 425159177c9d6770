"""What the pretended device shows, on a real one."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

from fbench.benchmark.cost.estimate import estimate_trials_s
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.machine.lost_device import why_lost
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.driver import run_trials
from fbench.benchmark.runs.executors import WorkerContext
from fbench.benchmark.runs.local_executor import LocalExecutor
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.trial_result import TrialResult
from fbench.benchmark.training import step
from fbench.benchmark.training.clipping import clip_gradients
from fbench.benchmark.training.smoothed_loss import smoothed_cross_entropy
from fbench.benchmark.training.together import run_together
from fbench.benchmark.training.trial import TrialContext, run_trial
from tests.gpu.same_bits import same_bits
from tests.gpu.test_recorded_steps import MIXUP, SGD
from tests.gpu.training import cuda_spec, eager
from tests.on_cuda import DEVICE, on_cuda
from tests.support import trial_spec_of


def with_numerics(spec: TrialSpec, **changes: str) -> TrialSpec:
    return spec.model_copy(update={"numerics": spec.numerics.model_copy(update=changes)})


def trained_there(spec: TrialSpec, dataset: ImageDataset) -> TrialResult:
    result = run_trial(spec, dataset, TrialContext(DEVICE))
    assert result.record.status == "finished", result.failure_details
    return result


@on_cuda
@pytest.mark.parametrize(
    ("architecture", "options", "protocol"),
    [
        ("lenet5", {}, {}),
        ("ires", {"dropout": 0.3}, {"optimizer": SGD}),
        ("arch1", {}, {"augmentation": MIXUP, "ema_decay": 0.95}),
    ],
)
def test_a_recorded_step_on_cuda_has_the_bits_of_the_eager_one_and_its_own_again(
    stripes: ImageDataset, architecture: str, options: dict[str, Any], protocol: dict[str, Any]
) -> None:
    spec = cuda_spec(stripes, architecture, options=options, **protocol)
    first = trained_there(spec, stripes)
    assert same_bits(first, trained_there(spec, stripes))
    assert same_bits(first, trained_there(eager(spec), stripes))
    assert why_lost(DEVICE) == ""


@on_cuda
@pytest.mark.parametrize("architecture", ["lenet5", "ires"])
def test_weights_cast_and_batches_counted_together_on_cuda_have_the_bits_of_each_layers_own(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch, architecture: str
) -> None:
    spec = with_numerics(cuda_spec(stripes, architecture, ema_decay=0.95), precision="bf16")
    gathered = trained_there(spec, stripes)
    monkeypatch.setattr(step, "gather_small_work", lambda network, numerics: network)
    assert same_bits(gathered, trained_there(spec, stripes))


@on_cuda
@pytest.mark.skipif(find_spec("triton") is None, reason="Triton is not installed")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_fused_batch_norms_on_cuda_train_to_the_same_bits_again_recorded_or_not(
    stripes: ImageDataset, precision: str
) -> None:
    spec = with_numerics(cuda_spec(stripes, "ires"), precision=precision, fused_batch_norm="triton")
    first = trained_there(spec, stripes)
    assert same_bits(first, trained_there(spec, stripes))
    assert same_bits(first, trained_there(eager(spec), stripes))


@on_cuda
def test_a_trial_on_cuda_is_estimated_with_its_step_recorded(stripes: ImageDataset) -> None:
    spec = cuda_spec(stripes, "ires", budget=Budget(epochs=100, batch_size=24))
    assert estimate_trials_s([spec], DEVICE)[spec.trial_id] > 0


@on_cuda
@pytest.mark.usefixtures("faces_at_hand")
def test_trials_on_cuda_run_in_processes_side_by_side(tmp_path: Path) -> None:
    faces = load_dataset(DataReference(name="synthetic"))
    budget = Budget(image_passes=64, evaluation_points=1, batch_size=16)
    numerics = choose_numerics("cuda")
    specs = [
        trial_spec_of(faces, "lenet5", seed, budget).model_copy(update={"numerics": numerics}) for seed in range(2)
    ]
    folder = RunFolder(tmp_path / "run")
    with LocalExecutor(WorkerContext(tmp_path / "run" / ".writing-1", "cuda:0", jobs=2)) as executor:
        assert run_trials(executor, specs, folder, lambda event: None) == []
    assert {record.status for record in folder.trials().values()} == {"finished"}


@on_cuda
@pytest.mark.parametrize("number", [2, 8])
def test_trials_together_on_cuda_have_the_bits_of_each_alone_with_dropout(stripes: ImageDataset, number: int) -> None:
    first = cuda_spec(stripes, options={"dropout": 0.4})
    specs = [first.model_copy(update={"seed": seed}) for seed in range(number)]
    found = run_together(specs, stripes, TrialContext(DEVICE))
    assert found.failure is None
    assert len(found.results) == number
    alone = {spec.trial_id: trained_there(spec, stripes) for spec in specs}
    assert all(same_bits(one, alone[one.record.trial_id]) for one in found.results)


@on_cuda
def test_the_loss_and_the_clipping_of_fewer_operations_are_pytorchs_on_cuda() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(128, 7, generator=generator).to(DEVICE)
    labels = torch.randint(0, 7, (128,), generator=generator).to(DEVICE)
    ours, theirs = (logits.clone().requires_grad_() for _ in range(2))
    first = smoothed_cross_entropy(ours, labels, 0.1)
    second = torch.nn.functional.cross_entropy(theirs, labels, label_smoothing=0.1)
    first.backward()
    second.backward()
    torch.testing.assert_close(first, second)
    torch.testing.assert_close(ours.grad, theirs.grad)
    gradients = [torch.randn(shape, generator=generator).to(DEVICE) for shape in ((64, 3, 3), (64,), (7, 64))]
    clipped, wanted = ([torch.nn.Parameter(torch.zeros_like(one)) for one in gradients] for _ in range(2))
    for of in (clipped, wanted):
        for parameter, gradient in zip(of, gradients, strict=True):
            parameter.grad = gradient.clone()
    clip_gradients(clipped, 1.0)
    torch.nn.utils.clip_grad_norm_(wanted, 1.0)
    torch.testing.assert_close([one.grad for one in clipped], [one.grad for one in wanted])
