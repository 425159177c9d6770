"""The pretended device refuses what a device refuses; else the tests that use it would prove nothing."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.gpu.pretended import DEVICE, HostWaitsError, pretended_cuda


def test_tensors_say_where_they_are_and_keep_their_values() -> None:
    with pretended_cuda():
        there = torch.arange(3.0).to(DEVICE)
        made = torch.zeros(2, device=DEVICE)
        assert {there.device, made.device, (there * 2)[1:].device} == {DEVICE}
        assert there.is_cuda
        assert there.cpu().device.type == "cpu"
        assert (there * 2).cpu().tolist() == [0.0, 2.0, 4.0]


def test_a_network_moves_with_its_gradients() -> None:
    with pretended_cuda():
        network = nn.Linear(2, 1).to(DEVICE)
        network(torch.ones(1, 2, device=DEVICE)).sum().backward()
        assert {value.device for value in network.parameters()} == {DEVICE}
        assert network.weight.grad is not None
        assert network.weight.grad.device == DEVICE


def test_operands_on_two_devices_are_refused_but_single_numbers() -> None:
    with pretended_cuda():
        there, here = torch.ones(2, device=DEVICE), torch.ones(2)
        with pytest.raises(RuntimeError, match="expected all tensors to be on the same device"):
            there + here
        with pytest.raises(RuntimeError, match="expected all tensors to be on the same device"):
            nn.Linear(2, 1)(there)
        assert (there + torch.tensor(1.0)).device == DEVICE
        with pytest.raises(TypeError, match="to numpy"):
            there.numpy()


@pytest.mark.parametrize(
    "read",
    [
        lambda there: there.sum().item(),
        lambda there: float(there.sum()),
        lambda there: bool((there > 0).all()),
        lambda there: there.cpu(),
        lambda there: there.tolist(),
        lambda there: there[there > 0],
        lambda there: there.nonzero(),
        lambda there: there.copy_(torch.zeros(3)),
        lambda there: torch.zeros(3).to(DEVICE),
        lambda there: torch.zeros(3).to(DEVICE, non_blocking=True),
        lambda there: torch.tensor(1.0, device=DEVICE),
        lambda there: torch.cuda.synchronize(),
    ],
)
def test_what_makes_the_host_wait_is_refused_where_it_is_to_be(read) -> None:  # type: ignore[no-untyped-def] # of several types
    with pretended_cuda() as device:
        there = torch.ones(3, device=DEVICE)
        read(there)
        with device.no_waiting(), pytest.raises(HostWaitsError):
            read(there)


def test_a_copy_from_pinned_memory_queues_up() -> None:
    with pretended_cuda() as device:
        pinned = torch.ones(3).pin_memory()
        with device.no_waiting():
            assert pinned.to(DEVICE, non_blocking=True).device == DEVICE


def test_a_graph_computes_nothing_while_it_is_recorded_and_all_of_it_when_replayed() -> None:
    with pretended_cuda():
        given, total = torch.ones(2, device=DEVICE), torch.zeros(2, device=DEVICE)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            made = given * 3
            total += made
        assert total.tolist() == [0.0, 0.0]
        assert made.isnan().all()
        given.fill_(2.0)
        graph.replay()
        graph.replay()
        assert total.tolist() == [12.0, 12.0]


def test_a_graph_draws_anew_at_each_replay_and_not_while_it_is_recorded() -> None:
    with pretended_cuda():
        given = torch.ones(64, device=DEVICE)
        torch.manual_seed(0)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            kept = nn.functional.dropout(given)
        found = []
        for _ in range(2):
            graph.replay()
            found.append(kept.tolist())
        torch.manual_seed(0)
        assert found == [nn.functional.dropout(given).tolist() for _ in range(2)]
        assert found[0] != found[1]


def test_reading_a_number_ends_a_recording() -> None:
    with pretended_cuda():
        given = torch.ones(2, device=DEVICE)
        with pytest.raises(HostWaitsError), torch.cuda.graph(torch.cuda.CUDAGraph()):
            given.sum().item()
