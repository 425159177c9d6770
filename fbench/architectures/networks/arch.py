"""ARCH-1 to ARCH-4 of Chowanda 2021 (Tables 1 to 4): one builder, so that single switches can be compared."""

from __future__ import annotations

from torch import nn

from fbench.architectures.layers import (
    GlobalAveragePool,
    Residual,
    chain,
    convolution_unit,
    dense_head,
    dropout_or_none,
    max_pool,
    separable_convolution,
)
from fbench.architectures.layers import convolution as convolution_layer
from fbench.architectures.registry import register, register_variant
from fbench.architectures.switches import check_geometry, dropout_rate, halved, one_of, widths, yes_or_no

SHORTCUTS = ("projection", "none")
CONVOLUTIONS = ("separable", "full")
HEADS = ("gap", "flatten", "dense")
DROPOUT_PLACES = ("head", "pooling")
BIASES = {"tail": True, "none": False}


def _stem(in_channels: int, extra: bool, dropout: float) -> nn.Module:
    """Four 3x3 convolutions (five with ``extra``) and the first pool: 16 channels at half the side."""
    return chain(
        unit1=convolution_unit(in_channels, 8, 3, activation=nn.ReLU),
        unit2=convolution_unit(8, 8, 3, activation=nn.ReLU),
        unit3=convolution_unit(8, 16, 3, activation=nn.ReLU),
        extra=convolution_unit(16, 16, 3, activation=nn.ReLU) if extra else None,
        unit4=convolution_unit(16, 16, 3, activation=nn.ReLU, pool=max_pool()),
        dropout=dropout_or_none(dropout),
    )


def _block_unit(in_channels: int, out_channels: int, separable: bool, pool: nn.Module | None) -> nn.Module:
    if not separable:
        return convolution_unit(in_channels, out_channels, 3, activation=nn.ReLU, pool=pool)
    return chain(
        convolution=separable_convolution(in_channels, out_channels),
        batch_norm=nn.BatchNorm2d(out_channels),
        pool=pool,
        activation=nn.ReLU(),
    )


def _block(separable: bool, projection: bool, dropout: float) -> nn.Module:
    """Two convolutions, 16 to 32 channels, half the side; a shortcut joins after the ReLU, before another."""
    unit1, unit2 = _block_unit(16, 32, separable, None), _block_unit(32, 32, separable, max_pool())
    if not projection:
        return chain(unit1=unit1, unit2=unit2, dropout=dropout_or_none(dropout))
    shortcut = chain(unit1=convolution_unit(16, 16, 1), unit2=convolution_unit(16, 32, 1, stride=2))
    residual = Residual(chain(unit1=unit1, unit2=unit2), shortcut)
    return chain(residual=residual, activation=nn.ReLU(), dropout=dropout_or_none(dropout))


def _tail(bias: bool, dropout: float) -> nn.Module:
    """Four 3x3 convolutions, 32 to 128 channels and half the side."""
    return chain(
        unit1=convolution_unit(32, 64, 3, bias=bias, activation=nn.ReLU),
        unit2=convolution_unit(64, 64, 3, bias=bias, activation=nn.ReLU, pool=max_pool()),
        dropout=dropout_or_none(dropout),
        unit3=convolution_unit(64, 128, 3, bias=bias, activation=nn.ReLU),
        unit4=convolution_unit(128, 128, 3, bias=bias, activation=nn.ReLU),
    )


def _head(head: str, hidden: tuple[int, ...], image_size: int, num_classes: int, dropout: float) -> nn.Module:
    if head == "gap":
        return chain(
            dropout=dropout_or_none(dropout),
            classifier=convolution_layer(128, num_classes, 3, bias=True),
            pool=GlobalAveragePool(),
        )
    features = 128 * halved(image_size, 4) ** 2
    layers = hidden if head == "dense" else ()
    return chain(pool=max_pool(), dense=dense_head(features, layers, num_classes, dropout=dropout))


@register("arch1")
def arch1(
    *,
    num_classes: int = 7,
    in_channels: int = 1,
    image_size: int = 48,
    dropout: float = 0.0,
    dropout_place: str = "head",
    convolution: str = "separable",
    shortcut: str = "projection",
    head: str = "gap",
    dense_widths: tuple[int, ...] = (512, 512),
    convolution_bias: str = "tail",
    extra_stem_convolution: bool = False,
) -> nn.Module:
    """ARCH-1: Chowanda 2021, Table 1; the other three are levels of its switches.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        image_size: height and width in pixels; every size works (an odd side is rounded up by every pool).
        dropout: rate of ``dropout_place``; the tables have none, the text has 0.5.
        dropout_place: head (before the last convolution of ``head="gap"``, otherwise after each hidden dense
            layer, or before the classifier where there is none) or pooling (after each pooling stage: the stem,
            the middle block and the second convolution after it). The paper does not say.
        convolution: separable, or full with the same 3x3 kernels, in the two convolutions of the middle
            block.
        shortcut: projection (two 1x1 convolutions beside the middle block) or none.
        head: gap (after a 3x3 convolution to the classes), flatten (pool, one dense layer), dense (pool,
            hidden layers, classifier).
        dense_widths: units of the hidden layers of ``head="dense"``.
        convolution_bias: tail (the four convolutions after the middle block) or none. The last convolution of
            ``head="gap"`` always has a bias.
        extra_stem_convolution: a second 16-to-16 convolution in the stem, as in ARCH-3 and ARCH-4.

    Returns:
        A network from N x in_channels x image_size x image_size to N x num_classes logits.

    Raises:
        UserError: a switch has an illegal value.
    """
    check_geometry("arch1", num_classes, in_channels, image_size)
    one_of("convolution", convolution, CONVOLUTIONS)
    one_of("shortcut", shortcut, SHORTCUTS)
    one_of("head", head, HEADS)
    rate = dropout_rate(dropout)
    in_head = one_of("dropout_place", dropout_place, DROPOUT_PLACES) == "head"
    head_dropout, pooling_dropout = (rate, 0.0) if in_head else (0.0, rate)
    bias = BIASES[one_of("convolution_bias", convolution_bias, BIASES)]
    return chain(
        stem=_stem(in_channels, yes_or_no("extra_stem_convolution", extra_stem_convolution), pooling_dropout),
        block=_block(convolution == "separable", shortcut == "projection", pooling_dropout),
        tail=_tail(bias, pooling_dropout),
        head=_head(head, widths("dense_widths", dense_widths), image_size, num_classes, head_dropout),
    )


register_variant("arch2", of="arch1", head="dense")
register_variant(
    "arch3",
    of="arch1",
    convolution="full",
    shortcut="none",
    convolution_bias="none",
    extra_stem_convolution=True,
)
register_variant(
    "arch4",
    of="arch1",
    head="dense",
    convolution="full",
    shortcut="none",
    convolution_bias="none",
    extra_stem_convolution=True,
)
