"""What a gate can hold: metrics, and conditions such as ``latency_p50:+5%``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from fbench.core.errors import UserError, did_you_mean

Kind = Literal["count", "quantile", "rate", "memory", "energy", "accuracy"]


@dataclass(frozen=True)
class Metric:
    """Something that two networks are held against each other by.

    ``more_is_worse`` tells the direction. Changes are shares of the base, but for accuracy, whose changes are fractions
    of 1 (0.01 is a point).
    """

    name: str
    kind: Kind
    says: str
    more_is_worse: bool = True
    quantile: float = 0.5

    @property
    def unit(self) -> str:
        """How changes are written."""
        return "pt" if self.kind == "accuracy" else "%"


METRICS: Final = {
    metric.name: metric
    for metric in (
        Metric("params", "count", "trainable parameters"),
        Metric("macs", "count", "multiply-accumulates of one image"),
        Metric("elementwise_ops", "count", "elementwise operations of one image"),
        Metric("latency_p50", "quantile", "median time of a call"),
        Metric("latency_p90", "quantile", "90th percentile of the time of a call", quantile=0.9),
        Metric("latency_p99", "quantile", "99th percentile of the time of a call", quantile=0.99),
        Metric("throughput", "rate", "images per second in the best batch", more_is_worse=False),
        Metric("train_step", "quantile", "median time of a training step"),
        Metric("peak_memory", "memory", "peak memory of an inference"),
        Metric("train_peak_memory", "memory", "peak memory of a training step"),
        Metric("energy", "energy", "joules an image in inference"),
        Metric("accuracy", "accuracy", "top-1 accuracy on new images", more_is_worse=False),
    )
}


@dataclass(frozen=True)
class Condition:
    """A metric, at one batch size where that is said, and how much worse it may get: a share, or a fraction of 1."""

    metric: Metric
    allowed: float
    batch_size: int | None = None

    @property
    def text(self) -> str:
        """As it is given on the command line."""
        sign = "+" if self.metric.more_is_worse else "-"
        batch = "" if self.batch_size is None else f"@{self.batch_size}"
        return f"{self.metric.name}{batch}:{sign}{100 * self.allowed:g}{self.metric.unit}"

    def worsening(self, change: float) -> float:
        """A change as what it makes worse: above :attr:`allowed` it is too much."""
        return change if self.metric.more_is_worse else -change


_FORM: Final = re.compile(r"(?P<name>\w+)(@(?P<batch>[1-9]\d*))?:(?P<sign>[+-])(?P<number>\d+(\.\d+)?)(?P<unit>%|pt)")


def parse_condition(text: str) -> Condition:
    """Read ``METRIC[@BATCH]:+N%`` or ``accuracy:-Npt``.

    Raises:
        UserError: an unknown metric, another form, unit or sign than its own.
    """
    found = _FORM.fullmatch(text.strip())
    name = found["name"] if found else text.partition(":")[0].partition("@")[0]
    metric = METRICS.get(name)
    if metric is None:
        raise UserError(
            f"--fail-on {text}: there is no metric '{name}'.{did_you_mean(name, METRICS)} "
            f"Allowed: {', '.join(METRICS)}."
        )
    sign = "+" if metric.more_is_worse else "-"
    example = f"{metric.name}:{sign}{'0.5pt' if metric.unit == 'pt' else '5%'}"
    if found is None or found["unit"] != metric.unit or (found["sign"] != sign and float(found["number"])):
        raise UserError(
            f"--fail-on {text} was given; {metric.name} ({metric.says}) takes how much worse it may get, such as "
            f"{example}."
        )
    batch = int(found["batch"]) if found["batch"] else None
    if batch is not None and metric.kind != "quantile":
        raise UserError(f"--fail-on {text}: only latencies and train_step take a batch size; give {example}.")
    return Condition(metric, float(found["number"]) / 100, batch)
