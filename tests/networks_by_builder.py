"""Named networks for tests whose answer a builder decides: one of each builder, and the others where time allows."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pytest
from _pytest.mark import ParameterSet

from fbench.architectures.registry import resolve


def by_builder(names: Iterable[str], costly: Collection[str] = ("resnet50",)) -> list[ParameterSet]:
    """Parameters for all ``names``: the first of a builder is always tested, others are marked ``every_network``.

    Args:
        names: of networks.
        costly: builders of which all are marked; the largest, whose every test takes about a second, if none are given.
    """
    seen: set[str] = set(costly)
    found = []
    for name in names:
        builder = resolve(name).builder
        found.append(pytest.param(name, marks=[pytest.mark.every_network] if builder in seen else []))
        seen.add(builder)
    return found
