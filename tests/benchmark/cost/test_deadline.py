from __future__ import annotations

import pytest

from fbench.benchmark.cost import deadline
from fbench.benchmark.cost.deadline import Deadline, OverTimeError


def test_a_deadline_is_over_when_its_seconds_are(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(deadline.time, "monotonic", lambda: now)
    limit, none = Deadline(1500), Deadline(None)
    now = 1600.0
    limit.require()
    assert limit.why_over == ""
    now = 1600.1
    assert limit.why_over == "the 1,500 s for building, compiling and warming up were over"
    with pytest.raises(OverTimeError, match="not prepared: the 1,500 s for building"):
        limit.require()
    now = 1e9
    none.require()
