from __future__ import annotations

import json

from typer.testing import CliRunner

from fbench.cli.app import app
from fbench.core.errors import UserError

runner = CliRunner()


def test_every_counter_stands_with_what_it_adds_and_leaves_out() -> None:
    result = runner.invoke(app, ["show", "lenet5", "--counters"])
    assert result.exit_code == 0, result.output
    rows = {line.split("  ")[0].strip(): line for line in result.stdout.splitlines()}
    for counter in ("fvcore", "ptflops (pytorch)", "ptflops (aten)", "torch FlopCounterMode"):
        assert " all " in rows[counter]
        assert any(line.startswith(f"{counter} leaves out: ") for line in rows)


def test_json_has_the_counts_of_each_counter() -> None:
    found = json.loads(runner.invoke(app, ["show", "lenet5", "--counters", "--json"]).stdout)
    by_name = {reading["counter"]: reading for reading in found["counters"]}
    assert {reading["macs"] for reading in by_name.values()} == {found["macs"]}
    assert by_name["torch FlopCounterMode"]["total"] == found["macs"]
    assert all(one["calls"] > 0 for reading in by_name.values() for one in reading["left_out"])


def test_profile_and_counters_are_not_shown_together() -> None:
    result = runner.invoke(app, ["show", "lenet5", "--counters", "--profile"])
    assert isinstance(result.exception, UserError)
