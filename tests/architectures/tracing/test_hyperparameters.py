"""What is read of a layer's ``extra_repr`` is what the layer was built with."""

from __future__ import annotations

import pytest
from torch import nn

from fbench.architectures.tracing.hyperparameters import Hyperparameters, read_hyperparameters
from fbench.architectures.tracing.trace import trace
from fbench.cli.architecture_views import operation_text


def read(layer: nn.Module) -> Hyperparameters:
    return read_hyperparameters(type(layer).__name__, layer.extra_repr())


@pytest.mark.parametrize("sides", [1, 2, 3])
@pytest.mark.parametrize(("groups", "stride", "dilation"), [(1, 1, 1), (2, 2, 1), (4, 3, 2)])
def test_a_convolution_has_a_size_for_each_side(sides: int, groups: int, stride: int, dilation: int) -> None:
    kind = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[sides]
    layer = kind(4, 8, 3, stride=stride, dilation=dilation, groups=groups, padding="valid", padding_mode="reflect")
    found = read(layer)
    assert (found.kernel_size, found.stride) == (layer.kernel_size, layer.stride)
    assert (found.dilation, found.groups) == (layer.dilation if dilation > 1 else (), layer.groups)


def test_sides_of_different_sizes_keep_their_order() -> None:
    layer = nn.ConvTranspose2d(2, 2, (3, 5), stride=(2, 1), output_padding=(1, 0))
    assert (read(layer).kernel_size, read(layer).stride) == ((3, 5), (2, 1))


def test_a_window_that_is_given_once_is_of_two_sides() -> None:
    for layer in (nn.MaxPool2d(3, stride=2), nn.AvgPool2d((3, 3), stride=(2, 2)), nn.Unfold(3, stride=2)):
        assert (read(layer).kernel_size, read(layer).stride) == ((3, 3), (2, 2))


def test_a_stride_that_a_layer_does_not_have_is_none() -> None:
    assert (read(nn.LPPool2d(2, 3)).kernel_size, read(nn.LPPool2d(2, 3)).stride) == ((3, 3), ())


@pytest.mark.parametrize("probability", [0, 0.25, 1e-5, 1])
def test_a_dropout_has_its_probability_as_it_was_given(probability: float) -> None:
    assert str(read(nn.Dropout(probability)).probability) == str(probability)
    assert str(read(nn.Dropout2d(probability)).probability) == str(probability)


@pytest.mark.parametrize("affine", [True, False])
def test_a_normalisation_is_affine_or_not(affine: bool) -> None:
    layers = (nn.BatchNorm2d(4, affine=affine), nn.GroupNorm(2, 4, affine=affine), nn.LayerNorm(4, 1e-5, affine))
    assert {read(layer).affine for layer in layers} == {affine}


@pytest.mark.parametrize("printed", ["", "kernel_size=wide, stride=(2, x), groups=many, p=?", "=, =(", "kernel_size="])
def test_what_is_no_literal_is_not_known(printed: str) -> None:
    assert read_hyperparameters("Conv2d", printed) == Hyperparameters()


def test_of_an_operation_of_other_code_nothing_is_known() -> None:
    class Summed(nn.Module):
        def forward(self, images):  # type: ignore[no-untyped-def] # of tensors
            return images.sum(1, keepdim=True)

    node = trace(Summed(), (2, 4, 4)).nodes[1]
    assert (node.layer, node.hyperparameters) == (False, Hyperparameters())


def test_the_layer_table_names_them() -> None:
    layers = nn.Sequential(
        nn.Conv2d(2, 4, 3, stride=(2, 1), groups=2),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(2),
        nn.Conv1d(4, 4, 3),
    )
    layers.append(nn.LPPool1d(2, 2))
    words = [operation_text(node) for node in trace(layers.eval(), (2, 16, 16)).nodes if node.layer]
    assert words[:3] == ["convolution 3x3, stride 2x1, 2 groups", "max_pool 2x2, stride 2", "dropout, 0.25"]
    assert words[4].startswith("convolution 3")
    assert words[5].endswith(" 2")
