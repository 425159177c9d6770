"""What is set for the whole process inside a block, by a network or for it, ends with the block."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import torch


@dataclass(frozen=True)
class _Setting:
    """How a setting of the process is read, and how it is put back."""

    read: Callable[[], Any]
    put: Callable[[Any], object]


@contextmanager
def process_settings_kept() -> Iterator[None]:
    """Put back all that :func:`settings_but_randomness_kept` does, and the random generator of the CPU."""
    generator = torch.random.get_rng_state()
    try:
        with settings_but_randomness_kept():
            yield
    finally:
        torch.random.set_rng_state(generator)


@contextmanager
def settings_but_randomness_kept() -> Iterator[None]:
    """Put back gradients, the default dtype, threads, TF32, determinism, the working directory and the umask."""
    before = [(setting, setting.read()) for setting in _SETTINGS]
    try:
        yield
    finally:
        for setting, value in before:
            if setting.read() != value:  # the setter of determinism alone imports a compiler
                setting.put(value)


@dataclass(frozen=True)
class _TF32:
    """Whether TF32 is allowed. PyTorch refuses to say by the older of its two interfaces where the newer was used."""

    allowed: bool
    by_newer_interface: bool = False


def _tf32_in_matmul() -> _TF32:
    try:
        return _TF32(torch.backends.cuda.matmul.allow_tf32)
    except RuntimeError:
        return _TF32(torch.backends.cuda.matmul.fp32_precision == "tf32", by_newer_interface=True)


def _put_tf32_in_matmul(found: _TF32) -> None:
    torch.backends.cuda.matmul.allow_tf32 = found.allowed


def _tf32_in_convolutions() -> _TF32:
    try:
        return _TF32(torch.backends.cudnn.allow_tf32)
    except RuntimeError:
        precision = torch.backends.cudnn.conv.fp32_precision  # type: ignore[attr-defined] # made at run time
        return _TF32(precision == "tf32", by_newer_interface=True)


def _put_tf32_in_convolutions(found: _TF32) -> None:
    torch.backends.cudnn.allow_tf32 = found.allowed


def _determinism() -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


def _put_determinism(found: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(found[0], warn_only=found[1])


def _fills_new_memory() -> bool:
    return bool(torch.utils.deterministic.fill_uninitialized_memory)  # type: ignore[attr-defined] # made at run time


def _put_fills_new_memory(wanted: bool) -> None:
    torch.utils.deterministic.fill_uninitialized_memory = wanted  # type: ignore[attr-defined] # made at run time


def _cudnn_benchmark() -> bool:
    return torch.backends.cudnn.benchmark


def _put_cudnn_benchmark(wanted: bool) -> None:
    torch.backends.cudnn.benchmark = wanted


def _working_directory() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - a text compares in less time
    except FileNotFoundError:
        return None  # it was removed while this process was in it


def _put_working_directory(found: str | None) -> None:
    if found is not None:
        os.chdir(found)


def _umask() -> int:
    found = os.umask(0o077)  # it can be read by setting it alone
    os.umask(found)
    return found


_SETTINGS: Final = (
    _Setting(torch.is_grad_enabled, torch.set_grad_enabled),
    _Setting(torch.get_default_dtype, torch.set_default_dtype),
    _Setting(torch.get_num_threads, torch.set_num_threads),
    _Setting(_tf32_in_matmul, _put_tf32_in_matmul),
    _Setting(_tf32_in_convolutions, _put_tf32_in_convolutions),
    _Setting(_determinism, _put_determinism),
    _Setting(_fills_new_memory, _put_fills_new_memory),
    _Setting(_cudnn_benchmark, _put_cudnn_benchmark),
    _Setting(_working_directory, _put_working_directory),
    _Setting(_umask, os.umask),
)
