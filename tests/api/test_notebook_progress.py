"""A bar below the cell, by what IPython itself can display."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from fbench.api.notebook_progress import NotebookProgress, in_notebook
from fbench.benchmark.records.events import Ended, Stepped
from fbench.benchmark.runs.planning import plan_run
from fbench.benchmark.runs.request import RunRequest


@dataclass
class Display:
    """What stands below the cell, and how often it was drawn."""

    shown: list[str] = field(default_factory=list)

    def display(self, html: str, display_id: bool) -> Display:
        self.shown.append(html)
        return self

    def update(self, html: str) -> None:
        self.shown.append(html)


@pytest.fixture
def below(monkeypatch: pytest.MonkeyPatch) -> Display:
    found = Display()
    module = ModuleType("IPython.display")
    module.__dict__.update(HTML=str, display=found.display)
    package = ModuleType("IPython")
    package.__dict__.update(display=module, get_ipython=lambda: SimpleNamespace(kernel=1))
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return found


def test_a_kernel_is_a_notebook_and_nothing_else_is(below: Display, monkeypatch: pytest.MonkeyPatch) -> None:
    assert in_notebook()
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", SimpleNamespace)
    assert not in_notebook()
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()


@pytest.mark.usefixtures("faces_at_hand")
def test_the_bar_moves_with_the_steps_and_says_how_it_ended(below: Display) -> None:
    plan = plan_run(RunRequest(suite="smoke", preset="smoke", device="cpu"))
    first, *_ = plan.specs
    with NotebookProgress() as bar:
        bar.began(plan, {}, 1.0)
        bar.happened(Stepped(first.trial_id, 2))
        bar.happened(ended(first.trial_id))
        bar.measuring("ires")
    assert below.shown[0].endswith("planning")
    assert below.shown[1].endswith(f"training, 0 of {len(plan.specs)} trials")
    half = round(200 * 2 / (4 * len(plan.specs)))
    assert f'value="{half}" max="200"' in below.shown[2]
    assert f'value="{round(200 / len(plan.specs))}"' in below.shown[3]
    assert "measuring cost, 1 of" in below.shown[4]
    assert "done, 1 of" in below.shown[5]


def test_what_stops_is_said(below: Display) -> None:
    with pytest.raises(KeyboardInterrupt), NotebookProgress():
        raise KeyboardInterrupt
    assert below.shown[-1].endswith("stopped")


def ended(trial_id: str) -> Ended:
    record: Any = SimpleNamespace(trial_id=trial_id)
    return Ended(record)
