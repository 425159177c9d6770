"""What ``torch.cuda`` offers, pretended: devices, streams, events, memory, and graphs that compute what they hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

MEMORY: Final = 8 * 2**30


class Stream:
    """A queue of work; it belongs to a device."""

    def __init__(self, device: int) -> None:
        self.device_index = device
        self.device = torch.device("cuda", device)
        self.waited_for: list[Stream] = []

    def wait_stream(self, other: Stream) -> None:
        """Begin what follows after all that the other was given."""
        self.waited_for.append(other)

    def synchronize(self) -> None:
        """Wait until all is done; it is."""


class Event:
    """A place in a stream."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.at: float | None = None

    def record(self, stream: Stream | None = None) -> None:
        """Be the place that the stream has come to."""
        self._runtime.used((stream or self._runtime.stream()).device_index)
        self.at = time.perf_counter()

    def elapsed_time(self, later: Event) -> float:
        """Milliseconds up to another."""
        if self.at is None or later.at is None:
            raise RuntimeError("an event was read that was not recorded")
        return 1000 * (later.at - self.at)

    def synchronize(self) -> None:
        """Wait for the place."""
        self._runtime.wait("Event.synchronize")


@dataclass
class Draws:
    """What a generator of a device draws from: the bytes where the CPU's generator, which computes all draws, stands
    for it. They are kept up while others draw."""

    state: torch.Tensor


class Generator:
    """A generator of a device; several may draw from one state, as torch's do."""

    def __init__(self, runtime: Runtime, draws: Draws) -> None:
        self._runtime, self.draws = runtime, draws

    def clone_state(self) -> Generator:
        """Another one that begins where this one stands."""
        self._runtime.keep_draws()
        return Generator(self._runtime, Draws(self.draws.state.clone()))

    def graphsafe_get_state(self) -> Generator:
        """One with the state of this one."""
        return Generator(self._runtime, self.draws)

    def graphsafe_set_state(self, other: Generator) -> None:
        """Draw from the state of another from now on; this is the default one of its device."""
        self.draws = other.draws
        self._runtime.draw_from(other.draws)


class Runtime:
    """The state of the pretended library.

    Attributes:
        current: the index of the current device.
        touched: the devices that were worked on, which a run on one device must have one of.
        recording: the graph that is recorded now.
        recorded_last: what was recorded last.
        synchronised: how often the host waited for a whole device.
        wait: is told what makes the host wait.
    """

    def __init__(self) -> None:
        self.current = 0
        self.touched: set[int] = set()
        self.recording: Graph | None = None
        self.recorded_last: _Recorder | None = None
        self.synchronised = 0
        self.wait: Callable[[str], None] = lambda what: None
        self._streams: list[Stream] = []
        self._default: dict[int, Stream] = {}
        self.draws = Draws(torch.random.get_rng_state())

    def keep_draws(self) -> None:
        """Write down where the state stands that is drawn from."""
        self.draws.state = torch.random.get_rng_state()

    def draw_from(self, draws: Draws) -> None:
        """Let all draws be those of a state, which goes on from where it stood."""
        if draws is not self.draws:
            self.keep_draws()
            torch.random.set_rng_state(draws.state)
            self.draws = draws

    def default_stream(self, device: Any = None) -> Stream:
        """The stream of a device that work goes to where no other is named."""
        index = self.index(device)
        return self._default.setdefault(index, Stream(index))

    def used(self, device: int) -> None:
        """A device was worked on."""
        self.touched.add(device)

    def index(self, device: Any = None) -> int:
        """The number of a device as torch's functions take it; none is the current one."""
        if isinstance(device, int):
            return device
        found = None if device is None else torch.device(device).index
        return self.current if found is None else found

    def stream(self, device: Any = None) -> Stream:
        """The current stream of a device."""
        index = self.index(device)
        if self._streams and self._streams[-1].device_index == index:
            return self._streams[-1]
        return self.default_stream(index)

    def synchronise(self, device: Any = None) -> None:
        """Wait for a device."""
        self.wait("torch.cuda.synchronize")
        self.used(self.index(device))
        self.synchronised += 1

    @contextmanager
    def on(self, device: Any) -> Iterator[None]:
        """The device is the current one within the block; none or a negative number changes nothing."""
        before = self.current
        if device is not None and self.index(device) >= 0:
            self.current = self.index(device)
        try:
            yield
        finally:
            self.current = before

    @contextmanager
    def within(self, stream: Stream | None) -> Iterator[None]:
        """The stream is the current one within the block, and its device the current one."""
        if stream is None:
            yield
            return
        self.used(stream.device_index)
        self._streams.append(stream)
        try:
            with self.on(stream.device_index):
                yield
        finally:
            self._streams.pop()

    @contextmanager
    def graph(self, graph: Graph, pool: Any = None, stream: Stream | None = None, **_: Any) -> Iterator[None]:
        """What is done within the block becomes the graph's."""
        self.synchronise()
        with self.within(stream or Stream(self.current)):
            self.recording = graph
            try:
                with graph.recorded() as self.recorded_last:
                    yield
            finally:
                self.recording = None

    def new_stream(self, device: Any = None, priority: int = 0) -> Stream:
        """A stream of a device."""
        return Stream(self.index(device))

    def install(self, patch: pytest.MonkeyPatch, wait: Callable[[str], None]) -> None:
        """Put all of it in the place of torch's own."""
        self.wait = wait
        own_autocast = torch.autocast

        def set_device(device: Any) -> None:
            self.current = self.index(device)

        def set_state(state: torch.Tensor, device: Any = None) -> None:
            self.used(self.index(device))
            torch.random.set_rng_state(state)

        def state(device: Any = None) -> torch.Tensor:
            self.used(self.index(device))
            return torch.random.get_rng_state()

        offered: dict[str, Any] = {
            "is_available": lambda: True,
            "device_count": lambda: 2,
            "current_device": lambda: self.current,
            "set_device": set_device,
            "device": self.on,
            "get_device_name": lambda device=None: f"Pretended {self.index(device)}",
            "get_device_capability": lambda device=None: (9, 0),
            "is_bf16_supported": lambda including_emulation=True: True,
            "is_current_stream_capturing": lambda: self.recording is not None,
            "Stream": self.new_stream,
            "current_stream": self.stream,
            "default_stream": self.default_stream,
            "default_generators": tuple(Generator(self, self.draws) for _ in range(2)),
            "stream": self.within,
            "Event": lambda enable_timing=False: Event(self),
            "synchronize": self.synchronise,
            "empty_cache": lambda: None,
            "mem_get_info": lambda device=None: (MEMORY, MEMORY),
            "memory_allocated": lambda device=None: 0,
            "max_memory_allocated": lambda device=None: 2**20,
            "reset_peak_memory_stats": lambda device=None: self.used(self.index(device)),
            "set_per_process_memory_fraction": lambda fraction, device=None: self.used(self.index(device)),
            "get_rng_state": state,
            "set_rng_state": set_state,
            "CUDAGraph": lambda: Graph(self),
            "graph": self.graph,
        }
        for name, value in offered.items():
            patch.setattr(torch.cuda, name, value)
        patch.setattr(torch.backends.cuda, "is_built", lambda: True)
        patch.setattr(torch, "autocast", lambda kind, **given: own_autocast("cpu", **given))


class Graph:
    """Operations as they were recorded; a replay computes them again, on the same tensors."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._calls: list[tuple[Any, Any, Any, list[torch.Tensor]]] = []
        self._draws = runtime.draws
        self.recorded_on = runtime.stream()
        self.replayed_on: list[Stream] = []
        self.replays = 0

    @contextmanager
    def recorded(self) -> Iterator[_Recorder]:
        """Record what is done within the block. As on a device, nothing is computed: what was written has its old
        value afterwards, what is new has none, and the generator stands where it stood."""
        generator, self._draws = torch.random.get_rng_state(), self._runtime.draws
        self.recorded_on = self._runtime.stream()
        recorder = _Recorder()
        with recorder:
            yield recorder
        self._calls = recorder.calls
        with torch._C.DisableTorchFunction(), torch.no_grad():
            for tensor in recorder.made:
                if tensor.is_floating_point():
                    tensor.detach().fill_(float("nan"))
            for storage, value in recorder.before.values():
                storage.copy_(value)
        torch.random.set_rng_state(generator)

    def replay(self) -> None:
        """Compute all of it, with draws from the state that was drawn from when it was recorded."""
        self.replays += 1
        self.replayed_on.append(self._runtime.stream())
        before = self._runtime.draws
        self._runtime.draw_from(self._draws)
        with torch._C.DisableTorchFunction(), torch.no_grad():
            for func, args, kwargs, outputs in self._calls:
                found = tensors_in(func(*args, **kwargs))
                for held, new in zip(outputs, found, strict=True):
                    if held is not new and held.data_ptr() != new.data_ptr():
                        held.detach().copy_(new)
        self._runtime.draw_from(before)


class _Recorder(TorchDispatchMode):
    """Keeps every operation with its operands, and the value that each tensor had before it was first written."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, Any, Any, list[torch.Tensor]]] = []
        self.made: list[torch.Tensor] = []
        self.before: dict[int, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}
        self._own: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        read = {tensor.untyped_storage().data_ptr() for tensor in tensors_in((args, kwargs))}
        for tensor in _written(func, args, kwargs):
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in self._own and storage.data_ptr() not in self.before:
                self.before[storage.data_ptr()] = (storage, storage.clone())
        result = func(*args, **kwargs)
        outputs = tensors_in(result)
        self.calls.append((func, args, kwargs, outputs))
        for tensor in outputs:
            if tensor.untyped_storage().data_ptr() not in read:
                self._own.add(tensor.untyped_storage().data_ptr())
                self.made.append(tensor)
        return result


def _written(func: Any, args: Any, kwargs: dict[str, Any]) -> list[torch.Tensor]:
    """The operands that an operation writes, by its schema."""
    found: list[torch.Tensor] = []
    for number, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            found += tensors_in(args[number] if number < len(args) else kwargs.get(argument.name))
    return found


def tensors_in(values: Any) -> list[torch.Tensor]:
    """Every tensor in nested dictionaries, lists and tuples."""
    if isinstance(values, torch.Tensor):
        return [values]
    if isinstance(values, dict):
        return tensors_in(list(values.values()))
    if isinstance(values, list | tuple):
        return [tensor for value in values for tensor in tensors_in(value)]
    return []
