"""Does a builder make the same network, newly, each time it is called? Every trial and every reading relies on it."""

from __future__ import annotations

import torch
from torch import nn

from fbench.architectures.digest import same_modules
from fbench.architectures.process_settings import process_settings_kept
from fbench.architectures.registry import ResolvedArchitecture, build, builder_function
from fbench.core.errors import UserError, errors_of_network
from fbench.core.user_code import location_of_function


def refuse_unsteady_builder(name: str, resolved: ResolvedArchitecture, module: nn.Module) -> None:
    """Build a network once more and hold it against ``module``.

    Raises:
        UserError: both have parameters in common, so that trials would go on with each other's weights, or they are
            two networks, apart from their weights.
    """
    device = next((parameter.device for parameter in module.parameters()), torch.device("cpu"))
    with errors_of_network(name), process_settings_kept(), torch.device(device):
        again = build(resolved)
    location = location_of_function(builder_function(resolved.builder))
    where = f"The builder of '{name}'{f' ({location})' if location else ''}"
    if {id(parameter) for parameter in module.parameters()} & {id(parameter) for parameter in again.parameters()}:
        raise UserError(f"{where} gives the same parameters each time; make new ones, as each trial trains its own.")
    differs = same_modules(module, again)
    if differs is not None:
        raise UserError(
            f"{where} makes another network each time: its module '{differs}' differs; let its options alone decide, "
            "or draw from a generator with a fixed seed."
        )
