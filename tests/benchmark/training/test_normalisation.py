from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from hypothesis import given
from hypothesis.extra.numpy import arrays

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.training.tensors import (
    choose_normalisation,
    fit_normalisation,
    normalise_each_image,
    split_to_device,
)


def test_normalised_training_images_have_mean_zero_and_deviation_one(stripes: ImageDataset) -> None:
    split = split_to_device(stripes, "train", torch.device("cpu"), choose_numerics("cpu"))
    values = fit_normalisation(split)(split.images).double()
    assert math.isclose(values.mean().item(), 0.0, abs_tol=1e-5)
    assert math.isclose(values.std(correction=0).item(), 1.0, abs_tol=1e-5)


@given(arrays(np.uint8, (3, 2, 5, 4)))
def test_per_image_normalisation_is_by_each_image_s_own_moments(pixels: npt.NDArray[np.uint8]) -> None:
    expected = (pixels - pixels.mean((1, 2, 3), keepdims=True)) / np.sqrt(pixels.var((1, 2, 3), keepdims=True) + 1)
    found = normalise_each_image(torch.from_numpy(pixels))
    np.testing.assert_allclose(found.numpy(), expected, atol=2e-4)


def test_the_protocol_chooses_the_normalisation(stripes: ImageDataset) -> None:
    train = split_to_device(stripes, "train", torch.device("cpu"), choose_numerics("cpu"))
    protocol = load_protocol("fbench")
    by_split = choose_normalisation(protocol.model_copy(update={"normalisation": "training_split"}), train)
    by_image = choose_normalisation(protocol.model_copy(update={"normalisation": "per_image"}), train)
    darker = train.images // 2
    torch.testing.assert_close(by_split(train.images), fit_normalisation(train)(train.images))
    assert not torch.allclose(by_split(darker), by_split(train.images), atol=0.1)
    torch.testing.assert_close(by_image(darker), by_image(train.images), atol=0.05, rtol=0.0)
