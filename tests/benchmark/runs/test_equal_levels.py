"""A study compares different networks, or says that it wants to see one beside itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fbench.ablations.suite import Suite
from fbench.benchmark.runs.planning import plan_run
from fbench.benchmark.runs.request import RunRequest
from fbench.core.errors import UserError
from fbench.core.schema import parse

pytestmark = pytest.mark.usefixtures("faces_at_hand")


def suite_of(options: dict[str, Any], **study: Any) -> Suite:
    values = {"name": "s", "title": "s", "question": "?", "baseline": "ires", "levels": ("ires", "other"), **study}
    variants = {"other": {"base": "ires", "options": options}}
    return parse(Suite, {"name": "mine", "title": "Mine", "studies": [values], "variants": variants}, "test")


def plan(suite: Suite, folder: Path) -> list[str]:
    found = plan_run(RunRequest(suite=suite, preset="smoke", seeds=1, device="cpu", out=folder / "run"))
    return [row.network for row in found.planned]


@pytest.mark.parametrize("options", [{}, {"squeeze_excite": 4}, {"squeeze_excite": "4"}, {"head": "gap"}])
def test_two_levels_that_are_one_network_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="'ires' and 'other' of the study 's' are the same network"):
        plan(suite_of(options), tmp_path)


def test_a_study_may_ask_for_them(tmp_path: Path) -> None:
    assert plan(suite_of({}, a_a=True), tmp_path) == ["ires", "other"]


def test_different_networks_are_compared(tmp_path: Path) -> None:
    assert plan(suite_of({"squeeze_excite": 8}), tmp_path) == ["ires", "other"]


def test_one_network_on_other_views_of_the_data_is_compared(tmp_path: Path) -> None:
    request = RunRequest(suite="leakage", only=("ires",), preset="smoke", seeds=1, device="cpu", out=tmp_path / "run")
    assert len(plan_run(request).planned) == 3
