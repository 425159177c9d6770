from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from fbench.benchmark.records.cost_records import (
    REFERENCE,
    RESIDENT_GROWTH,
    CostRecord,
    EnergyReading,
    MemoryReading,
)
from fbench.benchmark.records.protocol import Collapse
from fbench.benchmark.store.files import write_cost_file
from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import UserError
from fbench.reports.findings.gate.change import MeasuredChange
from fbench.reports.findings.gate.conditions import parse_condition
from fbench.reports.findings.gate.judge import Gate, changes_without_gate, judge_gate
from fbench.reports.findings.gate.metrics import Asked
from fbench.reports.findings.gate.read_changes import quality_of
from fbench.reports.findings.gate.subjects import load_side, pairs
from tests.reports.fabricated_cost import BEST, LATENCY, TRAIN, cost, series
from tests.reports.fabricated_run import Recipe, fabricate_run, static_cost


def judged(base: str | Path, new: str | Path, *conditions: str, **other: bool) -> Gate:
    compared = pairs(load_side(str(base)), load_side(str(new)))
    return judge_gate(compared, [parse_condition(text) for text in conditions], **other)


def verdicts(gate: Gate) -> dict[str, str]:
    return {one.condition.text: one.verdict for one in gate.judged}


def kept(folder: Path, name: str, record: CostRecord) -> Path:
    write_cost_file(folder / name, record)
    return folder / name


def one_day(factor: float, day: int, started_at: str) -> CostRecord:
    """``ires`` so many times as slow, on a machine with the pace of that day, with the reference load beside it."""
    pace = 1.0 + day / 10
    return cost(
        series("ires", factor * pace, day=day, seed=day),
        series(REFERENCE, pace, day=day, seed=100 + day),
        started_at=started_at,
    )


def test_networks_timed_together_fail_only_beyond_what_is_allowed(tmp_path: Path) -> None:
    file = kept(tmp_path, "speed.json", cost(series("ires", 1.0), series("arch1", 1.10, seed=1)))
    base, new = f"{file}:ires", f"{file}:arch1"
    assert verdicts(judged(base, new, "latency_p50:+5%")) == {"latency_p50:+5%": "failed"}
    assert verdicts(judged(base, new, "latency_p50:+15%")) == {"latency_p50:+15%": "held"}
    assert verdicts(judged(base, new, "latency_p50:+10%")) == {"latency_p50:+10%": "undecided"}
    assert verdicts(judged(new, base, "latency_p50:+0%")) == {"latency_p50:+0%": "held"}


def test_an_undecided_condition_says_why_and_does_not_fail_the_gate(tmp_path: Path) -> None:
    file = kept(tmp_path, "speed.json", cost(series("ires", 1.0), series("arch1", 1.10, seed=1)))
    gate = judged(f"{file}:ires", f"{file}:arch1", "latency_p50:+10%")
    assert not gate.failed
    assert gate.undecided
    assert "both sides of the limit are possible; more blocks" in gate.judged[0].why


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("latency_p50@7:+5%", "BASE and NEW have no inference setting with batch 7 in common"),
        ("train_step:+5%", "BASE and NEW have no train setting in common"),
        ("energy:+5%", "no energy of an inference was read on both sides in one setting"),
        ("peak_memory:+5%", "no peak memory of inference was read on both sides with one batch and in one way"),
        ("accuracy:-1pt", "accuracy needs a run's folder on both sides"),
    ],
)
def test_a_condition_on_what_was_never_measured_is_an_error(tmp_path: Path, condition: str, why: str) -> None:
    file = kept(tmp_path, "speed.json", cost(series("ires", 1.0), series("arch1", 1.10, seed=1)))
    with pytest.raises(UserError) as error:
        judged(f"{file}:ires", f"{file}:arch1", "macs:+500%", condition)
    expected = f"--fail-on {condition} cannot be held for arch1 against ires: {why}; measure it on both sides"
    assert str(error.value).startswith(expected)


def test_an_energy_that_cannot_be_read_is_never_measured(tmp_path: Path) -> None:
    reading = EnergyReading(network="ires", setting=LATENCY, joules_per_image=None, method="not available: no counter")
    record = cost(series("ires", 1.0)).model_copy(update={"energy": (reading,)})
    file = kept(tmp_path, "speed.json", record)
    with pytest.raises(UserError, match="energy is not available: no counter"):
        judged(f"{file}:ires", f"{file}:ires", "energy:+5%")


def test_a_network_whose_trials_all_failed_is_never_measured(tmp_path: Path) -> None:
    both = {"ires": 0.6, "arch1": 0.6}
    fabricate_run(tmp_path / "base", Recipe(accuracy=both, images=40))
    new = fabricate_run(
        tmp_path / "new", Recipe(accuracy=both, images=40, failed=tuple(("arch1", s) for s in range(3)))
    )
    with pytest.raises(UserError, match=r"for arch1: NEW has no finished trial of arch1"):
        judged(tmp_path / "base", new.folder.path, "accuracy:-0.5pt")


def test_measurements_of_two_days_are_held_against_the_reference_load(tmp_path: Path) -> None:
    """The machine is 30 % slower on the second day, and the network is as it was."""
    base = kept(tmp_path, "base.json", one_day(1.0, 1, "2026-01-01T00:00:00+00:00"))
    new = kept(tmp_path, "new.json", one_day(1.0, 4, "2026-01-04T00:00:00+00:00"))
    slow = kept(tmp_path, "slow.json", one_day(1.4, 4, "2026-01-05T00:00:00+00:00"))
    (same,) = judged(base, new, "latency_p50:+20%").judged
    assert same.verdict == "held"
    assert same.change is not None
    assert abs(same.change.estimate) < 0.02
    assert "timed apart" in same.change.how
    assert judged(base, slow, "latency_p50:+20%").failed
    assert not judged(base, new, "latency_p99:+20%").failed


def test_an_interval_across_days_knows_of_the_chance_of_the_day(tmp_path: Path) -> None:
    base = kept(tmp_path, "base.json", one_day(1.0, 1, "2026-01-01T00:00:00+00:00"))
    new = kept(tmp_path, "new.json", one_day(1.0, 4, "2026-01-04T00:00:00+00:00"))
    together = kept(tmp_path, "one.json", cost(series("ires", 1.0), series("arch1", 1.0, seed=1)))
    apart = judged(base, new, "latency_p50:+1%").judged[0].change
    paired = judged(f"{together}:ires", f"{together}:arch1", "latency_p50:+1%").judged[0].change
    assert apart is not None
    assert paired is not None
    assert apart.high - apart.low > 2 * (paired.high - paired.low)


def test_different_machines_are_refused_unless_told(tmp_path: Path) -> None:
    here = one_day(1.0, 1, "2026-01-01T00:00:00+00:00")
    machine = here.machine.model_copy(update={"processor": "Another CPU"})
    there = one_day(1.0, 2, "2026-01-02T00:00:00+00:00").model_copy(update={"machine": machine})
    base, new = kept(tmp_path, "here.json", here), kept(tmp_path, "there.json", there)
    with pytest.raises(UserError, match=r"processor is Example CPU @ 2\.00GHz in BASE and Another CPU in NEW"):
        judged(base, new, "latency_p50:+5%")
    (told,) = judged(base, new, "latency_p50:+25%", other_machine=True).judged
    assert told.change is not None
    assert told.change.how.endswith("the reference load of its own machine")


def test_other_threads_are_refused_always(tmp_path: Path) -> None:
    one = one_day(1.0, 1, "2026-01-01T00:00:00+00:00")
    numerics = one.spec.numerics.model_copy(update={"threads_per_trial": 2})
    two = one.model_copy(update={"spec": one.spec.model_copy(update={"numerics": numerics})})
    base, new = kept(tmp_path, "one.json", one), kept(tmp_path, "two.json", two)
    with pytest.raises(UserError, match="threads_per_trial is 1 in BASE and 2 in NEW"):
        judged(base, new, "latency_p50:+5%", other_machine=True)


def test_counts_are_judged_exactly(tmp_path: Path) -> None:
    base = cost(series("ires", 1.0))
    static = base.static["ires"]
    more = static.model_copy(update={"macs": static.macs * 105 // 100, "trainable_params": static.trainable_params + 1})
    new = base.model_copy(update={"static": {"ires": more}, "started_at": "2026-02-02T00:00:00+00:00"})
    sides = kept(tmp_path, "base.json", base), kept(tmp_path, "new.json", new)
    assert verdicts(judged(*sides, "params:+0%", "macs:+5%", "macs:+4.9%", "elementwise_ops:+0%")) == {
        "params:+0%": "failed",
        "macs:+5%": "held",
        "macs:+4.9%": "failed",
        "elementwise_ops:+0%": "held",
    }


def test_without_a_measurement_of_cost_counts_are_those_that_trials_noted(tmp_path: Path) -> None:
    for name in ("base", "new"):
        recipe = Recipe(accuracy={"ires": 0.6, "ires_relu": 0.6}, images=40, seeds=(0,), with_cost=False)
        fabricate_run(tmp_path / name, recipe)
    base, new = (static_cost(name).trainable_params for name in ("ires", "ires_relu"))
    sides = f"{tmp_path / 'base'}:ires", f"{tmp_path / 'new'}:ires_relu"
    (params,) = judged(*sides, "params:+0%").judged
    assert params.change is not None
    assert params.change.how == f"{base:,} to {new:,}"
    assert params.change.estimate == pytest.approx(new / base - 1, rel=1e-12)
    with pytest.raises(UserError, match="BASE holds no count of ires"):
        judged(*sides, "elementwise_ops:+0%")


def test_throughput_is_the_inverse_of_the_time_of_an_image(tmp_path: Path) -> None:
    timed = [series("ires", 1.0, BEST, 32), series("arch1", 1.25, BEST, 32, seed=1)]
    file = kept(tmp_path, "speed.json", cost(*timed, settings=(BEST,)))
    (found,) = judged(f"{file}:ires", f"{file}:arch1", "throughput:-10%").judged
    assert found.verdict == "failed"
    assert found.change is not None
    assert found.change.estimate == pytest.approx(1 / 1.25 - 1, abs=0.01)
    assert found.change.low < found.change.estimate < found.change.high < -0.1


def test_training_memory_and_energy_have_conditions_of_their_own(tmp_path: Path) -> None:
    timed = [series("ires", 1.0, TRAIN, 64), series("arch1", 1.2, TRAIN, 64, seed=1)]
    memory = [
        MemoryReading(network=name, mode="inference", batch_size=1, peak_memory_mib=peak, method=RESIDENT_GROWTH)
        for name, peak in (("ires", 100.0), ("arch1", 150.0))
    ]
    energy = [
        EnergyReading(
            network=name,
            setting=LATENCY,
            joules_per_image=joules,
            readings_j_per_image=(joules, joules * 1.001, joules),
            method="",
        )
        for name, joules in (("ires", 1.0), ("arch1", 1.02))
    ]  # fmt: skip - a table
    record = cost(*timed, settings=(TRAIN,)).model_copy(update={"memory": tuple(memory), "energy": tuple(energy)})
    file = kept(tmp_path, "speed.json", record)
    gate = judged(f"{file}:ires", f"{file}:arch1", "train_step:+10%", "peak_memory:+10%", "energy:+5%")
    assert [one.verdict for one in gate.judged] == ["failed", "failed", "held"]


def test_a_change_of_memory_carries_the_chance_of_both_processes(tmp_path: Path) -> None:
    """A tenth of a MiB a process, known from elsewhere: a normal interval of the root of twice its square."""
    memory = [
        MemoryReading(network=name, mode="inference", batch_size=1, peak_memory_mib=peak, method=RESIDENT_GROWTH)
        for name, peak in (("ires", 10.0), ("arch1", 10.5))
    ]
    record = cost(series("ires", 1.0), series("arch1", 1.0)).model_copy(update={"memory": tuple(memory)})
    file = kept(tmp_path, "speed.json", record)
    (found,) = judged(f"{file}:ires", f"{file}:arch1", "peak_memory:+10%").judged
    assert found.change is not None
    half = stats.norm.ppf(0.975) * np.sqrt(2) * 0.1 / 10.0
    wanted = [0.05, 0.05 - half, 0.05 + half]
    assert [found.change.estimate, found.change.low, found.change.high] == pytest.approx(wanted, rel=1e-9)
    assert (found.verdict, found.change.exact) == ("held", False)


def test_a_change_of_energy_is_that_of_the_means_of_the_logarithms_of_readings(tmp_path: Path) -> None:
    """The interval: Student's t of each side's readings, the distances of the ends added in squares."""
    readings = {"ires": (1.0, 1.01, 1.03), "arch1": (1.2, 1.25, 1.21)}
    energy = [
        EnergyReading(network=name, setting=LATENCY, joules_per_image=1.0, readings_j_per_image=joules, method="")
        for name, joules in readings.items()
    ]
    record = cost(series("ires", 1.0), series("arch1", 1.0)).model_copy(update={"energy": tuple(energy)})
    file = kept(tmp_path, "speed.json", record)
    (found,) = judged(f"{file}:ires", f"{file}:arch1", "energy:+5%").judged
    assert found.change is not None
    base, new = (np.log(one) for one in readings.values())
    middle = new.mean() - base.mean()
    halves = [stats.t.ppf(0.975, 2) * one.std(ddof=1) / np.sqrt(3) for one in (base, new)]
    wanted = [np.expm1(middle + sign * np.hypot(*halves)) for sign in (0, -1, 1)]
    assert [found.change.estimate, found.change.low, found.change.high] == pytest.approx(wanted, rel=1e-9)


def test_equal_readings_of_energy_hide_their_spread(tmp_path: Path) -> None:
    energy = [
        EnergyReading(network=name, setting=LATENCY, joules_per_image=1.0, readings_j_per_image=(1.0,) * 3, method="")
        for name in ("ires", "arch1")
    ]
    record = cost(series("ires", 1.0), series("arch1", 1.0)).model_copy(update={"energy": tuple(energy)})
    file = kept(tmp_path, "speed.json", record)
    (found,) = judged(f"{file}:ires", f"{file}:arch1", "energy:+5%").judged
    assert (found.verdict, found.change) == ("undecided", None)
    assert found.why.startswith("all readings of energy are equal")


def test_memory_that_was_read_in_another_way_is_not_compared(tmp_path: Path) -> None:
    old = [
        MemoryReading(network=name, mode="inference", batch_size=1, peak_memory_mib=9.0, method="growth")
        for name in ("ires", "arch1")
    ]
    record = cost(series("ires", 1.0), series("arch1", 1.0)).model_copy(update={"memory": tuple(old)})
    file = kept(tmp_path, "speed.json", record)
    (found,) = judged(f"{file}:ires", f"{file}:arch1", "peak_memory:+10%").judged
    assert found.why == "peak memory was read as growth, which varies from process to process; measure both anew"


def runs(tmp_path: Path, base: float, new: float) -> tuple[RunTable, RunTable]:
    return tuple(  # type: ignore[return-value] # two of them
        fabricate_run(tmp_path / name, Recipe(accuracy={"ires": accuracy}, images=400))
        for name, accuracy in (("base", base), ("new", new))
    )


def test_accuracy_is_judged_for_new_images_in_points(tmp_path: Path) -> None:
    base, new = runs(tmp_path, 0.70, 0.50)
    (found,) = judged(base.folder.path, new.folder.path, "accuracy:-0.5pt").judged
    assert found.verdict == "failed"
    assert found.change is not None
    assert found.change.estimate < -0.1
    assert "3 seeds, 400 images" in found.change.how
    assert judged(new.folder.path, base.folder.path, "accuracy:-0.5pt").judged[0].verdict == "held"


def test_equal_accuracies_on_few_images_are_undecided(tmp_path: Path) -> None:
    base, new = runs(tmp_path, 0.60, 0.605)
    (found,) = judged(base.folder.path, new.folder.path, "accuracy:-0.5pt").judged
    assert found.verdict == "undecided"


def test_one_seed_on_a_side_decides_nothing(tmp_path: Path) -> None:
    for name, seeds in (("base", (0,)), ("new", (0, 1, 2))):
        fabricate_run(tmp_path / name, Recipe(accuracy={"ires": 0.6}, images=400, seeds=seeds))
    (found,) = judged(tmp_path / "base", tmp_path / "new", "accuracy:-0.5pt").judged
    why = "one side has 1 seed, and the chance of a seed shows in two or more"
    assert (found.verdict, found.why) == ("undecided", why)


@pytest.mark.parametrize(("images", "verdict"), [(7, "undecided"), (400, "undecided"), (800, "held")])
def test_the_same_answers_hold_a_condition_where_the_images_carry_it(tmp_path: Path, images: int, verdict: str) -> None:
    """Half a point, two-sided at 95 %: 0.025^(1/C) is above 0.995 from 736 images on."""
    for name in ("base", "new"):
        fabricate_run(tmp_path / name, Recipe(accuracy={"ires": 0.9}, images=images, seeds=range(5)))
    (found,) = judged(tmp_path / "base", tmp_path / "new", "accuracy:-0.5pt").judged
    assert found.verdict == verdict
    assert found.change is not None
    assert not found.change.exact


def test_networks_that_did_not_learn_hold_no_condition(tmp_path: Path) -> None:
    for name in ("base", "new"):
        fabricate_run(tmp_path / name, Recipe(accuracy={"ires": 0.6}, images=800, collapsed=("ires",)))
    (found,) = judged(tmp_path / "base", tmp_path / "new", "accuracy:-0.5pt").judged
    assert (found.verdict, found.why) == (
        "undecided",
        "neither learned, as both are within chance of the largest class",
    )


def collapsing(tmp_path: Path, base: float, new: float, bad: tuple[int, ...]) -> tuple[str, str]:
    """Two runs of eight seeds; trainings of the new one collapsed."""
    for name, accuracy, seeds in (("base", base, ()), ("new", new, bad)):
        made = Recipe(
            accuracy={"ires": accuracy},
            images=800,
            seeds=range(8),
            collapsed_trials=tuple(("ires", seed) for seed in seeds),
        )
        fabricate_run(tmp_path / name, made)
    return str(tmp_path / "base"), str(tmp_path / "new")


def test_a_condition_holds_of_trainings_that_learned_only_if_it_does_of_all(tmp_path: Path) -> None:
    (found,) = judged(*collapsing(tmp_path, 0.6, 0.7, (2,)), "accuracy:-2pt").judged
    assert found.verdict == "undecided"
    assert found.why.startswith("of trainings that learned it is held, of all trainings that is not so")
    assert found.change is not None
    assert found.change.estimate > 0.05
    assert "trainings that learned, 0 of 8 of BASE and 1 of 8 of NEW collapsed" in found.change.how


def test_a_loss_of_trainings_that_learned_fails_where_all_show_it(tmp_path: Path) -> None:
    (found,) = judged(*collapsing(tmp_path, 0.8, 0.5, (2,)), "accuracy:-2pt").judged
    assert found.verdict == "failed"


def test_trainings_that_nearly_all_collapsed_fail(tmp_path: Path) -> None:
    (found,) = judged(*collapsing(tmp_path, 0.8, 0.8, (0, 1, 2, 3, 4, 5, 6)), "accuracy:-2pt").judged
    assert found.verdict == "failed"


def test_a_quality_of_single_trials_is_of_those_that_learned_too(tmp_path: Path) -> None:
    base, new = (load_side(side) for side in collapsing(tmp_path, 0.6, 0.7, (2,)))
    read = quality_of(lambda trials: [one.macro_f1 for one in trials.measures])
    ((_, found),) = read(pairs(base, new)[0], Asked(0.95))
    assert isinstance(found, MeasuredChange)
    assert found.with_collapsed is not None
    assert found.with_collapsed.low < 0 < found.low
    assert "7 seeds" in found.how


def test_the_preset_smoke_holds_nothing(tmp_path: Path) -> None:
    for name in ("base", "new"):
        run = fabricate_run(tmp_path / name, Recipe(accuracy={"ires": 0.9}, images=800, seeds=range(5)))
        run.folder.create(run.config.model_copy(update={"preset": "smoke"}))
    (found,) = judged(tmp_path / "base", tmp_path / "new", "accuracy:-0.5pt").judged
    assert (found.verdict, found.change) == ("undecided", None)
    assert found.why == "the preset smoke only shows that everything runs"


def test_runs_with_other_rules_of_collapsed_trainings_are_refused(tmp_path: Path) -> None:
    base, new = runs(tmp_path, 0.6, 0.6)
    protocol = new.config.protocol.model_copy(update={"collapse": Collapse(chance=0.01)})
    new.folder.create(new.config.model_copy(update={"protocol": protocol}))
    with pytest.raises(
        UserError, match=r"other rules for collapsed trainings \(chance is 0\.05 in BASE and 0\.01 in NEW"
    ):
        judged(base.folder.path, new.folder.path, "accuracy:-0.5pt")


def test_trials_of_another_protocol_are_refused_and_the_field_is_named(tmp_path: Path) -> None:
    base, new = runs(tmp_path, 0.6, 0.6)
    for file in (new.folder.path / "trials").glob("*/record.json"):
        record = json.loads(file.read_text(encoding="utf-8"))
        record["spec"]["protocol"]["label_smoothing"] = 0.3
        file.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(UserError, match=r"protocol\.label_smoothing is .* in BASE and 0\.3 in NEW"):
        judged(base.folder.path, new.folder.path, "accuracy:-0.5pt")


def test_a_gate_as_a_whole_errs_no_more_often_than_one_of_its_conditions(tmp_path: Path) -> None:
    file = kept(tmp_path, "speed.json", cost(series("ires", 1.0), series("arch1", 1.0, seed=1)))
    sides = f"{file}:ires", f"{file}:arch1"
    assert judged(*sides, "latency_p50:+5%", "macs:+0%").confidence == pytest.approx(0.95)
    assert judged(*sides, "latency_p50:+5%", "latency_p90:+5%").confidence == pytest.approx(0.975)


def test_without_conditions_every_metric_is_told(tmp_path: Path) -> None:
    file = kept(tmp_path, "speed.json", cost(series("ires", 1.0), series("arch1", 1.1, seed=1)))
    gate = changes_without_gate(pairs(load_side(f"{file}:ires"), load_side(f"{file}:arch1")))
    told = {one.condition.metric.name for one in gate.judged if one.change}
    assert told == {"params", "macs", "elementwise_ops", "latency_p50", "latency_p90", "latency_p99"}


def test_a_network_that_failed_to_be_timed_is_told_with_its_reason(tmp_path: Path) -> None:
    from fbench.benchmark.records.cost_records import SettingFailure

    record = cost(series("ires", 1.0), series("arch1", 1.0, BEST, 8), settings=(LATENCY, BEST))
    failure = SettingFailure(network="arch1", setting=LATENCY, reason="RuntimeError: out of memory")
    file = kept(tmp_path, "speed.json", record.model_copy(update={"setting_failures": (failure,)}))
    with pytest.raises(
        UserError, match=r"NEW has no times of arch1 at inference, batch 1, eager \(RuntimeError: out of memory\)"
    ):
        judged(f"{file}:ires", f"{file}:arch1", "latency_p50:+5%")
