"""IRes, the residual separable network of Xu et al. 2021 (Table 1), with the switches of its ablations.

- ``num_classes``: number of logits.
- ``in_channels``: channels of the image.
- ``image_size``: height and width in pixels; every size works.
- ``dropout``: rate before the classifier, with ``head="dense"`` after each hidden layer.
- ``outer_activation``: after the stem and the 40-to-256 convolution, and in a dense head: relu or hard_swish.
- ``module_activation``: inside the six modules: relu or hard_swish.
- ``squeeze_excite``: reduction of the SE blocks in modules 4 to 6, or None for no SE.
- ``squeeze_excite_gate``: hard_swish (the literal text), hard_sigmoid or sigmoid.
- ``squeeze_excite_bias``: biases in both SE layers.
- ``head``: gap (and a 1x1 convolution), flatten (and one dense layer), dense (flatten, hidden
  layers, classifier).
- ``dense_widths``: units of the hidden layers of ``head="dense"``.
- ``convolution``: separable; full (the same kernels, not depthwise); plain (one full 3x3 as a module's
  body).
- ``depthwise_kernel``: kernel of modules 4 to 6, 3 or 5; modules 1 to 3 have 3.
- ``shortcut``: projection (1x1 where shapes differ), identity (only where they agree), none.
- ``shortcut_batch_norm``: batch normalisation after the projections.
- ``first_expansion``: whether module 1 has its 16-to-16 expansion.
- ``convolution_bias``: biases in every convolution; the 1x1 classifier always has one.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import nn

from fbench.architectures.layers import (
    ACTIVATIONS,
    GATES,
    GlobalAveragePool,
    ModuleFactory,
    Residual,
    SqueezeExcite,
    chain,
    convolution,
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


class _Row(NamedTuple):
    """One IRes row of Table 1: channels, stride, whether the kernel is 5x5, whether it has SE."""

    in_channels: int
    expanded: int
    out_channels: int
    stride: int
    large_kernel: bool
    squeeze_excite: bool


TABLE_1 = (
    _Row(16, 16, 16, 1, False, False),
    _Row(16, 32, 24, 2, False, False),
    _Row(24, 64, 24, 1, False, False),
    _Row(24, 64, 40, 2, True, True),
    _Row(40, 72, 40, 1, True, True),
    _Row(40, 88, 40, 1, True, True),
)
LAST_CHANNELS = 256


class _ModuleSwitches(NamedTuple):
    """What the six modules share."""

    activation: ModuleFactory
    convolution: str
    bias: bool
    kernel: int
    reduction: int | None
    gate: ModuleFactory
    squeeze_excite_bias: bool
    shortcut: str
    shortcut_batch_norm: bool
    first_expansion: bool

    def squeeze_excite(self, channels: int, row: _Row) -> nn.Module | None:
        """The SE block on so many channels where the row has one; its hidden activation is always ReLU."""
        if not row.squeeze_excite or self.reduction is None:
            return None
        return SqueezeExcite(channels, self.reduction, bias=self.squeeze_excite_bias, gate=self.gate)


def _expanded_body(row: _Row, expansion: bool, switches: _ModuleSwitches) -> nn.Module:
    """Expand, depthwise (or full) convolution, SE, linear projection (Sandler et al. 2018, MobileNetV2)."""
    activation, bias = switches.activation, switches.bias
    expanded = row.expanded if expansion else row.in_channels
    return chain(
        expand=convolution_unit(row.in_channels, expanded, 1, bias=bias, activation=activation) if expansion else None,
        spatial=convolution_unit(
            expanded,
            expanded,
            switches.kernel if row.large_kernel else 3,
            stride=row.stride,
            groups=expanded if switches.convolution == "separable" else 1,
            bias=bias,
            activation=activation,
        ),
        squeeze_excite=switches.squeeze_excite(expanded, row),
        project=convolution_unit(expanded, row.out_channels, 1, bias=bias),
    )


def _plain_body(row: _Row, switches: _ModuleSwitches) -> nn.Module:
    """One full 3x3 convolution from input to output channels, then SE on the output channels."""
    return chain(
        spatial=convolution_unit(
            row.in_channels,
            row.out_channels,
            3,
            stride=row.stride,
            bias=switches.bias,
            activation=switches.activation,
        ),
        squeeze_excite=switches.squeeze_excite(row.out_channels, row),
    )


def _shortcut(row: _Row, switches: _ModuleSwitches) -> nn.Module | None:
    same_shape = row.stride == 1 and row.in_channels == row.out_channels
    if switches.shortcut == "none" or (switches.shortcut == "identity" and not same_shape):
        return None
    if same_shape:
        return nn.Identity()
    if switches.shortcut_batch_norm:
        return convolution_unit(row.in_channels, row.out_channels, 1, stride=row.stride, bias=switches.bias)
    return convolution(row.in_channels, row.out_channels, 1, stride=row.stride, bias=switches.bias)


def _module(number: int, row: _Row, switches: _ModuleSwitches) -> nn.Module:
    expansion = switches.first_expansion or number > 1
    plain = switches.convolution == "plain"
    body = _plain_body(row, switches) if plain else _expanded_body(row, expansion, switches)
    shortcut = _shortcut(row, switches)
    return Residual(body, shortcut) if shortcut else body


def _head(
    head: str, hidden: tuple[int, ...], image_size: int, classes: int, dropout: float, act: ModuleFactory
) -> nn.Module:
    if head == "gap":
        return chain(
            pool=GlobalAveragePool(keep_dims=True),
            dropout=dropout_or_none(dropout),
            classifier=nn.Conv2d(LAST_CHANNELS, classes, 1),
            flatten=nn.Flatten(),
        )
    features = LAST_CHANNELS * halved(image_size, 3) ** 2
    return dense_head(features, hidden if head == "dense" else (), classes, dropout=dropout, activation=act)


@register("ires")
def ires(
    *,
    num_classes: int = 7,
    in_channels: int = 1,
    image_size: int = 48,
    dropout: float = 0.0,
    outer_activation: str = "hard_swish",
    module_activation: str = "relu",
    squeeze_excite: int | None = 4,
    squeeze_excite_gate: str = "hard_swish",
    squeeze_excite_bias: bool = False,
    head: str = "gap",
    dense_widths: tuple[int, ...] = (256,),
    convolution: str = "separable",
    depthwise_kernel: int = 5,
    shortcut: str = "projection",
    shortcut_batch_norm: bool = False,
    first_expansion: bool = True,
    convolution_bias: bool = False,
) -> nn.Module:
    """IRes: Xu et al. 2021, Table 1 and section 3, in the reading with 54,919 parameters (Keras convention).

    The switches are described in the module's docstring.

    Returns:
        A network from N x in_channels x image_size x image_size to N x num_classes logits.

    Raises:
        UserError: a switch has an illegal value.
    """
    check_geometry("ires", num_classes, in_channels, image_size)
    activation = ACTIVATIONS[one_of("outer_activation", outer_activation, ACTIVATIONS)]
    bias = yes_or_no("convolution_bias", convolution_bias)
    switches = _ModuleSwitches(
        activation=ACTIVATIONS[one_of("module_activation", module_activation, ACTIVATIONS)],
        convolution=one_of("convolution", convolution, ("separable", "full", "plain")),
        bias=bias,
        kernel=one_of("depthwise_kernel", depthwise_kernel, (3, 5)),
        reduction=None if squeeze_excite is None else whole_number("squeeze_excite", squeeze_excite),
        gate=GATES[one_of("squeeze_excite_gate", squeeze_excite_gate, GATES)],
        squeeze_excite_bias=yes_or_no("squeeze_excite_bias", squeeze_excite_bias),
        shortcut=one_of("shortcut", shortcut, ("projection", "identity", "none")),
        shortcut_batch_norm=yes_or_no("shortcut_batch_norm", shortcut_batch_norm),
        first_expansion=yes_or_no("first_expansion", first_expansion),
    )
    one_of("head", head, ("gap", "flatten", "dense"))
    return chain(
        stem=convolution_unit(in_channels, 16, 3, stride=2, bias=bias, activation=activation),
        **{f"module{number}": _module(number, row, switches) for number, row in enumerate(TABLE_1, start=1)},
        last=convolution_unit(40, LAST_CHANNELS, 1, bias=bias, activation=activation),
        head=_head(
            head,
            widths("dense_widths", dense_widths),
            image_size,
            num_classes,
            dropout_rate(dropout),
            activation,
        ),
    )


# Ablations of the recommended reading.
register_variant("ires_no_se", of="ires", squeeze_excite=None)
register_variant("ires_relu", of="ires", outer_activation="relu")
register_variant("ires_hswish_all", of="ires", module_activation="hard_swish")
register_variant("ires_se_hardsigmoid", of="ires", squeeze_excite_gate="hard_sigmoid")
register_variant("ires_se_sigmoid", of="ires", squeeze_excite_gate="sigmoid")
register_variant("ires_flatten", of="ires", head="flatten")
register_variant("ires_flatten_fc256", of="ires", head="dense", dense_widths=(256,))
register_variant("ires_regular_conv", of="ires", convolution="full")
register_variant("ires_regular_conv_kernel3", of="ires", convolution="full", depthwise_kernel=3)
register_variant("ires_plain_conv3x3", of="ires", convolution="plain")
register_variant("ires_no_residual", of="ires", shortcut="none")
register_variant("ires_identity_shortcut_only", of="ires", shortcut="identity")
register_variant("ires_no_se_no_residual", of="ires", squeeze_excite=None, shortcut="none")

# Other readings of an underdetermined table.
register_variant("ires_kernel3", of="ires", depthwise_kernel=3)
register_variant("ires_proj_bn", of="ires", shortcut_batch_norm=True)
register_variant("ires_se_bias", of="ires", squeeze_excite_bias=True)
register_variant("ires_se_r8", of="ires", squeeze_excite=8)
register_variant("ires_alt_54879", of="ires", first_expansion=False, squeeze_excite_bias=True)
register_variant("ires_alt_54855", of="ires", first_expansion=False, shortcut_batch_norm=True)
register_variant(
    "ires_alt_framework_defaults",
    of="ires",
    convolution_bias=True,
    squeeze_excite_bias=True,
    shortcut="identity",
)
register_variant(
    "ires_alt_mobilenetv3", of="ires", first_expansion=False, squeeze_excite_bias=True, shortcut="identity"
)
