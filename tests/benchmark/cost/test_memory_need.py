from __future__ import annotations

import pytest
import torch

from fbench.benchmark.cost import memory_need
from fbench.benchmark.cost.memory_need import SPARE, together


@pytest.mark.parametrize(("need_gib", "count"), [(0.1, 2), (5.0, 2), (5.1, 1), (11.0, 1), (0.0, 2)])
def test_as_many_calls_go_together_as_fit_and_one_always(
    need_gib: float, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_need, "_free_gib", lambda device: 10.0 / SPARE)
    assert together(need_gib, torch.device("cpu"), most=2) == count
