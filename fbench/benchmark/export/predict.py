"""Image files to classes with their probabilities, by a trained network or by a file exported from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax, softmax

from fbench.benchmark.data.images.decoding import UnusableImageError, conversion_rule, decode_image
from fbench.benchmark.data.images.image_tree import files_below, is_image_name
from fbench.benchmark.data.references import parse_reference
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.export.formats import Logits, needs_code, open_exported
from fbench.benchmark.export.trained import find_trial, load_trained
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.run_table import RunTable
from fbench.benchmark.training.foreign_code import require_code
from fbench.benchmark.workers.asking import users_networks_at_work
from fbench.benchmark.workers.questions import Tell, question
from fbench.core.arguments import typed_arguments
from fbench.core.errors import UserError, readable
from fbench.core.paths import expanded
from fbench.core.schema import FrozenModel

_BATCH: Final = 256
_CHANNELS: Final = (1, 3)


class ImagePrediction(FrozenModel):
    """The most probable class of an image file, and the probability of every class, the most probable first."""

    image: str
    predicted: str
    probabilities: dict[str, float]


class SkippedImage(FrozenModel):
    """A file that gave no image, with the reason as a phrase: "is cut short or damaged"."""

    image: str
    reason: str


class PredictedImages(FrozenModel):
    """What a network makes of image files; ``conversion`` is the rule by which they became its input."""

    trial_id: str
    network: str
    model: str
    """The exported file, or the trained weights."""
    class_names: tuple[str, ...]
    conversion: str
    test_time_flip: bool
    images: tuple[ImagePrediction, ...]
    skipped: tuple[SkippedImage, ...]


@typed_arguments
def predict(
    run: str | Path | RunTable,
    trial: str,
    images: str | Path | Iterable[str | Path],
    *,
    model: str | Path | None = None,
    data: str | None = None,
    trust: str | None = None,
    plugins: Sequence[str | Path] = (),
) -> PredictedImages:
    """Classify image files, one or many, with the trained network of a trial, or with ``model``, exported from it.

    A folder stands for all images below it. Files that give no image are named in ``skipped``. Computed in fp32 on
    the CPU; where the trial's protocol flips at test time, so does this. ``data`` (``NAME=PATH``) is needed only by
    trials whose record does not hold their normalisation. ``trust`` as of
    :func:`fbench.benchmark.training.networks.load_model`; ``plugins`` are files that register networks. A user's
    network that this session has not registered itself runs in a worker process.

    Raises:
        UserError: no such run, trial or model, a model of another trial, or not one image that could be read.
    """
    folder = run.folder if isinstance(run, RunTable) else RunFolder.open(expanded(run))
    trial_id = find_trial(folder, trial)
    asked = question(
        classify,
        folder.path,
        trial_id,
        [expanded(image) for image in ([images] if isinstance(images, str | Path) else images)],
        model=None if model is None else str(model),
        data=parse_reference(data) if data else None,
        trust=trust,
    )
    with users_networks_at_work([expanded(file) for file in plugins]) as users:
        return users.ask_trained(folder.trial(trial_id).spec.network, asked)


def classify(
    tell: Tell,
    run: Path,
    trial_id: str,
    images: list[Path],
    model: str | None,
    data: DataReference | None,
    trust: str | None,
) -> PredictedImages:
    """What :func:`predict` asks of the network of a trial.

    Raises:
        UserError: as there.
    """
    folder = RunFolder(run)
    logits = _classifier(folder, trial_id, model, data, trust)
    spec = folder.trial(trial_id).spec
    shape = spec.network.input_shape
    if shape[0] not in _CHANNELS:
        raise UserError(f"The network '{spec.network.name}' takes {shape[0]} channels, and image files give 1 or 3.")
    skipped: list[SkippedImage] = []
    found: list[ImagePrediction] = []
    for names, pixels in _batches(images, shape, skipped):
        tell("")
        chances = probabilities(logits, pixels, flip=spec.protocol.test_time_flip)
        found += [_prediction(name, row, spec.data.class_names) for name, row in zip(names, chances, strict=True)]
    if not found:
        reasons = ", ".join(f"{skip.image} {skip.reason}" for skip in skipped[:3])
        raise UserError(
            f"No image could be read ({reasons or 'none was given'}{', ...' if len(skipped) > 3 else ''}); give files "
            "of images, or folders of them."
        )
    return PredictedImages(
        trial_id=trial_id,
        network=spec.network.name,
        model="trained weights" if model is None else model,
        class_names=spec.data.class_names,
        conversion=conversion_rule(shape),
        test_time_flip=spec.protocol.test_time_flip,
        images=tuple(found),
        skipped=tuple(skipped),
    )


def probabilities(logits: Logits, pixels: npt.NDArray[np.float32], *, flip: bool) -> npt.NDArray[np.float64]:
    """Probabilities (N, classes) of pixels 0 to 255, float32 (N, C, H, W).

    With ``flip`` from the mean of the log-probabilities of each image and its mirror image, as in evaluation.
    """
    return np.asarray(softmax(flipped_logits(logits, pixels, flip=flip), axis=1))


def flipped_logits(logits: Logits, pixels: npt.NDArray[np.float32], *, flip: bool) -> npt.NDArray[np.float64]:
    """Logits (N, classes), with ``flip`` the mean log-probabilities of each image and its mirror image."""
    found = logits(pixels).astype(np.float64)
    if not flip:
        return found
    mirrored = logits(np.ascontiguousarray(pixels[..., ::-1])).astype(np.float64)
    return np.asarray((log_softmax(found, axis=1) + log_softmax(mirrored, axis=1)) / 2)


def _classifier(
    folder: RunFolder, trial_id: str, model: str | None, data: DataReference | None, trust: str | None
) -> Logits:
    if model is None:
        return load_trained(folder, trial_id, data, trust).logits
    file, network = expanded(model), folder.trial(trial_id).spec.network
    if needs_code(file):
        require_code(folder, network, trust)
    return open_exported(file, network, trial_id)[1]


def _batches(
    images: Iterable[Path], shape: tuple[int, int, int], skipped: list[SkippedImage]
) -> Iterator[tuple[list[str], npt.NDArray[np.float32]]]:
    """Names and pixels in batches; what gives no image is added to ``skipped``."""
    names: list[str] = []
    pixels: list[npt.NDArray[np.uint8]] = []
    for path in _files(images, skipped):
        try:
            pixels.append(decode_image(path, shape))
        except UnusableImageError as error:
            skipped.append(_skip(path, str(error)))
            continue
        names.append(_shown(path))
        if len(names) == _BATCH:
            yield names, np.stack(pixels).astype(np.float32)
            names, pixels = [], []
    if names:
        yield names, np.stack(pixels).astype(np.float32)


def _files(images: Iterable[Path], skipped: list[SkippedImage]) -> Iterator[Path]:
    """The files given, and the images below the folders given, by name."""
    for path in images:
        if not path.exists():
            skipped.append(_skip(path, "does not exist"))
        elif path.is_dir():
            below = [Path(name) for name, _, problem in files_below(str(path), str(path)) if not problem]
            inside = [file for file in below if is_image_name(file.name)]
            if not inside:
                skipped.append(_skip(path, "is a folder without images"))
            yield from inside
        else:
            yield path


def _prediction(name: str, chances: npt.NDArray[np.float64], class_names: tuple[str, ...]) -> ImagePrediction:
    order = np.argsort(-chances, kind="stable")
    return ImagePrediction(
        image=name,
        predicted=class_names[int(order[0])],
        probabilities={class_names[int(index)]: float(chances[index]) for index in order},
    )


def _skip(path: Path, reason: str) -> SkippedImage:
    return SkippedImage(image=_shown(path), reason=reason)


def _shown(path: Path) -> str:
    """The path as text that can be printed, whatever bytes it holds."""
    return readable(str(path))
