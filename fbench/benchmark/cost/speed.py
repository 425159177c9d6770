"""Measure the speed of networks outside of a run: what ``fbench speed`` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from fbench.architectures.plugins import load_plugin
from fbench.architectures.registry import canonical_name, list_architectures, source_digest
from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.cost_specs import ONNX_BACKENDS, Backend, CostMode, CostPlan, CostSpec, Setting
from fbench.benchmark.records.numerics import Precision, choose_numerics
from fbench.core.capacity import cores_because, in_brackets, usable_cores
from fbench.core.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from fbench.architectures.tracing.graph import NetworkTrace
    from fbench.benchmark.cost.roofline.profile import NetworkProfile
    from fbench.benchmark.records.trial_records import CounterReading

MOST_BLOCKS: Final = 10_000
DEFAULT_BLOCKS: Final = 20
SECONDS_PER_CALL: Final = 1.5
"""For each network in each setting; three times what a run spends, as here speed is the question."""


@dataclass(frozen=True)
class SpeedRequest:
    """What to measure.

    ``seconds`` is about how long the timing takes, after building and warm-up. Inference is also measured in each
    network's own best batch. ``against`` is the network that the others are held against, the first by default.
    """

    names: tuple[str, ...]
    batch_sizes: tuple[int, ...] = (1, 8, 64, 256)
    modes: tuple[str, ...] = ("inference",)
    backends: tuple[str, ...] = ("eager",)
    device: str = "auto"
    precision: Precision = "fp32"
    threads: int | None = None
    seconds: float | None = None
    blocks: int = DEFAULT_BLOCKS
    against: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    plugins: tuple[Path, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class AllCounts:
    """Our count of a network, and what every other counter says of it."""

    trace: NetworkTrace
    readings: tuple[CounterReading, ...]


def measure_speed(request: SpeedRequest, progress: Callable[[str], None] = lambda what: None) -> CostRecord:
    """Measure networks interleaved on this machine; every raw sample is in the record.

    Raises:
        UserError: an unknown network, mode, backend or device, a batch below 1, or more threads than cores.
    """
    spec = cost_spec(request)
    from fbench.benchmark.cost.measure import measure_cost
    from fbench.benchmark.cost.roofline.measure_roofline import roofline_of_this_machine
    from fbench.benchmark.machine.device import pick_device

    device = pick_device(request.device)
    progress("what this machine can do at most (once, then kept)")
    roofline = roofline_of_this_machine(spec.numerics, device)
    return measure_cost(spec, device, progress=progress, roofline=roofline)


def profile(request: SpeedRequest) -> NetworkProfile:
    """Time every layer of the request's first network at its first batch size, under the machine's roofline.

    Raises:
        UserError: as :func:`measure_speed`, or a batch beyond free memory.
    """
    spec = cost_spec(request)
    from fbench.benchmark.cost.roofline.profile import profile_network
    from fbench.benchmark.machine.device import pick_device

    return profile_network(spec.networks[0], request.batch_sizes[0], spec.numerics, pick_device(request.device))


def count_with_all(request: SpeedRequest) -> AllCounts:
    """Count the request's first network with our counter and every other one.

    Raises:
        UserError: as :func:`measure_speed`.
    """
    network = cost_spec(request).networks[0]
    from fbench.architectures.registry import build
    from fbench.architectures.tracing.trace import trace
    from fbench.benchmark.cost.counters import read_counters

    module = build(network.resolved)
    traced = trace(module, network.input_shape)
    return AllCounts(traced, read_counters(module, network.input_shape, traced))


def cost_spec(request: SpeedRequest) -> CostSpec:
    """What :func:`measure_speed` will measure.

    Raises:
        UserError: as there.
    """
    from fbench.benchmark.cost.backends import refuse_impossible
    from fbench.benchmark.export.errors import require_packages
    from fbench.benchmark.machine.device import device_kind, pick_device, refuse_missing_precision
    from fbench.benchmark.training.networks import bare_network_spec

    _check(request)
    device = pick_device(request.device)
    numerics = choose_numerics(device_kind(device), request.precision)
    refuse_missing_precision(numerics.precision, device)
    if request.threads is not None:
        numerics = numerics.model_copy(update={"threads_per_trial": request.threads})
    plugins: dict[str, str] = {}
    for plugin in request.plugins:
        load_plugin(plugin)
        plugins[source_digest(plugin.read_bytes())] = str(plugin.resolve())
    networks = {name: bare_network_spec(name, request.options, plugins) for name in _named(request.names)}
    against = canonical_name(request.against) if request.against else None
    if against is not None and against not in networks:
        raise UserError(
            f"--against {against} was given; give one of the networks that are measured: {_list(networks)}."
        )
    wanted = settings(request)
    for setting in wanted:
        refuse_impossible(setting, numerics)
    if ONNX_BACKENDS.intersection(request.backends):
        require_packages("onnx", "onnxruntime", "onnxscript")
    seconds = request.seconds or SECONDS_PER_CALL * len(networks) * len(wanted)
    plan = CostPlan(settings=wanted, blocks=request.blocks, seconds=seconds)
    return CostSpec(networks=tuple(networks.values()), numerics=numerics, plan=plan, seed=request.seed, against=against)


def _named(given: Sequence[str]) -> list[str]:
    """The networks that names and patterns stand for, once each."""
    found: list[str] = []
    for name in given:
        matching = list_architectures(name) if set("*?[") & set(name) else [canonical_name(name)]
        if not matching:
            raise UserError(f"No architecture matches '{name}'; `fbench list` prints all names.")
        found += matching
    return list(dict.fromkeys(found))


def settings(request: SpeedRequest) -> tuple[Setting, ...]:
    """Every mode, backend and batch, and in inference each network's own best batch; ONNX Runtime does not train."""
    found: list[Setting] = []
    for backend in dict.fromkeys(request.backends):
        inference_only = backend in ONNX_BACKENDS and "inference" in request.modes
        for mode in ("inference",) if inference_only else dict.fromkeys(request.modes):
            sizes: list[int | None] = [*dict.fromkeys(request.batch_sizes), *([None] if mode == "inference" else [])]
            found += [Setting.model_validate({"mode": mode, "batch_size": size, "backend": backend}) for size in sizes]
    return tuple(found)


def _check(request: SpeedRequest) -> None:
    if not request.names:
        raise UserError("No network was given; give names that `fbench list` prints.")
    for what, given, allowed in (
        ("mode", request.modes, get_args(CostMode)),
        ("backend", request.backends, get_args(Backend)),
    ):
        for value in given:
            if value not in allowed:
                raise UserError(
                    f"There is no {what} '{value}'.{did_you_mean(value, allowed)} Allowed: {_list(allowed)}."
                )
    if not request.batch_sizes or min(request.batch_sizes) < 1:
        raise UserError(f"Batch sizes {_list(request.batch_sizes)} were given; give whole numbers of at least 1.")
    if not 1 <= request.blocks <= MOST_BLOCKS:
        raise UserError(f"--blocks {request.blocks} was given; give 1 to {MOST_BLOCKS:,}.")
    if request.seconds is not None and request.seconds <= 0:
        raise UserError(f"--seconds {request.seconds} was given; give more than 0.")
    cores = usable_cores()
    if request.threads is not None and not 1 <= request.threads <= cores:
        has = f"{cores} usable core{'' if cores == 1 else 's'}{in_brackets(cores_because())}"
        most = "1" if cores == 1 else f"1 to {cores}"
        raise UserError(f"--threads {request.threads} was given and this machine has {has}; give {most}.")


def _list(values: Any) -> str:
    return ", ".join(str(value) for value in values)
