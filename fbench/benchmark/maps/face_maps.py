"""What a trained network makes of a few faces: feature maps and Grad-CAM, as ``maps.npz`` beside a trial's record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

import numpy as np
import numpy.typing as npt

from fbench.core.array_text import AS_TEXT
from fbench.core.bounded import plain_text, read_bytes
from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError
from fbench.core.npz import read_npz, write_npz

MAPS_FILE: Final = "maps.npz"
LEFT_OUT_FILE: Final = "maps_left_out.txt"
_MOST_REASON_BYTES: Final = 100_000
Bytes = Annotated[npt.NDArray[np.uint8], *AS_TEXT]


@dataclass(frozen=True)
class FaceMaps:
    """N images, the class that a trained network gives each, and where in them it looks.

    Attributes:
        seed: of the trial whose network it is.
        source: what the images are, in words: "rendered faces", or "images of" a data set.
        images: uint8 (N, C, H, W), as the network saw them before normalisation.
        labels: what each image shows, a name of ``class_names``.
        predicted: int64 (N,), indices into ``class_names``.
        class_names: the classes of the network, in order.
        grad_cam: uint8 (N, H, W), the heat for the predicted class (Selvaraju et al. 2017, equations 1 and 2), each
            image scaled to a maximum of 255; all 0 where nothing speaks for the class. None where there is none that
            could be right.
        cam_layer: path of the module whose maps the heat was made of, or empty.
        feature_maps: uint8 (channels, h, w), the maps of a convolution for the first image, each scaled to its own
            minimum and maximum; all 0 where a map is flat (as in Chowanda 2021, figure 4). None where no convolution
            gives any.
        layer: path of that convolution, or empty.
        left_out: what there is none of, "Grad-CAM" or "feature maps", each with the reason.
        may_be_kept: whether the images may be written; never those of people who did not agree to it.
    """

    seed: int
    source: str
    images: Bytes
    labels: tuple[str, ...]
    predicted: Annotated[npt.NDArray[np.int64], *AS_TEXT]
    class_names: tuple[str, ...]
    grad_cam: Bytes | None
    cam_layer: str
    feature_maps: Bytes | None
    layer: str
    left_out: tuple[tuple[str, str], ...] = ()
    may_be_kept: bool = False

    @property
    def predicted_names(self) -> tuple[str, ...]:
        """The class that each image was given."""
        return tuple(self.class_names[index] for index in self.predicted)


def write_maps(folder: ContainedPath, maps: FaceMaps) -> None:
    """Write ``maps.npz`` in a trial's folder; equal maps give equal bytes.

    Raises:
        ValueError: the images may not be kept.
    """
    if not maps.may_be_kept:
        raise ValueError(f"the {maps.source} may not be written")
    with (folder / MAPS_FILE).replacing() as stream:
        write_npz(
            stream,
            {
                "seed": np.array(maps.seed),
                "source": np.array(maps.source),
                "images": maps.images,
                "labels": np.array(maps.labels, np.str_),
                "predicted": maps.predicted,
                "class_names": np.array(maps.class_names, np.str_),
                **({} if maps.grad_cam is None else {"grad_cam": maps.grad_cam}),
                "cam_layer": np.array(maps.cam_layer),
                **({} if maps.feature_maps is None else {"feature_maps": maps.feature_maps}),
                "layer": np.array(maps.layer),
                **({"left_out": np.array(maps.left_out, np.str_)} if maps.left_out else {}),
            },
        )
    (folder / LEFT_OUT_FILE).remove()


def read_maps(folder: ContainedPath) -> FaceMaps | None:
    """What :func:`write_maps` wrote, or None where a trial has no maps.

    Raises:
        UserError: the file is damaged.
    """
    file = folder / MAPS_FILE
    if not file.exists():
        return None
    try:
        found = read_npz(file)
        maps = FaceMaps(
            seed=int(_one(found["seed"], "iu")),
            source=_one(found["source"], "U"),
            images=found["images"],
            labels=_texts(found["labels"]),
            predicted=found["predicted"],
            class_names=_texts(found["class_names"]),
            grad_cam=found.get("grad_cam"),
            cam_layer=_one(found["cam_layer"], "U"),
            feature_maps=found.get("feature_maps"),
            layer=_one(found["layer"], "U"),
            left_out=_pairs(found.get("left_out", np.zeros((0, 2), np.str_))),
            may_be_kept=True,
        )
        _require_shapes(maps)
        return _with_heat_of_its_images(maps)
    except (OSError, KeyError, ValueError, TypeError, IndexError) as error:
        raise UserError(f"{file} cannot be read ({error}); delete it, and the same run makes it again.") from error


def _one(value: npt.NDArray[Any], kinds: str) -> str:
    """A single number or text of an array without sides."""
    if value.ndim or value.dtype.kind not in kinds:
        raise ValueError(f"an array is {value.dtype} of shape {value.shape}, and one value is wanted")
    return plain_text(str(value))


def _texts(values: npt.NDArray[Any]) -> tuple[str, ...]:
    if values.ndim != 1 or values.dtype.kind != "U":
        raise ValueError(f"an array is {values.dtype} of shape {values.shape}, and texts are wanted")
    return tuple(plain_text(str(value)) for value in values)


def _pairs(values: npt.NDArray[Any]) -> tuple[tuple[str, str], ...]:
    if values.ndim != 2 or values.shape[1] != 2 or values.dtype.kind != "U":
        raise ValueError(f"an array is {values.dtype} of shape {values.shape}, and pairs of texts are wanted")
    return tuple((plain_text(str(what)), plain_text(str(reason))) for what, reason in values)


def _require_shapes(maps: FaceMaps) -> None:
    images, heat, features = maps.images, maps.grad_cam, maps.feature_maps
    fits = images.ndim == 4 and images.dtype == np.uint8 and len(maps.labels) == len(images) > 0
    fits &= maps.predicted.shape == (len(images),) and maps.predicted.dtype.kind in "iu"
    fits &= heat is None or (heat.ndim == 3 and heat.dtype == np.uint8)
    fits &= features is None or (features.ndim == 3 and features.dtype == np.uint8)
    if not fits or not ((maps.predicted >= 0) & (maps.predicted < len(maps.class_names))).all():
        raise ValueError("its arrays do not fit each other")


def _with_heat_of_its_images(maps: FaceMaps) -> FaceMaps:
    """The maps without heat that is not one for each image, as an earlier version wrote of layers that fold images."""
    wanted = (len(maps.images), *maps.images.shape[-2:])
    if maps.grad_cam is None or maps.grad_cam.shape == wanted:
        return maps
    reason = f"layer {maps.cam_layer}: it gives {len(maps.grad_cam):,} sets of maps for {len(maps.images):,} images"
    return replace(maps, grad_cam=None, cam_layer="", left_out=(*maps.left_out, ("Grad-CAM", reason)))


def write_maps_left_out(folder: ContainedPath, reason: str) -> None:
    """Keep why a trial has no maps at all, beside where they would be."""
    with (folder / LEFT_OUT_FILE).replacing() as stream:
        stream.write(" ".join(reason.split()).encode("utf-8", "replace"))


def read_maps_left_out(folder: ContainedPath) -> str:
    """What :func:`write_maps_left_out` wrote; empty where it did not."""
    file = folder / LEFT_OUT_FILE
    return read_bytes(file, _MOST_REASON_BYTES).decode("utf-8", "replace") if file.is_file() else ""
