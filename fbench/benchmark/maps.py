"""What a trained network makes of a few faces: feature maps and Grad-CAM, as ``maps.npz`` beside a trial's record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from fbench.architectures.errors import UserError
from fbench.benchmark.files import replacing

MAPS_FILE: Final = "maps.npz"
Bytes = npt.NDArray[np.uint8]


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
            image scaled to a maximum of 255; all 0 where nothing speaks for the class.
        cam_layer: path of the module whose maps the heat was made of.
        feature_maps: uint8 (channels, h, w), the maps of a convolution for the first image, each scaled to its own
            minimum and maximum; all 0 where a map is flat (as in Chowanda 2021, figure 4).
        layer: path of that convolution.
        may_be_kept: whether the images may be written; never those of people who did not agree to it.
    """

    seed: int
    source: str
    images: Bytes
    labels: tuple[str, ...]
    predicted: npt.NDArray[np.int64]
    class_names: tuple[str, ...]
    grad_cam: Bytes
    cam_layer: str
    feature_maps: Bytes
    layer: str
    may_be_kept: bool = False

    @property
    def predicted_names(self) -> tuple[str, ...]:
        """The class that each image was given."""
        return tuple(self.class_names[place] for place in self.predicted)


def write_maps(folder: Path, maps: FaceMaps) -> None:
    """Write ``maps.npz`` in a trial's folder; equal maps give equal bytes.

    Raises:
        ValueError: the images may not be kept.
    """
    if not maps.may_be_kept:
        raise ValueError(f"the {maps.source} may not be written")
    with replacing(folder / MAPS_FILE) as stream:
        np.savez_compressed(
            stream,
            allow_pickle=False,
            seed=np.array(maps.seed),
            source=np.array(maps.source),
            images=maps.images,
            labels=np.array(maps.labels, np.str_),
            predicted=maps.predicted,
            class_names=np.array(maps.class_names, np.str_),
            grad_cam=maps.grad_cam,
            cam_layer=np.array(maps.cam_layer),
            feature_maps=maps.feature_maps,
            layer=np.array(maps.layer),
        )


def read_maps(folder: Path) -> FaceMaps | None:
    """What :func:`write_maps` wrote, or None where a trial has no maps.

    Raises:
        UserError: the file is damaged.
    """
    file = folder / MAPS_FILE
    if not file.exists():
        return None
    try:
        with np.load(file, allow_pickle=False) as archive:
            found = dict(archive)
        return FaceMaps(
            seed=int(found["seed"]),
            source=str(found["source"]),
            images=found["images"],
            labels=tuple(found["labels"].tolist()),
            predicted=found["predicted"],
            class_names=tuple(found["class_names"].tolist()),
            grad_cam=found["grad_cam"],
            cam_layer=str(found["cam_layer"]),
            feature_maps=found["feature_maps"],
            layer=str(found["layer"]),
            may_be_kept=True,
        )
    except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
        raise UserError(f"{file} cannot be read ({error}); delete it, and the same run makes it again.") from error
