"""Forward passes of a copy of a network under the recorder, by PyTorch's plain kernels alone.

Fused kernels (oneDNN's recurrent layers, flash attention, the fast path of transformer layers) do in one operation
what otherwise takes many; without them every multiply-accumulate is seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

from fbench.architectures.network_copy import copy_to
from fbench.architectures.tracing.recorder import Recorder

TraceDevice = Literal["meta", "cpu", "cpu with noise"]
TRACE_DEVICES: Final[tuple[TraceDevice, ...]] = get_args(TraceDevice)
"""Where a pass runs, in the order in which they are tried: shapes alone, an image of zeros, an image of noise."""

_EXITS: Final = frozenset({torch.Tensor.numpy, torch.Tensor.__array__, torch.Tensor.__dlpack__})


@dataclass(frozen=True)
class Pass:
    """What one forward pass recorded, and what the network returned."""

    recorder: Recorder
    result: Any
    outputs: tuple[int, ...]


def run_pass(module: nn.Module, input_shape: tuple[int, int, int], batch_size: int, traced_on: TraceDevice) -> Pass:
    """A forward pass of a copy in evaluation mode; gradients stay on, without them torch may fuse layers.

    Raises:
        Exception: whatever the network raises there.
    """
    device = "meta" if traced_on == "meta" else "cpu"
    network = copy_to(module, device).eval()
    recorder = Recorder(network)
    watching = (
        recorder.hooked(network),
        plain_kernels(),
        torch.random.fork_rng(devices=[]),
        _ExitToOtherCode(recorder),
    )
    with torch.device(device), ExitStack() as stack:
        for one in watching:
            stack.enter_context(one)
        torch.manual_seed(0)
        fill = torch.rand if traced_on == "cpu with noise" else torch.zeros
        image = fill(batch_size, *input_shape, dtype=_image_dtype(module))
        recorder.start(image)
        with recorder:
            result = network(image)
    return Pass(recorder, result, recorder.sources_of(result))


class _ExitToOtherCode(TorchFunctionMode):
    """Tells the recorder of tensors that are handed to numpy and the like."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _EXITS:
            self._recorder.left_pytorch()
        return func(*args, **(kwargs or {}))


@contextmanager
def plain_kernels() -> Iterator[None]:
    """No fused kernels of recurrent layers, attention and transformer layers, no compilation, and sums of products in
    the order in which they are written, whether or not a package that reorders them is installed."""
    fast_path = torch.backends.mha.get_fastpath_enabled()
    one_dnn = torch._C._get_mkldnn_enabled()
    with ExitStack() as stack:
        stack.callback(torch.backends.mkldnn.set_flags, one_dnn)  # the context manager of torch warns about TF32
        torch.backends.mkldnn.set_flags(False)
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        stack.enter_context(torch.compiler.set_stance("force_eager"))
        stack.enter_context(torch.backends.opt_einsum.flags(enabled=False))
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast_path)
        torch.backends.mha.set_fastpath_enabled(False)
        yield


def _image_dtype(module: nn.Module) -> torch.dtype:
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)
