"""The file that ``fbench new-arch`` writes: a small working network in one file with one decorator."""

from __future__ import annotations

import keyword

from fbench.architectures.registry import list_architectures, registered_aliases
from fbench.core.errors import UserError

_TEMPLATE = '''\
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


def new_architecture_text(name: str) -> str:
    """The text of a Python file that registers a small network under ``name``.

    Raises:
        UserError: the name is no Python name in lower case, or it is taken.
    """
    if not name.isidentifier() or keyword.iskeyword(name) or name != name.lower():
        raise UserError(f"'{name}' cannot name an architecture; give a lower-case Python name such as my_net.")
    if name in {*list_architectures(), *registered_aliases(), "register", "torch", "nn"}:
        raise UserError(f"The architecture name '{name}' is taken; choose another name.")
    return _TEMPLATE.format(name=name)
