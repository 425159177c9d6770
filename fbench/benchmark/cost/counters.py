"""Other people's counters beside ours: fvcore, ptflops and torch's FlopCounterMode, with what each leaves out."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import torch
from torch import nn

from fbench.architectures.network_copy import copy_network
from fbench.architectures.tracing.graph import NetworkTrace, Node
from fbench.benchmark.cost.counter_rules import RULES, counted_beside, left_out
from fbench.benchmark.records.trial_records import CounterReading
from fbench.core.errors import reason_of


def read_counters(
    network: nn.Module, input_shape: tuple[int, int, int], counted: NetworkTrace
) -> tuple[CounterReading, ...]:
    """Count ``network`` (in evaluation mode, on the CPU) for one image of ``input_shape`` with every other counter.

    ``counted`` is our own count, against which is told what each of them adds and leaves out. A counter that fails is a
    reading with its error, never an exception.
    """
    network.eval()
    example = torch.zeros(1, *input_shape)
    return tuple(_read(name, network, example, counted.nodes) for name in COUNTERS)


def _read(name: str, network: nn.Module, example: torch.Tensor, nodes: Sequence[Node]) -> CounterReading:
    rule = RULES[name]
    missed = left_out(rule, nodes)
    try:
        with _quiet(), torch.no_grad():
            total = COUNTERS[name](network, example)
    except (Exception, SystemExit) as error:  # a counter that trips over a network must not stop the others
        return CounterReading(counter=name, macs=None, counted="", left_out=missed, error=reason_of(error))
    beside = counted_beside(rule, nodes)
    return CounterReading(
        counter=name,
        macs=total - sum(beside.values()),
        total=total,
        counted=CONVENTIONS[name],
        beside=beside,
        left_out=missed,
    )


def _fvcore(network: nn.Module, example: torch.Tensor) -> int:
    from fvcore.nn import FlopCountAnalysis

    analysis = FlopCountAnalysis(network, example).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return int(analysis.tracer_warnings("none").total())


def _ptflops(backend: str) -> Callable[[nn.Module, torch.Tensor], int]:
    def count(network: nn.Module, example: torch.Tensor) -> int:
        from ptflops import get_model_complexity_info

        # ptflops hooks into the modules and leaves marks behind, so it gets a copy.
        total, _ = get_model_complexity_info(
            copy_network(network),
            tuple(example.shape[1:]),
            as_strings=False,
            print_per_layer_stat=False,
            backend=backend,
            verbose=False,
            output_precision=0,
        )
        if total is None:
            raise RuntimeError("ptflops could not follow the network")
        return int(total)

    return count


def _torch_counter(network: nn.Module, example: torch.Tensor) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with counter:
        network(example)
    return int(counter.get_total_flops()) // 2


COUNTERS: Final[dict[str, Callable[[nn.Module, torch.Tensor], int]]] = {
    "fvcore": _fvcore,
    "ptflops (pytorch)": _ptflops("pytorch"),
    "ptflops (aten)": _ptflops("aten"),
    "torch FlopCounterMode": _torch_counter,
}

CONVENTIONS: Final = {
    "fvcore": "its FLOPs are MACs, two for each element of a batch norm, and one for each input of an adaptive pool",
    "ptflops (pytorch)": "counts layers, not functions: MACs with bias, batch norm, ReLU and pooling layers twice each",
    "ptflops (aten)": "MACs with bias",
    "torch FlopCounterMode": "half of its FLOPs, which are two for each MAC",
}
"""What each counter's total holds, in words."""


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the counters' prints, warnings and logs to themselves; fvcore warns about TorchScript at each call."""
    heard = io.StringIO()  # ptflops prints the traceback of what it cannot follow
    with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        previous = logging.root.manager.disable
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(previous)
