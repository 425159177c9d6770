"""Records the aten operations of a forward pass and which module and which earlier result each belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from fbench.architectures.tracing.dispatch import full_name, is_composite, operation_of, tensors_in, written_by
from fbench.architectures.tracing.drafts import OUTSIDE_PYTORCH, CountedOperation, Draft, Source
from fbench.architectures.tracing.memory_traffic import traffic
from fbench.architectures.tracing.operations import Operation, base_name, reshape_label

_SHAPE_KEEPING = frozenset(
    {"aten::relu", "aten::hardswish", "aten::hardsigmoid", "aten::hardtanh", "aten::sigmoid", "aten::silu"}
)
_BATCH_NORMS = frozenset({"aten::native_batch_norm", "aten::_native_batch_norm_legit_no_training"})
"""The first in evaluation mode, and what it is taken apart into there."""


class _Frame(NamedTuple):
    """A module call that is running; ``node`` is its node where the module is one of torch's own layers."""

    path: str
    module: str
    node: int | None
    recurrent: bool = False


class Recorder(TorchDispatchMode):
    """Turns the operations of a forward pass into drafts of nodes.

    A call of a childless layer of torch is one node, whatever it runs inside. Elsewhere each operation is
    one, but for those that only reshape, which become labels of the edges. A tensor is known by identity; all
    are kept alive, so an identity is not used twice.
    """

    supports_higher_order_operators = True

    def __init__(self, network: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's initialiser has no types
        self.drafts: list[Draft] = []
        self.counted: list[CountedOperation] = []
        self._root = network
        self._frames: list[_Frame] = []
        self._sources: dict[int, Source] = {}
        self._of_image: set[int] = set()
        self._made: set[int] = set()
        self._seen: set[int] = set()
        self._alive: list[torch.Tensor] = []
        self._muted = False

    def start(self, image: torch.Tensor) -> None:
        """Make the image node 0."""
        self.drafts.append(Draft("", "", "input", output_shape=tuple(image.shape)[1:]))
        self._give(image, Source(0))
        self._of_image.add(id(image))

    def sources_of(self, result: Any) -> tuple[int, ...]:
        """The nodes behind a network's result, in order, once each."""
        found = [self._sources[id(tensor)].node for tensor in tensors_in(result) if id(tensor) in self._sources]
        return tuple(dict.fromkeys(found))

    @contextmanager
    def hooked(self, network: nn.Module) -> Iterator[None]:
        """Follow the calls of all modules of ``network``; a scripted one takes no hooks, and is its caller's."""
        handles = []
        for path, module in network.named_modules():
            if isinstance(module, torch.jit.ScriptModule):
                continue
            handles.append(module.register_forward_pre_hook(self._entering(path), with_kwargs=True))
            handles.append(module.register_forward_hook(self._leave))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if is_composite(func):  # under inference_mode PyTorch hands these over whole
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        result = _run_shapes_only(func, args) if args else None
        if result is None:
            result = func(*args, **kwargs)
        if not self._muted:
            node = self._record(func, args, kwargs, result)
            if node is not None:
                self.computed(node, func, args, kwargs)
        return result

    def left_pytorch(self, node: int | None = None) -> None:
        """Note that a tensor was handed to other code, whose arithmetic nobody sees, at the last node if at none."""
        frame = self._frames[-1] if self._frames else _Frame("", type(self._root).__name__, None)
        node = node if node is not None else frame.node if frame.node is not None else len(self.drafts) - 1
        self.counted.append(CountedOperation(node, OUTSIDE_PYTORCH, None, 0, {}, counted=False, fixed=False))

    def computed(self, node: int, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Called after each operation that computes something, with the node that it belongs to."""

    def _record(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> int | None:
        """Note an operation; the node that it computes for, or none."""
        arguments, name = (*args, *kwargs.values()), base_name(full_name(func))
        inputs, outputs = tensors_in(arguments), tensors_in(result) or written_by(func, args, kwargs)
        frame = self._frames[-1] if self._frames else _Frame("", type(self._root).__name__, None)
        if not outputs:
            return None
        known = [tensor for tensor in inputs if id(tensor) in self._sources]
        if any(tensor.grad_fn is not None and id(tensor) not in self._seen for tensor in inputs):
            self.left_pytorch()  # it was computed where nobody looked, as in another thread
        self._seen.update(id(tensor) for tensor in outputs)
        label = reshape_label(name, arguments, outputs[0], 0)
        computes = label is None and bool(inputs)
        node = frame.node
        if node is not None:
            for output in outputs:
                self._give(output, Source(node))
        elif computes:
            node = self._add_node(frame, known, outputs)
        elif label is not None:
            self._relabel(name, arguments, known, outputs)
        if computes and node is not None:
            operation = operation_of(func, name, args, kwargs, outputs)
            moved = traffic(name, arguments, inputs, outputs[0], lambda tensor: id(tensor) in self._of_image)
            self.drafts[node].note(operation, moved)
            if frame.node is None:
                self.drafts[node].arguments = operation.arguments
            self._count(node, str(func), operation, frame, inputs)
        self._follow(inputs, outputs)
        return node if computes else None

    def _count(self, node: int, name: str, operation: Operation, frame: _Frame, inputs: Sequence[torch.Tensor]) -> None:
        kind = operation.product
        if kind is not None and frame.recurrent:
            kind = "recurrent"
        elif kind == "linear" and [id(tensor) in self._of_image for tensor in inputs[-2:]] == [True, True]:
            kind = "attention"
        fixed = not any(id(tensor) in self._made or id(tensor) in self._of_image for tensor in inputs)
        self.counted.append(
            CountedOperation(node, name, kind, operation.macs, operation.elementwise_ops, operation.counted, fixed)
        )

    def _follow(self, inputs: Sequence[torch.Tensor], outputs: Sequence[torch.Tensor]) -> None:
        """Note whether what was computed depends on the image, or at least was made in this pass."""
        if any(id(tensor) in self._of_image for tensor in inputs):
            self._of_image.update(map(id, outputs))
        if not inputs or any(id(tensor) in self._made for tensor in inputs):
            self._made.update(map(id, outputs))
        self._alive.extend(outputs)

    def _relabel(
        self, name: str, arguments: Sequence[Any], known: list[torch.Tensor], outputs: list[torch.Tensor]
    ) -> None:
        if not known:
            return
        source = self._sources[id(known[0])]
        for position, output in enumerate(outputs):
            label = reshape_label(name, arguments, output, position)
            self._give(output, Source(source.node, _joined(source.reshape, label or "")))

    def _add_node(self, frame: _Frame, known: list[torch.Tensor], outputs: list[torch.Tensor]) -> int:
        draft = Draft(frame.path, frame.module, output_shape=tuple(outputs[0].shape)[1:])
        for tensor in known:
            draft.take(self._sources[id(tensor)], tensor.shape)
        self.drafts.append(draft)
        node = len(self.drafts) - 1
        for output in outputs:
            self._give(output, Source(node))
        return node

    def _give(self, tensor: torch.Tensor, source: Source) -> None:
        self._sources[id(tensor)] = source
        self._seen.add(id(tensor))
        self._alive.append(tensor)

    def _entering(self, path: str) -> Any:
        def enter(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            node = None
            if self._is_layer(module):
                draft = Draft(path, type(module).__name__, layer=True, arguments=module.extra_repr())
                for tensor in tensors_in((*args, *kwargs.values())):
                    if id(tensor) in self._sources:
                        draft.take(self._sources[id(tensor)], tensor.shape)
                self.drafts.append(draft)
                node = len(self.drafts) - 1
            self._frames.append(
                _Frame(path, type(module).__name__, node, isinstance(module, nn.RNNBase | nn.RNNCellBase))
            )

        return enter

    def _leave(self, module: nn.Module, args: tuple[Any, ...], result: Any) -> Any:
        """Close a call; a layer that gives its input back gives an alias, so that branches stay apart."""
        node = self._frames.pop().node
        if node is None:
            return None
        draft = self.drafts[node]
        draft.kind = draft.kind or type(module).__name__.lower()
        outputs = tensors_in(result)
        if any(output.grad_fn is not None and id(output) not in self._seen for output in outputs):
            self.left_pytorch(node)
        if outputs:
            draft.output_shape = tuple(outputs[0].shape)[1:]
        if isinstance(result, torch.Tensor) and self._sources.get(id(result), Source(-1)).node != node:
            self._muted = True
            alias = torch.ops.aten.alias.default(result)
            self._muted = False
            self._give(alias, Source(node))
            if id(result) in self._of_image:
                self._of_image.add(id(alias))
            return alias
        return None

    def _is_layer(self, module: nn.Module) -> bool:
        return (
            module is not self._root
            and type(module).__module__.startswith("torch.nn.")
            and not any(True for _ in module.children())
        )


def _run_shapes_only(func: Any, arguments: Sequence[Any]) -> Any:
    """The result of an operation on the meta device that keeps its input's shape, or None.

    Saves half the time of a trace: torch's own meta kernels of these operations are Python decompositions
    that take 0.3 to 1.7 ms a call, and 0.9 s to import at the first.
    """
    first = arguments[0]
    if type(first) not in (torch.Tensor, nn.Parameter) or first.device.type != "meta":
        return None
    name = full_name(func)
    if name in _BATCH_NORMS and (name != "aten::native_batch_norm" or not arguments[5]):
        return _like(first), first.new_empty(0), first.new_empty(0)
    return _like(first) if name in _SHAPE_KEEPING else None


def _like(tensor: torch.Tensor) -> torch.Tensor:
    """``empty_like`` of the meta device without its Python decomposition."""
    return torch.empty(tensor.shape, dtype=tensor.dtype, device=tensor.device)


def _joined(before: str, label: str) -> str:
    """Two reshapes after one another; of two plain changes of size only the last one counts."""
    steps = before.split("; ") if before else []
    if steps and label and not (set(steps[-1]) | set(label)) - set("0123456789x"):
        steps.pop()
    return "; ".join([*steps, label] if label else steps)
