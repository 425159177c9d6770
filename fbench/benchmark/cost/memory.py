"""Peak memory of one network in one mode: the CUDA allocator's peak, or resident-set growth in a fresh process."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from types import ModuleType
from typing import Any, NoReturn

import torch
from torch import nn
from torch.nn import functional

from fbench.architectures.registry import build, builder_function
from fbench.benchmark.cost.backends import make_call
from fbench.benchmark.machine.allocator import return_freed_memory
from fbench.benchmark.machine.device import numerics_in_force
from fbench.benchmark.machine.lost_device import refuse_lost
from fbench.benchmark.records.cost_records import ALLOCATOR_PEAK, RESIDENT_GROWTH, MemoryReading
from fbench.benchmark.records.cost_specs import CostMode
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.specs import NetworkSpec
from fbench.benchmark.training.foreign_code import load_named_code
from fbench.core.errors import reason_of
from fbench.core.processes import copies_end_with_this_process, end_with

MIB = 2**20

_ALONE = threading.Lock()
"""Held by the one of several readings that changes or runs something in this process."""


def read_peak_memory(
    network: NetworkSpec, mode: CostMode, batch_size: int, numerics: Numerics, device: torch.device
) -> MemoryReading:
    """Peak memory of two calls, weights and inputs included; a failure is a reading of none with its reason.

    Raises:
        LostDeviceError: the device cannot be used any more in this process.
    """
    peak_memory_mib: float | None
    try:
        if device.type == "cuda":
            peak_memory_mib = _cuda_peak_mib(network, mode, batch_size, numerics, device)
            method = ALLOCATOR_PEAK
        elif network.is_of_session:
            peak_memory_mib, method = None, "not measured: no fresh process can import a network of a session"
        elif device.type == "cpu" and sys.platform != "win32":
            peak_memory_mib, method = _growth_in_fresh_process(network, mode, batch_size, numerics)
        else:
            peak_memory_mib, method = None, f"not available on {device.type} under {sys.platform}"
    except (Exception, SystemExit) as error:  # out of memory included: recorded and survived
        refuse_lost(device, error)
        peak_memory_mib, method = None, f"failed: {reason_of(error)}"
    return MemoryReading(
        network=network.name,
        mode=mode,
        batch_size=batch_size,
        peak_memory_mib=peak_memory_mib,
        method=method,
        activation_memory_mib=_activations(network, batch_size) if mode == "train" else None,
    )


def activation_memory_mib(module: nn.Module, input_shape: tuple[int, int, int], batch_size: int) -> float:
    """What autograd keeps of a forward pass in training, in MiB: distinct saved tensors but weights and the input."""
    module.train()
    images = torch.zeros(batch_size, *input_shape)
    known = {tensor.untyped_storage().data_ptr() for tensor in (images, *module.parameters(), *module.buffers())}
    saved: dict[int, int] = {}
    alive: list[torch.Tensor] = []  # an address is not used twice while its tensor lives

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            saved[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        module(images)
    return sum(saved.values()) / MIB


def _activations(network: NetworkSpec, batch_size: int) -> float | None:
    """Of as many images as the batch has, counted on two, which batch normalisation needs at least, and scaled."""
    try:
        with _ALONE:  # a user's builder may do anything to this process
            torch.manual_seed(0)
            return activation_memory_mib(build(network.resolved), network.input_shape, 2) * batch_size / 2
    except (Exception, SystemExit):  # a network that cannot train has no such memory; its timing says why
        return None


# A fork of a server that holds nothing but imports starts in milliseconds; a spawned process imports torch anew.
_FRESH = "forkserver" if sys.platform == "linux" else "spawn"


def preload_fresh_processes() -> None:
    """Let the server that fresh processes are forked from import torch once, and start it from this thread.

    It ends with the thread that starts it, as Linux counts (PR_SET_PDEATHSIG): started by one of a pool, it was gone
    after each measurement, and the next one paid for the import of torch again.
    """
    if _FRESH == "forkserver":
        multiprocessing.set_forkserver_preload(["fbench.benchmark.cost.fresh_server", __name__])
        from multiprocessing import forkserver  # not everywhere

        with _without_main():
            forkserver.ensure_running()


@contextmanager
def _without_main() -> Iterator[None]:
    """Processes that are started in the block do not run the script of this one: it may have no guard, and nothing of
    it is needed."""
    with _ALONE:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def _growth_in_fresh_process(
    network: NetworkSpec, mode: CostMode, batch_size: int, numerics: Numerics
) -> tuple[float | None, str]:
    """Memory and method of a reading, or none and why there is none."""
    context: Any = multiprocessing.get_context(_FRESH)  # typeshed leaves Process out of what all contexts have
    hears, tells = context.Pipe(duplex=False)
    process = context.Process(target=_tell_growth, args=(tells, network, mode, batch_size, numerics))
    with hears:
        with tells, _without_main():
            process.start()
        try:
            answer: dict[str, Any] = json.loads(hears.recv_bytes())
        except (EOFError, OSError, ValueError):
            process.join()
            answer = {"reason": f"its process ended with exit code {process.exitcode} in the middle of its work"}
    process.join()
    return answer.get("mib"), RESIDENT_GROWTH if "mib" in answer else f"failed: {answer['reason']}"


def _tell_growth(
    tells: Connection, network: NetworkSpec, mode: CostMode, batch_size: int, numerics: Numerics
) -> NoReturn:
    """Runs in a fresh process, which then ends, whatever threads a network has left in it."""
    _end_with_the_parent()
    answer: dict[str, float | str]
    try:
        answer = {"mib": _resident_growth_mib(network, mode, batch_size, numerics)}
    except BaseException as error:  # out of memory included
        answer = {"reason": reason_of(error)}
    tells.send_bytes(json.dumps(answer).encode())
    os._exit(0)


def _end_with_the_parent() -> None:
    """A fresh process ends with the one that measures, whatever ended that; its server, which it keeps alive, then ends
    too."""
    copies_end_with_this_process()
    if _FRESH == "forkserver":
        end_with(os.getppid())  # its server
    parent = multiprocessing.parent_process()
    if parent is not None:

        def watch(sentinel: int) -> None:
            wait([sentinel])
            os._exit(1)

        threading.Thread(target=watch, args=(parent.sentinel,), daemon=True).start()


def _cuda_peak_mib(
    network: NetworkSpec, mode: CostMode, batch_size: int, numerics: Numerics, device: torch.device
) -> float:
    """The allocator's peak over two calls, less what was there before the network.

    cuBLAS' workspaces are there before: the first matrix product of a thread allocates one, and would count as memory
    of whichever network comes first. The way back has a thread of its own.
    """
    with numerics_in_force(numerics, device):
        some = torch.ones(64, 64, device=device, requires_grad=True)
        torch.mm(some, some).sum().backward()
        del some
        torch.cuda.synchronize(device)
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        call = make_call(network, mode, "eager", batch_size, numerics, device)
        call.prepare()
        for _ in range(2):
            call.run(lambda: None)
        return float(torch.cuda.max_memory_allocated(device) - before) / MIB


def _load_libraries() -> None:
    """One training step of a tiny network: the first use of each kind of layer loads about 90 MiB that are not its."""
    tiny = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 3, groups=8), nn.ReLU(), nn.Flatten(), nn.Linear(128, 2)
    )
    optimizer = torch.optim.AdamW(tiny.parameters())
    functional.cross_entropy(tiny(torch.zeros(2, 1, 8, 8)), torch.zeros(2, dtype=torch.long)).backward()
    optimizer.step()


def _resident_growth_mib(network: NetworkSpec, mode: CostMode, batch_size: int, numerics: Numerics) -> float:
    """In a process that has done nothing else: peak resident set after two calls, less that before the network.

    Freed memory is returned at once: kept, it made ARCH-1's training step take 148 to 224 MiB in 20 processes, returned
    133.5 in each.
    """
    import resource

    import psutil

    device = torch.device("cpu")
    load_named_code(network)
    return_freed_memory()
    with numerics_in_force(numerics, device):
        _load_libraries()
        builder_function(network.builder)  # what registers it is imported, which is none of the network's memory
        before = psutil.Process().memory_info().rss
        call = make_call(network, mode, "eager", batch_size, numerics, device)
        call.prepare()
        for _ in range(2):
            call.run(lambda: None)
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage gives bytes on macOS and KiB elsewhere
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return float(max(0, peak - before)) / MIB
