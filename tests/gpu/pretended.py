"""A CUDA device that is pretended: tensors say that they lie on it, and are computed on the CPU.

Code that is written for CUDA then runs without one, whole, and with real values. What a device would refuse is refused:
operands on two devices, NumPy's look at a tensor of the device, and anything but computation while a graph is recorded.
What makes the host wait is refused where a test says so. Streams, events and graphs are those of
:mod:`tests.gpu.pretended_runtime`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any, Final

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from tests.gpu.pretended_runtime import Runtime, tensors_in

DEVICE: Final = torch.device("cuda", 1)
"""Not the first one, so that whatever forgets to name its device is noticed."""

_WAITS: Final = frozenset({"item", "tolist", "__float__", "__int__", "__bool__", "__index__", "cpu"})
_WAITS_AS_OPERATION: Final = frozenset(
    {"_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "_unique2", "unique_dim", "bincount"}
)
_MOVES: Final = frozenset({"to", "cpu", "cuda", "copy_", "__set__", "pin_memory", "_has_compatible_shallow_copy_type"})


class HostWaitsError(AssertionError):
    """The host waited for the device where it must not."""


class PretendedCuda(TorchFunctionMode):
    """While it is entered, :data:`DEVICE` can be computed on; see the module."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__()
        self.runtime = runtime
        self.refuses_waiting = False

    @contextmanager
    def no_waiting(self, refused: bool = True) -> Iterator[None]:
        """Within the block it is an error that the host waits for the device; with ``refused`` false it is none."""
        before, self.refuses_waiting = self.refuses_waiting, refused
        try:
            yield
        finally:
            self.refuses_waiting = before

    def wait(self, what: str) -> None:
        """Something makes the host wait.

        Raises:
            HostWaitsError: where that is refused, or while a graph is recorded.
        """
        if self.refuses_waiting or self.runtime.recording is not None:
            raise HostWaitsError(f"{what} makes the host wait for the device")

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        owner = getattr(getattr(func, "__self__", None), "__name__", "")  # of a getter: the attribute
        if name == "__get__" and owner in ("device", "is_cuda", "is_cpu"):
            here = device_of(args[0])
            return here if owner == "device" else (here.type == ("cuda" if owner == "is_cuda" else "cpu"))
        if func is torch.device or name == "_parse_to":  # names a device, or reads the arguments of Module.to
            return func(*args, **kwargs)
        if name == "pin_memory":
            return _mark(args[0].clone(), pinned=True)
        given = tensors_in((args, kwargs))
        ours = [one for one in given if is_pretended(one)]
        if name in _WAITS and ours:
            self.wait(name)
        if name == "numpy" and ours:
            raise TypeError("can't convert cuda:1 device type tensor to numpy. Use Tensor.cpu()")
        target = _target(name, args, kwargs)
        if name in ("to", "copy_") or (name == "tensor" and target == DEVICE):
            self._look_at_copy(name, given, args, kwargs, target)
        elif name not in _MOVES and ours:
            _refuse_two_devices(name, given)
        args, kwargs = _on_the_cpu(args), _on_the_cpu(kwargs)
        result = func(*args, **kwargs)
        if name in ("to", "cpu", "cuda") and target is not None and target.type != device_of(given[0]).type:
            result = result.detach().clone() if result is given[0] else result
            return _mark(result) if target.type == "cuda" else result
        if name == "cpu":
            return result.detach().clone() if result is given[0] else result
        if target == DEVICE or (ours and target is None and name != "__set__"):
            for one in tensors_in(result):
                _mark(one)
        return result

    def _look_at_copy(
        self, name: str, given: list[torch.Tensor], args: Any, kwargs: Mapping[str, Any], target: torch.device | None
    ) -> None:
        """A copy between devices makes the host wait, but one from pinned memory that need not be done at once."""
        if name == "tensor":
            self.wait("a number that is copied to the device")
            return
        if name == "copy_":
            onto, source = device_of(given[0]), given[1] if len(given) > 1 else given[0]
        else:
            source = given[0]
            onto = target if target is not None else device_of(given[-1])
        if device_of(source) == onto or (source.dim() == 0 and name == "copy_"):
            return
        queued = onto.type == "cuda" and _is_pinned(source) and (kwargs.get("non_blocking") or True in args[1:])
        if not queued:
            self.wait(f"a copy to {onto}")


class _Waiting(TorchDispatchMode):
    """Refuses operations whose result the host reads, wherever they are called from."""

    def __init__(self, device: PretendedCuda) -> None:
        super().__init__()
        self._device = device

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name.partition("::")[2]
        by_mask = name.startswith("index") and any(one.dtype is torch.bool for one in tensors_in(args[1:2]))
        if by_mask or name in _WAITS_AS_OPERATION:
            self._device.wait(func._schema.name)
        return func(*args, **(kwargs or {}))


@contextmanager
def pretended_cuda() -> Iterator[PretendedCuda]:
    """Within the block there are two CUDA devices, of which :data:`DEVICE` can be computed on."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        runtime = Runtime()
        device = PretendedCuda(runtime)
        runtime.install(patch, device.wait)
        for module in ("torch.nn.utils.clip_grad", "torch.optim.optimizer"):
            patch.setattr(import_module(module), "_group_tensors_by_device_and_dtype", _grouped)
        stack.enter_context(_Waiting(device))
        yield stack.enter_context(device)


def _grouped(lists: Any, with_indices: bool = False) -> Any:
    """torch's own grouping of tensors by device and type, under the device that they say."""
    with torch._C.DisableTorchFunction():
        found = torch.utils._foreach_utils._group_tensors_by_device_and_dtype(lists, with_indices)
    return {(device_of(group[0][0][0]), kind): group for (_, kind), group in found.items()}


def is_pretended(tensor: torch.Tensor) -> bool:
    """Whether a tensor says that it lies on the device."""
    return getattr(_storage(tensor), "pretended", False) is True


def device_of(tensor: torch.Tensor) -> torch.device:
    """Where a tensor says that it lies."""
    return DEVICE if is_pretended(tensor) else torch.device("cpu")


def _is_pinned(tensor: torch.Tensor) -> bool:
    return getattr(_storage(tensor), "pinned", False) is True


def _storage(tensor: torch.Tensor) -> Any:
    """What views of a tensor share, and what its object of Python lives as long as."""
    with torch._C.DisableTorchFunction():
        return tensor.untyped_storage() if tensor.layout is torch.strided else None


def _mark(tensor: torch.Tensor, *, pinned: bool = False) -> torch.Tensor:
    storage = _storage(tensor)
    if storage is not None:
        setattr(storage, "pinned" if pinned else "pretended", True)
    return tensor


def _target(name: str, args: Any, kwargs: Mapping[str, Any]) -> torch.device | None:
    """The device that a call names; of ``to(other)`` that of the other tensor."""
    places = [kwargs.get("device"), *(args if name in ("to", "cuda") else ())]
    for place in places:
        if isinstance(place, torch.device):
            return DEVICE if place.type == "cuda" else place
        if isinstance(place, str) and place.partition(":")[0] in ("cpu", "cuda"):
            return DEVICE if place.startswith("cuda") else torch.device("cpu")
    return torch.device("cpu") if name == "cpu" else None


def _on_the_cpu(values: Any) -> Any:
    """Arguments with the CPU in place of the device."""
    if isinstance(values, torch.device):
        return torch.device("cpu") if values.type == "cuda" else values
    if isinstance(values, str):
        return "cpu" if values.startswith("cuda") else values
    if isinstance(values, dict):
        return {key: _on_the_cpu(value) for key, value in values.items()}
    if type(values) in (list, tuple):
        return type(values)(_on_the_cpu(value) for value in values)
    return values


def _refuse_two_devices(name: str, given: list[torch.Tensor]) -> None:
    """
    Raises:
        RuntimeError: operands lie on two devices, and the one on the CPU is no single number.
    """
    if name == "__get__" or not any(not is_pretended(one) and one.dim() > 0 for one in given):
        return
    raise RuntimeError(f"{name}: expected all tensors to be on the same device, and found {DEVICE} and cpu")
