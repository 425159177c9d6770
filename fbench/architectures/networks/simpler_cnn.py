"""simpler_CNN of oarriaga/face_classification, a baseline of Xu et al. 2021 (Table 3, "Simper_CNN")."""

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
from fbench.architectures.switches import check_geometry, dropout_rate, halved


def _stage(in_channels: int, middle: int, out_channels: int, kernels: tuple[int, int], dropout: float) -> nn.Module:
    """Two convolutions, the second with stride 2; no activation after the first."""
    return chain(
        unit1=convolution_unit(in_channels, middle, kernels[0], bias=True),
        unit2=convolution_unit(middle, out_channels, kernels[1], stride=2, bias=True, activation=nn.ReLU),
        dropout=dropout_or_none(dropout),
    )


@register("simpler_cnn")
def simpler_cnn(
    *, num_classes: int = 7, in_channels: int = 1, image_size: int = 48, dropout: float = 0.25
) -> nn.Module:
    """simpler_CNN: Arriaga et al. 2017, as published in oarriaga/face_classification.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        image_size: height and width in pixels; every size works. Up to 64 the six stride-2 convolutions end
            in one pixel, which is flattened as in the source; above, the remaining map is averaged.
        dropout: rate after each of the four stages; the published network has 0.25.

    Returns:
        A network from N x in_channels x image_size x image_size to N x num_classes logits.

    Raises:
        UserError: a switch has an illegal value.
    """
    check_geometry("simpler_cnn", num_classes, in_channels, image_size)
    rate = dropout_rate(dropout)
    return chain(
        stage1=_stage(in_channels, 16, 16, (5, 5), rate),
        stage2=_stage(16, 32, 32, (5, 5), rate),
        stage3=_stage(32, 64, 64, (3, 3), rate),
        stage4=_stage(64, 64, 128, (1, 3), rate),
        expand1=convolution_unit(128, 256, 1, bias=True),
        reduce=convolution(256, 128, 3, stride=2, bias=True),
        expand2=convolution_unit(128, 256, 1, bias=True),
        classifier=convolution(256, num_classes, 3, stride=2, bias=True),
        flatten=nn.Flatten() if halved(image_size, 6) == 1 else GlobalAveragePool(),
    )
