"""Other people's counters beside ours: fvcore, ptflops and torch's FlopCounterMode, each in its own reading of MACs."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final

import torch
from torch import nn

from fbench.benchmark.records import CounterReading


def read_counters(network: nn.Module, input_shape: tuple[int, int, int]) -> tuple[CounterReading, ...]:
    """Count ``network`` (in evaluation mode, on the CPU) for one image of ``input_shape`` with every other counter.

    A counter that fails is a reading with its error, never an exception.
    """
    network.eval()
    example = torch.zeros(1, *input_shape)
    return tuple(_read(name, count, network, example) for name, count in COUNTERS.items())


def _read(
    name: str,
    count: Callable[[nn.Module, torch.Tensor], tuple[int, str]],
    network: nn.Module,
    example: torch.Tensor,
) -> CounterReading:
    try:
        with _quiet(), torch.no_grad():
            macs, counted = count(network, example)
    except Exception as error:  # a counter that trips over a network must not stop the others
        return CounterReading(counter=name, macs=None, counted="", error=f"{type(error).__name__}: {error}")
    return CounterReading(counter=name, macs=macs, counted=counted)


def _fvcore(network: nn.Module, example: torch.Tensor) -> tuple[int, str]:
    from fvcore.nn import FlopCountAnalysis

    analysis = FlopCountAnalysis(network, example).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    analysis.tracer_warnings("none")
    by_operator = {str(k): int(v) for k, v in analysis.by_operator().items()}
    macs = sum(value for operator, value in by_operator.items() if operator in _FVCORE_MACS)
    others = {operator: value for operator, value in by_operator.items() if operator not in _FVCORE_MACS and value}
    left_out = sorted(operator.removeprefix("aten::") for operator in analysis.unsupported_ops())
    return macs, (
        f"its own total is {analysis.total():,}, with {_listed(others) or 'nothing'} beside conv and linear; "
        f"leaves out {', '.join(left_out) or 'nothing'}"
    )


_FVCORE_MACS: Final = frozenset({"conv", "linear", "matmul", "addmm", "bmm", "einsum"})


def _ptflops(backend: str) -> Callable[[nn.Module, torch.Tensor], tuple[int, str]]:
    def count(network: nn.Module, example: torch.Tensor) -> tuple[int, str]:
        import copy

        from ptflops import get_model_complexity_info

        # ptflops hooks into the modules and leaves marks behind, so it gets a copy.
        total, _ = get_model_complexity_info(
            copy.deepcopy(network),
            tuple(example.shape[1:]),
            as_strings=False,
            print_per_layer_stat=False,
            backend=backend,
            verbose=False,
            output_precision=0,
        )
        what = (
            "modules that it knows: conv, linear, batch norm, ReLU and pooling, no h_swish"
            if backend == "pytorch"
            else "conv and matrix operators"
        )
        return int(total), f"its own total, from {what}"

    return count


def _torch_counter(network: nn.Module, example: torch.Tensor) -> tuple[int, str]:
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with counter:
        network(example)
    flops = int(counter.get_total_flops())
    return flops // 2, f"half of its {flops:,} FLOPs (two per MAC); conv and matrix operators only"


COUNTERS: Final[dict[str, Callable[[nn.Module, torch.Tensor], tuple[int, str]]]] = {
    "fvcore": _fvcore,
    "ptflops (pytorch)": _ptflops("pytorch"),
    "ptflops (aten)": _ptflops("aten"),
    "torch FlopCounterMode": _torch_counter,
}


def _listed(counts: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:,}" for name, value in sorted(counts.items()))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the counters' prints, warnings and logs to themselves; fvcore warns about TorchScript at each call."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        previous = logging.root.manager.disable
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(previous)
