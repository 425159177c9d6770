"""Whether two trainings came to the same, bit for bit."""

from __future__ import annotations

import torch

from fbench.benchmark.store.trial_result import TrialResult


def same_bits(one: TrialResult, other: TrialResult) -> bool:
    """Whether two trainings have the same losses, weights and logits, bit for bit."""
    assert one.weights is not None
    assert other.weights is not None
    curves = [[(row.train_loss, row.train_top1, row.validation_loss) for row in of.history] for of in (one, other)]
    return (
        curves[0] == curves[1]
        and one.weights.keys() == other.weights.keys()
        and all(torch.equal(value, other.weights[name]) for name, value in one.weights.items())
    )
