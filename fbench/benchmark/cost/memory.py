"""Peak memory of one network in one mode: the CUDA allocator's peak, or resident-set growth in a fresh process."""

from __future__ import annotations

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor

import torch
from torch import nn
from torch.nn import functional

from fbench.architectures.plugins import load_plugin
from fbench.architectures.registry import build
from fbench.benchmark.cost.calls import make_call
from fbench.benchmark.device import numerics_in_force
from fbench.benchmark.numerics import Numerics
from fbench.benchmark.records import MemoryReading
from fbench.benchmark.specs import CostMode, NetworkSpec

MIB = 2**20


def read_peak_memory(
    network: NetworkSpec, mode: CostMode, batch_size: int, numerics: Numerics, device: torch.device
) -> MemoryReading:
    """Peak memory of two calls, weights and inputs included; a failure is a reading of none with its reason."""
    peak_memory_mib: float | None
    try:
        if device.type == "cuda":
            peak_memory_mib = _cuda_peak_mib(network, mode, batch_size, numerics, device)
            method = "CUDA allocator peak above what was allocated before"
        elif device.type == "cpu" and sys.platform != "win32":
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(_FRESH)) as pool:
                peak_memory_mib = pool.submit(_resident_growth_mib, network, mode, batch_size, numerics).result()
            method = "growth of the resident set in a fresh process"
        else:
            peak_memory_mib, method = None, f"not available on {device.type} under {sys.platform}"
    except Exception as error:  # out of memory included: recorded and survived
        peak_memory_mib, method = None, f"failed: {type(error).__name__}: {error}"
    return MemoryReading(
        network=network.name, mode=mode, batch_size=batch_size, peak_memory_mib=peak_memory_mib, method=method
    )


# A fork of a server that holds nothing but imports starts in milliseconds; a spawned process imports torch anew.
_FRESH = "forkserver" if sys.platform == "linux" else "spawn"


def preload_fresh_processes() -> None:
    """Let the server that fresh processes are forked from import torch once."""
    if _FRESH == "forkserver":
        multiprocessing.set_forkserver_preload([__name__])


def _cuda_peak_mib(
    network: NetworkSpec, mode: CostMode, batch_size: int, numerics: Numerics, device: torch.device
) -> float:
    with numerics_in_force(numerics, device):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        call = make_call(build(network.resolved), network, mode, batch_size, numerics, device)
        call.prepare()
        for _ in range(2):
            call.run()
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
    """Runs in a fresh process: peak resident set after two calls, less the resident set before the network."""
    import resource

    import psutil

    device = torch.device("cpu")
    if network.plugin_file is not None:
        load_plugin(network.plugin_file)
    with numerics_in_force(numerics, device):
        _load_libraries()
        before = psutil.Process().memory_info().rss
        call = make_call(build(network.resolved), network, mode, batch_size, numerics, device)
        call.prepare()
        for _ in range(2):
            call.run()
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage gives bytes on macOS and KiB elsewhere
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return float(max(0, peak - before)) / MIB
