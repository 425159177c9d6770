"""Which layer of a user's network an exporter failed on, found in what the exporter raised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Final

from torch import fx, nn

from fbench.benchmark.export.from_pixels import FromPixels
from fbench.core.user_code import is_users, line_of_file

_FILE_LINE: Final = re.compile(r'File "(?P<file>.+)", line (?P<line>\d+)')


@dataclass(frozen=True)
class Layer:
    """A module by its path in the network ("" is the network itself), with the line and operation where known."""

    path: str
    class_name: str
    line: str = ""
    operation: str = ""

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.class_name, self.line) if part)
        what = f"its layer '{self.path}' ({where})" if self.path else f"its own forward pass ({where})"
        return f"{what}, by the operation {self.operation}" if self.operation else what


def network_name(module: nn.Module) -> str:
    """The class of the user's network, which may lie behind its normalisation."""
    return type(module.network if isinstance(module, FromPixels) else module).__name__


def failing_layer(error: BaseException, module: nn.Module) -> Layer | None:
    """The innermost layer of ``module`` (or of the network that it wraps) at which ``error`` was raised.

    An error while the graph is written names a node, which remembers its layer; one while the network is followed has
    passed through the forward passes of its modules. None where neither is so.
    """
    root = module.network if isinstance(module, FromPixels) else module
    frames = [found for one in _chain(error) for found in _frames(one.__traceback__)]
    nodes = [value for frame, _ in frames if isinstance(value := frame.f_locals.get("node"), fx.Node)]
    for node in reversed(nodes):
        layer = _layer_of_node(node, root, wrapped=root is not module)
        if layer is not None:
            return layer
    return _layer_of_frames(frames, root)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and its causes, the outermost first."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _layer_of_node(node: fx.Node, root: nn.Module, *, wrapped: bool) -> Layer | None:
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    if not stack:
        return None
    path = str(stack[-1][0])
    if wrapped:
        path = "" if path == "network" else path.removeprefix("network.")
    try:
        class_name = type(root.get_submodule(path)).__name__
    except AttributeError:
        class_name = str(stack[-1][1]).rpartition(".")[2]
    lines = _FILE_LINE.findall(str(node.meta.get("stack_trace") or ""))
    own = [(file, line) for file, line in lines if is_users(file)]
    return Layer(path, class_name, line_of_file(*own[-1]) if own else "", str(node.target))


def _layer_of_frames(frames: list[tuple[FrameType, int]], root: nn.Module) -> Layer | None:
    paths = {id(child): path for path, child in root.named_modules()}
    layer: Layer | None = None
    for frame, number in frames:
        called = frame.f_locals.get(frame.f_code.co_varnames[0]) if frame.f_code.co_argcount else None
        if isinstance(called, nn.Module) and id(called) in paths:
            path = paths[id(called)]
            if layer is None or layer.path != path:
                layer = Layer(path, type(called).__name__)
        if layer is not None and is_users(frame.f_code.co_filename):
            layer = Layer(layer.path, layer.class_name, line_of_file(frame.f_code.co_filename, number))
    return layer
