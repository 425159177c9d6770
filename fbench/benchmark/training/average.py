"""An exponential moving average of weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from fbench.architectures.network_copy import copy_network
from fbench.benchmark.training.network_state import must_be_replaced, own_copy, put_state, take_state

_AVERAGED: Final = frozenset(
    (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.complex64, torch.complex128)
)


class MovingAverage:
    """A copy of a network whose weights and running statistics follow it slowly.

    The decay of step t is min(decay, (1 + t) / (10 + t)), so that a short training is not an average of its first
    weights (the rule of TensorFlow's ``ExponentialMovingAverage`` with ``num_updates``). torch's ``AveragedModel``
    reads a counter from the device at every step, which makes an accelerator wait; this does not.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.module = copy_network(network)
        self._decay = decay
        self._steps = 0

    @torch.no_grad()
    def follow(self, network: nn.Module) -> None:
        """Move towards the weights that ``network`` has after a step.

        Whole numbers are copied, and so is what has no average: extra state, and a buffer that the network replaced by
        one of another shape or type.
        """
        self._steps += 1
        _take_over(self.module, network)
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        slow, fast = _tensors(self.module), _tensors(network)
        averaged = [index for index, value in enumerate(slow) if value.dtype in _AVERAGED]
        get_ema_multi_avg_fn(decay)([slow[index] for index in averaged], [fast[index] for index in averaged], 0)
        copied = sorted(set(range(len(slow))) - set(averaged))
        if copied:  # together, as each batch normalisation has a counter
            torch._foreach_copy_([slow[index] for index in copied], [fast[index] for index in copied])

    def state_dict(self) -> dict[str, Any]:
        """The averaged network's state, and over how many steps it goes."""
        return {"module": take_state(self.module), "steps": self._steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where :meth:`state_dict` was taken."""
        put_state(self.module, state["module"])
        self._steps = int(state["steps"])


def _tensors(network: nn.Module) -> list[torch.Tensor]:
    tensors = (*network.parameters(), *network.buffers())
    return [value.detach() for value in tensors if value.layout is torch.strided]  # others were taken over


def _take_over(slow: nn.Module, fast: nn.Module) -> None:
    """Copy what cannot be averaged in place."""
    for ours, theirs in zip(slow.modules(), fast.modules(), strict=True):
        for name, value in theirs._buffers.items():
            own = ours._buffers.get(name)
            if value is None:
                ours._buffers[name] = None
            elif own is None or must_be_replaced(own, value):
                ours._buffers[name] = own_copy(value)
        if type(theirs).get_extra_state is not nn.Module.get_extra_state:
            ours.set_extra_state(copy.deepcopy(theirs.get_extra_state()))
