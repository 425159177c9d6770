"""Feature maps and Grad-CAM of trained networks, on the CPU in fp32."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn

from fbench.architectures.errors import reason_of
from fbench.benchmark.device import numerics_in_force
from fbench.benchmark.executor import load_for
from fbench.benchmark.export.predict import flipped_logits
from fbench.benchmark.export.trained import CPU, TrainedNetwork, load_trained
from fbench.benchmark.map_images import ShownImages, images_to_keep
from fbench.benchmark.maps import Bytes, FaceMaps
from fbench.benchmark.numerics import choose_numerics
from fbench.benchmark.records import PlannedTrial
from fbench.benchmark.specs import TrialSpec
from fbench.benchmark.store import RunFolder
from fbench.benchmark.training.arrange import arrange_splits


@dataclass(frozen=True)
class MapCall:
    """One call of a module that gave maps: its path, and the maps' number, height and width."""

    path: str
    convolution: bool
    channels: int
    height: int
    width: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return self.channels, self.height, self.width


def add_maps(folder: RunFolder, planned: Iterable[PlannedTrial], specs: Sequence[TrialSpec]) -> dict[str, str]:
    """Write ``maps.npz`` for the finished trial of the lowest seed of each network and data set that has none yet.

    Trials without weights are left out, and so is data that neither may be shown nor has classes that can be
    rendered. What cannot be mapped does not stop the others.

    Args:
        folder: the run.
        planned: its plan, a row for each network, data set and seed.
        specs: the plan's trials, with the paths of their data.

    Returns:
        Trials whose maps could not be made, by label, with the reason.
    """
    by_id = {spec.trial_id: spec for spec in specs}
    failures: dict[str, str] = {}
    for trial_id in _first_finished(folder, planned):
        spec = by_id[trial_id]
        try:
            if not folder.has_maps(trial_id) and folder.has_weights(trial_id):
                _add(folder, spec)
        except (
            Exception,
            SystemExit,
        ) as error:  # maps are an extra: whatever a network's own code raises must not fail its run
            failures[spec.label] = reason_of(error)
    return failures


def _first_finished(folder: RunFolder, planned: Iterable[PlannedTrial]) -> list[str]:
    first: dict[tuple[str, str], str] = {}
    for row in sorted(planned, key=lambda row: row.seed):
        place = (row.network, row.data)
        if place not in first and folder.has_record(row.trial_id) and folder.trial(row.trial_id).status == "finished":
            first[place] = row.trial_id
    return list(dict.fromkeys(first.values()))


def _add(folder: RunFolder, spec: TrialSpec) -> None:
    shown = images_to_keep(spec.data, lambda: arrange_splits(load_for(spec.data), spec.protocol))
    if shown is None:
        return
    maps = make_maps(load_trained(folder, spec.trial_id, spec.data.reference), shown)
    if maps is not None:
        folder.write_maps(spec.trial_id, maps)


def make_maps(trained: TrainedNetwork, shown: ShownImages) -> FaceMaps | None:
    """Feature maps of the first image and Grad-CAM of all, normalised as the trial did; None without a convolution.

    The predicted class is the one of the trial's protocol, which may join an image with its mirror image. One thread
    computes, so that the result does not depend on how many there are.
    """
    spec, pixels = trained.record.spec, shown.images.astype(np.float32)
    with numerics_in_force(choose_numerics("cpu"), CPU):
        calls = map_calls(trained.network, lambda: trained.logits(pixels[:1]))
        layer, cam_layer = early_convolution(calls, shown.images.shape[-2:]), last_maps(calls)
        if layer is None or cam_layer is None:
            return None
        predicted = flipped_logits(trained.logits, pixels, flip=spec.protocol.test_time_flip).argmax(axis=1)
        tensor, classes = torch.from_numpy(pixels), torch.from_numpy(predicted)
        early = trained.network.get_submodule(layer.path)
        late = trained.network.get_submodule(cam_layer.path)
        first_maps = feature_maps(trained.from_pixels, early, tensor[:1])[0]
        heat = grad_cam(trained.from_pixels, late, tensor, classes)
    return FaceMaps(
        seed=spec.seed,
        source=shown.source,
        images=shown.images,
        labels=shown.labels,
        predicted=predicted.astype(np.int64),
        class_names=spec.data.class_names,
        grad_cam=_to_bytes(heat),
        cam_layer=cam_layer.path,
        feature_maps=_to_bytes(stretched(first_maps)),
        layer=layer.path,
        may_be_kept=shown.may_be_kept,
    )


def map_calls(network: nn.Module, call: Callable[[], object]) -> list[MapCall]:
    """The modules within a network that give maps (N, C, H, W), in the order in which ``call`` finishes them."""
    found: list[MapCall] = []

    def noting(path: str) -> Callable[[nn.Module, Any, Any], None]:
        def note(module: nn.Module, _: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor) and output.ndim == 4:
                found.append(MapCall(path, isinstance(module, nn.Conv2d), *output.shape[1:]))

        return note

    hooks = [module.register_forward_hook(noting(path)) for path, module in network.named_modules() if path]
    try:
        call()
    finally:
        for hook in hooks:
            hook.remove()
    return found


def early_convolution(calls: Sequence[MapCall], image_size: tuple[int, ...]) -> MapCall | None:
    """The last convolution whose map has at least half the image's side, else the last of those with the largest map.

    In ARCH-1 that is the first 1x1 convolution of the shortcut, ``conv2d_4`` in Chowanda 2021, figure 4.
    """
    found = [one for one in calls if one.convolution]
    height, width = image_size
    large = [one for one in found if 2 * one.height >= height and 2 * one.width >= width]
    largest = max((one.height * one.width for one in found), default=0)
    return next(reversed(large or [one for one in found if one.height * one.width == largest]), None)


def last_maps(calls: Sequence[MapCall]) -> MapCall | None:
    """The deepest maps that still know places: those of the last convolution with a map larger than 1x1.

    They are taken as they are passed on, after normalisation, activation and shortcut (the rectified feature maps of
    Selvaraju et al. 2017, figure 2): from the last module that gives maps of that convolution's shape.
    """
    place = next((k for k in reversed(range(len(calls))) if calls[k].convolution and _knows_places(calls[k])), None)
    if place is None:
        return None
    return next(one for one in reversed(calls) if one.shape == calls[place].shape)


def _knows_places(call: MapCall) -> bool:
    return call.height * call.width > 1


def feature_maps(network: nn.Module, layer: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """What ``layer`` gives for images (N, C, H, W) that ``network`` takes: (N, channels, h, w)."""
    with torch.no_grad(), _kept_output(layer) as kept:
        network(images)
    return kept[-1].detach()


def grad_cam(network: nn.Module, layer: nn.Module, images: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Gradient-weighted class activation maps (Selvaraju et al. 2017, Grad-CAM, equations 1 and 2).

    A channel's weight is the spatial mean of the gradient of the class's logit; the weighted sum of the maps of
    ``layer`` passes a ReLU, is enlarged bilinearly and divided by its maximum.

    Args:
        network: in evaluation mode, from images to logits (N, classes).
        layer: the module within it whose maps are taken.
        images: (N, C, H, W).
        classes: int64 (N,), the class of each image.

    Returns:
        (N, H, W) in 0 to 1, all 0 where no place speaks for the class.
    """
    with torch.enable_grad(), _kept_output(layer) as kept:
        logits = network(images)
        (gradient,) = torch.autograd.grad(logits.gather(1, classes[:, None]).sum(), kept[-1])
    heat = F.relu((gradient.mean((2, 3), keepdim=True) * kept[-1].detach()).sum(1, keepdim=True))
    large = F.interpolate(heat, size=images.shape[-2:], mode="bilinear", align_corners=False)[:, 0]
    most = large.amax((1, 2), keepdim=True)
    return torch.where(most > 0, large / torch.where(most > 0, most, 1), 0)


def stretched(maps: torch.Tensor) -> torch.Tensor:
    """Each map of (channels, h, w) from its own minimum to its maximum as 0 to 1; a flat map is 0."""
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return torch.where(high > low, (maps - low) / torch.where(high > low, high - low, 1), 0)


@contextmanager
def _kept_output(layer: nn.Module) -> Iterator[list[torch.Tensor]]:
    """What a module gave at each call, as leaves for gradients; the network goes on with copies of them.

    A copy, because a network may change its tensors in place.
    """
    kept: list[torch.Tensor] = []

    def keep(_: nn.Module, __: Any, output: torch.Tensor) -> torch.Tensor:
        kept.append(output.detach().requires_grad_())
        return kept[-1].clone()

    hook = layer.register_forward_hook(keep)
    try:
        yield kept
    finally:
        hook.remove()


def _to_bytes(values: torch.Tensor) -> Bytes:
    return np.asarray((255 * values).round().to(torch.uint8).numpy())
