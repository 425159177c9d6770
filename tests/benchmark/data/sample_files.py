"""Small files in the layouts that the loaders read, made from a seed, and the arrays they hold."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

FER2013_CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
USAGES = ("Training", "PublicTest", "PrivateTest")
CK_CLASSES = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")


def random_images(count: int, seed: int = 0, size: int = 48) -> np.ndarray:
    """uint8 (count, size, size)."""
    return np.random.default_rng(seed).integers(0, 256, (count, size, size), dtype=np.uint8)


def pixel_text(image: np.ndarray) -> str:
    return " ".join(map(str, image.ravel().tolist()))


def fer2013_lines(labels: Sequence[int], usages: Sequence[str], images: np.ndarray) -> list[str]:
    """The lines of fer2013.csv, header first, without line ends."""
    rows = zip(labels, images, usages, strict=True)
    return ["emotion,pixels,Usage", *(f"{label},{pixel_text(image)},{usage}" for label, image, usage in rows)]


def small_fer2013(seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Six rows, two of each Usage, labels 0 1 2 3 5 6: lines and images."""
    images = random_images(6, seed)
    usages = ["Training", "PublicTest", "PrivateTest", "Training", "PublicTest", "PrivateTest"]
    return fer2013_lines([0, 1, 2, 3, 5, 6], usages, images), images


def kaggle_train_lines(of_each: int = 20, seed: int = 0) -> list[str]:
    """The lines of Kaggle's train.csv, so many of each class, without line ends; row k has the label k modulo 7."""
    images = random_images(7 * of_each, seed)
    return ["emotion,pixels", *(f'{row % 7},"{pixel_text(image)}"' for row, image in enumerate(images))]


def write_lines(path: Path, lines: Sequence[str]) -> Path:
    path.write_bytes(("\n".join(lines) + "\n").encode())
    return settle(path)


def settle(path: Path, time_s: int = 1_600_000_000) -> Path:
    """Date a file, or all below a folder, long enough ago for the cache to trust its time."""
    for file in [path, *path.rglob("*")] if path.is_dir() else [path]:
        os.utime(file, (time_s, time_s))
    return path


def write_png(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
    return path


def write_tree(root: Path, files: dict[str, np.ndarray]) -> Path:
    """PNG files by relative path."""
    for relative, image in files.items():
        write_png(root / relative, image)
    return settle(root)


def class_tree(parts: dict[str, int], classes: Sequence[str] = FER2013_CLASSES, seed: int = 0) -> dict[str, np.ndarray]:
    """Relative paths and images: so many images of each class in each part (a part may be '')."""
    places = [
        f"{part}/{name}/{number:03d}.png".lstrip("/")
        for part, count in parts.items()
        for name in classes
        for number in range(count)
    ]
    return dict(zip(places, random_images(len(places), seed), strict=True))


def ck_tree(subjects: int, seed: int = 0) -> dict[str, np.ndarray]:
    """CK+48 with three frames of one sequence of each class for each subject."""
    places = [
        f"{name}/S{subject:03d}_{sequence:03d}_{frame:08d}.png"
        for subject in range(subjects)
        for sequence, name in enumerate(CK_CLASSES, start=1)
        for frame in range(3)
    ]
    return dict(zip(places, random_images(len(places), seed), strict=True))
