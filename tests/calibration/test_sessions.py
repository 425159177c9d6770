from __future__ import annotations

import pytest

from tests.calibration.sessions import summarise


def line(session: int, log: float, half: float = 0.0, what: str = "inference") -> dict[str, str]:
    return {"session": str(session), "network": "ires", "what": what, "log": str(log), "half_interval": str(half)}


def test_the_deviation_between_sessions_is_what_intervals_within_leave_over() -> None:
    """Logs 0, 0.03, 0.06: variance 0.0009; intervals of half width 1.96 x 0.01 explain 0.0001."""
    lines = [line(session, 0.03 * session, 0.01 * 1.959964) for session in range(3)]
    (found,) = summarise(lines)
    assert found["deviation_percent"] == pytest.approx(3.0)
    assert found["within_session_percent"] == pytest.approx(1.0)
    assert found["between_sessions_percent"] == pytest.approx(100 * 0.0008**0.5, abs=1e-3)
    assert found["largest_pair_difference_percent"] == pytest.approx(6.0)


def test_pairs_that_differ_by_more_than_the_gate_allows_are_counted() -> None:
    lines = [line(session, 1.0 if session == 0 else 0.0) for session in range(4)]
    (found,) = summarise(lines)
    assert found["pairs_outside_their_interval_percent"] == 50.0
