"""How well an accelerator is used: ``python -m tests.calibration.accelerator --data fer2013=PATH [--device cuda]``.

Trains each network as ``fbench run`` does, alone on the device, in each precision, and writes a line for each to
``results/training/accelerator.csv``: seconds in all and inside training, and which share of the memory roofline the
training step reaches. Bytes are counted as every activation, weight and gradient moved once per use by each operation
of the eager step; the roofline is a copy of 1 GiB within the device, measured first. Lines that are there already are
kept, so a run that was cut off goes on.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fbench.architectures.registry import create
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.references import parse_reference
from fbench.benchmark.machine.device import (
    device_kind,
    memory_format,
    pick_device,
    refuse_missing_precision,
    synchronize,
)
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.numerics import Numerics, Precision, choose_numerics
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.records.specs import TrialSpec, data_spec
from fbench.benchmark.training.augment import MixedBatch
from fbench.benchmark.training.networks import network_spec
from fbench.benchmark.training.optimizers import build_optimizer
from fbench.benchmark.training.step import Totals, make_step
from fbench.benchmark.training.trial import TrialContext, run_trial
from fbench.core.machine import describe_machine
from tests.csv_tables import rounded, write_rows

TABLE: Final = Path("results/training/accelerator.csv")
NETWORKS: Final = ("arch1", "ires", "mini_xception", "simple_cnn", "resnet50")


class BytesMoved(TorchDispatchMode):
    """Adds up the bytes of every tensor that an operation reads or writes; a view moves nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(  # type: ignore[no-untyped-def] # the types are torch's, which leaves them open
        self, func, types, args=(), kwargs=None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        read, written = _tensors((args, kwargs or {})), _tensors(result)
        places = {tensor.untyped_storage().data_ptr() for tensor in read}
        is_view = not func._schema.is_mutable and any(t.untyped_storage().data_ptr() in places for t in written)
        if not is_view:
            self.total += sum(tensor.numel() * tensor.element_size() for tensor in [*read, *written])
        return result


def _tensors(values: Any) -> list[torch.Tensor]:
    if isinstance(values, torch.Tensor):
        return [values] if values.numel() else []
    if isinstance(values, Mapping):
        return _tensors(list(values.values()))
    if isinstance(values, list | tuple):
        return [tensor for value in values for tensor in _tensors(value)]
    return []


def bytes_of_step(network: str, protocol: Protocol, numerics: Numerics, device: torch.device) -> int:
    """What one eager training step on a batch of 48x48 images moves, in the way it is done on this kind of device."""
    layout = memory_format(numerics)
    module = create(network).to(device).to(memory_format=layout)  # type: ignore[call-overload] # torch's stub lacks memory_format alone
    optimizer = build_optimizer(module, protocol, protocol.batch_size, numerics)
    images = torch.randn(protocol.batch_size, 1, 48, 48, device=device).contiguous(memory_format=layout)
    labels = torch.arange(protocol.batch_size, device=device) % 7
    step = make_step(module, optimizer, protocol, numerics.eager(), Totals(device))
    step(MixedBatch(images, labels))
    with BytesMoved() as moved:
        step(MixedBatch(images, labels))
    return moved.total


def copy_bytes_per_s(device: torch.device, size: int = 2**30) -> float:
    """Bytes read and written in a second by the quickest of ten copies."""
    source = torch.ones(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    best_s = float("inf")
    for _ in range(10):
        synchronize(device)
        started = time.perf_counter()
        target.copy_(source)
        synchronize(device)
        best_s = min(best_s, time.perf_counter() - started)
    return 2 * size / best_s


def measured(spec: TrialSpec, device: torch.device, roofline_bytes_per_s: float) -> dict[str, object]:
    """Train once and say how long it took.

    Raises:
        RuntimeError: the trial failed.
    """
    dataset = load_dataset(spec.data.reference)
    record = run_trial(spec, dataset, TrialContext(device)).record
    if record.times is None or record.steps_done is None or record.validation is None:
        raise RuntimeError(f"{spec.label} failed: {record.failure_reason}")
    moved = bytes_of_step(spec.network.name, spec.protocol, spec.numerics, device)
    step_s, machine = record.times.step_time_s / record.steps_done, describe_machine()
    return {
        "network": spec.network.name,
        "precision": spec.numerics.precision,
        "compiled": spec.numerics.compile,
        "epochs": spec.budget.epochs,
        "images_per_s": (record.images_seen or 0) / record.times.train_time_s,
        "train_time_s": record.times.train_time_s,
        "total_time_s": record.times.total_time_s,
        "step_ms": 1000 * step_s,
        "step_moves_mb": moved / 1e6,
        "roofline_gb_per_s": roofline_bytes_per_s / 1e9,
        "roofline_percent": 100 * moved / step_s / roofline_bytes_per_s,
        "validation_top1": record.validation.top1,
        "device": machine.processor if device.type == "cpu" else machine.accelerator,
        "torch": torch.__version__,
    }


def wanted(given: argparse.Namespace, device: torch.device) -> list[TrialSpec]:
    """Every network in every precision, eager and compiled."""
    reference = parse_reference(given.data)
    data = data_spec(reference, load_dataset(reference))
    protocol = load_protocol("fbench").model_copy(update={"test": "none"})
    ways: list[tuple[Precision, bool]] = [(p, c) for p in given.precisions for c in (False, True)[: 1 + given.compile]]
    return [
        TrialSpec(
            network=network_spec(name, name, {}, data),
            data=data,
            protocol=protocol,
            budget=Budget(epochs=given.epochs),
            seed=0,
            numerics=choose_numerics(device_kind(device), precision, compile=compiled),
        )
        for name in given.networks
        for precision, compiled in ways
    ]


def main() -> None:
    """Measure what the table lacks, a line at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="synthetic", help="synthetic, or fer2013=PATH")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--precisions", nargs="+", choices=("fp32", "tf32", "bf16"), default=("fp32", "tf32", "bf16"))
    parser.add_argument("--compile", action="store_true", help="compiled as well as eager")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--table", type=Path, default=TABLE)
    given = parser.parse_args()
    device = pick_device(given.device)
    for precision in given.precisions:
        refuse_missing_precision(precision, device)
    rows: list[Mapping[str, object]] = []
    if given.table.exists():
        with given.table.open(encoding="utf-8", newline="") as stream:
            rows += csv.DictReader(stream)
    known = {(row["network"], row["precision"], str(row["compiled"]), str(row["epochs"])) for row in rows}
    roofline = copy_bytes_per_s(device)
    for spec in wanted(given, device):
        place = (spec.network.name, spec.numerics.precision, str(spec.numerics.compile), str(spec.budget.epochs))
        if place not in known:
            rows.append(rounded(measured(spec, device, roofline), 3))
            write_rows(given.table, rows)


if __name__ == "__main__":
    main()
