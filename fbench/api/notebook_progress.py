"""Progress of a run below the cell that started it: a bar of the trials' steps, and what ended last."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from html import escape
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from fbench.benchmark.records.budget import plan_steps
from fbench.benchmark.records.events import Ended, Event, Stepped
from fbench.benchmark.runs.listener import RunListener
from fbench.cli.progress import busy_words, here_alone

if TYPE_CHECKING:
    from pathlib import Path

    from fbench.benchmark.records.cost_records import CostRecord
    from fbench.benchmark.runs.plan import RunPlan

_PARTS: Final = 200
"""A picture is drawn anew when so small a part of the whole was done."""


class _Picture(Protocol):
    """What IPython gives for a display that can be changed."""

    def update(self, obj: Any) -> None:
        """Draw this instead."""


def in_notebook() -> bool:
    """Whether this is a kernel that shows HTML below its cells; nothing is imported for it."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and hasattr(shell, "kernel")


class NotebookProgress(RunListener):
    """A listener that draws with IPython's own display, and so needs no widgets."""

    def __init__(self) -> None:
        self._picture: _Picture | None = None
        self._steps: dict[str, int] = {}
        self._done: dict[str, int] = {}
        self._ended = 0
        self._drawn = -1
        self._doing = "planning"
        self._lines: list[str] = []

    def __enter__(self) -> Self:
        """Show the bar."""
        self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say that it is over."""
        self._doing = "done" if kind is None else "stopped"
        self._draw()

    def began(self, plan: RunPlan, trials_s: dict[str, float], estimate_s: float) -> None:
        """Know how many steps there are."""
        self._steps = {
            spec.trial_id: plan_steps(spec.protocol, spec.budget, spec.data.images_by_split["train"]).steps
            for spec in plan.remaining
        }
        self._done, self._ended, self._doing = {}, 0, "training"
        self._draw()

    def trained_here(self, networks: Sequence[str]) -> None:
        """Say that workers are out of the question."""
        self._say(here_alone(networks))

    def left_without_cost(self, reason: str) -> None:
        """Say why."""
        self._say(f"Cost was not measured: {reason}")

    def measured_on_busy_machine(self, record: CostRecord, folder: Path) -> None:
        """Say what times are worth, and how they are measured again."""
        self._say(busy_words(record, folder))

    def left_without_maps(self, failures: dict[str, str]) -> None:
        """Say what the report will lack, and why."""
        for label, reason in failures.items():
            self._say(f"No feature maps of {label}: {reason}")

    def _say(self, line: str) -> None:
        self._lines.append(line)
        self._draw()

    def happened(self, event: Event) -> None:
        """Move the bar."""
        if isinstance(event, Stepped):
            self._done[event.trial_id] = event.steps
        elif isinstance(event, Ended):
            self._done[event.trial_id] = self._steps.get(event.trial_id, 0)
            self._ended += 1
        if self._part != self._drawn or isinstance(event, Ended):
            self._draw()

    def measuring(self, what: str) -> None:
        """Say what of the cost is being measured."""
        if self._doing != "measuring cost":
            self._doing = "measuring cost"
            self._draw()

    @property
    def _part(self) -> int:
        return round(_PARTS * sum(self._done.values()) / max(1, sum(self._steps.values())))

    def _draw(self) -> None:
        from IPython.display import HTML, display

        self._drawn = self._part
        text = f"{self._doing}, {self._ended} of {len(self._steps)} trials" if self._steps else self._doing
        lines = "<br>".join(escape(line) for line in (text, *self._lines))
        html: Any = HTML(f'<progress value="{self._drawn}" max="{_PARTS}"></progress> {lines}')  # type: ignore[no-untyped-call] # IPython annotates it not
        if self._picture is None:
            self._picture = display(html, display_id=True)  # type: ignore[no-untyped-call] # as above
        else:
            self._picture.update(html)
