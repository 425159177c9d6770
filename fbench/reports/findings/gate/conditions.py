"""What a gate is told to hold: conditions such as ``latency_p50:+5%``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from fbench.core.errors import UserError, did_you_mean
from fbench.reports.findings.gate.metrics import GateMetric
from fbench.reports.findings.measures.table import metrics


@dataclass(frozen=True)
class Condition:
    """A metric, at one batch size where that is said, and how much worse it may get: a share, or a fraction of 1."""

    metric: GateMetric
    allowed: float
    batch_size: int | None = None

    @property
    def text(self) -> str:
        """As it is given on the command line."""
        batch = "" if self.batch_size is None else f"@{self.batch_size}"
        return f"{self.metric.name}{batch}:{_sign(self.metric)}{100 * self.allowed:g}{self.metric.unit}"

    def worsening(self, change: float) -> float:
        """A change as what it makes worse: above :attr:`allowed` it is too much."""
        return change if self.metric.better == "less" else -change


_FORM: Final = re.compile(r"(?P<name>\w+)(@(?P<batch>[1-9]\d*))?:(?P<sign>[+-])(?P<number>\d+(\.\d+)?)(?P<unit>%|pt)")


def parse_condition(text: str) -> Condition:
    """Read ``METRIC[@BATCH]:+N%`` or ``accuracy:-Npt``.

    Raises:
        UserError: an unknown metric, another form, unit or sign than its own.
    """
    known = metrics()
    found = _FORM.fullmatch(text.strip())
    name = found["name"] if found else text.partition(":")[0].partition("@")[0]
    metric = known.get(name)
    if metric is None:
        raise UserError(
            f"--fail-on {text}: there is no metric '{name}'.{did_you_mean(name, known)} Allowed: {', '.join(known)}."
        )
    sign = _sign(metric)
    example = f"{metric.name}:{sign}{'0.5pt' if metric.unit == 'pt' else '5%'}"
    if found is None or found["unit"] != metric.unit or (found["sign"] != sign and float(found["number"])):
        raise UserError(
            f"--fail-on {text} was given; {metric.name} ({metric.says}) takes how much worse it may get, such as "
            f"{example}."
        )
    batch = int(found["batch"]) if found["batch"] else None
    if batch is not None and not metric.by_batch:
        raise UserError(f"--fail-on {text}: only latencies and train_step take a batch size; give {example}.")
    return Condition(metric, float(found["number"]) / 100, batch)


def _sign(metric: GateMetric) -> str:
    return "+" if metric.better == "less" else "-"
