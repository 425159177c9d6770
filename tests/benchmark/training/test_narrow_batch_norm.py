from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fbench.benchmark.training import narrow_batch_norm
from fbench.benchmark.training.narrow_batch_norm import NarrowBatchNorm2d, quicken_batch_norm


@pytest.fixture(autouse=True, scope="module")
def small_maps_too() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(narrow_batch_norm, "FEWEST_VALUES", 1)
        yield


def pair(channels: int, dtype: torch.dtype = torch.float64) -> tuple[nn.BatchNorm2d, nn.BatchNorm2d]:
    """PyTorch's layer with random settings, and the same one quickened."""
    torch.manual_seed(channels)
    reference = nn.BatchNorm2d(channels, momentum=0.3).double()
    for value in (reference.weight, reference.bias, reference.running_mean):
        nn.init.normal_(value)  # type: ignore[arg-type] # the running mean is there
    reference.to(dtype)
    ours = nn.Sequential(copy.deepcopy(reference))
    quicken_batch_norm(ours)
    assert isinstance(ours[0], NarrowBatchNorm2d)
    return reference, ours[0]


def maps(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x, gradient = (torch.randn(shape, dtype=torch.float64, generator=generator) for _ in range(2))
    x = 5.0 + 3.0 * x
    return tuple(one.to(dtype).contiguous(memory_format=torch.channels_last) for one in (x, gradient))  # type: ignore[return-value] # of two


def results(layer: nn.BatchNorm2d, x: torch.Tensor, gradient: torch.Tensor) -> list[torch.Tensor]:
    leaf = x.clone().requires_grad_()
    y = layer(leaf)
    y.backward(gradient)
    found = [y, leaf.grad, layer.weight.grad, layer.bias.grad, layer.running_mean, layer.running_var]
    return [value.detach() for value in found if value is not None]


@settings(deadline=None)
@given(st.integers(1, 16), st.integers(1, 6), st.integers(1, 9), st.integers(2, 9))
def test_outputs_gradients_and_running_moments_are_pytorch_s(
    channels: int, images: int, height: int, width: int
) -> None:
    reference, ours = pair(channels)
    x, gradient = maps((images, channels, height, width), torch.float64)
    for expected, found in zip(results(reference, x, gradient), results(ours, x, gradient), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    assert ours.num_batches_tracked == reference.num_batches_tracked == 1


@pytest.mark.parametrize("channels", [8, 16])
def test_in_bf16_it_errs_by_no_more_than_three_roundings_where_pytorch_has_one(channels: int) -> None:
    x, gradient = maps((8, channels, 12, 12), torch.bfloat16)
    exact = results(pair(channels)[0], x.double(), gradient.double())
    reference, ours = pair(channels, torch.float32)
    for truth, theirs, mine in zip(exact, results(reference, x, gradient), results(ours, x, gradient), strict=True):
        allowed = 3 * (theirs.double() - truth).abs().max() + 1e-6
        assert (mine.double() - truth).abs().max() <= allowed


def test_the_output_is_channels_last_and_evaluation_is_untouched() -> None:
    reference, ours = pair(8, torch.float32)
    x, _ = maps((4, 8, 6, 6), torch.float32)
    assert ours(x).is_contiguous(memory_format=torch.channels_last)
    ours.load_state_dict(reference.state_dict())
    assert torch.equal(ours.eval()(x), reference.eval()(x))


def test_wide_and_special_layers_stay_as_they_are() -> None:
    class Own(nn.BatchNorm2d):
        pass

    layers = [nn.BatchNorm2d(17), nn.BatchNorm2d(8, affine=False), nn.BatchNorm2d(8, momentum=None), Own(8)]
    before = [type(layer) for layer in layers]
    quicken_batch_norm(nn.Sequential(*layers, nn.BatchNorm2d(8, track_running_stats=False)))
    assert [type(layer) for layer in layers] == before


@pytest.mark.parametrize("channels", [8, 16])
def test_a_relu_may_work_in_place_on_the_output(channels: int) -> None:
    x, gradient = maps((4, channels, 6, 6), torch.float64)
    found = []
    for layer in pair(channels):
        leaf = x.clone().requires_grad_()
        nn.functional.relu(layer(leaf), inplace=True).backward(gradient)
        found.append(leaf.grad)
    torch.testing.assert_close(found[1], found[0], rtol=1e-9, atol=1e-9)


def test_maps_of_arch_1_are_large_enough_to_be_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrow_batch_norm, "FEWEST_VALUES", 2_000_000)
    _, ours = pair(8, torch.float32)
    large, small = (maps((batch, 8, 48, 48), torch.float32)[0] for batch in (128, 16))
    folded = [torch.equal(nn.BatchNorm2d.forward(ours, x), ours(x)) for x in (large, small)]
    assert folded == [False, True]
