from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fbench.benchmark.cost import speed
from fbench.benchmark.records.cost_specs import CostPlan
from fbench.benchmark.store.files import read_cost_file
from fbench.cli.app import app
from fbench.core.capacity import usable_cores
from fbench.core.errors import UserError
from fbench.reports.findings.costs.timings import setting_timings

runner = CliRunner()


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search for the fastest batch ends at four images; no test looks at which it is."""
    monkeypatch.setattr(speed, "CostPlan", partial(CostPlan, largest_batch_size=4))


QUICK = ["--batch-sizes", "1", "--blocks", "6", "--seconds", "0.05"]


@pytest.mark.slow
def test_networks_are_measured_compared_printed_and_every_sample_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "speed.json"
    result = runner.invoke(app, ["speed", "lenet5", "arch2", *QUICK, "-o", str(file)])
    assert result.exit_code == 0, result.output
    assert "slower" in result.stdout  # 28 M multiply-accumulates against 0.4 M
    assert "Noise: lenet5 against a second lenet5" in result.stdout
    assert "Energy" in result.stdout
    record = read_cost_file(file)
    latency, throughput = setting_timings(record)
    assert [one.network for one in latency.timings] == ["lenet5", "arch2"]
    assert latency.comparisons[0].verdict == "slower"
    assert throughput.setting.batch_size is None
    assert json.loads(file.read_text(encoding="utf-8"))["schema_version"] == 2


@pytest.mark.slow
def test_onnx_runtime_is_timed_beside_pytorch_and_int8_beside_both(tmp_path: Path) -> None:
    backends = ["--backend", "eager,onnxruntime,onnxruntime_int8"]
    result = runner.invoke(
        app, ["speed", "lenet5", "lenet_count_matched", *QUICK, *backends, "-o", str(tmp_path / "f")]
    )
    assert result.exit_code == 0, result.output
    record = read_cost_file(tmp_path / "f")
    timed = {(one.network, one.setting.backend) for one in record.series}
    assert {backend for network, backend in timed if network == "lenet5"} == {
        "eager",
        "onnxruntime",
        "onnxruntime_int8",
    }
    assert record.setting_failures == ()
    assert "inference, batch 1, onnxruntime_int8" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["lenet5", "--batch-sizes", "0"], "Batch sizes 0 were given"),
        (["lenet5", "--batch-sizes", "one"], "give whole numbers separated by commas"),
        (["lenet5", "--backend", "compil"], "Did you mean 'compile'?"),
        (["lenet5", "--mode", "training"], "There is no mode 'training'"),
        (["lenet5", "--backend", "onnxruntime", "--mode", "train"], "it does inference only"),
        (["lenet5", "--backend", "cuda_graph", "--device", "cpu"], "exists on CUDA only"),
        (["lenet5", "--threads", str(usable_cores() + 1)], "usable core"),
        (["lenet5", "--against", "ires"], "give one of the networks that are measured"),
        (["lenet5", "--blocks", "0"], "--blocks 0 was given"),
        (["lenet5", "--seconds", "0"], "--seconds 0.0 was given"),
        (["lenet_5"], "lenet_5"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_sentence(arguments: list[str], sentence: str) -> None:
    result = runner.invoke(app, ["speed", *arguments])
    assert isinstance(result.exception, UserError)
    assert sentence in str(result.exception)


def test_a_place_that_cannot_be_written_is_found_before_minutes_of_measuring(tmp_path: Path) -> None:
    result = runner.invoke(app, ["speed", "lenet5", "-o", str(tmp_path)])
    assert isinstance(result.exception, UserError)
    assert "is a folder" in str(result.exception)
