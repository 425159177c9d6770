"""ResNet-50, the baseline "Resnet50" of Xu et al. 2021 (Table 3), and a stand-in matched to the printed
count."""

from __future__ import annotations

from torch import nn

from fbench.architectures.layers import (
    GlobalAveragePool,
    bottleneck,
    chain,
    convolution_unit,
    dense_head,
    dropout_or_none,
)
from fbench.architectures.registry import register, register_variant
from fbench.architectures.switches import (
    check_geometry,
    dropout_rate,
    halved,
    one_of,
    whole_number,
    widths,
    yes_or_no,
)

DEPTHS = (3, 4, 6, 3)
STEM_CHANNELS = 64
EXPANSION = 4


def _stage(in_channels: int, width: int, depth: int, stride: int, bias: bool) -> nn.Sequential:
    out_channels = width * EXPANSION
    first = bottleneck(in_channels, width, out_channels, stride=stride, bias=bias)
    rest = (bottleneck(out_channels, width, out_channels, stride=1, bias=bias) for _ in range(depth - 1))
    return chain(**{f"block{number}": block for number, block in enumerate((first, *rest), start=1)})


def _head(head: str, features: int, side: int, hidden: tuple[int, ...], num_classes: int, dropout: float) -> nn.Module:
    if head == "gap":
        return chain(
            pool=GlobalAveragePool(),
            dropout=dropout_or_none(dropout),
            classifier=nn.Linear(features, num_classes),
        )
    return dense_head(features * side**2, hidden if head == "dense" else (), num_classes, dropout=dropout)


@register("resnet50")
def resnet50(
    *,
    num_classes: int = 7,
    in_channels: int = 1,
    image_size: int = 48,
    dropout: float = 0.0,
    bottleneck_width: int = 64,
    head: str = "gap",
    dense_widths: tuple[int, ...] = (1024, 512),
    convolution_bias: bool = False,
) -> nn.Module:
    """ResNet-50: He et al. 2016, Deep Residual Learning for Image Recognition, Table 1.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        image_size: height and width in pixels; every size works.
        dropout: rate before the classifier, and after each hidden layer of ``head="dense"``.
        bottleneck_width: channels inside the bottlenecks of the first stage; each stage doubles it.
        head: gap, flatten (and one dense layer), dense (flatten, hidden layers, classifier).
        dense_widths: units of the hidden layers of ``head="dense"``.
        convolution_bias: biases in all convolutions, as in Keras applications.

    Returns:
        A network from N x in_channels x image_size x image_size to N x num_classes logits.

    Raises:
        UserError: a switch has an illegal value.
    """
    check_geometry("resnet50", num_classes, in_channels, image_size)
    one_of("head", head, ("gap", "flatten", "dense"))
    bias = yes_or_no("convolution_bias", convolution_bias)
    stages: dict[str, nn.Module] = {}
    before, width = STEM_CHANNELS, whole_number("bottleneck_width", bottleneck_width)
    for number, depth in enumerate(DEPTHS, start=1):
        stages[f"stage{number}"] = _stage(before, width, depth, 1 if number == 1 else 2, bias)
        before, width = width * EXPANSION, width * 2
    hidden = widths("dense_widths", dense_widths)
    return chain(
        stem=convolution_unit(in_channels, STEM_CHANNELS, 7, stride=2, bias=bias, activation=nn.ReLU),
        pool=nn.MaxPool2d(3, stride=2, padding=1),
        **stages,
        head=_head(head, before, halved(image_size, 5), hidden, num_classes, dropout_rate(dropout)),
    )


register_variant("resnet50_conv_bias", of="resnet50", convolution_bias=True)
register_variant("resnet50_count_matched", of="resnet50", bottleneck_width=32, head="dense", dense_widths=(1024, 512))
