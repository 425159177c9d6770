"""The networks of torchvision for classification, by the names of ``torchvision.models.list_models()``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

COLOURS = 3


class TorchvisionNetworks:
    """Resolves ``torchvision:NAME``; initial weights are torchvision's own, and nothing is downloaded."""

    package = "torchvision"
    extra = "timm"

    def names(self) -> Sequence[str]:
        """The names of all networks. Raises ImportError where torchvision is not there."""
        from torchvision import models

        return list(models.list_models(models))

    def build(self, name: str, num_classes: int, in_channels: int, image_size: int) -> nn.Module:
        """The network, with a first convolution for the channels of the image where these are not three, as
        torchvision has no option for them."""
        from torchvision import models

        wanted: dict[str, object] = {"weights": None, "num_classes": num_classes}
        if name.startswith("vit_"):
            wanted["image_size"] = image_size
        if name in ("googlenet", "inception_v3"):
            wanted |= {"aux_logits": False, "init_weights": True}
        network: nn.Module = models.get_model(name, **wanted)
        if in_channels != COLOURS:
            _replace_first_convolution(network, in_channels)
        return network


def _replace_first_convolution(network: nn.Module, in_channels: int) -> None:
    """Put a convolution for so many channels in the place of the first one, initialised as PyTorch does."""
    from torch import nn

    for path, module in network.named_modules():
        if isinstance(module, nn.Conv2d) and module.in_channels == COLOURS and module.groups == 1:
            first = nn.Conv2d(
                in_channels,
                module.out_channels,
                module.kernel_size,  # type: ignore[arg-type] # two numbers, as the module has them
                module.stride,  # type: ignore[arg-type]
                module.padding,  # type: ignore[arg-type]
                module.dilation,  # type: ignore[arg-type]
                bias=module.bias is not None,
                padding_mode=module.padding_mode,
            )
            around, _, attribute = path.rpartition(".")
            setattr(network.get_submodule(around), attribute, first)
            return
