from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from fbench.architectures.contract import built_in_contract
from fbench.architectures.registry import create

pytest.importorskip("keras", reason="the extra [peers] is not installed")
pytest.importorskip("tensorflow", reason="the extra [peers] is not installed")

from tests.peers.keras_networks import to_keras

NETWORKS = ("arch1", "ires", "mini_xception", "simple_cnn", pytest.param("resnet50", marks=pytest.mark.slow))
SHAPE = (1, 48, 48)


def with_lively_statistics(name: str) -> nn.Module:
    torch.manual_seed(0)
    network = create(name)
    network.train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.randn(16, *SHAPE))
    return network.eval()


@pytest.mark.parametrize("name", NETWORKS)
def test_the_keras_model_has_the_contract_s_count(name: str) -> None:
    translated = to_keras(create(name), SHAPE, exact_borders=False)
    counts = built_in_contract()[name].counts
    assert counts is not None
    assert translated.model.count_params() == counts.total_params_keras


@pytest.mark.parametrize("name", NETWORKS)
def test_the_keras_model_gives_the_same_logits_from_the_same_weights(name: str) -> None:
    network = with_lively_statistics(name)
    translated = to_keras(network, SHAPE, exact_borders=True)
    translated.take_weights()
    images = torch.randn(8, *SHAPE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = network(images).numpy()
    found = np.asarray(translated.model(images.permute(0, 2, 3, 1).numpy(), training=False))
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max() + 1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_borders_of_a_keras_user_change_no_shape_and_no_count(name: str) -> None:
    exact, usual = (to_keras(create(name), SHAPE, exact_borders=choice).model for choice in (True, False))
    assert exact.count_params() == usual.count_params()
    assert exact.output_shape == usual.output_shape
