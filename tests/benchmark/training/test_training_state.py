"""A training that is saved, loaded into a new one and finished has the bits of one that was never interrupted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from support import make_stripes
from torch import nn

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.budget import StepPlan
from fbench.benchmark.records.events import Evaluated, Event, Stepped
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.training.loop import Training, train
from fbench.benchmark.training.seeds import derive_seeds
from fbench.benchmark.training.state import TrainingData, TrainingSettings, TrainingState
from fbench.benchmark.training.tensors import choose_normalisation, split_to_device

CPU = torch.device("cpu")
NUMERICS = choose_numerics("cpu")
PLAN = StepPlan(steps=14, batch_size=20, steps_per_epoch=4, evaluate_after=(3, 6, 9, 12, 14))
MIXED = {"mixup_alpha": 0.2, "erasing_probability": 0.5, "flip_probability": 0.5}


def changed(name: str, **changes: Any) -> Protocol:
    return Protocol.model_validate(load_protocol(name).model_dump() | changes)


PROTOCOLS: dict[str, Protocol] = {
    **{name: load_protocol(name) for name in ("fbench", "xu2021", "chowanda2021", "chowanda2021_light")},
    "average, mixup and erasing": changed("fbench", ema_decay=0.9, augmentation=MIXED),
    "momentum and a plateau": changed(
        "fbench",
        optimizer={"kind": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": True},
        schedule={"kind": "reduce_on_plateau", "factor": 0.5, "patience": 1},
    ),
    "early stopping": changed("fbench", stopping={"patience": 1, "minimum_improvement": 10.0}),
    "adam": changed("fbench", optimizer={"kind": "adam", "learning_rate": 0.001}),
}


def new_state(protocol: Protocol, stripes: ImageDataset, *, initialisation: int = 0) -> TrainingState:
    torch.manual_seed(initialisation)
    body = (nn.Conv2d(1, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.5))
    network = nn.Sequential(*body, nn.Flatten(), nn.Linear(8 * 7 * 7, 3)).to(memory_format=torch.channels_last)
    split, choosing = (split_to_device(stripes, name, CPU, NUMERICS) for name in ("train", "validation"))
    data = TrainingData(split, choosing, choose_normalisation(protocol, split))
    return TrainingState(network, data, TrainingSettings(protocol, PLAN, NUMERICS, derive_seeds(3)))


def write_files(state: Mapping[str, Any], folder: Path) -> None:
    """The state as safetensors and JSON."""
    tensors: dict[str, torch.Tensor] = {}

    def out(value: Any, name: str) -> Any:
        if isinstance(value, torch.Tensor):
            tensors[name] = value.clone(memory_format=torch.contiguous_format)
            return {"tensor": name}
        if isinstance(value, Mapping):
            return {key: out(one, f"{name}/{key}") for key, one in value.items()}
        return value

    (folder / "state.json").write_text(json.dumps(out(state, "")))
    save_file(tensors, folder / "state.safetensors")


def read_files(folder: Path) -> dict[str, Any]:
    """What :func:`write_files` wrote."""
    tensors = load_file(folder / "state.safetensors")

    def back(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return tensors[value["tensor"]] if set(value) == {"tensor"} else {key: back(one) for key, one in value.items()}

    loaded: dict[str, Any] = back(json.loads((folder / "state.json").read_text()))
    return loaded


def through_files(state: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    write_files(state, folder)
    return read_files(folder)


def same(first: Training, second: Training) -> None:
    assert first.chosen.step == second.chosen.step
    assert all(torch.equal(value, second.weights[name]) for name, value in first.weights.items())
    untimed = [
        [
            row.model_dump(exclude={name for name in type(row).model_fields if name.endswith("_s")})
            for row in one.history
        ]
        for one in (first, second)
    ]
    assert untimed[0] == untimed[1]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_training_goes_on_from_any_evaluation_with_the_same_bits(
    name: str, stripes: ImageDataset, tmp_path: Path
) -> None:
    protocol, saved = PROTOCOLS[name], list[dict[str, Any]]()
    whole = new_state(protocol, stripes)

    def listen(event: Event) -> None:
        if isinstance(event, Evaluated):
            saved.append(through_files(whole.state_dict(), tmp_path))

    undisturbed = train(whole, listen)
    assert len(saved) == len(undisturbed.history) >= 1
    for state in saved:
        resumed = new_state(protocol, stripes, initialisation=99)
        torch.rand(7)  # other draws were made before
        resumed.load_state_dict(state)
        same(train(resumed), undisturbed)


def test_a_training_goes_on_from_the_middle_of_an_epoch(stripes: ImageDataset, tmp_path: Path) -> None:
    protocol = PROTOCOLS["average, mixup and erasing"]
    whole = new_state(protocol, stripes)
    undisturbed = train(whole)
    cut = new_state(protocol, stripes)
    while cut.step < 5:
        cut.schedule.before_step(cut.step)
        cut.train_on(next(cut.batches))
        assert cut.average is not None
        cut.average.follow(cut.network)
        cut.step += 1
        if cut.step == 3:  # as the loop does at an evaluation
            cut.totals.clear()
    state = through_files(cut.state_dict(), tmp_path)
    resumed = new_state(protocol, stripes, initialisation=99)
    resumed.load_state_dict(state)
    assert resumed.step == 5
    assert train(resumed).history[-1].validation_loss == undisturbed.history[-1].validation_loss


FINISH = """
import sys
from pathlib import Path
from safetensors.torch import save_file
from support import make_stripes
from test_training_state import PROTOCOLS, new_state, read_files
from fbench.benchmark.training.loop import train
resumed = new_state(PROTOCOLS["fbench"], make_stripes(), initialisation=5)
resumed.load_state_dict(read_files(Path(sys.argv[1])))
save_file({name: value.contiguous() for name, value in train(resumed).weights.items()}, sys.argv[2])
"""


@pytest.mark.slow
def test_another_process_finishes_it_with_the_same_bits(tmp_path: Path) -> None:
    stripes, saved = make_stripes(), list[dict[str, Any]]()
    whole = new_state(PROTOCOLS["fbench"], stripes)
    undisturbed = train(whole, lambda event: saved.append(whole.state_dict()) if isinstance(event, Evaluated) else None)
    write_files(saved[1], tmp_path)
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[2]), *sys.path]
    code = f"import sys; sys.path[:0] = {paths!r}\n{FINISH}"
    subprocess.run([sys.executable, "-c", code, tmp_path, tmp_path / "weights"], check=True)
    weights = load_file(tmp_path / "weights")
    assert all(torch.equal(value, weights[name]) for name, value in undisturbed.weights.items())


def test_listeners_hear_of_steps_and_of_each_evaluation_when_the_state_holds_it(stripes: ImageDataset) -> None:
    state, heard = new_state(PROTOCOLS["fbench"], stripes), list[Event]()
    state.trial_id = "abc"

    def listen(event: Event) -> None:
        assert not isinstance(event, Evaluated) or state.history[-1] == event.row
        heard.append(event)

    training = train(state, listen)
    assert [event.row for event in heard if isinstance(event, Evaluated)] == list(training.history)
    assert [event.steps for event in heard if isinstance(event, Stepped)] == list(PLAN.evaluate_after)
    assert {event.trial_id for event in heard} == {"abc"}
