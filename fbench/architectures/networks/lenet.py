"""LeNet-5, the baseline "LeNet" of Xu et al. 2021 (Table 3), and a stand-in matched to the printed count."""

from __future__ import annotations

from functools import partial

from torch import nn

from fbench.architectures.layers import chain, dense_head
from fbench.architectures.registry import register, register_variant
from fbench.architectures.switches import check_geometry, dropout_rate, widths
from fbench.core.errors import UserError

POOLED_CONVOLUTIONS = 2


def _feature_size(kernels: tuple[int, ...], size: int) -> int:
    """The side of the last map in pixels; 0 or less where the image is too small."""
    for number, kernel in enumerate(kernels):
        size -= kernel - 1
        if number < POOLED_CONVOLUTIONS:
            size //= 2
    return size


@register("lenet5")
def lenet5(
    *,
    num_classes: int = 7,
    in_channels: int = 1,
    image_size: int = 48,
    dropout: float = 0.0,
    convolution_widths: tuple[int, ...] = (6, 16),
    convolution_kernels: tuple[int, ...] = (5, 5),
    dense_widths: tuple[int, ...] = (120, 84),
) -> nn.Module:
    """LeNet-5 with ReLU and max pooling.

    LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition, section II B.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        image_size: height and width in pixels.
        dropout: rate after each hidden dense layer.
        convolution_widths: output channels of the unpadded convolutions; the first two are followed by a 2x2
            pool.
        convolution_kernels: their kernels in pixels, one for each width.
        dense_widths: units of the hidden dense layers.

    Returns:
        A network from N x in_channels x image_size x image_size to N x num_classes logits.

    Raises:
        UserError: a switch has an illegal value or the image is too small.
    """
    channels = widths("convolution_widths", convolution_widths)
    kernels = widths("convolution_kernels", convolution_kernels)
    if len(channels) != len(kernels):
        raise UserError(f"convolution_kernels has {len(kernels)} entries; give one for each of {len(channels)} widths.")
    feature_size = partial(_feature_size, kernels)
    check_geometry("this lenet5", num_classes, in_channels, image_size, feature_size)
    layers: dict[str, nn.Module | None] = {}
    before = in_channels
    for number, (width, kernel) in enumerate(zip(channels, kernels, strict=True), start=1):
        layers[f"convolution{number}"] = nn.Conv2d(before, width, kernel)
        layers[f"activation{number}"] = nn.ReLU()
        layers[f"pool{number}"] = nn.MaxPool2d(2) if number <= POOLED_CONVOLUTIONS else None
        before = width
    features = before * feature_size(image_size) ** 2
    hidden = widths("dense_widths", dense_widths)
    return chain(**layers, head=dense_head(features, hidden, num_classes, dropout=dropout_rate(dropout)))


register_variant(
    "lenet_count_matched",
    of="lenet5",
    convolution_widths=(20, 50, 120),
    convolution_kernels=(5, 5, 3),
    dense_widths=(256,),
)
