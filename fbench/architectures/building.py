"""From what a name stands for to a network and its trace, without its numbers where that can be."""

from __future__ import annotations

import torch
from torch import nn

from fbench.architectures.process_settings import process_settings_kept
from fbench.architectures.registry import ResolvedArchitecture, build
from fbench.architectures.tracing.graph import NetworkTrace
from fbench.architectures.tracing.trace import trace, trace_on
from fbench.core.errors import UserError, errors_of_network


def build_and_trace(resolved: ResolvedArchitecture) -> tuple[nn.Module, NetworkTrace]:
    """Build a network on the meta device and trace it on one image of its input shape.

    Where its builder or its forward pass needs numbers (``.item()``, a decomposition, numpy), it is built and traced
    on the CPU; the random generator of the caller is left alone.

    Raises:
        UserError: an option has an illegal value, or the builder or the forward pass raises; with the place in the
            user's code.
    """
    with errors_of_network(resolved.name), process_settings_kept():
        try:
            with torch.device("meta"):
                module = build(resolved)
            return module, trace_on(module, resolved.input_shape, "meta")
        except UserError:
            raise
        except Exception:  # noqa: S110 - of any type: what code does without numbers fails in many ways
            pass
        torch.manual_seed(0)
        module = build(resolved)
        return module, trace(module, resolved.input_shape)
