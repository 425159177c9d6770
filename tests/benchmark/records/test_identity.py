from __future__ import annotations

from pathlib import Path

import pytest
from support import data_spec_of, make_stripes, network_spec_of, trial_spec_of

from fbench.architectures.plugins import load_plugin
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.training.networks import network_spec


def with_network(spec: TrialSpec, architecture: str, dataset: ImageDataset, **options: object) -> TrialSpec:
    return spec.model_copy(update={"network": network_spec_of(architecture, dataset, **options)})


def test_a_variant_and_its_options_are_one_trial(stripes: ImageDataset) -> None:
    spec = trial_spec_of(stripes)
    variant = with_network(spec, "ires_no_se", stripes)
    options = with_network(spec, "ires", stripes, squeeze_excite=None)
    assert variant.network.name != options.network.name
    assert variant.trial_id == options.trial_id
    assert variant.trial_id != spec.trial_id


def test_names_and_places_are_no_part_of_the_identity(stripes: ImageDataset) -> None:
    spec = trial_spec_of(stripes)
    elsewhere = spec.model_copy(
        update={
            "network": spec.network.model_copy(update={"name": "other", "plugin_file": "/somewhere.py"}),
            "data": spec.data.model_copy(update={"path": "/elsewhere", "name": "renamed"}),
            "protocol": spec.protocol.model_copy(update={"description": "told in other words"}),
        }
    )
    assert elsewhere.trial_id == spec.trial_id


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"protocol": {"version": 2}},
        {"protocol": {"label_smoothing": 0.0}},
        {"budget": {"image_passes": 97}},
        {"numerics": {"threads_per_trial": 2}},
        {"numerics": {"numerics_version": 99}},
        {"data": {"fingerprint": "0" * 64}},
    ],
)
def test_whatever_the_result_depends_on_makes_another_trial(stripes: ImageDataset, change: dict[str, object]) -> None:
    spec = trial_spec_of(stripes)
    update = {
        field: getattr(spec, field).model_copy(update=value) if isinstance(value, dict) else value
        for field, value in change.items()
    }
    assert spec.model_copy(update=update).trial_id != spec.trial_id


def test_other_pixels_make_another_trial(stripes: ImageDataset) -> None:
    assert trial_spec_of(make_stripes(seed=1)).trial_id != trial_spec_of(stripes).trial_id


PLUGIN = """
from torch import nn
import fbench

@fbench.register("{name}")
def build(num_classes=7, in_channels=1, image_size=48, width=4):
    return nn.Sequential(nn.Conv2d(in_channels, width, 3{extra}), nn.{activation}(), nn.Flatten(),
                         nn.LazyLinear(num_classes) if False else nn.Linear(width * (image_size - 2) ** 2, num_classes))
"""


@pytest.mark.usefixtures("same_registry_afterwards")
def test_an_edited_network_makes_another_trial(stripes: ImageDataset, tmp_path: Path) -> None:
    ids = []
    for index, (activation, extra) in enumerate([("ReLU", ""), ("GELU", ""), ("ReLU", ", bias=False")]):
        file = tmp_path / f"mine_{index}.py"
        file.write_text(PLUGIN.format(name=f"edited_{index}", activation=activation, extra=extra), encoding="utf-8")
        load_plugin(file)
        network = network_spec(f"edited_{index}", f"edited_{index}", {}, data_spec_of(stripes))
        ids.append((network.digest, trial_spec_of(stripes).model_copy(update={"network": network}).trial_id))
    assert len({digest for digest, _ in ids}) == 3
    assert len({trial_id for _, trial_id in ids}) == 3


def test_a_specification_survives_its_file(stripes: ImageDataset) -> None:
    spec = trial_spec_of(stripes)
    again = TrialSpec.model_validate_json(spec.model_dump_json())
    assert again == spec
    assert again.trial_id == spec.trial_id


def test_a_field_added_later_with_its_old_behaviour_as_default_keeps_old_identities(
    stripes: ImageDataset,
) -> None:
    """Fields at their defaults are left out of the hash; a protocol file that spells a default out is the same."""
    spec = trial_spec_of(stripes)
    spelled = trial_spec_of(stripes, test_time_flip=False, ema_decay=None)
    assert spelled.trial_id == spec.trial_id
