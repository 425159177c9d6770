"""What does int8 cost in accuracy? ``python -m tests.calibration.quantisation RUN [--data fer2013=PATH]``.

Every finished trial of RUN that has its weights is taken as PyTorch in fp32, as ONNX Runtime in fp32, and quantised to
int8 (static, calibrated on training images), all on the CPU with the trial's own normalisation and test-time flip, and
classifies the validation and the test split. ``quantisation.csv`` in ``--out`` gets a line for each trial, split and
backend: accuracy, its paired difference to PyTorch with the 95 % interval over images, the share of images with
PyTorch's class, the largest deviation of a logit as a share of the largest logit, and the size of the file. Trials that
have their lines are passed over, so that the command goes on where it stopped. Each reading of a test split enters the
ledger; a trial whose protocol never reads it is measured on the validation split alone. The predicted classes are kept
beside the table, and ``summary.csv`` has from them what int8 costs each network over all seeds, with both intervals.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from safetensors.torch import save

from fbench.benchmark.data.dataset import ImageDataset, SplitName
from fbench.benchmark.data.references import parse_reference
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.export.calibration import IMAGES, calibration_pixels
from fbench.benchmark.export.formats import Logits
from fbench.benchmark.export.int8 import quantise
from fbench.benchmark.export.onnx_file import onnx_bytes
from fbench.benchmark.export.onnx_session import deviation, open_session, require_equal
from fbench.benchmark.export.predict import flipped_logits
from fbench.benchmark.export.trained import TrainedNetwork, data_of, load_trained
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.store.ledger import log_later_reading
from fbench.benchmark.store.run_folder import WEIGHTS_FILE, RunFolder
from fbench.core.files import replacing
from fbench.core.machine import describe_machine
from fbench.statistics.comparison.paired import compare
from tests.csv_tables import rounded, write_rows

BATCH: Final = 256
REFERENCE: Final = "pytorch_fp32"
FILE: Final = "quantisation.csv"
PREDICTIONS: Final = "predictions"


@dataclass(frozen=True)
class Backend:
    """One way to compute a network: from pixels to logits, and the bytes that its file takes."""

    name: str
    logits: Logits
    size_bytes: int


def main() -> None:
    """Measure the trials that have no lines yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--calibration-images", type=int, default=IMAGES)
    parser.add_argument("--out", type=Path, default=Path("results") / "quantisation")
    given = parser.parse_args()
    references = [parse_reference(text) for text in given.data]
    rows = measure_run(RunFolder.open(given.run), references, given.calibration_images, given.out / FILE)
    write_rows(given.out / "summary.csv", summarise(rows, given.out / PREDICTIONS))


def measure_run(
    folder: RunFolder, references: Sequence[DataReference], calibration_images: int, file: Path
) -> list[dict[str, Any]]:
    """Add the lines of every trial that has none to ``file``; all lines of the file."""
    rows = read_lines(file)
    done = {row["trial_id"] for row in rows}
    for record in measurable(folder):
        if record.trial_id in done:
            continue
        by_name = {reference.name: reference for reference in references}
        reference = by_name.get(record.spec.data.reference.name)
        new = measure_trial(folder, record, reference, calibration_images, file.parent / PREDICTIONS)
        rows += new
        write_lines(file, rows)
        for row in new:
            print(*(f"{key} {value}" for key, value in row.items()), sep=", ")  # noqa: T201 - a script reports by printing
    return rows


def measurable(folder: RunFolder) -> Iterator[TrialRecord]:
    """The finished trials whose weights lie beside their records, by network and seed."""
    records = sorted(folder.trials().values(), key=lambda record: (record.spec.network.name, record.spec.seed))
    for record in records:
        if record.status == "finished" and (folder.trial_folder(record.trial_id) / WEIGHTS_FILE).is_file():
            yield record


def measure_trial(
    folder: RunFolder, record: TrialRecord, reference: DataReference | None, calibration_images: int, kept: Path
) -> list[dict[str, Any]]:
    """A line for each split and backend; the classes predicted go to ``kept``."""
    spec = record.spec
    dataset = data_of(spec, reference)
    backends = backends_of(load_trained(folder, record.trial_id, reference), dataset, calibration_images)
    about = {"trial_id": record.trial_id, "network": spec.network.name, "data": spec.data.name, "seed": spec.seed}
    rows = []
    for split in splits_of(spec):
        chosen = dataset.rows(split)
        labels = dataset.labels[chosen]
        logits = {}
        for backend in backends:
            if split == "test":
                log_later_reading(record, int(chosen.size), f"accuracy of {backend.name}")
            logits[backend.name] = classify(backend.logits, dataset.images[chosen], flip=spec.protocol.test_time_flip)
        classes = {name: found.argmax(1).astype(np.uint8) for name, found in logits.items()}
        keep_predictions(kept, record.trial_id, split, labels, classes)
        for backend in backends:
            measured = line(logits[backend.name], logits[REFERENCE], labels)
            rows.append(
                {
                    **about,
                    "split": split,
                    "backend": backend.name,
                    **rounded(measured, 6),
                    "size_bytes": backend.size_bytes,
                    "calibration_images": calibration_images,
                    "processor": describe_machine().processor,
                }
            )
    return rows


def backends_of(trained: TrainedNetwork, dataset: ImageDataset, calibration_images: int) -> list[Backend]:
    """PyTorch, ONNX Runtime, and ONNX Runtime in int8; ONNX is checked against PyTorch first."""
    shape = trained.record.spec.network.input_shape
    pixels = calibration_pixels(dataset, calibration_images)
    exported = onnx_bytes(trained.from_pixels, shape)
    session = open_session(exported, None)
    require_equal(trained.from_pixels, session, shape, images=pixels[:8])
    quantised = quantise(exported, (pixels[start : start + 64] for start in range(0, len(pixels), 64)))
    weights = save({key: value.contiguous() for key, value in trained.network.state_dict().items()})
    return [
        Backend(REFERENCE, trained.logits, len(weights)),
        Backend("onnxruntime_fp32", session.logits, len(exported)),
        Backend("onnxruntime_int8", open_session(quantised, None).logits, len(quantised)),
    ]


def splits_of(spec: TrialSpec) -> tuple[SplitName, ...]:
    """The splits that the trial's protocol reads."""
    if spec.protocol.test_split == "merged_with_validation":
        return ("test",)
    return ("validation",) if spec.protocol.test == "none" else ("validation", "test")


def classify(logits: Logits, images: npt.NDArray[np.uint8], *, flip: bool) -> npt.NDArray[np.float64]:
    """Logits (N, classes) of images uint8 (N, C, H, W)."""
    parts = [images[start : start + BATCH].astype(np.float32) for start in range(0, len(images), BATCH)]
    return np.concatenate([flipped_logits(logits, part, flip=flip) for part in parts])


def line(
    logits: npt.NDArray[np.float64], reference: npt.NDArray[np.float64], labels: npt.NDArray[np.uint8]
) -> dict[str, object]:
    """Accuracy and the paired difference to the reference, with its interval over images (one training)."""
    predicted, expected = logits.argmax(1), reference.argmax(1)
    differences = (predicted == labels).astype(np.int8) - (expected == labels).astype(np.int8)
    difference = compare(differences[None]).new_images
    return {
        "images": int(labels.size),
        "top1": float((predicted == labels).mean()),
        "difference": difference.estimate,
        "difference_low": difference.low,
        "difference_high": difference.high,
        "agreement": float((predicted == expected).mean()),
        "largest_deviation": f"{deviation(logits, reference):.1e}",
    }


def keep_predictions(
    folder: Path,
    trial_id: str,
    split: SplitName,
    labels: npt.NDArray[np.uint8],
    classes: dict[str, npt.NDArray[np.uint8]],
) -> None:
    """The labels, and the class that each backend gives each image, all uint8 (images,)."""
    folder.mkdir(parents=True, exist_ok=True)
    stream = io.BytesIO()
    np.savez_compressed(stream, labels=labels, **classes)
    with replacing(folder / f"{trial_id}-{split}.npz") as target:
        target.write(stream.getvalue())


def summarise(rows: Sequence[dict[str, Any]], kept: Path) -> list[dict[str, object]]:
    """For each network, split and backend but PyTorch: the difference to PyTorch in points, over all seeds."""
    found: list[dict[str, object]] = []
    keys = dict.fromkeys((row["network"], row["split"], row["backend"]) for row in rows if row["backend"] != REFERENCE)
    for network, split, backend in keys:
        chosen = [row for row in rows if (row["network"], row["split"], row["backend"]) == (network, split, backend)]
        differences = np.array([difference_of(kept / f"{row['trial_id']}-{split}.npz", backend) for row in chosen])
        compared = compare(differences)
        found.append(
            {
                "network": network,
                "split": split,
                "backend": backend,
                "seeds": len(chosen),
                "top1_percent": round(100 * float(np.mean([float(row["top1"]) for row in chosen])), 2),
                "difference_points": points(compared.new_images.estimate),
                "new_images_low": points(compared.new_images.low),
                "new_images_high": points(compared.new_images.high),
                "this_test_set_low": points(compared.this_test_set.low),
                "this_test_set_high": points(compared.this_test_set.high),
                "agreement_percent": round(100 * float(np.mean([float(row["agreement"]) for row in chosen])), 2),
                "size_bytes": int(chosen[0]["size_bytes"]),
            }
        )
    return found


def difference_of(file: Path, backend: str) -> npt.NDArray[np.int8]:
    """Correctness of a backend less that of PyTorch, for each image: -1, 0 or 1."""
    with np.load(file) as arrays:
        right = {name: (arrays[name] == arrays["labels"]).astype(np.int8) for name in (backend, REFERENCE)}
    return right[backend] - right[REFERENCE]


def points(share: float) -> float:
    """A fraction as percentage points."""
    return round(100 * share, 3)


def read_lines(file: Path) -> list[dict[str, Any]]:
    """The lines so far; none where there is no file."""
    if not file.exists():
        return []
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def write_lines(file: Path, rows: Sequence[dict[str, Any]]) -> None:
    """All lines, whole or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with replacing(file) as stream:
        stream.write(text.getvalue().encode())


if __name__ == "__main__":
    main()
