"""A builder makes the same network, newly, each time it is called."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from fbench.architectures import registry
from fbench.architectures.builder_check import refuse_unsteady_builder
from fbench.architectures.building import build_and_trace
from fbench.architectures.registry import build, register, resolve
from fbench.core.errors import UserError


def small() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 7))


@pytest.fixture
def registered() -> Iterator[Callable[[Callable[[], Any]], str]]:
    def add(make: Callable[[], Any]) -> str:
        @register("steady")
        def builder(*, num_classes: int = 7, in_channels: int = 1, image_size: int = 4) -> nn.Module:
            made: nn.Module = make()
            return made

        return "steady"

    yield add
    del registry._REGISTRY.entries["steady"]
    del registry._REGISTRY.builders["steady"]


def check(name: str) -> None:
    resolved = resolve(name)
    refuse_unsteady_builder("mine", resolved, build_and_trace(resolved)[0])


def test_a_builder_that_makes_a_new_network_of_one_kind_passes(
    registered: Callable[[Callable[[], Any]], str],
) -> None:
    check(registered(small))


def test_one_module_for_all_trials_is_refused(registered: Callable[[Callable[[], Any]], str]) -> None:
    shared = small()
    with pytest.raises(UserError, match=r"'mine' \(.*test_builder_check\.py, line \d+\) gives the same parameters"):
        check(registered(lambda: shared))


def test_a_structure_that_chance_decides_is_refused(registered: Callable[[Callable[[], Any]], str]) -> None:
    widths = itertools.count(3)

    def make() -> nn.Module:
        width = next(widths)
        return nn.Sequential(nn.Flatten(), nn.Linear(16, width), nn.Linear(width, 7))

    with pytest.raises(UserError, match="makes another network each time: its module '1' differs"):
        check(registered(make))


def test_what_a_builder_sets_for_the_process_ends_with_it(
    registered: Callable[[Callable[[], Any]], str], tmp_path: Path
) -> None:
    def make() -> nn.Module:
        os.chdir(tmp_path)
        os.umask(0o777)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        return small()

    before, mask = Path.cwd(), os.umask(0o022)
    os.umask(mask)
    build(resolve(registered(make)))
    assert os.umask(mask) == mask
    assert Path.cwd() == before
    assert torch.get_default_dtype() is torch.float32
    assert torch.is_grad_enabled()
