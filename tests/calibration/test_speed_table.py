from __future__ import annotations

from fbench.benchmark.records.cost_records import SettingFailure
from tests.calibration.speed_table import file_name, rows_of
from tests.reports.fabricated_cost import LATENCY, cost, series


def test_a_line_for_each_network_and_one_for_each_that_failed() -> None:
    record = cost(series("ires", 1.0), series("arch1", 2.0, seed=1), series("lenet5", 1.0, seed=2))
    without = tuple(one for one in record.series if one.network != "lenet5")
    failure = SettingFailure(network="lenet5", setting=LATENCY, reason="RuntimeError: no memory")
    changed = record.model_copy(update={"series": without, "setting_failures": (failure,)})
    base, slower, failed = rows_of(changed)
    assert (base["network"], base["time_over_ires"], base["verdict"]) == ("ires", "", "")
    assert slower["verdict"] == "slower"
    assert float(str(slower["time_over_ires_low"])) < 2 < float(str(slower["time_over_ires_high"]))
    assert (failed["network"], failed["verdict"], failed["p50_ms"]) == ("lenet5", "RuntimeError: no memory", "")
    assert base.keys() == failed.keys()


def test_the_table_is_called_after_the_device() -> None:
    assert file_name(cost(series("ires", 1.0))) == "example-cpu-2-00ghz"
