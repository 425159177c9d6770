from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows

from fbench.benchmark.training.smoothed_loss import smoothed_cross_entropy


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("scale", [1.0, 100.0])
@pytest.mark.parametrize("share", [1.0, 0.25])
def test_value_and_gradient_are_those_of_pytorch(smoothing: float, scale: float, share: float) -> None:
    torch.manual_seed(0)
    logits = (torch.randn(9, 7) * scale).requires_grad_()
    labels = torch.randint(0, 7, (9,))
    loss = smoothed_cross_entropy(logits, labels, smoothing)
    expected = F.cross_entropy(logits, labels, label_smoothing=smoothing)
    found, wanted = (torch.autograd.grad(one, logits, torch.tensor(share))[0] for one in (loss, expected))
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(found, wanted)


def test_the_gradient_is_the_derivative() -> None:
    torch.manual_seed(0)
    logits = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 2, 1, 2])
    assert torch.autograd.gradcheck(lambda given: smoothed_cross_entropy(given, labels, 0.2), (logits,))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_logit_that_is_no_number_shows_in_the_loss(bad: float) -> None:
    logits = torch.zeros(2, 3)
    logits[0, 1] = bad
    assert not smoothed_cross_entropy(logits, torch.tensor([0, 1]), 0.1).isfinite()
