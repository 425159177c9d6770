"""Does a training give the same bits again? A network is trained twice from one seed, and what it computes compared.

Compared are the output of every module, the gradient of every parameter, the weights and buffers after each step, and
the logits at the end: of two trainings that part, the first of these to differ says where.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import zip_longest
from typing import Any, Final, Literal, NamedTuple

import torch
from torch import nn

from fbench.architectures.registry import build, options_of
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.data.synthetic.dataset import load_synthetic
from fbench.benchmark.machine.determinism import nondeterministic_operations
from fbench.benchmark.machine.device import (
    device_kind,
    lay_out,
    memory_format,
    numerics_in_force,
    pick_device,
    seed_generators,
)
from fbench.benchmark.records.budget import Budget, plan_steps
from fbench.benchmark.records.numerics import Numerics, choose_numerics
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.records.specs import NetworkSpec, data_spec
from fbench.benchmark.training.evaluate import predict_logits
from fbench.benchmark.training.loop import train
from fbench.benchmark.training.networks import network_spec
from fbench.benchmark.training.seeds import derive_seeds
from fbench.benchmark.training.state import TrainingData, TrainingSettings, TrainingState
from fbench.benchmark.training.tensors import choose_normalisation, split_to_device
from fbench.benchmark.workers.questions import Tell
from fbench.core.errors import errors_of_network
from fbench.core.schema import FrozenModel

STEPS: Final = 4
BATCH_SIZE: Final = 8
SEED: Final = 0
_IMAGES: Final = {"train": STEPS * BATCH_SIZE, "validation": BATCH_SIZE, "test": 1}

Kind = Literal["output", "gradient", "weights", "logits"]


class Difference(FrozenModel):
    """Where two trainings from one seed first differ.

    Attributes:
        layer: the path of the module, empty for the network itself.
        layer_class: its class.
        what: what of it differs: its output, the gradient or the value of one of its parameters or buffers, or the
            logits of the trained network where all before is the same.
        step: of which optimizer step, from 1; 0 is the network as it is built.
    """

    layer: str
    layer_class: str
    what: Kind
    step: int


class Repetition(FrozenModel):
    """What came of training a network twice from one seed.

    Attributes:
        network: its name.
        device: where.
        steps: optimizer steps of each training.
        difference: where both differ; none where they have the same bits.
        without_deterministic_algorithm: operations that PyTorch has no deterministic algorithm for on this device.
    """

    network: str
    device: str
    steps: int
    difference: Difference | None
    without_deterministic_algorithm: tuple[str, ...] = ()


class _Computed(NamedTuple):
    """One thing that was computed: of which step, what, in which layer, and a digest of its bits."""

    step: int
    what: Kind
    layer: str
    bits: bytes


class _Course:
    """All that was computed in a training, in its order, beginning with the network as it is built."""

    def __init__(self, network: nn.Module) -> None:
        self.classes = {path: type(module).__name__ for path, module in network.named_modules()}
        self.computed: list[_Computed] = []
        self.step = 0

    def note(self, what: Kind, layer: str, value: object) -> None:
        """Keep the digests of the tensors in a value."""
        self.computed += [_Computed(self.step, what, layer, _bits(tensor)) for tensor in _tensors(value)]

    def note_weights(self, network: nn.Module) -> None:
        """Keep the digests of all parameters and buffers, each for the layer that holds it."""
        for name, value in network.state_dict().items():
            self.note("weights", name.rpartition(".")[0], value)


def trained_twice(tell: Tell, name: str, device: str) -> Repetition:
    """Train a registered network twice from one seed: a few steps of the default protocol, with its augmentation, on
    rendered faces, eagerly. A question to the network.

    Args:
        tell: is told that it goes on.
        name: the network.
        device: as ``--device`` takes it.

    Raises:
        UserError: the network cannot be built, run or trained.
    """
    chosen = pick_device(device)
    numerics = choose_numerics(device_kind(chosen)).eager()
    dataset = load_synthetic(**_IMAGES)
    protocol = load_protocol("fbench")
    options = {key: value for key, value in protocol.architecture_options.items() if key in options_of(name)}
    network = network_spec(name, name, options, data_spec(DataReference(name="synthetic"), dataset))
    budget = Budget(image_passes=STEPS * BATCH_SIZE, evaluation_points=1, batch_size=BATCH_SIZE)
    with errors_of_network(name), numerics_in_force(numerics, chosen), nondeterministic_operations() as operations:
        faces = split_to_device(dataset, "train", chosen, numerics)
        choosing = split_to_device(dataset, "validation", chosen, numerics)
        data = TrainingData(faces, choosing, choose_normalisation(protocol, faces))
        plan = plan_steps(protocol, budget, _IMAGES["train"])
        settings = TrainingSettings(protocol, plan, numerics, derive_seeds(SEED))
        first, second = (_trained(tell, network, data, settings, numerics) for _ in range(2))
    return Repetition(
        network=name,
        device=str(chosen),
        steps=plan.steps,
        difference=_first_difference(first, second),
        without_deterministic_algorithm=tuple(operations),
    )


def _trained(
    tell: Tell, spec: NetworkSpec, data: TrainingData, settings: TrainingSettings, numerics: Numerics
) -> _Course:
    seed_generators(settings.seeds.initialisation, data.train.images.device)
    network = lay_out(build(spec.resolved).to(data.train.images.device), memory_format(numerics))
    course = _Course(network)
    course.note_weights(network)
    state = TrainingState(network, data, settings)
    course.step = 1

    def after_step(state: TrainingState) -> None:
        course.note_weights(network)
        course.step = min(state.step + 1, STEPS)
        tell("")

    with _noting(course, network):
        train(state, after_step=after_step)
    flip = settings.protocol.test_time_flip
    course.note("logits", "", predict_logits(state.evaluated, data.choosing, data.normalisation, numerics, flip=flip))
    return course


@contextmanager
def _noting(course: _Course, network: nn.Module) -> Iterator[None]:
    """Keep what modules give, and the gradients of parameters as soon as they are there; scripted modules take no
    hooks."""

    def output_of(path: str) -> Callable[[nn.Module, Any, Any], None]:
        return lambda module, given, output: course.note("output", path, output)

    def gradient_of(path: str) -> Callable[[torch.Tensor], None]:
        return lambda parameter: course.note("gradient", path, parameter.grad)

    modules = [(path, one) for path, one in network.named_modules() if not isinstance(one, torch.jit.ScriptModule)]
    parameters = [(path.rpartition(".")[0], one) for path, one in network.named_parameters() if one.requires_grad]
    hooks = [
        *(module.register_forward_hook(output_of(path)) for path, module in modules),
        *(one.register_post_accumulate_grad_hook(gradient_of(path)) for path, one in parameters),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _first_difference(first: _Course, second: _Course) -> Difference | None:
    for one, other in zip_longest(first.computed, second.computed):
        if one != other:
            found = one or other
            return Difference(
                layer=found.layer, layer_class=first.classes.get(found.layer, ""), what=found.what, step=found.step
            )
    return None


def _tensors(value: object) -> list[torch.Tensor]:
    """The tensors in what a module gave."""
    if isinstance(value, torch.Tensor):
        return [value]
    parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list | tuple) else []
    return [tensor for part in parts for tensor in _tensors(part)]


def _bits(tensor: torch.Tensor) -> bytes:
    """A digest of the values of a tensor, bit for bit, with its type and shape."""
    values = tensor.detach()
    dense = (values.to_dense() if values.layout != torch.strided else values).resolve_conj().resolve_neg().cpu()
    digest = hashlib.blake2b(f"{dense.dtype} {tuple(dense.shape)}".encode(), digest_size=16)
    digest.update(dense.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.digest()
