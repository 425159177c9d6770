"""The network gives logits, and has the counts of its contract."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

import fbench


@pytest.mark.parametrize(("channels", "side", "classes"), [(1, 48, 7), (3, 64, 2)])
def test_it_gives_logits(channels: int, side: int, classes: int) -> None:
    network = fbench.create("small_separable", in_channels=channels, image_size=side, num_classes=classes)
    assert network.eval()(torch.zeros(2, channels, side, side)).shape == (2, classes)


def test_it_has_the_counts_of_its_contract() -> None:
    checked = subprocess.run([sys.executable, "-m", "fbench", "params", "--check", "small_separable"], check=False)
    assert checked.returncode == 0
