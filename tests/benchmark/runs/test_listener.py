"""Several listeners hear all that one hears, in their order."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from fbench.benchmark.runs.listener import RunListener, Together

CALLS = {name: method for name, method in vars(RunListener).items() if inspect.isfunction(method)}


@pytest.mark.parametrize("name", CALLS)
def test_every_listener_is_told_of_everything(name: str) -> None:
    heard: list[tuple[str, tuple[Any, ...]]] = []

    def listener(label: str) -> RunListener:
        def hear(_: RunListener, *told: Any) -> None:
            heard.append((label, told))

        one: RunListener = type("Hears", (RunListener,), {name: hear})()
        return one

    told = tuple(range(len(inspect.signature(CALLS[name]).parameters) - 1))
    getattr(Together(listener("first"), listener("second")), name)(*told)
    assert heard == [("first", told), ("second", told)]
