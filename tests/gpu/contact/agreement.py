"""Stage: one training step of ten networks in each precision, as a run takes it, held against plain eager fp32."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cache, partial
from typing import Any, Final

from torch import nn

from fbench.architectures.registry import build
from fbench.benchmark.machine.device import pick_device
from fbench.benchmark.records.numerics import Precision
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.runs.program_check import TOLERANCES, tried_beside_plain
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Measurement
from tests.gpu.contact.trials import face_network, numerics_of, precisions_of

NETWORKS: Final = (
    *("arch1", "ires", "mini_xception", "resnet50", "simple_cnn"),
    *("arch3", "ires_plain_conv3x3", "ires_hswish_all", "ires_flatten", "lenet5"),
)


def measurements(settings: Settings) -> Iterator[Measurement]:
    """Each network in each precision."""
    for network in NETWORKS[: 2 if settings.small else None]:
        for precision in precisions_of(settings):
            yield Measurement(f"{network} {precision}", partial(agreement, network, precision, settings))


def agreement(network: str, precision: Precision, settings: Settings) -> Mapping[str, Any]:
    """How far the loss and the length of the gradient are off, as shares of the plain step's."""
    device, numerics = pick_device(settings.device), numerics_of(settings, precision)
    batch, protocol = 8 if settings.small else 128, load_protocol("fbench")
    tried = tried_beside_plain(_module(network), face_network(network), protocol, batch, numerics, device)
    return {
        "within": tried.agreement.within(TOLERANCES[precision]),
        "repeats_itself": tried.repeats_itself,
        **asdict(tried.agreement),
        "without_deterministic_algorithm": list(tried.without_deterministic_algorithm),
        "batch": batch,
    }


@cache
def _module(network: str) -> nn.Module:
    return build(face_network(network).resolved)
