from __future__ import annotations

import shutil

import pytest
import torch
from torch import nn

from fbench.benchmark.cost.backends import make_call
from fbench.benchmark.cost.calls import every_program_compiled, inference_call
from fbench.benchmark.cost.memory import activation_memory_mib
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.training.networks import bare_network_spec
from fbench.core.errors import UserError

CPU = torch.device("cpu")
NUMERICS = choose_numerics("cpu")


class Addresses(nn.Module):
    """Remembers where its weight and its input lay."""

    seen: list[tuple[int, int]] = []  # noqa: RUF012 - shared by the copies on purpose

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append((self.weight.data_ptr(), x.data_ptr()))
        return x * self.weight


def test_placing_moves_weights_and_inputs_and_inputs_rotate() -> None:
    Addresses.seen.clear()
    call = inference_call(Addresses(), (1, 4, 4), 2, NUMERICS, CPU)
    call.prepare()
    for _ in range(5):
        call.run(lambda: None)
    before = list(Addresses.seen)
    assert len({image for _, image in before}) == 4
    assert before[4][1] == before[0][1]
    call.place()
    call.run(lambda: None)
    weight, image = Addresses.seen[-1]
    assert weight != before[0][0]
    assert image not in {one for _, one in before}


def test_a_training_step_goes_through_its_parts_after_every_move() -> None:
    call = make_call(bare_network_spec("lenet5", {}), "train", "eager", 4, NUMERICS, CPU)
    for _ in range(2):
        call.place()
        call.prepare()
        marks: list[int] = []
        call.run(lambda: marks.append(1))  # noqa: B023 - called within the turn
        assert len(marks) == len(call.parts) - 1


def test_cuda_graphs_are_refused_without_cuda() -> None:
    with pytest.raises(UserError, match="cuda_graph was given, which exists on CUDA only"):
        make_call(bare_network_spec("lenet5", {}), "inference", "cuda_graph", 1, NUMERICS, CPU)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit.script_method:DeprecationWarning")  # torch's compiler warns of torch
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on a CPU")
def test_programs_beyond_torch_s_own_limit_are_compiled_too() -> None:
    """torch keeps eight of one line of code, here two; then it would run eagerly without an error."""
    network = bare_network_spec("lenet5", {})
    compiled = torch._dynamo.utils.counters["frames"]
    torch.compiler.reset()
    compiled.clear()
    with torch._dynamo.config.patch(recompile_limit=2), every_program_compiled():
        for batch_size in range(1, 5):
            call = make_call(network, "inference", "compile", batch_size, NUMERICS, CPU)
            call.prepare()
            call.run(lambda: None)
    assert (compiled["total"], compiled["ok"]) == (4, 4)
    torch.compiler.reset()


def test_activation_memory_is_what_autograd_keeps_counted_by_hand() -> None:
    """ReLU keeps its result, 2x8x4x4 floats; the linear layer its input, the same memory; weights do not count."""
    network = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(128, 3))
    assert activation_memory_mib(network, (1, 4, 4), 2) * 2**20 == 2 * 8 * 4 * 4 * 4
