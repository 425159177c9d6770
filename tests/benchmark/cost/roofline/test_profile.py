from __future__ import annotations

import json

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from fbench.benchmark.cost.roofline import measure_roofline
from fbench.benchmark.cost.roofline import profile as profile_module
from fbench.benchmark.cost.roofline.layer_times import layer_times_s
from fbench.benchmark.cost.roofline.profile import profile_network
from fbench.benchmark.machine.machine_roofline import keep_roofline
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.training.networks import bare_network_spec
from fbench.cli.app import app
from fbench.core.errors import UserError
from tests.on_cuda import on_cuda

CPU = torch.device("cpu")
NUMERICS = choose_numerics("cpu")


def test_every_node_that_computes_has_a_time() -> None:
    found = profile_network(bare_network_spec("ires", {}), 1, NUMERICS, CPU)
    timed = {layer.index for layer in found.layers if layer.time_s is not None}
    computing = {index for index, node in enumerate(found.trace.nodes) if node.macs or node.elementwise_ops}
    assert timed == computing
    assert found.layers_s > 0
    assert found.time_s > found.floor.time_s > 0
    assert found.floor.flops == 2 * found.trace.macs + found.trace.elementwise_ops


def test_a_module_that_is_called_twice_has_a_time_for_each_call() -> None:
    relu = nn.ReLU()
    network = nn.Sequential(nn.Conv2d(1, 4, 3), relu, nn.Conv2d(4, 2, 1), relu)
    times = layer_times_s(network, (1, 8, 8), 4, NUMERICS, CPU, seconds=0.1)
    assert set(times) == {1, 2, 3, 4}
    assert min(times.values()) > 0


def test_an_operation_in_place_is_undone_so_that_its_numbers_stay() -> None:
    """h_swish again and again drives numbers to zero, where arithmetic is slow on some processors."""

    class InPlace(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(maps := x * 0.5)
            return nn.functional.hardswish(maps, inplace=True)

    seen: list[torch.Tensor] = []
    layer_times_s(InPlace(), (1, 4, 4), 1, NUMERICS, CPU, seconds=0.1)
    images = torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    once = nn.functional.hardswish(images * 0.5)
    torch.testing.assert_close(seen[0], nn.functional.hardswish(once))  # the pass itself, and the last call


def test_a_batch_beyond_memory_is_refused_before_it_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile_module, "why_too_large", lambda *given: "out of memory: batch 9 needs about 1 GiB")
    with pytest.raises(UserError, match=r"lenet5 cannot be profiled, out of memory: .*; give a smaller --batch-size"):
        profile_network(bare_network_spec("lenet5", {}), 9, NUMERICS, CPU)


def test_show_profile_prints_each_layers_time_floor_and_share_of_the_roofline() -> None:
    result = CliRunner().invoke(app, ["show", "lenet5", "--profile", "--batch-size", "4"])
    assert result.exit_code == 0, result.output
    head, *_ = result.stdout.splitlines()
    assert head == "lenet5, 4 images, eager evaluation, fp32, cpu, 1 thread"
    for word in ("floor us", "of roofline", "bound by", "FLOP/B", "% of the roofline reached", "GFLOP/s"):
        assert word in result.stdout


def test_show_profile_gives_json() -> None:
    result = CliRunner().invoke(app, ["show", "lenet5", "--profile", "--json", "--option", "num_classes=3"])
    found = json.loads(result.stdout)
    assert found["batch_size"] == 1
    assert found["layers_s"] == pytest.approx(sum(layer["time_s"] or 0 for layer in found["layers"]))
    assert found["layers"][-1]["bytes_moved"] > 0


@on_cuda
def test_layers_are_timed_on_an_accelerator_too() -> None:
    numerics, device = choose_numerics("cuda"), torch.device("cuda")
    keep_roofline(measure_roofline.measure_roofline(numerics, device, working_sets=(2**28,)))
    found = profile_network(bare_network_spec("ires", {}), 64, numerics, device)
    timed = {layer.index for layer in found.layers if layer.time_s is not None}
    assert timed == {index for index, node in enumerate(found.trace.nodes) if node.macs or node.elementwise_ops}
    assert found.floor.time_s < found.time_s
