"""Measurements of cost as earlier versions of fbench wrote them, brought into today's form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def upgraded_cost(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record of schema version 1, which had one entry for each timed call, as one of version 2."""
    plan = record["spec"]["plan"]
    latency = {"mode": "inference", "batch_size": plan["latency_batch_size"], "backend": "eager"}
    throughput = {"mode": "inference", "batch_size": plan["throughput_batch_size"], "backend": "eager"}
    training = {"mode": "train", "batch_size": plan["train_batch_size"], "backend": "eager"}
    settings = [latency, throughput, training]
    spec = {**record["spec"], "plan": {"settings": settings, "blocks": plan["blocks"]}}
    kept = {key: value for key, value in record.items() if key not in ("samples", "spec", "schema_version")}
    series = _series(record["samples"], plan["warmup_calls"])
    return {**kept, "schema_version": 2, "spec": spec, "series": series, "before": None, "after": None}


def _series(samples: list[dict[str, Any]], warmup_calls: int) -> list[dict[str, Any]]:
    """One series for each network, mode and batch; the calls of a block become its turns."""
    found: dict[tuple[str, str, int], dict[str, Any]] = {}
    for sample in samples:
        key = (sample["network"], sample["mode"], sample["batch_size"])
        series = found.setdefault(
            key,
            {
                "network": key[0],
                "setting": {"mode": key[1], "batch_size": key[2], "backend": "eager"},
                "batch_size": key[2],
                "threads": sample["threads"],
                "blocks": [],
                "turns": [],
                "orders": [],
                "times_s": [],
                "warmup_calls": warmup_calls,
                "warm": False,
            },
        )
        series["turns"].append(series["blocks"].count(sample["block"]))
        series["blocks"].append(sample["block"])
        series["orders"].append(sample["order"])
        series["times_s"].append(sample["time_s"])
    return list(found.values())
