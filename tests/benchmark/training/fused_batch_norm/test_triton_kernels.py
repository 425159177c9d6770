"""Triton's kernels: their numbers, by Triton's interpreter on the CPU or on a device, and that they compile."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from functools import cache
from itertools import product
from typing import Any

import pytest
import torch

from fbench.benchmark.training.fused_batch_norm.eager import EagerArithmetic
from fbench.benchmark.training.fused_batch_norm.with_triton import (
    MOST_PROGRAMS,
    TritonArithmetic,
    division,
)
from tests.benchmark.training.fused_batch_norm.cases import CASES, RESULTS, Case, beyond, computed, differences
from tests.on_cuda import DEVICE, on_cuda

with_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="Triton is not installed, as with builds of PyTorch for CPUs"
)
CASES_MODULE = "tests.benchmark.training.fused_batch_norm.cases"
MAPS = ("maps", "output", "gradient")
WHOLE_NUMBERS = ("rows", "channels", "parts", "rows_per_part", "rows_per_program")


def interpreted() -> dict[str, Any]:
    """What :mod:`cases` prints; a test that needs it skips where the interpreter does not run."""
    done = _interpreter()
    if "only 0-dimensional arrays can be converted" in done.stderr:
        pytest.skip("Triton's interpreter needs a NumPy before 2.4")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@cache
def _interpreter() -> subprocess.CompletedProcess[str]:
    """A process of its own: Triton reads how it is to run when it is imported."""
    command = [sys.executable, "-W", "ignore", "-m", CASES_MODULE]
    return subprocess.run(command, env=os.environ | {"TRITON_INTERPRET": "1"}, capture_output=True, text=True)


@pytest.mark.slow
@with_triton
@pytest.mark.parametrize("number", range(len(CASES)), ids=[str(case) for case in CASES])
def test_interpreted_kernels_give_what_the_eager_arithmetic_gives_and_the_same_again(number: int) -> None:
    row = interpreted()["rows"][number]
    assert beyond(row["off"], CASES[number]) == {}
    assert row["same_again"]


@pytest.mark.slow
@with_triton
def test_what_is_no_number_stays_none_in_interpreted_kernels() -> None:
    assert interpreted()["no_number_stays_none"]


@on_cuda
@with_triton
@pytest.mark.parametrize("case", CASES, ids=str)
def test_kernels_on_cuda_give_what_the_eager_arithmetic_gives_and_the_same_again(case: Case) -> None:
    found, again = (computed(TritonArithmetic(), case, DEVICE) for _ in range(2))
    assert beyond(differences(found, computed(EagerArithmetic(), case, DEVICE)), case) == {}
    assert all(torch.equal(found[name], again[name]) for name in RESULTS)


@pytest.mark.slow
@with_triton
@pytest.mark.parametrize("channels", [1, 3, 16, 64])
@pytest.mark.parametrize("kind", ["fp32", "bf16"])
@pytest.mark.parametrize("name", ["moments_of_parts", "normalise", "gradients_of_parts", "gradient_of_maps"])
def test_kernels_compile_for_compute_capability_9_without_atomics(name: str, kind: str, channels: int) -> None:
    """No device is needed for it. An atomic operation would sum in the order in which programs happen to come.

    As when it is called, a number that is one is a constant, and what 16 divides is known to be so.
    """
    from triton import compile
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from fbench.benchmark.training.fused_batch_norm import triton_kernels

    kernel = getattr(triton_kernels, name)
    cut = division(128 * 48 * 48, channels)
    activations = ("none", "relu", "hard_swish") if "ACTIVATION" in kernel.arg_names else (None,)
    for activation in activations:
        given: dict[str, Any] = {"ACTIVATION": activation, "ROWS": cut.tile_rows, "COLUMNS": cut.columns}
        given |= {"channels": 1, "parts": 1} if channels == 1 else {}
        constants = {argument: given[argument] for argument in kernel.arg_names if argument in given}
        signature = {name: "constexpr" if name in given else _type_of(name, kind) for name in kernel.arg_names}
        divided = [("tt.divisibility", 16)] if channels % 16 == 0 else []
        known = {
            (place,): divided
            for place, argument in enumerate(kernel.arg_names)
            if divided and argument not in (*constants, "parts", "momentum", "epsilon")
        }
        source = ASTSource(fn=kernel, signature=signature, constexprs=constants, attrs=known)
        made = compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": 8})
        assert "sm_90" in made.asm["ptx"]
        assert len(made.asm["cubin"]) > 0
        assert "atom." not in made.asm["ptx"]
        assert "red." not in made.asm["ptx"].replace("shared.", "").replace("pred.", "")


def _type_of(argument: str, kind: str) -> str:
    if argument in WHOLE_NUMBERS:
        return "i32"
    return f"*{kind}" if argument in MAPS else "fp32" if argument in ("momentum", "epsilon") else "*fp32"


@pytest.mark.parametrize(
    ("rows", "channels"), list(product([2, 127, 128 * 9, 128 * 48 * 48 + 1, 2048 * 96 * 96], [1, 3, 16, 64, 100, 2048]))
)
def test_every_row_is_in_one_part_and_in_one_program(rows: int, channels: int) -> None:
    cut = division(rows, channels)
    assert (cut.parts - 1) * cut.rows_per_part < rows <= cut.parts * cut.rows_per_part
    assert (cut.programs - 1) * cut.rows_per_program < rows <= cut.programs * cut.rows_per_program
    assert (cut.groups - 1) * cut.columns < channels <= cut.groups * cut.columns
    assert cut.parts <= 128
    assert cut.programs <= MOST_PROGRAMS
    assert cut.columns & (cut.columns - 1) == cut.tile_rows & (cut.tile_rows - 1) == 0


@pytest.mark.slow
def test_importing_the_package_needs_no_triton() -> None:
    text = (
        "import sys; sys.modules['triton'] = None; import fbench.benchmark.training.trial; "
        "assert not any(name.endswith('triton_kernels') for name in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", text], capture_output=True, text=True).stderr == ""
