"""Options that take the place of what a protocol and a preset have."""

from __future__ import annotations

import pytest

from fbench.benchmark.records.budget import Budget, load_preset
from fbench.benchmark.records.protocol import Augmentation
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.runs.request import RunRequest
from fbench.core.errors import UserError


def test_without_options_both_are_those_that_are_named() -> None:
    assert RunRequest().protocol_and_preset() == (load_protocol("fbench"), load_preset("quick"))


def test_epochs_take_the_place_of_the_presets_passes_too() -> None:
    protocol, preset = RunRequest(epochs=10).protocol_and_preset()
    assert (protocol.name, protocol.epochs) == ("fbench@1+epochs=10", 10)
    assert (preset.budget, preset.seeds) == (Budget(), load_preset("quick").seeds)


def test_the_protocols_own_epochs_make_no_other_protocol() -> None:
    protocol, preset = RunRequest(epochs=60).protocol_and_preset()
    assert protocol == load_protocol("fbench")
    assert preset.budget == Budget()


def test_a_rate_changes_the_protocol_alone() -> None:
    protocol, preset = RunRequest(learning_rate=1e-4).protocol_and_preset()
    assert protocol.name == "fbench@1+learning_rate=0.0001"
    assert preset == load_preset("quick")


def test_a_batch_size_is_that_of_every_data_set_and_of_the_preset() -> None:
    protocol, preset = RunRequest(protocol="chowanda2021", batch_size=16).protocol_and_preset()
    assert load_protocol("chowanda2021").batch_size_for_data
    assert (protocol.batch_size, protocol.batch_size_for_data) == (16, {})
    assert (preset.budget.image_passes, preset.budget.batch_size) == (1536, None)
    assert load_protocol(protocol.name) == protocol


def test_no_augmentation_is_a_protocol_without_any() -> None:
    protocol, _ = RunRequest(augmentation=False).protocol_and_preset()
    assert protocol.augmentation == Augmentation()
    assert protocol.name == "fbench@1+augmentation=none"
    assert load_protocol(protocol.name) == protocol


def test_a_value_that_cannot_be_is_a_sentence() -> None:
    with pytest.raises(UserError, match=r"learning_rate' is -1\.0"):
        RunRequest(learning_rate=-1.0).protocol_and_preset()
