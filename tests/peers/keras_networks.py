"""A network of fbench, layer for layer as a Keras model on TensorFlow, channels last."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

import keras
import numpy as np
import torch
from torch import nn

from fbench.architectures.layers import GlobalAveragePool, Residual, SqueezeExcite

Map = Any
"""A symbolic tensor of Keras, N x H x W x C, or N x features after flattening."""


@dataclass
class Translation:
    """The layers with weights in the order of the network, and how to treat borders.

    ``exact_borders`` pads on both sides, as PyTorch does, by layers of their own. Without them a layer of stride 2
    pads as Keras' "same" does, on the far side: the same work and one layer less, which is what a Keras user writes.
    """

    exact_borders: bool
    pairs: list[tuple[keras.layers.Layer, nn.Module, tuple[int, int, int] | None]] = field(default_factory=list)
    flattened: tuple[int, int, int] | None = None
    """Height, width and channels of the map that was last flattened, whose order differs."""


@dataclass(frozen=True)
class KerasNetwork:
    """A Keras model beside the network of fbench that it copies."""

    model: keras.Model
    pairs: tuple[tuple[keras.layers.Layer, nn.Module, tuple[int, int, int] | None], ...]

    def take_weights(self) -> None:
        """Set every weight and running statistic to that of the network it was made from."""
        for layer, module, flattened in self.pairs:
            layer.set_weights(_weights(module, flattened))


def to_keras(network: nn.Module, input_shape: tuple[int, int, int], *, exact_borders: bool) -> KerasNetwork:
    """Translate ``network`` for images of ``input_shape`` (channels, height, width); the model gives logits.

    Kernels and biases start uniform within the inverse root of the fan-in, as in PyTorch.

    Raises:
        NotImplementedError: a layer that none of the five compared networks has.
    """
    channels, height, width = input_shape
    image = keras.Input((height, width, channels))
    translation = Translation(exact_borders)
    logits = translate(network, image, translation)
    return KerasNetwork(
        keras.Model(image, keras.layers.Activation("linear", dtype="float32")(logits)), tuple(translation.pairs)
    )


@singledispatch
def translate(module: nn.Module, x: Map, into: Translation) -> Map:
    """Apply the Keras counterpart of ``module`` to ``x``."""
    raise NotImplementedError(f"{type(module).__name__} has no counterpart yet")


@translate.register
def _(module: nn.Sequential, x: Map, into: Translation) -> Map:
    for child in module:
        x = translate(child, x, into)
    return x


@translate.register
def _(module: Residual, x: Map, into: Translation) -> Map:
    return keras.layers.Add()([translate(module.body, x, into), translate(module.shortcut, x, into)])


@translate.register
def _(module: SqueezeExcite, x: Map, into: Translation) -> Map:
    gate = keras.layers.GlobalAveragePooling2D()(x)
    for part in (module.reduce, module.activation, module.expand, module.gate):
        gate = translate(part, gate, into)
    return keras.layers.Multiply()([x, keras.layers.Reshape((1, 1, x.shape[-1]))(gate)])


@translate.register
def _(module: nn.Conv2d, x: Map, into: Translation) -> Map:
    kernel, stride, padding = int(module.kernel_size[0]), int(module.stride[0]), int(module.padding[0])
    if padding and stride > 1 and into.exact_borders:
        x, border = keras.layers.ZeroPadding2D(padding)(x), "valid"
    else:
        border = "same" if padding or kernel == 1 else "valid"
    start = _start(module.weight)
    shared = {"strides": stride, "padding": border, "use_bias": module.bias is not None, "bias_initializer": start}
    if module.groups == 1:
        layer = keras.layers.Conv2D(module.out_channels, kernel, kernel_initializer=start, **shared)
    else:
        layer = keras.layers.DepthwiseConv2D(kernel, depthwise_initializer=start, **shared)
    into.pairs.append((layer, module, None))
    return layer(x)


@translate.register
def _(module: nn.Linear, x: Map, into: Translation) -> Map:
    start = _start(module.weight)
    layer = keras.layers.Dense(
        module.out_features, use_bias=module.bias is not None, kernel_initializer=start, bias_initializer=start
    )
    into.pairs.append((layer, module, into.flattened))
    into.flattened = None
    return layer(x)


@translate.register
def _(module: nn.BatchNorm2d, x: Map, into: Translation) -> Map:
    layer = keras.layers.BatchNormalization(momentum=1 - (module.momentum or 0.1), epsilon=module.eps)
    into.pairs.append((layer, module, None))
    return layer(x)


@translate.register
def _(module: nn.MaxPool2d, x: Map, into: Translation) -> Map:
    if module.padding and into.exact_borders:
        x = keras.layers.Lambda(
            lambda values: keras.ops.pad(values, [[0, 0], [1, 1], [1, 1], [0, 0]], "constant", -1e30)
        )(x)
        return keras.layers.MaxPooling2D(module.kernel_size, module.stride, "valid")(x)
    return keras.layers.MaxPooling2D(module.kernel_size, module.stride, "same")(x)


@translate.register
def _(module: nn.AvgPool2d, x: Map, into: Translation) -> Map:
    return keras.layers.AveragePooling2D(module.kernel_size, module.stride, "same")(x)


@translate.register
def _(module: GlobalAveragePool, x: Map, into: Translation) -> Map:
    return keras.layers.GlobalAveragePooling2D(keepdims=module.keep_dims)(x)


@translate.register
def _(module: nn.Flatten, x: Map, into: Translation) -> Map:
    into.flattened = tuple(x.shape[1:])
    return keras.layers.Flatten()(x)


@translate.register
def _(module: nn.Dropout, x: Map, into: Translation) -> Map:
    return keras.layers.Dropout(module.p)(x)


@translate.register
def _(module: nn.Identity, x: Map, into: Translation) -> Map:
    return x


def _pad_below_everything(values: Map) -> Map:
    return keras.ops.pad(values, [[0, 0], [1, 1], [1, 1], [0, 0]], "constant", -1e30)


def _activation(name: str) -> Callable[[nn.Module, Map, Translation], Map]:
    return lambda module, x, into: keras.layers.Activation(name)(x)


translate.register(nn.ReLU, _activation("relu"))
translate.register(nn.Hardswish, _activation("hard_swish"))
translate.register(nn.Hardsigmoid, _activation("hard_sigmoid"))
translate.register(nn.Sigmoid, _activation("sigmoid"))


def _start(weight: torch.Tensor) -> keras.initializers.Initializer:
    bound = 1 / math.sqrt(weight[0].numel())
    return keras.initializers.RandomUniform(-bound, bound)


def _weights(module: nn.Module, flattened: tuple[int, int, int] | None) -> list[np.ndarray[Any, Any]]:
    """Weights of a layer in Keras' order and layout."""
    if isinstance(module, nn.BatchNorm2d):
        if module.running_mean is None or module.running_var is None:
            raise ValueError("batch normalisation without running statistics has no counterpart")
        return [_array(value) for value in (module.weight, module.bias, module.running_mean, module.running_var)]
    if isinstance(module, nn.Conv2d):
        kernel = _array(module.weight).transpose((2, 3, 1, 0) if module.groups == 1 else (2, 3, 0, 1))
    elif isinstance(module, nn.Linear):
        kernel = _array(module.weight).T
        if flattened is not None:
            height, width, channels = flattened
            kernel = kernel.reshape(channels, height, width, -1).transpose(1, 2, 0, 3).reshape(kernel.shape)
    else:
        raise NotImplementedError(type(module).__name__)
    return [kernel] if module.bias is None else [kernel, _array(module.bias)]


def _array(values: torch.Tensor) -> np.ndarray[Any, Any]:
    return values.detach().numpy()
