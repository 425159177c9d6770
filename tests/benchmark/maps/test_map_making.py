"""Grad-CAM and feature maps against references computed by hand, and which runs get them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from face_maps import secret_faces
from support import make_stripes, trial_spec_of
from torch import nn

from fbench.architectures.registry import create, register
from fbench.benchmark.data import loaded
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.export.trained import load_trained
from fbench.benchmark.maps.face_maps import MAPS_FILE
from fbench.benchmark.maps.images import images_of
from fbench.benchmark.maps.making import add_maps, early_convolution, feature_maps, grad_cam, last_maps, make_maps
from fbench.benchmark.maps.making import map_calls as calls_of
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.records.trial_records import PlannedTrial
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.training.trial import TrialContext, run_trial

CPU = TrialContext(torch.device("cpu"))


class Tiny(nn.Module):
    """A convolution, its mean over places, and a linear layer, for which Grad-CAM is known in closed form."""

    def __init__(self, *, in_place: bool = False) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 4, 3, padding=1)
        self.activation = nn.ReLU(inplace=True) if in_place else nn.Identity()
        self.classifier = nn.Linear(4, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classifier(self.activation(self.convolution(images)).mean((2, 3)))
        return logits


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def tiny() -> Tiny:
    torch.manual_seed(0)
    return Tiny().eval()


def test_grad_cam_of_a_linear_head_is_its_class_weighted_maps(tiny: Tiny, images: torch.Tensor) -> None:
    classes = torch.tensor([0, 1, 2, 1, 0])
    found = grad_cam(tiny, tiny.convolution, images, classes)
    weighted = torch.einsum("nchw,nc->nhw", tiny.convolution(images), tiny.classifier.weight[classes]).relu()
    torch.testing.assert_close(found, (weighted / weighted.amax((1, 2), keepdim=True)).detach())
    assert found.amax((1, 2)).tolist() == [1.0] * 5


def test_grad_cam_is_enlarged_bilinearly_before_it_is_scaled(tiny: Tiny, images: torch.Tensor) -> None:
    tiny.convolution.stride = (2, 2)
    classes = torch.tensor([2, 2, 1, 1, 0])
    small = torch.einsum("nchw,nc->nhw", tiny.convolution(images), tiny.classifier.weight[classes]).relu()
    large = F.interpolate(small[:, None], size=(8, 8), mode="bilinear", align_corners=False)[:, 0]
    found = grad_cam(tiny, tiny.convolution, images, classes)
    torch.testing.assert_close(found, (large / large.amax((1, 2), keepdim=True)).detach())


def test_grad_cam_is_zero_where_nothing_speaks_for_the_class(tiny: Tiny, images: torch.Tensor) -> None:
    nn.init.constant_(tiny.convolution.weight, 0.0)
    nn.init.constant_(tiny.convolution.bias, 1.0)  # type: ignore[arg-type] # this convolution has a bias
    nn.init.constant_(tiny.classifier.weight, -1.0)
    assert not grad_cam(tiny, tiny.convolution, images, torch.zeros(5, dtype=torch.int64)).any()


def test_a_network_that_changes_its_maps_in_place_gives_them_as_they_were(images: torch.Tensor) -> None:
    torch.manual_seed(0)
    network = Tiny(in_place=True).eval()
    found = feature_maps(network, network.convolution, images)
    torch.testing.assert_close(found, network.convolution(images).detach())
    classes = torch.zeros(5, dtype=torch.int64)
    grad_cam(network, network.convolution, images, classes)


def test_feature_maps_are_what_a_plain_hook_sees() -> None:
    network = create("arch1").eval()
    pixels = torch.randn(2, 1, 48, 48, generator=torch.Generator().manual_seed(2))
    layer = network.get_submodule("stem.unit3.convolution")
    seen: list[torch.Tensor] = []
    hook = layer.register_forward_hook(lambda module, given, output: seen.append(output))
    with torch.no_grad():
        network(pixels)
    hook.remove()
    torch.testing.assert_close(feature_maps(network, layer, pixels), seen[0], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("architecture", "early", "last"),
    [
        ("arch1", "block.residual.shortcut.unit1.convolution", "head.classifier"),  # conv2d_4 of Chowanda's figure 4
        ("arch2", "block.residual.shortcut.unit1.convolution", "tail"),
        ("lenet5", "convolution1", "activation2"),
        ("resnet50", "stem.convolution", "stage4"),
    ],
)
def test_layers_are_chosen_by_the_size_of_their_maps(architecture: str, early: str, last: str) -> None:
    network = create(architecture).eval()
    with torch.no_grad():
        calls = calls_of(network, lambda: network(torch.zeros(1, 1, 48, 48)))
    chosen, deepest = early_convolution(calls, (48, 48)), last_maps(calls)
    assert chosen is not None
    assert deepest is not None
    assert (chosen.path, deepest.path) == (early, last)


class Quarters(nn.Module):
    """Four quarters of an image through one shared trunk, as a batch of four times the size."""

    def __init__(self, num_classes: int, *, apart: bool = True, flat: bool = False) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Flatten(), nn.Linear(256, 8)) if flat else nn.Conv2d(1, 8, 3, padding=1)
        self.head = nn.Linear(8, num_classes)
        self.apart, self.flat = apart, flat

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if self.flat:
            return self.head(self.trunk(images))  # type: ignore[no-any-return] # of a module
        if not self.apart:
            aside = self.trunk(images).relu().mean((2, 3))
            return self.head(aside) + 0 * len(self.trunk(images.flip(-1)))  # type: ignore[no-any-return]
        parts = torch.cat([part for half in images.chunk(2, -2) for part in half.chunk(2, -1)])
        found = self.trunk(parts).relu().mean((2, 3)).view(4, len(images), 8).mean(0)
        return self.head(found)  # type: ignore[no-any-return] # of a module


@pytest.mark.usefixtures("same_registry_afterwards")
@pytest.mark.parametrize(
    ("options", "left_out", "has_maps"),
    [
        (
            {},
            {
                "feature maps": "layer trunk: it gives 4 sets of maps for 1 image",
                "Grad-CAM": "layer trunk: it gives 12 sets of maps for 3 images",
            },
            False,
        ),
        ({"apart": False}, {}, True),
        (
            {"flat": True},
            dict.fromkeys(("feature maps", "Grad-CAM"), "it has no convolution that gives maps"),
            False,
        ),
    ],
    ids=["folded", "beside", "no convolution"],
)
def test_maps_that_would_be_wrong_are_left_out_with_their_reason(
    options: dict[str, bool],
    left_out: dict[str, str],
    has_maps: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @register("quarters", description="quarters")
    def build(*, num_classes: int = 3, in_channels: int = 1, image_size: int = 16) -> nn.Module:
        return Quarters(num_classes, **options)

    folder, specs = a_run(tmp_path, make_stripes(), monkeypatch, "quarters")
    assert add_maps(folder, plan_of(specs), specs) == {}
    maps = folder.maps(specs[0].trial_id)
    assert maps is not None
    assert dict(maps.left_out) == left_out
    assert (maps.grad_cam is not None, maps.feature_maps is not None) == (has_maps, has_maps)


def test_a_network_without_convolutions_has_no_layer() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    calls = calls_of(network, lambda: network(torch.zeros(1, 1, 4, 4)))
    assert early_convolution(calls, (4, 4)) is None
    assert last_maps(calls) is None


def a_run(
    folder: Path, dataset: ImageDataset, monkeypatch: pytest.MonkeyPatch, network: str = "lenet5"
) -> tuple[RunFolder, list[TrialSpec]]:
    """Two seeds of a network on a data set in memory."""
    monkeypatch.setattr(loaded, "_load_once", lambda reference: dataset)
    budget = Budget(image_passes=24, evaluation_points=1, batch_size=12)
    specs = [trial_spec_of(dataset, network, seed, budget) for seed in (0, 1)]
    for spec in specs:
        RunFolder(folder).write_trial(run_trial(spec, dataset, CPU))
    return RunFolder(folder), specs


def plan_of(specs: list[TrialSpec]) -> list[PlannedTrial]:
    return [
        PlannedTrial(network=spec.network.name, data=spec.data.name, seed=spec.seed, trial_id=spec.trial_id)
        for spec in specs
    ]


def test_the_lowest_seed_gets_maps_of_the_data_that_may_be_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stripes = make_stripes()
    folder, specs = a_run(tmp_path, stripes, monkeypatch)
    assert add_maps(folder, plan_of(specs[::-1]), specs) == {}
    maps = folder.maps(specs[0].trial_id)
    assert maps is not None
    assert folder.maps(specs[1].trial_id) is None
    assert (maps.seed, maps.source, maps.labels) == (0, "images of stripes", stripes.class_names)
    trained = load_trained(folder, specs[0].trial_id)
    pixels = torch.from_numpy(maps.images.astype(np.float32))
    with torch.no_grad():
        np.testing.assert_array_equal(maps.predicted, trained.from_pixels(pixels).argmax(1).numpy())
        layer = trained.network.get_submodule(maps.layer)
        (channels,) = feature_maps(trained.from_pixels, layer, pixels[:1]).numpy()
    for stored, values in zip(maps.feature_maps, channels, strict=True):
        scaled = 255 * (values - values.min()) / (values.max() - values.min())
        np.testing.assert_allclose(stored, scaled, atol=0.51)
    assert maps.grad_cam.shape == (3, 16, 16)


def test_maps_that_are_there_stay_and_missing_ones_are_added_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, specs = a_run(tmp_path, make_stripes(), monkeypatch)
    file = folder.trial_folder(specs[0].trial_id) / MAPS_FILE
    add_maps(folder, plan_of(specs), specs)
    first, written = file.read_bytes(), file.stat().st_mtime_ns
    add_maps(folder, plan_of(specs), specs)
    assert file.stat().st_mtime_ns == written
    file.unlink()
    add_maps(folder, plan_of(specs), specs)
    assert file.read_bytes() == first


def test_faces_that_may_not_be_shown_give_way_to_rendered_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people = secret_faces()
    folder, specs = a_run(tmp_path, people, monkeypatch)
    monkeypatch.setattr(loaded, "_load_once", None)  # any call would raise
    assert add_maps(folder, plan_of(specs), specs) == {}
    maps = folder.maps(specs[0].trial_id)
    assert maps is not None
    assert (maps.source, maps.labels) == ("rendered faces", ("anger", "happiness"))
    secret = {image.tobytes() for image in people.images}
    assert not secret & {image.tobytes() for image in maps.images}


def test_faces_that_may_not_be_shown_are_in_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people = secret_faces(("A", "B", "C"))
    folder, specs = a_run(tmp_path, people, monkeypatch)
    assert add_maps(folder, plan_of(specs), specs) == {}
    assert not list(tmp_path.rglob(MAPS_FILE))
    shown = images_of(people)
    assert shown is not None
    maps = make_maps(load_trained(folder, specs[0].trial_id), shown)
    assert maps is not None
    with pytest.raises(ValueError, match="images of people may not be written"):
        folder.write_maps(specs[0].trial_id, maps)
    assert not list(tmp_path.rglob(MAPS_FILE))


def test_a_trial_without_weights_has_no_maps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, specs = a_run(tmp_path, make_stripes(), monkeypatch)
    (folder.trial_folder(specs[0].trial_id) / "weights.safetensors").unlink()
    assert add_maps(folder, plan_of(specs), specs) == {}
    assert not list(tmp_path.rglob(MAPS_FILE))


def test_a_failure_is_told_and_leaves_the_maps_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stripes = make_stripes()
    folder, specs = a_run(tmp_path, stripes, monkeypatch)
    changed = replace(stripes, images=255 - stripes.images)
    monkeypatch.setattr(loaded, "_load_once", lambda reference: changed)
    failures = add_maps(folder, plan_of(specs), specs)
    assert list(failures) == ["lenet5 on stripes, seed 0"]
    assert failures["lenet5 on stripes, seed 0"].startswith("The data set stripes has changed since this run was pl")
    assert not list(tmp_path.rglob(MAPS_FILE))
    assert folder.maps_left_out(specs[0].trial_id) == failures["lenet5 on stripes, seed 0"]
    monkeypatch.setattr(loaded, "_load_once", lambda reference: stripes)
    assert add_maps(folder, plan_of(specs), specs) == {}
    assert folder.maps_left_out(specs[0].trial_id) == ""
