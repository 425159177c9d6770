from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fbench.benchmark.cost.roofline import measure_roofline
from fbench.benchmark.cost.roofline.measure_roofline import dense_kernels, moving_kernels, roofline_of_this_machine
from fbench.benchmark.machine.machine_roofline import MachineRoofline, keep_roofline, kept_roofline, machine_of_roofline
from fbench.benchmark.records.numerics import choose_numerics
from tests.benchmark.cost.roofline.rooflines import round_roofline
from tests.on_cuda import on_cuda

CPU = torch.device("cpu")
NUMERICS = choose_numerics("cpu")


def test_a_roofline_is_measured_once_for_a_machine_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    first = roofline_of_this_machine(NUMERICS, CPU)
    assert {rate.kernel for rate in first.bandwidth} == {"copy", "dot", "add"}
    assert first.peak_flops_per_s > 1e8
    monkeypatch.setattr(measure_roofline, "measure_roofline", lambda *given: pytest.fail("measured again"))
    assert roofline_of_this_machine(NUMERICS, CPU) == first


def test_other_threads_have_a_roofline_of_their_own() -> None:
    keep_roofline(round_roofline())
    assert kept_roofline(machine_of_roofline(NUMERICS)) == round_roofline()
    assert kept_roofline(machine_of_roofline(NUMERICS.model_copy(update={"threads_per_trial": 2}))) is None


def test_a_roofline_of_another_machine_does_not_hold_here_whatever_its_file_is_called() -> None:
    here = machine_of_roofline(NUMERICS)
    elsewhere = round_roofline().where.model_copy(update={"precision": "bf16"})
    foreign = round_roofline().model_copy(update={"where": elsewhere})
    own = keep_roofline(round_roofline())
    assert kept_roofline(here) == round_roofline()
    own.write_bytes(keep_roofline(foreign).read_bytes())
    assert kept_roofline(here) is None
    assert kept_roofline(elsewhere) == foreign


def test_a_damaged_file_is_measured_anew(own_cache: Path) -> None:
    file = keep_roofline(round_roofline())
    file.write_text("{", encoding="utf-8")
    found = roofline_of_this_machine(NUMERICS, CPU)
    assert found != round_roofline()
    assert MachineRoofline.model_validate_json(file.read_bytes()) == found


def test_kernels_stand_for_the_operations_and_bytes_that_they_take() -> None:
    amounts = {kernel.name: kernel.amount for kernel in dense_kernels(NUMERICS, CPU)}
    assert amounts["matrix product 256"] == 2 * 256**3
    assert amounts["convolution 3x3, 64 channels"] == 2 * 8 * 64 * 56 * 56 * 64 * 9
    for kernel in moving_kernels(12 * 1024, CPU):
        tensors = [given for given in kernel.run.args if isinstance(given, torch.Tensor)]  # type: ignore[attr-defined] # a partial
        tensors += [*kernel.run.keywords.values(), getattr(kernel.run.func, "__self__", None)]  # type: ignore[attr-defined] # as above
        assert sum(t.nbytes for t in tensors if isinstance(t, torch.Tensor)) == kernel.amount == 12 * 1024


def test_what_kernels_compute_with_is_drawn() -> None:
    """A GPU that multiplies ones keeps a higher clock than one that multiplies what networks do."""
    operands = [one for kernel in dense_kernels(NUMERICS, CPU) for one in kernel.run.args]  # type: ignore[attr-defined] # a partial
    assert len(operands) == 2 * (len(measure_roofline.SIDES["cpu"]) + 1)
    for operand in operands:
        values = operand.flatten()[:10_000]
        assert values.std().item() == pytest.approx(1, abs=0.05)
        assert values.unique().numel() > 9_000


@on_cuda
def test_an_accelerator_has_a_roofline_far_above_the_processor() -> None:
    numerics, small, large = choose_numerics("cuda"), 2**18, 2**28
    roofline = measure_roofline.measure_roofline(numerics, torch.device("cuda"), working_sets=(small, large))
    assert roofline.bytes_per_s(small) >= roofline.bytes_per_s(large)
    assert roofline.peak_flops_per_s > 1e12
    assert roofline.memory_bytes_per_s > 1e11


def test_a_roofline_that_cannot_be_kept_is_measured_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FBENCH_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert roofline_of_this_machine(NUMERICS, CPU).peak_flops_per_s > 0
    assert "could not be kept" in caplog.text
