"""The blocks that the networks are composed of.

Every operation of a forward pass (a sum, an average, a product) is a module of its own, so that a network's
description, its counts and its digest see it. Activations and gates are arguments: factories called without
arguments. Maps are N x C x H x W. Parameters keep PyTorch's own initialisation, uniform within the inverse
root of the fan-in; neither paper states one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

import torch
from torch import nn

ModuleFactory = Callable[[], nn.Module]

ACTIVATIONS: dict[str, ModuleFactory] = {"relu": nn.ReLU, "hard_swish": nn.Hardswish}
"""hard_swish(x) = x relu6(x + 3) / 6: Howard et al. 2019, Searching for MobileNetV3, section 5.2."""

GATES: dict[str, ModuleFactory] = {
    "hard_swish": nn.Hardswish,
    "hard_sigmoid": nn.Hardsigmoid,
    "sigmoid": nn.Sigmoid,
}
"""hard_sigmoid(x) = relu6(x + 3) / 6, the gate of MobileNetV3; hard_swish is the literal text of Xu et al.
2021, section 2.3, and is not bounded by 1."""


def chain(**children: nn.Module | None) -> nn.Sequential:
    """A Sequential of named children; ``None`` leaves a child out."""
    return nn.Sequential(OrderedDict((name, child) for name, child in children.items() if child is not None))


def convolution(
    in_channels: int, out_channels: int, kernel: int, *, stride: int = 1, groups: int = 1, bias: bool = False
) -> nn.Conv2d:
    """A convolution with symmetric `same` padding: output side = ceil(input side / stride), odd kernels."""
    return nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=bias)


def convolution_unit(
    in_channels: int,
    out_channels: int,
    kernel: int,
    *,
    stride: int = 1,
    groups: int = 1,
    bias: bool = False,
    activation: ModuleFactory | None = None,
    pool: nn.Module | None = None,
) -> nn.Sequential:
    """Convolution, batch normalisation, pool, activation.

    Ioffe and Szegedy 2015, Batch Normalization, section 3.2. A pool stands before the activation, as Chowanda
    2021 prints it.
    """
    return chain(
        convolution=convolution(in_channels, out_channels, kernel, stride=stride, groups=groups, bias=bias),
        batch_norm=nn.BatchNorm2d(out_channels),
        pool=pool,
        activation=activation() if activation else None,
    )


def separable_convolution(in_channels: int, out_channels: int, kernel: int = 3) -> nn.Sequential:
    """Depthwise convolution directly followed by a pointwise one, both without bias.

    Chollet 2017, Xception: Deep Learning with Depthwise Separable Convolutions.
    """
    return chain(
        depthwise=convolution(in_channels, in_channels, kernel, groups=in_channels),
        pointwise=convolution(in_channels, out_channels, 1),
    )


class Add(nn.Module):
    """The sum of two maps of one shape."""

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Add two N x C x H x W maps."""
        return first + second


class Residual(nn.Module):
    """body(x) + shortcut(x).

    He et al. 2016, Deep Residual Learning for Image Recognition, equations 1 (identity) and 2 (projection).
    """

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut
        self.add = Add()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Both branches must give one shape."""
        total: torch.Tensor = self.add(self.body(x), self.shortcut(x))
        return total


class GlobalAveragePool(nn.Module):
    """The mean over height and width: N x C x H x W to N x C, or to N x C x 1 x 1 with ``keep_dims``.

    Lin et al. 2014, Network in Network, section 3.2. A plain mean, because the backward pass of adaptive
    average pooling is not deterministic on CUDA. In training sum and division are apart: the gradient of ``mean``
    comes back contiguous, and laying it out anew after every SE block is 2.5 % of IRes' training step on a CPU.
    """

    def __init__(self, keep_dims: bool = False) -> None:
        super().__init__()
        self.keep_dims = keep_dims

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Average each channel of an N x C x H x W map."""
        if self.training:
            return x.sum((-2, -1), keepdim=self.keep_dims) / (x.shape[-2] * x.shape[-1])
        return x.mean((-2, -1), keepdim=self.keep_dims)

    def extra_repr(self) -> str:
        """Show the one hyperparameter."""
        return f"keep_dims={self.keep_dims}"


class ChannelScale(nn.Module):
    """Multiplies each channel of a map by its own factor."""

    def forward(self, x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        """Multiply an N x C x H x W map by an N x C scale."""
        return x * scale[:, :, None, None]


class SqueezeExcite(nn.Module):
    """Global average, dense layer to channels / reduction, activation, dense layer back, gate, product.

    Hu et al. 2018, Squeeze-and-Excitation Networks, equations 2 to 4.
    """

    def __init__(
        self,
        channels: int,
        reduction: int,
        *,
        bias: bool,
        activation: ModuleFactory = nn.ReLU,
        gate: ModuleFactory = nn.Sigmoid,
    ) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.squeeze = GlobalAveragePool()
        self.reduce = nn.Linear(channels, hidden, bias=bias)
        self.activation = activation()
        self.expand = nn.Linear(hidden, channels, bias=bias)
        self.gate = gate()
        self.scale = ChannelScale()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Reweight the channels of an N x C x H x W map."""
        gate = self.gate(self.expand(self.activation(self.reduce(self.squeeze(x)))))
        scaled: torch.Tensor = self.scale(x, gate)
        return scaled


def bottleneck(
    in_channels: int,
    width: int,
    out_channels: int,
    *,
    stride: int,
    bias: bool,
    activation: ModuleFactory = nn.ReLU,
) -> nn.Sequential:
    """1x1, 3x3 with the stride, 1x1, a shortcut, and the activation after the sum.

    He et al. 2016, Deep Residual Learning for Image Recognition, figure 5 right; the stride on the 3x3
    convolution follows later practice and changes no count. The shortcut is a 1x1 projection with batch
    normalisation where shapes differ.
    """
    same_shape = stride == 1 and in_channels == out_channels
    body = chain(
        reduce=convolution_unit(in_channels, width, 1, bias=bias, activation=activation),
        spatial=convolution_unit(width, width, 3, stride=stride, bias=bias, activation=activation),
        expand=convolution_unit(width, out_channels, 1, bias=bias),
    )
    shortcut = nn.Identity() if same_shape else convolution_unit(in_channels, out_channels, 1, stride=stride, bias=bias)
    return chain(residual=Residual(body, shortcut), activation=activation())


def dense_head(
    features: int,
    hidden_widths: Sequence[int],
    num_classes: int,
    *,
    dropout: float,
    activation: ModuleFactory = nn.ReLU,
) -> nn.Sequential:
    """Flatten, hidden dense layers each with activation and dropout, dense classifier; all with bias.

    Without hidden layers the dropout (Srivastava et al. 2014) stands before the classifier. A rate of 0 adds
    no module.
    """
    layers: dict[str, nn.Module | None] = {"flatten": nn.Flatten()}
    if not hidden_widths:
        layers["dropout"] = dropout_or_none(dropout)
    for number, width in enumerate(hidden_widths, start=1):
        layers[f"dense{number}"] = nn.Linear(features, width)
        layers[f"activation{number}"] = activation()
        layers[f"dropout{number}"] = dropout_or_none(dropout)
        features = width
    return chain(**layers, classifier=nn.Linear(features, num_classes))


def dropout_or_none(rate: float) -> nn.Dropout | None:
    """A dropout layer, or nothing at rate 0."""
    return nn.Dropout(rate) if rate else None


def max_pool() -> nn.MaxPool2d:
    """2x2 max pooling, stride 2; an odd side is rounded up, as a stride-2 convolution beside it does."""
    return nn.MaxPool2d(2, stride=2, ceil_mode=True)
