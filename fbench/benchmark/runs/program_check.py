"""Before a run is created: does every network train in the way that was asked for, and as in plain arithmetic?"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import nn

from fbench.architectures.network_copy import copy_network
from fbench.architectures.registry import build
from fbench.benchmark.machine.determinism import nondeterministic_operations
from fbench.benchmark.machine.device import lay_out, memory_format, numerics_in_force
from fbench.benchmark.records.numerics import Numerics, Precision, choose_numerics
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.specs import NetworkSpec
from fbench.benchmark.training.augment import MixedBatch
from fbench.benchmark.training.step import Totals, make_step
from fbench.core.errors import reason_of


@dataclass(frozen=True)
class Agreement:
    """How far one step of plain gradient descent lies from that of plain eager fp32: its loss, and the length of its
    gradient, each as a share of the plain one's."""

    loss: float
    gradient_length: float

    def within(self, limit: Agreement) -> bool:
        """Whether both are within the limit; a value that is not a number is not."""
        return self.loss <= limit.loss and self.gradient_length <= limit.gradient_length


TOLERANCES: Final[dict[Precision, Agreement]] = {
    "fp32": Agreement(1e-4, 1e-2),
    "tf32": Agreement(5e-3, 5e-2),
    "bf16": Agreement(3e-2, 1e-1),
}
"""What is allowed. Measured on a CPU over the 34 networks on 64 images: fp32 in channels_last at most 4e-6 and 1e-3,
bf16 at most 7e-3 and 3.1e-2. Only the length is compared: ReLU and batch normalisation at the start of a deep network
turn the gradient by bf16's rounding alone (ResNet50: cosine 0.3), by fp32's too, if less (0.03 of its length)."""


def failing_programs(
    networks: Sequence[NetworkSpec], protocol: Protocol, batch_size: int, numerics: Numerics, device: torch.device
) -> dict[str, str]:
    """Take one step of every network as ``numerics`` say; the names of those that fail, each with its reason.

    On CUDA layout and precision are tried too, and a network fails that has no deterministic algorithm in them but has
    one in plain arithmetic. On a CPU nothing is tried where the program is eager. A network that cannot be built is
    left out, as its trials will say so.
    """
    if not (numerics.compile or numerics.device_kind == "cuda"):
        return {}
    modules: dict[str, nn.Module] = {}
    for network in networks:
        with contextlib.suppress(Exception, SystemExit):  # the trial itself will record the reason
            modules.setdefault(network.name, build(network.resolved))
    failing: dict[str, str] = {}
    for network in {network.digest: network for network in networks if network.name in modules}.values():
        try:
            found = tried_beside_plain(modules[network.name], network, protocol, batch_size, numerics, device)
        except (Exception, SystemExit) as error:  # whatever a compiler raises; the run goes on without it
            failing[network.name] = reason_of(error).partition("\n")[0]
            continue
        limit = TOLERANCES[numerics.precision]
        if not found.agreement.within(limit):
            failing[network.name] = f"{found.agreement} is further from plain fp32 than {limit}"
        elif found.without_deterministic_algorithm:
            failing[network.name] = f"no deterministic algorithm for {', '.join(found.without_deterministic_algorithm)}"
        elif not found.repeats_itself:
            failing[network.name] = "the same step gives other bits the second time"
    return failing


@dataclass(frozen=True)
class Tried:
    """What a step was, beside the plain one.

    Attributes:
        agreement: how far it lies from that.
        without_deterministic_algorithm: operations that PyTorch has one for in the plain step alone.
        repeats_itself: whether the same step has the same bits again; looked at on CUDA, as a CPU's always does.
    """

    agreement: Agreement
    without_deterministic_algorithm: tuple[str, ...] = ()
    repeats_itself: bool = True


def tried_beside_plain(
    module: nn.Module,
    network: NetworkSpec,
    protocol: Protocol,
    batch_size: int,
    numerics: Numerics,
    device: torch.device,
) -> Tried:
    """Compare one step of ``module`` as ``numerics`` say with plain eager fp32; dropout is left out."""
    torch.manual_seed(0)
    batch = MixedBatch(
        torch.randn(batch_size, *network.input_shape), torch.arange(batch_size) % int(network.options["num_classes"])
    )
    plain = choose_numerics(numerics.device_kind).model_copy(
        update={"memory_format": "contiguous", "cuda_graph": False, "microbatch": numerics.microbatch}
    )
    with nondeterministic_operations() as usual:
        expected = _one_step(module, batch, protocol, plain, device)
    with nondeterministic_operations() as operations:
        found = _one_step(module, batch, protocol, numerics, device)
    again = _one_step(module, batch, protocol, numerics, device) if device.type == "cuda" else found
    return Tried(
        agreement=Agreement(abs(found.loss / expected.loss - 1), abs(found.length / expected.length - 1)),
        without_deterministic_algorithm=tuple(one for one in operations if one not in usual),
        repeats_itself=found.loss == again.loss and all(map(torch.equal, found.moves, again.moves)),
    )


@dataclass(frozen=True)
class _Step:
    """The loss of a step, and how far a rate of 1 moves each weight, which is its gradient."""

    loss: float
    moves: list[torch.Tensor]

    @property
    def length(self) -> float:
        """The length of the gradient."""
        return float(torch.nn.utils.get_total_norm(self.moves))


def _one_step(
    module: nn.Module, batch: MixedBatch, protocol: Protocol, numerics: Numerics, device: torch.device
) -> _Step:
    layout = memory_format(numerics)
    network = lay_out(copy_network(module).to(device), layout)
    for layer in network.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    before = [parameter.detach().clone() for parameter in network.parameters()]
    images = batch.images.to(device).contiguous(memory_format=layout)
    with numerics_in_force(numerics, device):
        rate = torch.ones((), device=device) if numerics.device_kind == "cuda" else 1.0
        optimizer = torch.optim.SGD(network.parameters(), lr=rate, fused=True)
        unclipped = protocol.model_copy(update={"gradient_clip_norm": None})
        totals = Totals(device)
        make_step(network, optimizer, unclipped, numerics, totals)(MixedBatch(images, batch.labels.to(device)))
    moves = [parameter.detach() - old for parameter, old in zip(network.parameters(), before, strict=True)]
    return _Step(float(totals.loss) / totals.images, moves)
