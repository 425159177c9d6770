"""What a network sets for the whole process, and what numerics set for it, ends with the block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext

import pytest
import torch

from fbench.architectures.process_settings import process_settings_kept
from fbench.benchmark.machine.device import numerics_in_force
from fbench.benchmark.records.numerics import choose_numerics

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def tf32_of_both_kinds() -> Iterator[None]:
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = False, True


def _deterministic() -> None:
    torch.use_deterministic_algorithms(True)


def _benchmark() -> None:
    torch.backends.cudnn.benchmark = not torch.backends.cudnn.benchmark


def _tf32() -> None:
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = False


def _no_fills() -> None:
    torch.utils.deterministic.fill_uninitialized_memory = False


def _newer_tf32() -> None:
    torch.backends.cuda.matmul.fp32_precision = "tf32"


def _newer_convolution() -> None:
    torch.backends.cudnn.rnn.fp32_precision = "ieee"  # type: ignore[attr-defined] # made at run time


def _state() -> dict[str, object]:
    return {
        "gradients": torch.is_grad_enabled(),
        "dtype": torch.get_default_dtype(),
        "threads": torch.get_num_threads(),
        "matmul": torch.backends.cuda.matmul.allow_tf32,
        "convolution": torch.backends.cudnn.allow_tf32,
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "warn only": torch.is_deterministic_algorithms_warn_only_enabled(),
        "fills": torch.utils.deterministic.fill_uninitialized_memory,
        "benchmark": torch.backends.cudnn.benchmark,
        "generator": torch.random.get_rng_state().tolist(),
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda: torch.set_grad_enabled(False),
        lambda: torch.set_default_dtype(torch.float64),
        lambda: torch.set_num_threads(torch.get_num_threads() + 1),
        _tf32,
        _newer_tf32,
        _newer_convolution,
        _deterministic,
        _no_fills,
        _benchmark,
        lambda: torch.randn(3),
    ],
)
@pytest.mark.parametrize("fails", [False, True])
def test_what_is_changed_in_a_block_is_put_back(change: Callable[[], object], fails: bool) -> None:
    before = _state()
    expected = pytest.raises(ZeroDivisionError) if fails else nullcontext()
    with expected, process_settings_kept():
        change()
        1 / (0 if fails else 1)
    assert _state() == before


def test_numerics_hold_in_their_block_and_not_after_it() -> None:
    before = _state()
    numerics = choose_numerics("cpu").model_copy(update={"threads_per_trial": torch.get_num_threads() + 1})
    torch.backends.cudnn.allow_tf32 = True
    with numerics_in_force(numerics, CPU):
        assert torch.get_num_threads() == numerics.threads_per_trial
        assert not torch.backends.cudnn.allow_tf32
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
    assert _state() == before | {"convolution": True}


def test_numerics_hold_where_somebody_has_set_the_newer_precision() -> None:
    _newer_tf32()
    with numerics_in_force(choose_numerics("cpu"), CPU):
        assert not torch.backends.cuda.matmul.allow_tf32
    assert torch.backends.cuda.matmul.allow_tf32
