"""A part of a network: what a reader would count as one thing in a drawing of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Category = Literal[
    "convolution",
    "dense layer",
    "recurrent layer",
    "squeeze-and-excitation",
    "shortcut",
    "normalisation",
    "activation",
    "pooling",
    "dropout",
    "operation",
]


@dataclass(frozen=True)
class NetworkPart:
    """One part of a network; parts that are equal in all of this are alike.

    Attributes:
        category: what it is counted as.
        kind: which of its category: ``depthwise``, ``identity``, ``h_swish``.
        form: what a reader wants to know beside the kind, such as the kernel ``3×3`` or a dropout's rate.
        shape: channels and strides of a convolution, units of a dense layer, else the map that it gives.
        bias: whether it has one; false where that has no meaning.
        normalised: whether a normalisation directly follows a convolution.
    """

    category: Category
    kind: str
    form: str = ""
    shape: str = ""
    bias: bool = False
    normalised: bool = False
