"""What the stages of a call measure, on the processor and on the pretended device."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Literal

import pytest
import torch
from typer.testing import CliRunner

from fbench.benchmark.records.numerics import Numerics, choose_numerics
from fbench.cli.app import app
from tests.gpu.contact import (
    accuracy,
    agreement,
    commands,
    cuda_tests,
    equal_bits,
    faces,
    kernels,
    machine,
    plain_loop,
    rates,
    step_times,
    streams,
    trainings,
)
from tests.gpu.contact.factors import Factor, factors
from tests.gpu.contact.packed_faces import write_packed
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import NotHereError
from tests.gpu.contact.trials import patterned_images
from tests.gpu.pretended import DEVICE, pretended_cuda
from tests.support import Heard, data_spec_of, make_stripes, run_here, trial_spec_of, use_stripes


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    """On the processor."""
    return Settings(tmp_path, tmp_path, "cpu", small=True)


@pytest.fixture
def there(tmp_path: Path) -> Settings:
    """On the pretended device."""
    return Settings(tmp_path, tmp_path, str(DEVICE), small=True)


def all_of(stage: ModuleType, settings: Settings) -> dict[str, Any]:
    """What a stage finds, by result; none where something is not there."""
    found: dict[str, Any] = {}
    for one in stage.measurements(settings):
        try:
            found[one.name] = one.measure()
        except NotHereError:
            found[one.name] = None
    return found


def test_the_machine_is_described_without_a_device(here: Settings) -> None:
    found = all_of(machine, here)
    assert found["versions"]["torch"] == torch.__version__
    assert found["host"]["usable_cores"] >= 1
    assert found["packages"]["numpy"].startswith("2")
    assert found["device"] is None


def test_rates_of_a_processor_have_no_graph(here: Settings) -> None:
    found = all_of(rates, here)
    assert found["copy"]["large_gb_per_s"] > 0
    assert found["matrix product fp32"]["tflop_per_s"] > 0
    assert found["graph node"] is None


@pytest.mark.slow
def test_rates_of_the_pretended_device_are_those_of_every_precision(there: Settings) -> None:
    with pretended_cuda():
        found = all_of(rates, there)
    assert found["graph node"]["replayed_us"] > 0
    assert [name for name in found if "product" in name] == [
        "matrix product fp32",
        "matrix product tf32",
        "matrix product bf16",
    ]


@pytest.mark.slow
def test_a_network_agrees_with_plain_arithmetic_there(there: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "NETWORKS", ("lenet5",))
    with pretended_cuda():
        found = all_of(agreement, there)
    assert list(found) == ["lenet5 fp32", "lenet5 tf32", "lenet5 bf16"]
    assert all(one["within"] and one["repeats_itself"] for one in found.values())


@pytest.mark.slow
def test_recorded_and_eager_trainings_have_equal_bits_there(there: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equal_bits, "NETWORKS", ("lenet5",))
    with pretended_cuda():
        found = all_of(equal_bits, there)
    assert list(found) == ["lenet5 bf16", "lenet5 fp32"]
    for one in found.values():
        assert (one["again"], one["eager"], one["recorded"]) == (True, True, True)
        assert (one["furthest_weight_again"], one["furthest_weight_eager"]) == (0.0, 0.0)


def test_the_furthest_weight_is_a_share_of_the_largest() -> None:
    one, other = (SimpleNamespace(weights={"a": torch.tensor([1.0, value])}) for value in (-4.0, -3.0))
    assert equal_bits.furthest(one, other) == 0.25  # type: ignore[arg-type] # only weights are read


@pytest.mark.slow
def test_every_factor_is_timed_there(there: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_times, "NETWORKS", ("lenet5",))
    with pretended_cuda():
        found = all_of(step_times, there)
    assert list(found) == [f"lenet5 {factor.name}" for factor in factors()]
    assert all(one["step_us"] > 0 for one in found.values())


def test_every_further_switch_of_numerics_is_a_factor_without_a_word() -> None:
    class More(Numerics):
        fused: bool = False
        layout: Literal["one", "other"] = "one"
        streams: int = 1

    named = {factor.name for factor in factors(Numerics)}
    more = {factor.name: dict(factor.numerics) for factor in factors(More) if factor.name not in named}
    assert more == {
        "fused": {"fused": True},
        "fused bf16": {"fused": True, "precision": "bf16"},
        "layout=other": {"layout": "other"},
        "layout=other bf16": {"layout": "other", "precision": "bf16"},
    }


def test_a_switch_that_numerics_have_not_is_told() -> None:
    with pytest.raises(NotHereError, match="no field warp"):
        step_times.changed(choose_numerics("cpu"), Factor("warped", {"warp": 9}))


def test_settings_of_pytorch_are_put_back_after_a_factor() -> None:
    fills = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined] # made at run time
    with Factor("all", fills=not fills, cudnn_benchmark=True).in_force():
        assert torch.backends.cudnn.benchmark
        assert torch.utils.deterministic.fill_uninitialized_memory is not fills  # type: ignore[attr-defined] # as above
    assert not torch.backends.cudnn.benchmark
    assert torch.utils.deterministic.fill_uninitialized_memory is fills  # type: ignore[attr-defined] # as above


@pytest.mark.slow
def test_the_operations_of_a_step_are_counted_by_their_names(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "NETWORKS", ("lenet5",))
    (found,) = all_of(kernels, here).values()
    names = {row["kernel"]: row["calls_a_step"] for row in found["table"]}
    assert names["aten::convolution_backward"] == 2
    assert found["kernel_us_a_step"] > 0


def test_a_span_that_the_host_named_is_no_kernel() -> None:
    cpu, gpu = torch.autograd.DeviceType.CPU, torch.autograd.DeviceType.CUDA
    given = [("aten::add", cpu, 10, 0.0), ("step", cpu, 5, 0.0), ("step", gpu, 5, 90.0), ("add_kernel", gpu, 10, 60.0)]
    events = [
        SimpleNamespace(key=key, device_type=kind, count=count, self_device_time_total=spent, self_cpu_time_total=1.0)
        for key, kind, count, spent in given
    ]
    assert kernels.rows_of(events, on_gpu=True) == [{"kernel": "add_kernel", "calls_a_step": 2.0, "us_a_step": 12.0}]
    assert [row["kernel"] for row in kernels.rows_of(events, on_gpu=False)] == ["aten::add", "step"]


@pytest.mark.slow
def test_trials_together_are_timed_and_held_against_each_alone(
    there: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_after_another(specs: Sequence[Any], dataset: Any, context: Any) -> Any:
        from fbench.benchmark.training.trial import run_trial

        return SimpleNamespace(results=tuple(run_trial(spec, dataset, context) for spec in specs), left=())

    monkeypatch.setattr(streams, "NETWORKS", (("lenet5", "bf16"),))
    monkeypatch.setattr(streams, "run_together", lambda: one_after_another)
    with pretended_cuda():
        found = all_of(streams, there)
    assert found["lenet5 bf16 bits"] == {"equal": True, "ended_together": 2}
    assert [found[f"lenet5 bf16 {number}"]["trials"] for number in (1, 2)] == [1, 2]
    assert all(found[f"lenet5 bf16 {number}"]["us_a_step_of_all"] > 0 for number in (1, 2))


def test_without_trials_together_the_stage_says_so(there: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "TOGETHER", "fbench.benchmark.training.no_such_module")
    with pytest.raises(NotHereError, match="no trials together yet"):
        streams.run_together()


def test_the_tests_that_need_a_device_are_found_by_their_mark() -> None:
    files = cuda_tests.files()
    assert "tests/gpu/test_on_a_device.py" in files
    assert "tests/benchmark/training/test_training_loop.py" in files
    assert "tests/gpu/test_stages.py" not in files


@pytest.mark.slow
def test_how_each_of_them_ended_is_told(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_tests, "files", lambda: ["tests/benchmark/runs/test_program_check.py"])
    found = cuda_tests.tests(here)
    assert found["skipped" if not torch.cuda.is_available() else "passed"] >= 1
    assert found["failed"] == 0
    assert all(name.startswith("tests/benchmark/runs/test_program_check.py::") for name, *_ in found["tests"])


def test_faces_are_unpacked_once_for_all_stages(tmp_path: Path) -> None:
    packed = tmp_path / "packed.npz"
    write_packed(packed, patterned_images(28, 14))
    settings = Settings(tmp_path, tmp_path, "cpu", small=True, faces=packed)
    assert all_of(faces, settings)["unpacked"]["images"] == 56
    packed.unlink()
    dataset, data = faces.images_of(settings)
    assert (len(dataset.images), data.fingerprint) == (56, patterned_images(28, 14).fingerprint)
    assert str(faces.reference_of(settings)) == f"faces=arrays:{tmp_path / 'faces.npz'}"


def test_without_faces_trainings_take_patterned_images(here: Settings) -> None:
    assert all_of(faces, here)["unpacked"] is None
    dataset, _ = faces.images_of(here)
    assert dataset.name == "patterned"
    assert str(faces.reference_of(here)) == "synthetic"


@pytest.mark.slow
@pytest.mark.parametrize("place", ["here", "there"])
def test_a_training_is_measured_with_its_share_of_the_roofline(
    place: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: Settings = request.getfixturevalue(place)
    monkeypatch.setattr(trainings, "TRAINED", (("lenet5", "bf16"), ("lenet5", "fp32")))
    if place == "there":
        with pretended_cuda():
            (found,) = all_of(trainings, settings).values()
    else:
        (found,) = all_of(trainings, settings).values()
    assert found["steps"] == 2
    assert found["roofline_percent"] > 0
    assert len(found["history"]) == 1


@pytest.mark.slow
def test_the_plain_loop_is_drawn_out_to_as_many_epochs(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainings, "TRAINED", (("lenet5", "fp32"),))
    found = all_of(plain_loop, here)
    assert list(found) == ["lenet5 fp32", "lenet5 fp32 steps alone"]
    for one in found.values():
        assert one["extrapolated_100_epochs_s"] == pytest.approx(one["step_us"] * 2 * 100 / 1e6)
        assert "times_fbench" not in one  # no training was measured


@pytest.mark.slow
def test_accuracy_is_held_against_the_same_trainings_on_a_processor(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stripes, heard = make_stripes(), Heard()
    use_stripes(monkeypatch)
    run_here([trial_spec_of(stripes, "lenet5", seed) for seed in range(3)], here.work / "run", heard)
    records = sorted(heard.records, key=lambda record: record.spec.seed)
    monkeypatch.setattr(accuracy, "reference_trials", lambda: records)
    monkeypatch.setattr(accuracy, "images_of", lambda settings: (stripes, data_spec_of(stripes)))
    (found,) = all_of(accuracy, here).values()
    assert found["of_seeds"] == found["of_seeds_on_processor"][:1]  # the same arithmetic here
    mean, deviation = found["processor_top1"], found["processor_deviation"]
    expected = (found["validation_top1"] - mean) / (deviation * (1 + 1 / 3) ** 0.5)
    assert found["difference_in_errors"] == pytest.approx(expected)


@pytest.mark.slow
def test_on_other_images_accuracy_is_not_held_against_the_reference(here: Settings) -> None:
    assert [record.spec.seed for record in accuracy.reference_trials()] == list(range(10))
    assert all_of(accuracy, here) == {"ires fp32": None}


def test_commands_of_fbench_are_given_as_a_user_does(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def as_if(arguments: Sequence[str], settings: Settings) -> float:
        ran.append([*arguments])
        if arguments[0] == "run":
            stripes = make_stripes()
            run_here([trial_spec_of(stripes, "lenet5")], Path(arguments[arguments.index("--out") + 1]))
        else:
            Path(arguments[-1]).write_text("{}", encoding="utf-8")
        return 1.5

    monkeypatch.setattr(commands, "_fbench", as_if)
    use_stripes(monkeypatch)
    found = all_of(commands, here)
    assert (found["quick run, jobs 1"]["trials"], found["quick run, jobs 1"]["finished"]) == (1, 1)
    assert (found["speed"]["took_s"], found["speed"]["failures"]) == (1.5, {})
    assert ran[0][:3] == ["speed", "arch1", "ires"]
    assert ran[1][:5] == ["run", "--arch", "arch1", "--arch", "ires"]
    runner = CliRunner()
    for given in ran:  # fbench knows each option
        said = runner.invoke(app, [*given, "--help"])
        assert said.exit_code == 0, said.output


@pytest.mark.slow
def test_a_command_that_fails_is_told_with_its_words(here: Settings) -> None:
    with pytest.raises(RuntimeError, match="ended with 2"):
        commands._fbench(["run", "--suite", "no_such_suite"], here)
