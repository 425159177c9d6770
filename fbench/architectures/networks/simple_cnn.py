"""simple_CNN of oarriaga/face_classification, a baseline of Xu et al. 2021 (Table 3)."""

from __future__ import annotations

from torch import nn

from fbench.architectures.layers import (
    GlobalAveragePool,
    chain,
    convolution,
    convolution_unit,
    dropout_or_none,
)
from fbench.architectures.registry import register
from fbench.architectures.switches import check_geometry, dropout_rate


def _stage(in_channels: int, out_channels: int, kernel: int, dropout: float) -> nn.Module:
    """Two convolutions, the first without activation, pool, dropout; biases although BN follows."""
    return chain(
        unit1=convolution_unit(in_channels, out_channels, kernel, bias=True),
        unit2=convolution_unit(out_channels, out_channels, kernel, bias=True, activation=nn.ReLU),
        pool=nn.AvgPool2d(2, stride=2, ceil_mode=True),
        dropout=dropout_or_none(dropout),
    )


@register("simple_cnn")
def simple_cnn(*, num_classes: int = 7, in_channels: int = 1, image_size: int = 48, dropout: float = 0.5) -> nn.Module:
    """simple_CNN: Arriaga et al. 2017, as published in oarriaga/face_classification.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        image_size: height and width in pixels; every size works.
        dropout: rate after each of the four pools; the published network has 0.5.

    Returns:
        A network from N x in_channels x image_size x image_size to N x num_classes logits.

    Raises:
        UserError: a switch has an illegal value.
    """
    check_geometry("simple_cnn", num_classes, in_channels, image_size)
    rate = dropout_rate(dropout)
    return chain(
        stage1=_stage(in_channels, 16, 7, rate),
        stage2=_stage(16, 32, 5, rate),
        stage3=_stage(32, 64, 3, rate),
        stage4=_stage(64, 128, 3, rate),
        last=convolution_unit(128, 256, 3, bias=True),
        classifier=convolution(256, num_classes, 3, bias=True),
        pool=GlobalAveragePool(),
    )
