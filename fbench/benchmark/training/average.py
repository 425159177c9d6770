"""An exponential moving average of weights."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class MovingAverage:
    """A copy of a network whose weights and running statistics follow it slowly.

    The decay of step t is min(decay, (1 + t) / (10 + t)), so that a short training is not an average of its first
    weights (the rule of TensorFlow's ``ExponentialMovingAverage`` with ``num_updates``). torch's ``AveragedModel``
    reads a counter from the device at every step, which makes an accelerator wait; this does not.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.module = copy.deepcopy(network)
        self._decay = decay
        self._steps = 0

    @torch.no_grad()
    def follow(self, network: nn.Module) -> None:
        """Move towards the weights that ``network`` has after a step; whole numbers are copied."""
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        slow, fast = _tensors(self.module), _tensors(network)
        floating = [place for place, value in enumerate(slow) if value.is_floating_point()]
        get_ema_multi_avg_fn(decay)([slow[place] for place in floating], [fast[place] for place in floating], 0)
        for place in set(range(len(slow))) - set(floating):
            slow[place].copy_(fast[place])


def _tensors(network: nn.Module) -> list[torch.Tensor]:
    return [value.detach() for value in (*network.parameters(), *network.buffers())]
