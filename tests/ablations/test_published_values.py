from __future__ import annotations

import pytest

from fbench.ablations.library import load_suite
from fbench.ablations.published import published_values
from fbench.architectures.contract import built_in_contract

VALUES = published_values()


def find(architecture: str, metric: str, data: str | None = None) -> float:
    [value] = [v for v in VALUES if (v.architecture, v.metric, v.data) == (architecture, metric, data)]
    return value.value


def test_the_accuracies_of_table_3_of_xu_2021() -> None:
    accuracies = {name: find(name, "top1", "fer2013") for name in load_suite("xu2021").architectures}
    assert accuracies == {
        "simple_cnn": 60.71,
        "simpler_cnn": 61.84,
        "lenet5": 63.84,
        "mini_xception": 64.04,
        "resnet50": 64.71,
        "ires": 66.29,
    }


def test_the_figures_of_chowanda_2021() -> None:
    assert find("arch1", "top1", "fer2013") == 70.3
    assert find("arch1", "top1", "ck_plus") == 99.4
    assert find("arch4", "top1", "fer2013") == 62.3
    assert [find(f"arch{i}", "training_accuracy", "mean") for i in (1, 2, 3, 4)] == [88.9, 83.9, 86.8, 84.7]
    assert [find(f"arch{i}", "training_time", "mean") for i in (1, 3, 4)] == [0.841, 1.013, 2.633]


def test_every_figure_has_its_place_and_a_known_architecture() -> None:
    for value in VALUES:
        assert value.section
        assert value.method if value.architecture is None else value.architecture in built_in_contract()


def test_no_figure_occurs_twice() -> None:
    keys = [(v.architecture or v.method, v.metric, v.data) for v in VALUES]
    assert len(set(keys)) == len(keys)


def test_the_networks_that_the_paper_does_not_determine_say_so() -> None:
    for value in VALUES:
        if value.architecture in ("lenet5", "resnet50"):
            assert "not determined" in value.remark


@pytest.mark.parametrize(
    ("metric", "stated"), [("total_params_keras", "stated_total"), ("trainable_params", "stated_trainable")]
)
def test_the_parameter_counts_are_those_that_the_contract_calls_stated(metric: str, stated: str) -> None:
    values = [value for value in VALUES if value.metric == metric]
    assert values
    for value in values:
        assert value.value == getattr(built_in_contract()[value.architecture], stated)
