from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch
from support import make_stripes, network_spec_of, trial_spec_of

from fbench.architectures.plugins import load_plugin
from fbench.benchmark.cost import measure
from fbench.benchmark.cost.estimate import estimate_trials_s, packed_s
from fbench.benchmark.cost.measure import measure_cost
from fbench.benchmark.cost.memory import preload_fresh_processes, read_peak_memory
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.cost_records import REFERENCE, CostRecord
from fbench.benchmark.records.cost_specs import CostPlan, CostSpec, Setting
from fbench.benchmark.records.numerics import choose_numerics
from tests.on_cuda import on_cuda

CPU = torch.device("cpu")
SETTINGS = (Setting(), Setting(batch_size=None), Setting(mode="train", batch_size=4))
PLAN = CostPlan(settings=SETTINGS, blocks=2, seconds=0.1, largest_batch_size=4, energy_s=0.1)


@pytest.fixture(scope="module")
def record() -> CostRecord:
    stripes = make_stripes()
    networks = tuple(network_spec_of(name, stripes) for name in ("ires", "lenet5"))
    return measure_cost(CostSpec(networks=networks, numerics=choose_numerics("cpu"), plan=PLAN), CPU)


def test_every_raw_sample_is_kept_with_block_order_mode_batch_and_threads(record: CostRecord) -> None:
    assert record.failures == {}
    assert record.setting_failures == ()
    timed = {(s.network, s.instance, s.setting) for s in record.series}
    buildings = (("ires", 0), ("ires", 1), ("lenet5", 0), (REFERENCE, 0))
    assert timed == {(*building, setting) for building in buildings for setting in SETTINGS}
    for series in record.series:
        assert set(series.blocks) == {0, 1}
        assert series.threads == 1
        assert min(series.times_s) > 0
    for setting in SETTINGS:
        first_turn = {
            order
            for series in record.series
            if series.setting == setting
            for block, turn, order in zip(series.blocks, series.turns, series.orders, strict=True)
            if (block, turn) == (0, 0)
        }
        assert first_turn == {0, 1, 2, 3}


def test_the_parts_of_a_training_step_add_up_to_the_step(record: CostRecord) -> None:
    for series in (s for s in record.series if s.setting.mode == "train" and s.network != REFERENCE):
        assert list(series.parts_s) == ["data", "forward", "backward", "optimizer"]
        sums = np.sum(list(series.parts_s.values()), axis=0)
        np.testing.assert_allclose(sums, series.times_s, atol=1e-8)


def test_what_is_not_ready_in_time_is_left_out_and_the_rest_is_measured(
    monkeypatch: pytest.MonkeyPatch, stripes: ImageDataset
) -> None:
    """As where a compiler would need hours; the batch that is searched for stays at what was tried until then."""
    began = time.monotonic()
    later = iter(
        [0.0, 0.0, 0.0, *[1e6] * 100]
    )  # the deadline begins, ires is in time at batch 1 and at its first search
    monkeypatch.setattr("fbench.benchmark.cost.deadline.time", SimpleNamespace(monotonic=lambda: began + next(later)))
    networks = tuple(network_spec_of(name, stripes) for name in ("ires", "lenet5"))
    plan = PLAN.model_copy(update={"settings": (Setting(),), "energy_s": None})
    spec = CostSpec(networks=networks, numerics=choose_numerics("cpu"), plan=plan, against="lenet5")
    found = measure_cost(spec, CPU, preparation_s=60.0)
    assert {one.network for one in found.series} == {"ires", "lenet5", REFERENCE}
    later = iter([0.0, 0.0, *[1e6] * 100])
    found = measure_cost(spec, CPU, preparation_s=60.0)
    assert {one.network for one in found.series} == {"ires", REFERENCE}
    assert [(one.network, one.reason) for one in found.setting_failures] == [
        ("lenet5", "OverTimeError: not prepared: the 60 s for building, compiling and warming up were over")
    ]
    search = plan.model_copy(update={"settings": (Setting(batch_size=None),)})
    later = iter([0.0, 0.0, *[1e6] * 100])
    found = measure_cost(spec.model_copy(update={"plan": search}), CPU, preparation_s=60.0)
    assert [(one.network, one.chosen, one.stopped_because) for one in found.searches] == [
        ("ires", 1, "the 60 s for building, compiling and warming up were over")
    ]


def test_energy_is_read_where_it_is_wanted(record: CostRecord, stripes: ImageDataset) -> None:
    assert record.energy
    plan = PLAN.model_copy(update={"settings": (Setting(),), "energy_s": None})
    spec = CostSpec(networks=(network_spec_of("lenet5", stripes),), numerics=choose_numerics("cpu"), plan=plan)
    assert measure_cost(spec, CPU).energy == ()


def test_the_best_batch_is_one_that_was_tried(record: CostRecord) -> None:
    assert {search.network for search in record.searches} == {"ires", "lenet5"}
    for search in record.searches:
        assert [one.batch_size for one in search.tried] == [1, 2, 4][: len(search.tried)]
        assert search.chosen in [one.batch_size for one in search.tried]
        series = record.find(search.network, SETTINGS[1])
        assert series is not None
        assert series.batch_size == search.chosen


def test_energy_that_cannot_be_read_is_no_number_and_says_why(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "energy_counter", lambda device: "no counter here")
    spec = CostSpec(networks=(network_spec_of("lenet5", stripes),), numerics=choose_numerics("cpu"), plan=PLAN)
    energy = measure_cost(spec, CPU).energy
    assert len(energy) == len(SETTINGS)
    assert {(one.joules_per_image, one.method) for one in energy} == {(None, "not available: no counter here")}


def test_a_batch_that_cannot_fit_is_refused_before_it_is_tried(stripes: ImageDataset) -> None:
    huge = Setting(batch_size=10**9)
    plan = PLAN.model_copy(update={"settings": (Setting(), huge)})
    spec = CostSpec(networks=(network_spec_of("lenet5", stripes),), numerics=choose_numerics("cpu"), plan=plan)
    record = measure_cost(spec, CPU)
    assert [(one.network, one.setting) for one in record.setting_failures] == [("lenet5", huge)]
    assert "out of memory" in record.setting_failures[0].reason
    assert record.find("lenet5", Setting()) is not None


@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is not read on Windows")
def test_peak_memory_is_that_of_weights_gradients_and_moments() -> None:
    """1,586,000 weights (3 classes) are 6.05 MiB; AdamW's training step holds them, their gradients and two moments."""
    faces = make_stripes(size=48)
    network = network_spec_of("lenet_count_matched", faces)
    preload_fresh_processes()
    inference, train = (
        read_peak_memory(network, mode, 1, choose_numerics("cpu"), CPU).peak_memory_mib
        for mode in ("inference", "train")
    )
    assert inference is not None
    assert train is not None
    assert 0.9 * 6.05 <= inference <= 2 * 6.05
    assert 0.9 * 4 * 6.05 <= train <= 1.75 * 4 * 6.05


@pytest.mark.skipif(sys.platform != "linux", reason="other C libraries do not return freed memory at once")
def test_peak_memory_is_the_same_in_every_process() -> None:
    network = network_spec_of("ires", make_stripes(size=48))
    preload_fresh_processes()
    peaks = [read_peak_memory(network, "train", 16, choose_numerics("cpu"), CPU) for _ in range(3)]
    found = [reading.peak_memory_mib or 0.0 for reading in peaks]
    assert max(found) - min(found) < 1.0
    kept = peaks[0].activation_memory_mib or 0.0
    assert kept < found[0] < 3 * kept


ODD_IN_A_FRESH_PROCESS = """
import multiprocessing, os, threading
from torch import nn
import fbench

class Odd(nn.Linear):
    def forward(self, x):
        if multiprocessing.parent_process() is not None:
            {code}
        return super().forward(x.flatten(1))

@fbench.register("odd")
def build(num_classes=7, in_channels=1, image_size=48):
    return Odd(in_channels * image_size ** 2, num_classes)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is not read on Windows")
@pytest.mark.parametrize(
    ("code", "method"),
    [
        ("threading.Thread(target=threading.Event().wait).start()", "growth of the resident set"),
        ("os._exit(3)", "failed: its process ended with exit code 3 in the middle of its work"),
        ("raise SystemExit('no')", "failed: SystemExit: no"),
    ],
)
@pytest.mark.usefixtures("same_registry_afterwards")
def test_a_process_for_memory_ends_with_its_reading(tmp_path: Path, code: str, method: str) -> None:
    (tmp_path / "odd.py").write_text(ODD_IN_A_FRESH_PROCESS.format(code=code))
    load_plugin(tmp_path / "odd.py")
    found = read_peak_memory(network_spec_of("odd", make_stripes(size=48)), "inference", 1, choose_numerics("cpu"), CPU)
    assert found.method.startswith(method)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no server forks the processes")
def test_one_server_forks_the_processes_of_every_measurement(record: CostRecord) -> None:
    """Started by a thread of a measurement, it would have ended with that."""
    from multiprocessing import forkserver  # not everywhere

    server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined] # how else is it told from another
    assert psutil.Process(server).status() != psutil.STATUS_ZOMBIE


def test_every_network_has_a_reading_of_memory_in_both_modes(record: CostRecord) -> None:
    modes = {("inference", 1), ("train", 4)}
    for network in ("ires", "lenet5"):
        assert {(m.mode, m.batch_size) for m in record.memory if m.network == network} == modes


def test_a_cost_record_survives_its_file(record: CostRecord) -> None:
    assert CostRecord.model_validate_json(record.model_dump_json()) == record


@pytest.mark.slow
def test_a_network_that_fails_is_recorded_and_the_rest_is_measured(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = network_spec_of("lenet5", stripes), network_spec_of("ires", stripes)
    real = measure.make_call

    def failing(network: object, *rest: object) -> object:
        if network == bad:
            raise RuntimeError("out of memory")
        return real(network, *rest)  # type: ignore[arg-type] # passed through as they came

    monkeypatch.setattr(measure, "make_call", failing)
    spec = CostSpec(networks=(bad, good), numerics=choose_numerics("cpu"), plan=PLAN)
    record = measure_cost(spec, CPU)
    failed = {(one.network, one.setting, one.reason) for one in record.setting_failures}
    assert failed == {("ires", setting, "RuntimeError: out of memory") for setting in SETTINGS}
    assert {s.network for s in record.series} == {"lenet5", REFERENCE}


def test_packing_longest_first_matches_a_hand_packed_schedule() -> None:
    assert packed_s([5, 4, 3, 3, 3], 2) == 10  # 5+3 and 4+3+3
    assert packed_s([], 2) == 0
    assert packed_s([2, 2], 4) == 2


def test_equal_networks_are_timed_once_for_an_estimate(stripes: ImageDataset) -> None:
    specs = [trial_spec_of(stripes, seed=seed) for seed in (0, 1)]
    estimates = estimate_trials_s(specs, CPU)
    assert len(estimates) == 2
    assert len(set(estimates.values())) == 1
    assert min(estimates.values()) > 0


@on_cuda
def test_cost_on_cuda_reads_the_allocators_peak(stripes: ImageDataset) -> None:
    spec = CostSpec(networks=(network_spec_of("ires", stripes),), numerics=choose_numerics("cuda"), plan=PLAN)
    record = measure_cost(spec, torch.device("cuda"))
    assert record.failures == {}
    assert all((m.peak_memory_mib or 0) > 0 for m in record.memory)
