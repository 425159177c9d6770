"""How many operations one training step gives a CUDA device, counted on the pretended one, part by part.

    python -m tests.gpu.step_operations [--names arch1]

Writes ``results/training/step_operations.csv``: a row for each network, precision and part of the step of the default
protocol with a moving average, with the code as it is, ``now``, and with batch normalisations ``fused`` by Triton. Rows
of other code stay; those called ``before`` are of commit 6f0e21a.

``operations`` are what PyTorch dispatches below autograd and what computes or copies: views and new memory are none.
``kernels`` is an estimate from them: four for a batch normalisation forward and three back, as PyTorch's own kernels
for channels_last take (cuDNN's, which float32 may get, are fewer), two for a convolution's way back and for the norm of
a list, and one for all else; long lists of tensors take one for each 30 to 110 of them. A recorded step replays the
same operations, but for those of ``rate``, ``inputs`` and ``average``, which are launched beside the graph.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fbench.architectures.registry import create
from fbench.benchmark.machine.device import lay_out, memory_format, numerics_in_force
from fbench.benchmark.records.budget import Budget, plan_steps
from fbench.benchmark.records.numerics import Numerics, choose_numerics
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.training import step as step_module
from fbench.benchmark.training.fused_batch_norm import layers
from fbench.benchmark.training.fused_batch_norm.eager import EagerArithmetic
from fbench.benchmark.training.seeds import derive_seeds
from fbench.benchmark.training.state import TrainingData, TrainingSettings, TrainingState
from fbench.benchmark.training.tensors import SplitTensors, choose_normalisation
from tests.gpu.pretended import DEVICE, pretended_cuda
from tests.gpu.pretended_runtime import tensors_in

TABLE: Final = Path("results/training/step_operations.csv")
NETWORKS: Final = ("arch1", "ires", "lenet5", "mini_xception")
PRECISIONS: Final = ("fp32", "bf16")
PARTS: Final = ("rate", "inputs", "forward", "loss", "backward", "totals", "clipping", "optimizer", "average")
BESIDE_THE_GRAPH: Final = ("rate", "inputs", "average")
BATCH: Final = 4
KERNELS: Final = {
    "aten.native_batch_norm.default": 4,
    "aten.native_batch_norm_backward.default": 3,
    "aten.convolution_backward.default": 2,
    "aten._foreach_norm.Scalar": 2,
}
CODES: Final = {"now": None, "fused": "triton"}
"""What computes batch normalisations in the rows of each name."""


class Operations(TorchDispatchMode):
    """Counts what computes or copies, under the part of the step that it is done in."""

    def __init__(self) -> None:
        super().__init__()
        self.part = ""
        self.by_part: dict[str, Counter[str]] = {part: Counter() for part in PARTS}

    @contextmanager
    def within(self, part: str) -> Iterator[None]:
        """What is done within the block is of this part."""
        before, self.part = self.part, part
        try:
            yield
        finally:
            self.part = before

    def of(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same work, counted as of this part."""

        def counted(*given: Any, **named: Any) -> Any:
            with self.within(part):
                return work(*given, **named)

        return counted

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if self.part and is_computation(func, args, kwargs or {}, result):
            self.by_part[self.part][str(func)] += 1
        return result


class CountedKernels(EagerArithmetic):
    """Stands in for Triton's kernels, which compute nothing here: two are counted in each direction."""

    def __init__(self, counting: Operations) -> None:
        self._counting = counting

    def forward(self, *given: Any) -> Any:
        """The values, and two kernels."""
        return self._counted(super().forward, given)

    def backward(self, *given: Any) -> Any:
        """The values, and two kernels."""
        return self._counted(super().backward, given)

    def _counted(self, compute: Callable[..., Any], given: tuple[Any, ...]) -> Any:
        if self._counting.part:
            self._counting.by_part[self._counting.part]["Triton"] += 2
        with self._counting.within(""):
            return compute(*given)


def is_computation(func: Any, args: Any, kwargs: dict[str, Any], result: Any) -> bool:
    """Whether an operation, with what it was given and gave back, is more than a view or new memory."""
    name = func._schema.name.partition("::")[2]
    if name.startswith(("empty", "new_empty")):
        return False
    if any(argument.alias_info is not None and argument.alias_info.is_write for argument in func._schema.arguments):
        return True
    given = {tensor.untyped_storage().data_ptr() for tensor in tensors_in((args, kwargs))}
    return any(tensor.untyped_storage().data_ptr() not in given for tensor in tensors_in(result))


def step_operations(network: str, numerics: Numerics, **changes: Any) -> dict[str, Counter[str]]:
    """What one step after the first does, by part: the names of operations and how often each is done."""
    base = load_protocol("fbench")
    protocol = base.model_validate(base.model_dump() | {"ema_decay": 0.99} | changes)
    counting = Operations()
    with pytest.MonkeyPatch.context() as patch, pretended_cuda(), numerics_in_force(numerics, DEVICE):
        patch.setattr(layers, "TritonArithmetic", lambda: CountedKernels(counting))
        state = training_state(network, numerics, protocol)
        own_autocast = step_module.autocast

        @contextmanager
        def forward(given: Numerics) -> Iterator[None]:
            with counting.within("forward"), own_autocast(given):
                yield

        patch.setattr(step_module, "autocast", forward)
        patch.setattr(step_module, "batch_loss", counting.of("loss", step_module.batch_loss))
        patch.setattr(torch.Tensor, "backward", counting.of("backward", torch.Tensor.backward))
        patch.setattr(step_module, "clip_gradients", counting.of("clipping", step_module.clip_gradients))
        patch.setattr(state.optimizer, "step", counting.of("optimizer", state.optimizer.step))
        _one_step(state, Operations())
        for found in counting.by_part.values():
            found.clear()
        with counting:
            _one_step(state, counting)
    return counting.by_part


def training_state(network: str, numerics: Numerics, protocol: Protocol) -> TrainingState:
    """A training of a named network on random images, at its beginning, on the pretended device."""
    torch.manual_seed(0)
    images = torch.randint(0, 256, (2 * BATCH, 1, 48, 48), dtype=torch.uint8).to(DEVICE)
    labels = (torch.arange(2 * BATCH) % 7).to(DEVICE)
    split = SplitTensors(images, labels, torch.arange(2 * BATCH).numpy())
    data = TrainingData(split, split, choose_normalisation(protocol, split))
    plan = plan_steps(protocol, Budget(epochs=2, batch_size=BATCH), 2 * BATCH)
    built = lay_out(create(network).to(DEVICE), memory_format(numerics))
    return TrainingState(built, data, TrainingSettings(protocol, plan, numerics, derive_seeds(0)))


def _one_step(state: TrainingState, counting: Operations) -> None:
    with counting.within("rate"):
        state.schedule.before_step(state.step)
    batch = next(state.batches)
    with counting.within("inputs" if state.settings.numerics.cuda_graph else "totals"):
        state.train_on(batch)
    with counting.within("average"):
        if state.average is not None:
            state.average.follow(state.network)
    state.step += 1


def counted_rows(code: str, networks: Sequence[str] = NETWORKS) -> list[dict[str, str]]:
    """The rows of the table for networks in all precisions and parts."""
    rows = []
    for network in networks:
        for precision in PRECISIONS:
            numerics = choose_numerics("cuda", precision)  # type: ignore[arg-type] # one of the literals
            numerics = numerics.model_copy(update={"fused_batch_norm": CODES[code]})
            found = step_operations(network, numerics.eager())
            found["inputs"] = replayed_inputs(network, numerics)
            rows += [row_of(network, precision, code, part, found[part]) for part in PARTS]
    return rows


def row_of(network: str, precision: str, code: str, part: str, found: Counter[str]) -> dict[str, str]:
    row = {"network": network, "precision": precision, "code": code, "part": part, "operations": str(found.total())}
    return row | {"kernels": str(sum(KERNELS.get(name, 1) * count for name, count in found.items()))}


def replayed_inputs(network: str, numerics: Numerics, **changes: Any) -> Counter[str]:
    """What is done beside the graph so that it reads the next batch."""
    counting = Operations()
    base = load_protocol("fbench")
    protocol = base.model_validate(base.model_dump() | changes)
    with pytest.MonkeyPatch.context() as patch, pretended_cuda() as device, numerics_in_force(numerics, DEVICE):
        patch.setattr(layers, "TritonArithmetic", lambda: CountedKernels(counting))
        state = training_state(network, numerics, protocol)
        _one_step(state, Operations())
        graph_class = type(state.train_on._graph)  # type: ignore[attr-defined] # of the recorded step
        with counting:
            patch.setattr(graph_class, "replay", lambda graph: None)
            _one_step(state, counting)
        assert device.runtime.recorded_last is not None
    return counting.by_part["inputs"]


def main() -> None:
    """Count, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", metavar="NETWORK", help="print the operations of one network's bf16 step instead")
    given = parser.parse_args()
    if given.names:
        for part, names in step_operations(given.names, choose_numerics("cuda", "bf16").eager()).items():
            sys.stdout.write(f"{part}: {names.total()}\n")
            sys.stdout.writelines(f"    {count:4} {name}\n" for name, count in names.most_common())
        return
    rows = [row for code in CODES for row in counted_rows(code)]
    if TABLE.exists():
        with TABLE.open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["code"] not in CODES] + rows
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
