"""mini_XCEPTION of oarriaga/face_classification, the row "Xception" of Xu et al. 2021 (Table 3)."""

from __future__ import annotations

from torch import nn

from fbench.architectures.layers import (
    GlobalAveragePool,
    Residual,
    chain,
    convolution,
    convolution_unit,
    dropout_or_none,
    separable_convolution,
)
from fbench.architectures.registry import register
from fbench.architectures.switches import check_geometry, dropout_rate


def _stem_unit(in_channels: int, out_channels: int) -> nn.Module:
    """A 3x3 convolution without padding, BN, ReLU."""
    return chain(
        convolution=nn.Conv2d(in_channels, out_channels, 3, bias=False),
        batch_norm=nn.BatchNorm2d(out_channels),
        activation=nn.ReLU(),
    )


def _module(in_channels: int, out_channels: int) -> nn.Module:
    """Two separable convolutions and a 3x3 pool beside a strided 1x1 shortcut; the sum stays linear."""
    body = chain(
        separable1=separable_convolution(in_channels, out_channels),
        batch_norm1=nn.BatchNorm2d(out_channels),
        activation=nn.ReLU(),
        separable2=separable_convolution(out_channels, out_channels),
        batch_norm2=nn.BatchNorm2d(out_channels),
        pool=nn.MaxPool2d(3, stride=2, padding=1),
    )
    return Residual(body, convolution_unit(in_channels, out_channels, 1, stride=2))


@register("mini_xception")
def mini_xception(
    *, num_classes: int = 7, in_channels: int = 1, image_size: int = 48, dropout: float = 0.0
) -> nn.Module:
    """mini_XCEPTION: Arriaga et al. 2017, as published in oarriaga/face_classification.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        image_size: height and width in pixels; the two unpadded stem convolutions take 4.
        dropout: rate before the last convolution; the published network has none.

    Returns:
        A network from N x in_channels x image_size x image_size to N x num_classes logits.

    Raises:
        UserError: a switch has an illegal value or the image is too small.
    """
    check_geometry("mini_xception", num_classes, in_channels, image_size, lambda size: size - 4)
    return chain(
        stem1=_stem_unit(in_channels, 8),
        stem2=_stem_unit(8, 8),
        module1=_module(8, 16),
        module2=_module(16, 32),
        module3=_module(32, 64),
        module4=_module(64, 128),
        dropout=dropout_or_none(dropout_rate(dropout)),
        classifier=convolution(128, num_classes, 3, bias=True),
        pool=GlobalAveragePool(),
    )
