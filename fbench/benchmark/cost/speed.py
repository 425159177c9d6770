"""Measure the speed of networks outside of a run: what ``fbench speed`` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.cost_specs import ONNX_BACKENDS, Backend, CostMode, CostPlan, CostSpec, Setting
from fbench.benchmark.records.numerics import Precision, choose_numerics
from fbench.benchmark.workers.asking import UsersNetworks, users_networks, users_networks_at_work
from fbench.benchmark.workers.questions import question
from fbench.core.arguments import refuse_wrong_types, typed_arguments
from fbench.core.capacity import cores_because, in_brackets, usable_cores
from fbench.core.errors import UserError, did_you_mean
from fbench.core.paths import expanded

if TYPE_CHECKING:
    from fbench.benchmark.cost.network_questions import AllCounts
    from fbench.benchmark.cost.roofline.profile import NetworkProfile
    from fbench.benchmark.runs.stopping import Stopping

MOST_BLOCKS: Final = 10_000
DEFAULT_BLOCKS: Final = 20
SECONDS_PER_CALL: Final = 1.5
"""For each network in each setting; three times what a run spends, as here speed is the question."""


@dataclass(frozen=True)
class SpeedRequest:
    """What to measure: ``names``, sizes, modes, backends and ``plugins`` are lists or tuples.

    ``seconds`` is about how long the timing takes, after building and warm-up. Inference is also measured in each
    network's own best batch. ``against`` is the network that the others are held against, the first by default.
    Without ``energy`` it is not read, which saves two seconds of each network in each setting. ``preparation_s`` is how
    long building, compiling and warming up may take; what is not ready then is left out, which the record says.
    """

    names: Sequence[str]
    batch_sizes: Sequence[int] = (1, 8, 64, 256)
    modes: Sequence[str] = ("inference",)
    backends: Sequence[str] = ("eager",)
    device: str = "auto"
    precision: Precision = "fp32"
    threads: int | None = None
    seconds: float | None = None
    blocks: int = DEFAULT_BLOCKS
    against: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    plugins: Sequence[str | Path] = ()
    seed: int = 0
    energy: bool = True
    preparation_s: float | None = None

    def __post_init__(self) -> None:
        refuse_wrong_types(type(self), vars(self))
        for name in ("names", "batch_sizes", "modes", "backends", "plugins"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    @property
    def plugin_files(self) -> tuple[Path, ...]:
        """The plug-ins as paths."""
        return tuple(expanded(file) for file in self.plugins)


@typed_arguments
def measure_speed(request: SpeedRequest, progress: Callable[[str], None] = lambda what: None) -> CostRecord:
    """Measure networks interleaved on this machine; every raw sample is in the record.

    Raises:
        UserError: an unknown network, mode, backend or device, a batch below 1, more threads than cores, or networks
            of which not one could be measured.
    """
    spec = cost_spec(request, progress)
    return measure_spec(spec, request.device, progress, preparation_s=request.preparation_s)


def measure_spec(
    spec: CostSpec,
    device: str,
    progress: Callable[[str], None] = lambda what: None,
    stopping: Stopping | None = None,
    test_time_passes: int = 1,
    preparation_s: float | None = None,
) -> CostRecord:
    """Measure what :func:`cost_spec` gave, users' networks in a worker process; ``stopping`` ends it with the blocks
    that were timed until then. ``test_time_passes`` are those of an image in evaluation.

    Raises:
        UserError: not one network could be measured.
        KeyboardInterrupt: it was asked to stop before anything was timed.
    """
    from fbench.benchmark.cost.roofline.measure_roofline import roofline_of_this_machine
    from fbench.benchmark.machine.device import pick_device
    from fbench.benchmark.runs.network_tasks import network_tasks
    from fbench.benchmark.workers.supervisor import GRACE_S, Failure

    wanted = pick_device(device)
    progress("what this machine can do at most (once, then kept)")
    roofline = roofline_of_this_machine(spec.numerics, wanted)
    with network_tasks(grace_s=GRACE_S) as tasks:
        record = tasks.measure_cost(
            spec, wanted, test_time_passes, progress, roofline, stopping, preparation_s=preparation_s
        )
    if isinstance(record, Failure):
        raise UserError(f"The measurement ended early: {record.reason}; give fewer networks at a time to find which.")
    if len(record.failures) == len(spec.networks):
        name, reason = next(iter(record.failures.items()))
        others = f" (and {len(record.failures) - 1} more)" if len(record.failures) > 1 else ""
        where = next((one.plugin_file for one in spec.networks if one.name == name and one.plugin_file), None)
        raise UserError(
            f"The network '{name}'{f' ({where})' if where else ''}{others} could not be measured: {reason}; mend its "
            "code."
        )
    return record


def profile(request: SpeedRequest) -> NetworkProfile:
    """Time every layer of the request's first network at its first batch size, under the machine's roofline.

    Raises:
        UserError: as :func:`measure_speed`, or a batch beyond free memory.
    """
    from fbench.benchmark.cost.network_questions import profiled

    with users_networks_at_work(request.plugin_files) as users:
        spec = _cost_spec(request, users)
        network = spec.networks[0]
        asked = question(profiled, network, request.batch_sizes[0], spec.numerics, request.device)
        return users.ask_network(network.name, asked)


def count_with_all(request: SpeedRequest) -> AllCounts:
    """Count the request's first network with our counter and every other one.

    Raises:
        UserError: as :func:`measure_speed`.
    """
    from fbench.benchmark.cost.network_questions import counted_with_all

    with users_networks_at_work(request.plugin_files) as users:
        network = _cost_spec(request, users).networks[0]
        return users.ask_network(network.name, question(counted_with_all, network))


def cost_spec(request: SpeedRequest, progress: Callable[[str], None] = lambda what: None) -> CostSpec:
    """What :func:`measure_speed` will measure.

    Raises:
        UserError: as there.
    """
    with users_networks(request.plugin_files, progress) as users:
        return _cost_spec(request, users)


def _cost_spec(request: SpeedRequest, users: UsersNetworks) -> CostSpec:
    from fbench.benchmark.cost.backends import refuse_impossible
    from fbench.benchmark.cost.network_questions import specified
    from fbench.benchmark.export.errors import require_packages
    from fbench.benchmark.machine.device import device_kind, pick_device, refuse_missing_precision

    _check(request)
    device = pick_device(request.device)
    numerics = choose_numerics(device_kind(device), request.precision)
    refuse_missing_precision(numerics.precision, device)
    if request.threads is not None:
        numerics = numerics.model_copy(update={"threads_per_trial": request.threads})
    wanted = settings(request)
    for setting in wanted:
        refuse_impossible(setting, numerics)
    if ONNX_BACKENDS.intersection(request.backends):
        require_packages("onnx", "onnxruntime", "onnxscript")
    listing = users.listing()
    names = listing.chosen(request.names)
    against = listing.named(request.against).name if request.against else None
    if against is not None and against not in names:
        raise UserError(f"--against {against} was given; give one of the networks that are measured: {_list(names)}.")
    asked = [(name, question(specified, name, dict(request.options))) for name in names]
    networks = tuple(users.ask_network(name, one) for name, one in asked)
    seconds = request.seconds or SECONDS_PER_CALL * len(networks) * len(wanted)
    plan = CostPlan(settings=wanted, blocks=request.blocks, seconds=seconds)
    if not request.energy:
        plan = plan.model_copy(update={"energy_s": None})
    return CostSpec(networks=networks, numerics=numerics, plan=plan, seed=request.seed, against=against)


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
        if not given:
            raise UserError(f"No {what} was given; give one or several of {_list(allowed)}.")
        for value in given:
            if value not in allowed:
                raise UserError(
                    f"There is no {what} '{value}'.{did_you_mean(value, allowed)} Allowed: {_list(allowed)}."
                )
    if not request.batch_sizes or min(request.batch_sizes) < 1:
        raise UserError(f"Batch sizes {_list(request.batch_sizes)} were given; give whole numbers of at least 1.")
    if not 1 <= request.blocks <= MOST_BLOCKS:
        raise UserError(f"--blocks {request.blocks} was given; give 1 to {MOST_BLOCKS:,}.")
    if request.seed < 0:
        raise UserError(f"The seed {request.seed} was given; give 0 or more.")
    if request.preparation_s is not None and request.preparation_s <= 0:
        raise UserError(f"--prepare-within {request.preparation_s} was given; give more than 0.")
    if request.seconds is not None and request.seconds <= 0:
        raise UserError(f"--seconds {request.seconds} was given; give more than 0.")
    cores = usable_cores()
    if request.threads is not None and not 1 <= request.threads <= cores:
        has = f"{cores} usable core{'' if cores == 1 else 's'}{in_brackets(cores_because())}"
        most = "1" if cores == 1 else f"1 to {cores}"
        raise UserError(f"--threads {request.threads} was given and this machine has {has}; give {most}.")


def _list(values: Any) -> str:
    return ", ".join(str(value) for value in values)
