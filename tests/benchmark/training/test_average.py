from __future__ import annotations

import torch
from torch import nn

from fbench.benchmark.training.average import MovingAverage


def test_a_moving_average_is_the_recursion_written_out() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3))
    average = MovingAverage(network, decay=0.3)
    weights = network[0].weight
    assert isinstance(weights, nn.Parameter)
    expected = weights.detach().clone()
    for step in range(1, 8):
        with torch.no_grad():
            weights += torch.randn_like(weights)
        network(torch.randn(4, 1, 5, 5))
        average.follow(network)
        decay = min(0.3, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * weights.detach()
    torch.testing.assert_close(average.module.get_parameter("0.weight").detach(), expected)
    assert average.module.get_buffer("1.num_batches_tracked") == 7
    assert not torch.equal(average.module.get_buffer("1.running_mean"), network.get_buffer("1.running_mean"))
