"""The networks of timm (Wightman 2019), by the names of ``timm.list_models()``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


class TimmNetworks:
    """Resolves ``timm:NAME``; initial weights are timm's own, and nothing is downloaded."""

    package = "timm"
    extra = "timm"

    def names(self) -> Sequence[str]:
        """The names of all networks. Raises ImportError where timm, or torchvision below it, is not there."""
        import timm

        return list(timm.list_models())

    def build(self, name: str, num_classes: int, in_channels: int, image_size: int) -> nn.Module:
        """The network; the size of the image goes to those that are made for one (transformers and mixers)."""
        import timm

        wanted = {"pretrained": False, "num_classes": num_classes, "in_chans": in_channels}
        settings = timm.models.get_pretrained_cfg(name)
        if settings is not None and settings.fixed_input_size:
            wanted["img_size"] = image_size
        network: nn.Module = timm.create_model(name, **wanted)
        return network
