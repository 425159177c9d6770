"""What other counters leave out, told once where they leave it out of every network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fbench.benchmark.records.trial_records import CounterGap, CounterReading, StaticCost
from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.costs.counters import CounterTable, counter_table
from tests.reports.fabricated_run import Recipe, fabricate_run

KINDS = {"ires": {"relu": 9, "add": 4, "batch_norm": 2}, "ires_relu": {"relu": 12}, "ires_no_se": {"add": 3}}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunTable:
    folder: Path = tmp_path_factory.mktemp("counters") / "run"
    return fabricate_run(folder, Recipe(accuracy=dict.fromkeys(KINDS, 0.6), images=60, seeds=(0,)))


def told(run: RunTable, left_out: dict[str, tuple[str, ...]]) -> CounterTable:
    """The table where one counter leaves out these kinds of each network."""
    (cost,) = run.costs

    def counted(name: str, static: StaticCost) -> StaticCost:
        gaps = tuple(CounterGap(operation=kind, calls=1, operations=KINDS[name][kind]) for kind in left_out[name])
        reading = CounterReading(counter="fvcore", macs=1, counted="", left_out=gaps)
        return static.model_copy(update={"elementwise_ops_by_kind": KINDS[name], "counters": (reading,)})

    static = {name: counted(name, cost.static[name]) for name in KINDS}
    table = counter_table(replace(run, costs=(cost.model_copy(update={"static": static}),)))
    assert table is not None
    return table


def test_what_is_left_out_of_every_network_that_has_it_is_told_once(run: RunTable) -> None:
    table = told(run, {"ires": ("relu", "batch_norm"), "ires_relu": ("relu",), "ires_no_se": ()})
    assert table.left_out == (("fvcore", ("batch norm", "relu"), ()),)


def test_where_networks_differ_those_alike_are_told_together(run: RunTable) -> None:
    table = told(run, {"ires": ("relu",), "ires_relu": (), "ires_no_se": ("add",)})
    assert table.left_out == (("fvcore", ("relu",), ("ires",)), ("fvcore", ("add",), ("ires_no_se",)))


def test_a_counter_that_leaves_nothing_out_is_not_told_of(run: RunTable) -> None:
    assert told(run, dict.fromkeys(KINDS, ())).left_out == ()
