from __future__ import annotations

import numpy as np
import pytest
import torch

from fbench.benchmark.cost import onnx_calls
from fbench.benchmark.cost.backends import make_call, refuse_impossible
from fbench.benchmark.cost.measure import measure_cost
from fbench.benchmark.export.errors import ExportMismatch
from fbench.benchmark.export.onnx_session import OnnxModel
from fbench.benchmark.records.cost_records import REFERENCE
from fbench.benchmark.records.cost_specs import Backend, CostMode, CostPlan, CostSpec, Setting
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.training.networks import bare_network_spec
from fbench.core.errors import UserError

CPU = torch.device("cpu")
NUMERICS = choose_numerics("cpu")
LENET = bare_network_spec("lenet5", {})


@pytest.fixture(autouse=True)
def nothing_exported_before() -> None:
    onnx_calls._model.cache_clear()


@pytest.mark.parametrize("backend", ["onnxruntime", "onnxruntime_int8"])
@pytest.mark.slow
def test_images_rotate_and_threads_are_those_of_the_numerics(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bytes, int | None]] = []
    original = OnnxModel.logits
    call = make_call(LENET, "inference", backend, 3, NUMERICS, CPU)
    monkeypatch.setattr(
        OnnxModel,
        "logits",
        lambda self, images: (seen.append((images.tobytes(), self.threads)), original(self, images))[1],
    )
    for _ in range(5):
        call.run(lambda: None)
    call.place()
    call.run(lambda: None)
    assert {threads for _, threads in seen} == {1}
    assert len({images for images, _ in seen}) == 4
    assert seen[4][0] == seen[0][0]
    assert len(np.frombuffer(seen[0][0], np.float32)) == 3 * 48 * 48


@pytest.mark.slow
def test_a_model_that_computes_something_else_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    original = onnx_calls.onnx_bytes

    def other(module: torch.nn.Module, shape: tuple[int, int, int]) -> bytes:
        with torch.no_grad():
            changed = [parameter.mul_(1.01) for parameter in module.parameters()]
            try:
                return original(module, shape)
            finally:
                for parameter in changed:
                    parameter.div_(1.01)

    monkeypatch.setattr(onnx_calls, "onnx_bytes", other)
    with pytest.raises(ExportMismatch, match="logits deviate by"):
        make_call(LENET, "inference", "onnxruntime", 1, NUMERICS, CPU)


@pytest.mark.slow
def test_a_network_that_fails_to_export_is_recorded_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: object, **more: object) -> bytes:
        raise RuntimeError("no such operator")

    monkeypatch.setattr(onnx_calls, "onnx_bytes", fail)
    settings = (Setting(), Setting(backend="onnxruntime"))
    plan = CostPlan(settings=settings, blocks=2, seconds=0.1, energy_s=0.1)
    record = measure_cost(CostSpec(networks=(LENET,), numerics=NUMERICS, plan=plan), CPU)
    assert [(one.setting, one.reason) for one in record.setting_failures] == [
        (settings[1], "RuntimeError: no such operator")
    ]
    assert {(one.network, one.setting) for one in record.series} >= {("lenet5", settings[0]), (REFERENCE, settings[0])}


@pytest.mark.parametrize(
    ("mode", "device_kind", "precision", "sentence"),
    [
        ("train", "cpu", "fp32", "it does inference only"),
        ("inference", "cuda", "fp32", "give --device cpu"),
        ("inference", "cpu", "bf16", "it computes in fp32 or int8"),
    ],
)
def test_what_onnx_runtime_does_not_do_is_refused(
    mode: CostMode, device_kind: str, precision: str, sentence: str
) -> None:
    numerics = NUMERICS.model_copy(update={"device_kind": device_kind, "precision": precision})
    with pytest.raises(UserError, match=sentence):
        refuse_impossible(Setting(mode=mode, backend="onnxruntime"), numerics)
