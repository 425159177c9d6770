"""Everything that depends on the kind of device, in one place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import cast

import torch
from torch import nn

from fbench.architectures.process_settings import process_settings_kept
from fbench.benchmark.records.numerics import DeviceKind, Numerics, Precision
from fbench.core.errors import UserError
from fbench.core.working_clock import rest_s, working_s

ALLOWED = "auto, cpu, cuda, cuda:N, mps"


def pick_device(name: str) -> torch.device:
    """The device for ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises:
        UserError: the name is not one of these, or this machine has no such device.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return _cuda(0)
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (index and not (kind == "cuda" and index.isdigit())):
        raise UserError(f"There is no device '{name}'; allowed are {ALLOWED}.")
    if kind == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(index or 0) >= count:
            raise UserError(
                f"Device '{name}' was asked for and this machine has {count} CUDA devices; use --device cpu."
            )
        return _cuda(int(index or 0))
    if kind == "mps" and not torch.backends.mps.is_available():
        raise UserError("Device 'mps' was asked for and this machine has none; use --device cpu.")
    return torch.device(kind)


def _cuda(index: int) -> torch.device:
    _fix_cublas_workspace()
    return torch.device("cuda", index)


def _fix_cublas_workspace() -> None:
    """cuBLAS repeats its results only with a fixed workspace, read from the environment at its start."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def device_kind(device: torch.device) -> DeviceKind:
    """The kind of a device, as numerics name it."""
    return cast("DeviceKind", device.type)


def refuse_missing_precision(precision: Precision, device: torch.device) -> None:
    """Hold that the device computes in this precision.

    Raises:
        UserError: it would only imitate it, slower than fp32.
    """
    if precision == "bf16":
        native = (
            torch.cuda.is_bf16_supported(including_emulation=False)
            if device.type == "cuda"
            else bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
        )
        if not native:
            raise UserError(f"Precision bf16 was given, which this {device.type} does not compute in; use fp32.")
    if precision == "tf32" and device.type == "cuda" and torch.cuda.get_device_capability(device) < (8, 0):
        raise UserError("Precision tf32 was given, which this GPU (before Ampere) does not compute in; use fp32.")


def share_device(device: torch.device, trials: int) -> None:
    """Let this process take its share of a GPU's memory, where several trials run on it at a time."""
    if device.type == "cuda" and trials > 1:
        torch.cuda.set_per_process_memory_fraction(1 / trials, device)


@contextmanager
def numerics_in_force(numerics: Numerics, device: torch.device) -> Iterator[None]:
    """Set the current device, threads, TF32 and determinism for a block, and put back what was there."""
    with process_settings_kept(), current_device(device):
        torch.set_num_threads(numerics.threads_per_trial or 1)  # on an accelerator the host only launches
        tf32 = numerics.precision == "tf32"
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        if device.type == "cuda":
            _fix_cublas_workspace()
            torch.backends.cudnn.benchmark = False
            torch.use_deterministic_algorithms(True, warn_only=True)
            # Fills every new tensor, 18 times for one batch normalisation with ReLU, and changes no defined value.
            torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined] # made at run time
        yield


def current_device(device: torch.device) -> AbstractContextManager[object]:
    """Within the block streams, events, memory and whatever else names no device are those of ``device``."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


def autocast(numerics: Numerics) -> AbstractContextManager[object]:
    """Mixed precision for a forward pass, where the numerics ask for bf16."""
    if numerics.precision == "bf16":
        return torch.autocast(numerics.device_kind, dtype=torch.bfloat16)
    return nullcontext()


def memory_format(numerics: Numerics) -> torch.memory_format:
    """The layout of images and weights."""
    return torch.channels_last if numerics.memory_format == "channels_last" else torch.contiguous_format


def lay_out(network: nn.Module, layout: torch.memory_format) -> nn.Module:
    """Bring the weights and buffers of a network into a memory format, in place, and return it.

    Only those of four dimensions have it: PyTorch itself refuses channels_last for a kernel of three dimensions.
    """
    network._apply(lambda tensor: tensor.to(memory_format=layout) if tensor.ndim == 4 else tensor)
    return network


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all it was given; nothing to wait for on a CPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


class Stopwatch:
    """Adds up the time of repeated sections without making an accelerator wait.

    On CUDA a section is a pair of events, read when :meth:`total_s` is asked; elsewhere the clock of this process.
    Time for which this process was stopped is in neither.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._total_s = 0.0
        self._pending: list[tuple[torch.cuda.Event, torch.cuda.Event, float]] = []

    @contextmanager
    def section(self) -> Iterator[None]:
        """Time the block."""
        if self._device.type == "cuda":
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            rest_before_s = rest_s()
            begin.record(torch.cuda.current_stream(self._device))
            yield
            end.record(torch.cuda.current_stream(self._device))
            self._pending.append((begin, end, rest_s() - rest_before_s))
        else:
            started = working_s()
            yield
            self._total_s += working_s() - started

    def go_on_from(self, total_s: float) -> None:
        """Take over the seconds of an earlier training that is gone on with."""
        self._total_s, self._pending = total_s, []

    def total_s(self) -> float:
        """Seconds in all sections so far; waits for the device."""
        if self._pending:
            self._pending[-1][1].synchronize()  # the last of one stream: others go on
            sections = ((begin.elapsed_time(end) / 1000.0, at_rest_s) for begin, end, at_rest_s in self._pending)
            self._total_s += sum(max(0.0, elapsed_s - at_rest_s) for elapsed_s, at_rest_s in sections)
            self._pending.clear()
        return self._total_s


def seed_generators(seed: int, device: torch.device) -> None:
    """Seed what networks of a trial on ``device`` draw from: the generator of the CPU, and that of the device.

    ``torch.manual_seed`` gives the same draws, and takes 1.2 ms where PyTorch knows of CUDA and nothing runs there: it
    notes the call, with the stack, for when something will.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)  # of the current device, which numerics_in_force sets
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


def generator_state(device: torch.device) -> torch.Tensor:
    """The state (uint8) of the generator that dropout on ``device`` draws from."""
    if device.type == "cuda":
        return torch.cuda.get_rng_state(device)
    return torch.mps.get_rng_state() if device.type == "mps" else torch.random.get_rng_state()


def set_generator_state(device: torch.device, state: torch.Tensor) -> None:
    """Put the state of :func:`generator_state` back."""
    if device.type == "cuda":
        torch.cuda.set_rng_state(state.cpu(), device)
    elif device.type == "mps":
        torch.mps.set_rng_state(state.cpu())
    else:
        torch.random.set_rng_state(state.cpu())
