"""What ``fbench new-arch`` writes: a small working network in one file with one decorator, and its tests."""

from __future__ import annotations

import keyword

from fbench.architectures.registry import list_architectures, registered_aliases
from fbench.core.errors import UserError

_NETWORK = '''\
"""{name}: say here what it is and where it comes from."""

from __future__ import annotations

import torch
from torch import nn

from fbench import register


class GlobalAveragePool(nn.Module):
    """The mean over height and width: N x C x H x W to N x C."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((-2, -1))


@register("{name}", description="Three strided convolutions and a global average")
def {name}(
    *,
    num_classes: int = 7,
    in_channels: int = 1,
    image_size: int = 48,
    width: int = 16,
) -> nn.Module:
    """Every option has a default; each can be a level of a study. Returns logits, without softmax."""
    layers: list[nn.Module] = []
    channels = in_channels
    for out_channels in (width, 2 * width, 4 * width):
        layers += [
            nn.Conv2d(channels, out_channels, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        ]
        channels = out_channels
    return nn.Sequential(*layers, GlobalAveragePool(), nn.Linear(channels, num_classes))
'''

_TESTS = '''\
"""What stays true of {name}; run it with pytest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import fbench

PLUGIN = Path(__file__).with_name("{name}.py")
fbench.load_plugin(PLUGIN)


@pytest.mark.parametrize(("in_channels", "image_size", "num_classes"), [(1, 48, 7), (3, 64, 10)])
def test_it_gives_a_finite_logit_for_each_class(in_channels: int, image_size: int, num_classes: int) -> None:
    network = fbench.create("{name}", in_channels=in_channels, image_size=image_size, num_classes=num_classes).eval()
    with torch.no_grad():
        logits = network(torch.rand(4, in_channels, image_size, image_size))
    assert logits.shape == (4, num_classes)
    assert torch.isfinite(logits).all()


def test_every_parameter_gets_a_gradient() -> None:
    network = fbench.create("{name}")
    loss = nn.functional.cross_entropy(network(torch.rand(14, 1, 48, 48)), torch.arange(14) % 7)
    loss.backward()
    without = [name for name, one in network.named_parameters() if one.requires_grad and one.grad is None]
    assert without == []


def test_its_counts_are_those_of_its_contract() -> None:
    """`fbench params --update {name} --plugin {name}.py` writes the present counts."""
    command = [sys.executable, "-m", "fbench", "params", "--check", "{name}", "--plugin", str(PLUGIN)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
'''


def new_tests_text(name: str) -> str:
    """The text of a pytest file that holds the network of :func:`new_architecture_text`, which lies beside it."""
    return _TESTS.format(name=name)


def new_architecture_text(name: str) -> str:
    """The text of a Python file that registers a small network under ``name``.

    Raises:
        UserError: the name is no Python name in lower case, or it is taken.
    """
    if not name.isidentifier() or keyword.iskeyword(name) or name != name.lower():
        raise UserError(f"'{name}' cannot name an architecture; give a lower-case Python name such as my_net.")
    if name in {*list_architectures(), *registered_aliases(), "register", "torch", "nn"}:
        raise UserError(f"The architecture name '{name}' is taken; choose another name.")
    return _NETWORK.format(name=name)
