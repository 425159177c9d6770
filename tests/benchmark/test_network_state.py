from __future__ import annotations

import threading
import warnings

import pytest
import torch
from torch import nn

from fbench.benchmark.training.network_state import fits, put_state, take_state


class Holder(nn.Module):
    """Buffers as given."""

    def __init__(self, **buffers: torch.Tensor | None) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        for name, value in buffers.items():
            self.register_buffer(name, value)


def test_a_state_stays_as_it_was_taken_and_shares_what_the_network_shares() -> None:
    network = Holder(whole=torch.arange(4.0))
    network.register_buffer("part", network.whole[:2])
    state = take_state(network)
    with torch.no_grad():
        network.whole += 1
        network.layer.weight += 1
    assert state["whole"].tolist() == [0, 1, 2, 3]
    state["whole"][0] = 7
    assert state["part"].tolist() == [7, 1]
    assert not any(value.requires_grad for value in state.values())


def test_what_was_computed_with_gradients_or_in_inference_mode_is_taken() -> None:
    network = Holder(a=torch.zeros(2), b=torch.zeros(2))
    network.a = network.layer(torch.ones(2))
    with torch.inference_mode():
        network.b = torch.ones(2)
    state = take_state(network)
    assert torch.equal(state["a"], network.layer(torch.ones(2)))
    put_state(network, state)
    assert state["b"].tolist() == network.b.tolist() == [1, 1]
    assert not network.b.is_inference()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (torch.zeros(1, 2), torch.ones(3, 2)),
        (torch.zeros(2), torch.ones(2, dtype=torch.int64)),
        (torch.zeros(1).expand(4), torch.arange(4.0)),
        (torch.zeros(1).expand(4), torch.ones(1).expand(4)),
        (None, torch.ones(2)),
        (torch.zeros(2), None),
    ],
)
def test_a_buffer_that_changed_comes_back_as_it_was(before: torch.Tensor | None, after: torch.Tensor | None) -> None:
    network, other = Holder(memory=before), Holder(memory=after)
    put_state(network, take_state(other))
    found, wanted = network.state_dict(), other.state_dict()
    assert found.keys() == wanted.keys()
    for name in wanted:
        assert found[name].dtype == wanted[name].dtype
        assert torch.equal(found[name], wanted[name])


def test_sparse_buffers_are_put_back() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls some layouts a beta
        for make in (torch.Tensor.to_sparse, torch.Tensor.to_sparse_csr):
            network, other = Holder(links=make(torch.eye(3))), Holder(links=make(2 * torch.eye(3)))
            put_state(network, take_state(other))
            assert torch.equal(network.links.to_dense(), 2 * torch.eye(3))


def test_tensors_that_are_there_are_filled_in_place_so_that_an_optimizer_still_knows_them() -> None:
    network = Holder(memory=torch.zeros(2))
    weight, memory = network.layer.weight, network.memory
    put_state(network, take_state(Holder(memory=torch.ones(2))))
    assert network.layer.weight is weight
    assert network.memory is memory
    assert memory.tolist() == [1, 1]


def test_tied_parameters_stay_tied() -> None:
    network = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)})
    network["b"].weight = network["a"].weight
    state = take_state(network)
    nn.init.zeros_(network["a"].weight)
    put_state(network, state)
    assert network["b"].weight is network["a"].weight
    assert torch.equal(network["a"].weight, state["b.weight"])


def test_a_state_of_another_network_is_refused() -> None:
    with pytest.raises(RuntimeError, match="size mismatch"):
        put_state(nn.Linear(2, 3), take_state(nn.Linear(3, 3)))
    assert fits(nn.Linear(2, 3), take_state(nn.Linear(2, 3)))
    assert not fits(nn.Linear(2, 3), take_state(nn.Linear(3, 3)))
    assert not fits(nn.Linear(2, 3), take_state(nn.Linear(2, 3, bias=False)))


class Remembers(nn.Module):
    """Extra state that the network goes on changing."""

    def __init__(self, held: object) -> None:
        super().__init__()
        self.held = held

    def get_extra_state(self) -> object:
        return self.held

    def set_extra_state(self, state: object) -> None:
        self.held = state


def test_extra_state_is_copied_both_ways() -> None:
    network = Remembers([1])
    state = take_state(network)
    network.held.append(2)
    assert state["_extra_state"] == [1]
    put_state(network, state)
    assert network.held == [1]
    network.held.append(3)
    assert state["_extra_state"] == [1]


def test_extra_state_that_cannot_be_copied_is_named() -> None:
    with pytest.raises(TypeError, match="'_extra_state' of the network's state is or holds an object of class lock"):
        take_state(Remembers(threading.Lock()))
