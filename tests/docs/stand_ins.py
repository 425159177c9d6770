"""What stands in for things that pages name and a test has not: data, runs, networks, and hours of training."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from fbench.ablations.library import list_suites, load_suite
from fbench.architectures.scaffold import new_architecture_text

LONG_SUITES: Final = tuple(name for name in list_suites() if name != "smoke")

QUICK: Final = {"ires": "lenet5", "ires_no_se": "lenet_count_matched"}
"""Networks that stand in where a command trains many seeds."""

NOT_RUN: Final[Mapping[str, str]] = {
    "pip install": "installs from a package index; .ci/run does so",
    "pip list": "is for the machine with the GPU; the tests of scripts/pack_for_gpu give such a list",
    "scripts/pack_for_gpu": "fetches wheels; its own tests do so",
    "sh carry/start.sh": "is for a machine with a GPU; tests/gpu runs both calls without one",
    "python -m venv": "an environment of the reader's own; .ci/run makes one",
    "source": "enters that environment",
    "pre-commit install": "changes the checkout's git hooks",
    "pytest test_my_net.py": "tests/test_examples.py does so",
    "pytest": "these very tests",
    "scripts/check": "these very tests",
    "python -m tests.calibration.recipe": "hours of training on FER2013",
    "python -m webbrowser": "opens a browser",
    "fbench report results/a --watch": "goes on until it is stopped",
    "fbench speed ires arch1 --backend": "minutes of compilation",
    "fbench data prepare": "wants photographs of faces, which are in no checkout",
    "fbench import mlflow": "wants runs that MLflow has kept; the tests of imports make some",
    "fbench run --suite smoke --preset smoke --track": "wants two trackers installed; the tests of trackers do so",
    "fbench list timm:": "wants timm, which no PyTorch of this version installs beside",
    "fbench run --arch timm:": "as above; tests.calibration.other_networks does so",
    "fbench run --arch torchvision:": "as above",
    "fbench doctor --determinism ires_no_se --against": "wants data where the run was made; the tests of it do so",
    "fbench slurm": "is for a scheduler; tests/benchmark/runs/test_job_arrays.py does so with a stand-in",
    "sbatch": "as above",
    "fbench merge results/parts/shard-*": "as above",
    "ray status": "wants a cluster; the tests of clusters start nodes of their own",
    "fbench run --suite ablations --executor ray": "wants a cluster; the tests of clusters run the command on one",
    "kubectl": "wants a Kubernetes cluster",
    "ssh": "wants other machines",
    "tensorboard": "serves pages until it is stopped",
    "mlflow ui": "serves pages until it is stopped",
    "fbench predict results/theirs": "shows what is refused: a run with the code of somebody else",
    "fbench run --suite theirs.toml": "wants a run with the code of somebody else",
}
"""Commands of the pages that the tests parse and do not run, by how they begin, and why."""


WRITES: Final = ("-o", "--out", "--output", "--to", "--clean", "--figures")
"""Options whose value a command writes."""

_ACCURACIES: Final = "network,seed,top1\ntheir_net,0,0.5\ntheir_net,1,0.55\ntheir_net,2,0.6\n"


def reason_not_to_run(words: Sequence[str]) -> str:
    """Why a command is not run; empty where it is."""
    typed = " ".join(words)
    return next((why for begin, why in NOT_RUN.items() if typed.startswith(begin)), "")


def shortened(words: Sequence[str], home: Path) -> list[str]:
    """The words of a command, with a training of seconds in place of hours, and files of ``home`` for PATH and ~."""
    found = [_without_placeholders(word, home) for word in words]
    if words[1] in ("run", "tune"):
        found = [
            str(home / f"{word}.toml") if before == "--suite" and word in LONG_SUITES else word
            for before, word in pairwise(["", *found])
        ]
        if "--dry-run" not in words:
            found += ["--preset", "smoke"]
        found += ["--jobs", "1"]
        if "--data" not in words:  # the test split of the faces that come with fbench is ten times as large
            found += ["--data", f"fer2013={home}/data/fer2013.csv"]
        if words[1] == "run":
            found += ["--max-seeds", "6"] if "--until-decided" in words else ["--seeds", "1"]
            if "--until-decided" in words:
                found = [QUICK.get(word, word) for word in found]
    if "--show-images" in words or "--into" in words:
        found += ["--plugin", "my_net.py"]  # the run that stands in has a network of a user
    if words[1] == "speed" and "--into" not in words:
        found = ["ires_relu" if word == "ires*" else word for word in found]
        found += ["--seconds", "0.5", "--blocks", "3", "--batch-sizes", "1"]
    return found


def _without_placeholders(word: str, home: Path) -> str:
    return word.replace("fer2013=PATH", f"fer2013={home}/data/fer2013.csv").replace("~/", f"{home}/")


def fill_home(home: Path) -> Path:
    """Data sets, and short suites of the names of the long ones; the folder that was given."""
    _write_fer2013(home / "data" / "fer2013.csv")
    for name in LONG_SUITES:
        (home / f"{name}.toml").write_text(_short_suite(name), encoding="utf-8")
    generator = np.random.default_rng(0)
    for kind in ("circle", "square"):
        folder = home / "shapes" / kind
        folder.mkdir(parents=True)
        for index in range(30):
            pixels = generator.integers(0, 256, (32, 32), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{index}.png")
    return home


def _write_fer2013(file: Path) -> None:
    """Stripes of seven directions with noise, 280 images in the layout of FER2013, six of them copies of others."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[0:48, 0:48]
    lines = ["emotion,pixels,Usage"]
    for index in range(280):
        label, angle = index % 7, np.pi * (index % 7) / 7
        waves = 128 + 60 * np.sin(0.6 * (rows * np.sin(angle) + columns * np.cos(angle)))
        pixels = np.clip(waves + generator.normal(0, 40, (48, 48)), 0, 255).astype(np.uint8)
        usage = ("Training", "Training", "PublicTest", "PrivateTest")[index // 7 % 4]
        lines.append(f"{label},{' '.join(map(str, pixels.ravel()))},{usage}")
    copies = [line.replace("Training", "PrivateTest") for line in lines[1:7]]
    file.parent.mkdir(parents=True)
    file.write_text("\n".join([*lines, *copies, ""]), encoding="utf-8")


def _short_suite(name: str) -> str:
    """The studies of a suite, each with the same two small networks as levels."""
    suite = load_suite(name)
    lines = [f"name = {json.dumps(suite.name)}", f"title = {json.dumps(suite.title)}"]
    for study in suite.studies:
        lines += [
            "[[studies]]",
            f"name = {json.dumps(study.name)}",
            f"title = {json.dumps(study.title)}",
            f"question = {json.dumps(study.question)}",
            'baseline = "lenet5"',
            'levels = ["lenet5", "narrow"]',
        ]
    return "\n".join([*lines, "[variants.narrow]", 'base = "lenet5"', "options = { dense_widths = [60, 40] }", ""])


class Supply:
    """Makes what a command reads and nobody has made, just before it runs.

    Args:
        run: a finished run with ``ires`` and ``my_net`` on FER2013, seeds 0 and 1.
        speed: a record of ``fbench speed`` of both networks.
        home: filled by :func:`fill_home`.
        text: of the page, whose blocks of TOML stand for files that it names.
    """

    def __init__(self, run: Path, speed: Path, home: Path, text: str) -> None:
        self._run, self._speed, self._home, self._text = run, speed, home, text
        self._makers: Mapping[str, Callable[[Path], object]] = {
            "my_net.py": lambda file: file.write_text(new_architecture_text("my_net"), encoding="utf-8"),
            "face.png": lambda file: Image.fromarray(np.zeros((48, 48), np.uint8)).save(file),
            "fer2013.csv": lambda file: shutil.copy(home / "data" / "fer2013.csv", file),
            "mine.toml": lambda file: file.write_text(self._toml(), encoding="utf-8"),
            "base.json": lambda file: shutil.copy(speed, file),
            "new.json": lambda file: shutil.copy(speed, file),
            "theirs.csv": lambda file: file.write_text(_ACCURACIES, encoding="utf-8"),
        }

    def before(self, words: Sequence[str], folder: Path) -> list[str]:
        """Make what the words name and ``folder`` has not; the words, with names of files for those that were made up.

        The target of an option that writes is left alone.
        """
        found = []
        for before, word in pairwise(["", *words]):
            name = word.rpartition("=")[2].split(":")[0]
            place = folder / name
            written = before in ("-o", "--out", "--output", "--to", "--clean", "--figures") or words[1].startswith(
                "new-"
            )
            if not written and not os.path.lexists(place) and place.name != "FILE.onnx":
                self._make(name, place)
            found.append(str(next(place.parent.glob("*.onnx"))) if place.name == "FILE.onnx" else word)
        return found

    def _make(self, word: str, place: Path) -> None:
        if place.name in self._makers and "/" not in word:
            self._makers[place.name](place)
        elif word.startswith("results/") or word in ("BASE", "NEW"):
            shutil.copytree(self._run, place)

    def _toml(self) -> str:
        return self._text.partition("```toml\n")[2].partition("```")[0]
