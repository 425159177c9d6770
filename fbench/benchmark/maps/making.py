"""Feature maps and Grad-CAM of trained networks, on the CPU in fp32."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import nn

from fbench.benchmark.data.loaded import load_for
from fbench.benchmark.export.predict import flipped_logits
from fbench.benchmark.export.trained import CPU, TrainedNetwork, load_trained
from fbench.benchmark.machine.device import numerics_in_force
from fbench.benchmark.maps.face_maps import Bytes, FaceMaps
from fbench.benchmark.maps.grad_cam import NoGradientError, feature_maps, grad_cam, stretched
from fbench.benchmark.maps.images import ShownImages, images_to_keep
from fbench.benchmark.maps.positions import MapsLeftOutError
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.records.trial_records import PlannedTrial
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.training.arrange import arrange_splits
from fbench.benchmark.training.foreign_code import load_named_code
from fbench.core.errors import reason_of

_MOST_TRIED: Final = 4  # layers whose maps the answer may not depend on


@dataclass(frozen=True)
class MapCall:
    """One call of a module that gave maps: its path, and the maps' number, height and width.

    ``turn`` counts the calls of the module in one pass, from 0.
    """

    path: str
    convolution: bool
    channels: int
    height: int
    width: int
    turn: int = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return self.channels, self.height, self.width


def add_maps(
    folder: RunFolder,
    planned: Iterable[PlannedTrial],
    specs: Sequence[TrialSpec],
    add: Callable[[RunFolder, TrialSpec], None] | None = None,
) -> dict[str, str]:
    """Write ``maps.npz`` for the finished trial of the lowest seed of each network and data set that has none yet.

    Trials without weights are left out, and so is data that neither may be shown nor has classes that can be
    rendered. What cannot be mapped does not stop the others.

    Args:
        folder: the run.
        planned: its plan, a row for each network, data set and seed.
        specs: the plan's trials, with the paths of their data.
        add: writes the maps of one trial, as :func:`add_maps_of` does.

    Returns:
        Trials whose maps could not be made, by label, with the reason; it is kept beside the trial for the report.
    """
    by_id = {spec.trial_id: spec for spec in specs}
    failures: dict[str, str] = {}
    for trial_id in _first_finished(folder, planned):
        spec = by_id[trial_id]
        try:
            if not folder.has_maps(trial_id) and folder.has_weights(trial_id):
                (add or _add)(folder, spec)
        except (Exception, SystemExit) as error:  # maps are an extra: whatever a network's own code raises
            failures[spec.label] = reason_of(error)
            folder.write_maps_left_out(trial_id, failures[spec.label])
    return failures


def _first_finished(folder: RunFolder, planned: Iterable[PlannedTrial]) -> list[str]:
    first: dict[tuple[str, str], str] = {}
    for row in sorted(planned, key=lambda row: row.seed):
        pair = (row.network, row.data)
        if pair not in first and folder.has_record(row.trial_id) and folder.trial(row.trial_id).status == "finished":
            first[pair] = row.trial_id
    return list(dict.fromkeys(first.values()))


def _add(folder: RunFolder, spec: TrialSpec) -> None:
    add_maps_of(folder, spec, folder)


def add_maps_of(folder: RunFolder, spec: TrialSpec, target: RunFolder) -> None:
    """Make the maps of a finished trial of ``folder`` and write them into ``target``; none where no image may be kept.

    Raises:
        Exception: of any type, of the network's own code.
    """
    shown = images_to_keep(spec.data, lambda: arrange_splits(load_for(spec.data), spec.protocol))
    if shown is None:
        return
    load_named_code(spec.network)
    target.write_maps(spec.trial_id, make_maps(load_trained(folder, spec.trial_id, spec.data.reference), shown))


def make_maps(trained: TrainedNetwork, shown: ShownImages) -> FaceMaps:
    """Feature maps of the first image and Grad-CAM of all, normalised as the trial did; what has none says why.

    The predicted class is the one of the trial's protocol, which may join an image with its mirror image. One thread
    computes, so that the result does not depend on how many there are.
    """
    spec, pixels = trained.record.spec, shown.images.astype(np.float32)
    left_out: list[tuple[str, str]] = []
    with numerics_in_force(choose_numerics("cpu"), CPU):
        predicted = flipped_logits(trained.logits, pixels, flip=spec.protocol.test_time_flip).argmax(axis=1)
        tensor, classes = torch.from_numpy(pixels), torch.from_numpy(predicted)
        calls = map_calls(trained.network, lambda: trained.logits(pixels[:1]))
        channels = _attempt("feature maps", left_out, lambda: _early_maps(trained, calls, tensor[:1]))
        heat = _attempt("Grad-CAM", left_out, lambda: _deep_heat(trained, calls, tensor, classes))
    return FaceMaps(
        seed=spec.seed,
        source=shown.source,
        images=shown.images,
        labels=shown.labels,
        predicted=predicted.astype(np.int64),
        class_names=spec.data.class_names,
        grad_cam=heat.values if heat else None,
        cam_layer=heat.layer if heat else "",
        feature_maps=channels.values if channels else None,
        layer=channels.layer if channels else "",
        left_out=tuple(left_out),
        may_be_kept=shown.may_be_kept,
    )


class _Made(NamedTuple):
    """Maps as bytes, and the path of the layer that they are of."""

    values: Bytes
    layer: str


def _attempt(what: str, left_out: list[tuple[str, str]], make: Callable[[], _Made]) -> _Made | None:
    """What ``make`` gives, or none and its reason: a network's own code may raise anything at all."""
    try:
        return make()
    except MapsLeftOutError as reason:
        left_out.append((what, str(reason)))
    except Exception as error:  # maps are an extra
        left_out.append((what, f"{type(error).__name__}: {' '.join(str(error).split())}"))
    return None


def _early_maps(trained: TrainedNetwork, calls: Sequence[MapCall], image: torch.Tensor) -> _Made:
    layer = early_convolution(calls, tuple(image.shape[-2:]))
    if layer is None:
        raise MapsLeftOutError("it has no convolution that gives maps")
    with _naming(layer):
        module = trained.network.get_submodule(layer.path)
        maps = feature_maps(trained.from_pixels, module, image, layer.turn)[0]
        if not torch.isfinite(maps).all():
            raise MapsLeftOutError("its maps are not finite")
    return _Made(_to_bytes(stretched(maps)), layer.path)


def _deep_heat(trained: TrainedNetwork, calls: Sequence[MapCall], images: torch.Tensor, classes: torch.Tensor) -> _Made:
    """Grad-CAM of the deepest maps that the answer depends on: what a network computes beside it may come last."""
    reason = MapsLeftOutError("it has no convolution that gives maps")
    for layer in islice(deepest_maps(calls), _MOST_TRIED):
        try:
            with _naming(layer):
                module = trained.network.get_submodule(layer.path)
                return _Made(_to_bytes(grad_cam(trained.from_pixels, module, images, classes)), layer.path)
        except NoGradientError as error:
            reason = error
    raise reason


@contextmanager
def _naming(layer: MapCall) -> Iterator[None]:
    """Reasons begin with the layer that they are about."""
    try:
        yield
    except MapsLeftOutError as error:
        raise type(error)(f"layer {layer.path}: {error}") from error


def map_calls(network: nn.Module, call: Callable[[], object]) -> list[MapCall]:
    """The modules within a network that give maps (N, C, H, W), in the order in which ``call`` finishes them."""
    found: list[MapCall] = []
    turns: Counter[str] = Counter()

    def noting(path: str) -> Callable[[nn.Module, Any, Any], None]:
        def note(module: nn.Module, _: Any, output: Any) -> None:
            turn = turns[path]
            turns[path] += 1
            if isinstance(output, torch.Tensor) and output.ndim == 4 and output.is_floating_point():
                channels, height, width = output.shape[1:]
                found.append(MapCall(path, isinstance(module, nn.Conv2d), channels, height, width, turn))

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
    index = next((k for k in reversed(range(len(calls))) if calls[k].convolution and _knows_positions(calls[k])), None)
    if index is None:
        return None
    return next(one for one in reversed(calls) if one.shape == calls[index].shape)


def deepest_maps(calls: Sequence[MapCall]) -> Iterator[MapCall]:
    """As :func:`last_maps`, then the same of the calls before that last convolution, and so on."""
    rest = list(calls)
    while (found := last_maps(rest)) is not None:
        yield found
        rest = rest[: max(k for k, one in enumerate(rest) if one.convolution and _knows_positions(one))]


def _knows_positions(call: MapCall) -> bool:
    return call.height * call.width > 1


def _to_bytes(values: torch.Tensor) -> Bytes:
    return np.asarray((255 * values).round().to(torch.uint8).numpy())
