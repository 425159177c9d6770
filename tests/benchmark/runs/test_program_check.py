from __future__ import annotations

import pytest
import torch
from support import make_stripes, network_spec_of
from torch import nn

from fbench.architectures.registry import build
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.numerics import Precision, choose_numerics
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.runs import program_check
from fbench.benchmark.runs.program_check import TOLERANCES, Agreement, failing_programs, tried_beside_plain
from tests.on_cuda import on_cuda

CPU = torch.device("cpu")
PROTOCOL = load_protocol("fbench")


@pytest.mark.parametrize(
    "architecture",
    [
        *("arch1", "arch4", "ires", "ires_no_residual", "mini_xception"),
        pytest.param("resnet50", marks=pytest.mark.every_network),
    ],
)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_rules_agree_with_plain_eager_fp32(architecture: str, precision: Precision) -> None:
    network = network_spec_of(architecture, make_stripes(size=48))
    torch.manual_seed(0)
    numerics = choose_numerics("cpu", precision)
    found = tried_beside_plain(build(network.resolved), network, PROTOCOL, 32, numerics, CPU)
    assert found.agreement.within(TOLERANCES[precision]), found


def test_what_is_not_a_number_agrees_with_nothing() -> None:
    assert not Agreement(float("nan"), 0.0).within(TOLERANCES["bf16"])


def compile_that_fails_for(kind: type[nn.Module]) -> object:
    def compiled(module: nn.Module) -> nn.Module:
        if any(isinstance(layer, kind) for layer in module.modules()):
            raise RuntimeError("no kernel\nfor this layer")
        return module

    return compiled


def test_networks_that_cannot_be_compiled_are_named_with_the_first_line_of_the_reason(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "compile", compile_that_fails_for(nn.Hardswish))
    networks = [network_spec_of(name, stripes) for name in ("lenet5", "ires")]
    compiled = choose_numerics("cpu", compile=True)
    assert failing_programs(networks, PROTOCOL, 8, compiled, CPU) == {"ires": "RuntimeError: no kernel"}
    assert failing_programs(networks, PROTOCOL, 8, compiled.eager(), CPU) == {}


def test_a_program_that_computes_something_else_is_refused(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "compile", lambda module: nn.Sequential(module, nn.Softmax(1)))
    (reason,) = failing_programs(
        [network_spec_of("lenet5", stripes)], PROTOCOL, 8, choose_numerics("cpu", compile=True), CPU
    ).values()
    assert "further from plain fp32" in reason


@on_cuda
@pytest.mark.parametrize("architecture", ["arch1", "ires", "resnet50"])
def test_a_recorded_step_on_cuda_agrees_with_the_plain_one(stripes: ImageDataset, architecture: str) -> None:
    networks = [network_spec_of(architecture, stripes)]
    assert program_check.failing_programs(networks, PROTOCOL, 32, choose_numerics("cuda"), torch.device("cuda")) == {}
