"""Kinds of input: a good file of each, how odd ones are made of it, and the functions of fbench that read them.

A reader may say no, by a :class:`UserError`; anything else that it raises is a fault.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image
from typer.testing import CliRunner

from fbench.ablations import claim, library
from fbench.ablations.claim import load_claims
from fbench.ablations.library import load_suite
from fbench.architectures.plugin_sources import read_sources
from fbench.benchmark.bundles.checking import check_bundle
from fbench.benchmark.data.audit.findings import Audit
from fbench.benchmark.data.images.decoding import UnusableImageError, decode_image
from fbench.benchmark.data.layouts.ferplus_votes import read_votes
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.export.errors import ExportError
from fbench.benchmark.export.formats import read_metadata
from fbench.benchmark.export.metadata import ExportFormat, ExportMetadata
from fbench.benchmark.imports.evaluated import EvaluatedImages, EvaluatedOn
from fbench.benchmark.imports.importing import imported
from fbench.benchmark.imports.tables import read_tables
from fbench.benchmark.maps.face_maps import FaceMaps
from fbench.benchmark.records.budget import load_presets
from fbench.benchmark.records.imported import ImportedData, ImportedResults, ImportedTraining
from fbench.benchmark.records.network_description import NetworkDescription
from fbench.benchmark.records.protocol_library import PROTOCOL_FOLDER, load_protocol
from fbench.benchmark.store.files import read_cost_file, read_model
from fbench.benchmark.store.imported_files import write_imported
from fbench.benchmark.store.run_table import load_run
from fbench.benchmark.store.weights import WeightsError, encode_state, read_state
from fbench.cli.app import REFUSED, app
from fbench.cli.usage import PARSER_ERROR
from fbench.core.errors import UserError
from fbench.reports.findings.comparisons.evidence import gather
from fbench.reports.findings.gate.judge import changes_without_gate
from fbench.reports.findings.gate.subjects import load_side, pairs
from fbench.reports.findings.gather import gather_findings
from fbench.reports.findings.leaderboard.gather import gather_leaderboard
from fbench.reports.left_out import Omissions
from tests.fuzz.mutations import ODD_TEXTS, Mutation, odd_bytes, odd_json, odd_lines, odd_npz
from tests.reports.fabricated_bundles import fabricate_bundle, recipe_of, repeat
from tests.reports.fabricated_run import Recipe, fabricate_run

REFERENCE = Path(__file__).parents[2] / "results" / "fer2013-standard"
FINDINGS_EVERY = 5
"""The whole of a report is made of so many runs' one; what it reads is read of each."""
SAYS_NO = (UserError, UnusableImageError, ExportError, WeightsError, PARSER_ERROR)


@dataclass(frozen=True)
class Kind:
    """Inputs of one kind; ``read`` takes the path of a file with this content."""

    name: str
    good: bytes
    odd: Mutation
    read: Callable[[Path], object]
    file: str

    def try_one(self, content: bytes, folder: Path) -> bool:
        """Read a content; whether it was taken, and not refused in a sentence.

        Raises:
            Exception: of any type but a sentence for the user: a fault.
        """
        path = folder / self.file
        path.write_bytes(content)
        try:
            self.read(path)
        except SAYS_NO:
            return False
        return True


def _claims_file(path: Path) -> object:
    return load_claims(path, load_presets())


def _protocol(path: Path) -> object:
    return load_protocol(str(path))


def _folder_of_images(folder: Path) -> None:
    pixels = np.random.default_rng(0)
    for side, kind, person in itertools.product("abc", ("calm", "joy"), (1, 2, 3)):
        name = f"{side}/{kind}/P{person}_{kind}.png"
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.integers(0, 256, (48, 48), np.uint8)).save(file)


CLASS_MAP = b"""description = "Photos."
subject = '(?P<subject>P\\d+)_'
may_show_images = true
shares = [0.3, 0.3]
seed = 0
leave_out = ["c"]

[classes]
calm = ["a/calm", "b/calm"]
happy = ["a/j*", "b/joy"]
"""


def _class_map(path: Path) -> object:
    return load_dataset(DataReference(name="folder", path=path.parent))


def _fer2013(rows: int = 6) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (rows, 48 * 48))
    usages = ("Training", "PublicTest", "PrivateTest")
    lines = [f"{row % 7},{' '.join(map(str, pixels[row]))},{usages[row % 3]}" for row in range(rows)]
    return "\n".join(["emotion,pixels,Usage", *lines, ""]).encode()


def _votes() -> bytes:
    header = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    return "\n".join([header, *(f"Training,fer{k:07}.png,4,0,0,1,3,2,0,0,0,0" for k in range(4)), ""]).encode()


def _image(form: str) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)).save(content, form)
    return content.getvalue()


def _run_reader(turns: Iterator[int]) -> Callable[[Path], object]:
    def read(path: Path) -> None:
        run = next(parent for parent in path.parents if (parent / "trials").is_dir())
        table = load_run(run)
        for data in table.config.data:
            gather(table, data, Omissions(run))
        for record in table.trials.values():
            with contextlib.suppress(UserError, OSError, ValueError):  # as the callers of these functions do
                table.predictions(record)
            with contextlib.suppress(UserError):
                table.folder.maps(record.trial_id)
            with contextlib.suppress(UserError):
                table.history(record)
            with contextlib.suppress(UserError):
                table.description(record.spec.network.digest)
        table.folder.test_readings()
        if next(turns) % FINDINGS_EVERY == 0:
            gather_findings([table])

    return read


def _bundle(path: Path) -> None:
    """A bundle as its check reads it, whatever file of it is odd; and on a leaderboard where it passes."""
    bundle = next(parent for parent in path.parents if (parent / "trials").is_dir())
    if problems := check_bundle(bundle).problems:
        raise UserError(problems[0].sentence)
    gather_leaderboard([bundle])


def _arguments(path: Path) -> None:
    """A command line, a word a line; none that trains, writes or waits."""
    words = path.read_bytes().decode("utf-8", "surrogateescape").split("\n")[:12]
    command = next((word for word in words if word != "--"), "")
    if command == "run" or "--watch" in words:
        return
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        result = CliRunner().invoke(app, words, standalone_mode=False)
    finally:
        os.chdir(here)
    found = result.exception
    if isinstance(found, OSError) and found.errno in REFUSED:  # a sentence of the whole program
        return
    if isinstance(found, Exception) and not isinstance(found, SAYS_NO):
        raise found


COMMANDS = (
    *("list", "list --json", "status run", "status run --json", "claims", "claims --json", "compare run run"),
    *("data list", "compare run:ires run:ires_relu --fail-on accuracy:-1pt", "export run x --to onnx", "show x"),
    *("data audit fer2013=x.csv", "data preview fer2013=x.csv -o x.png", "params --json", "report run --format md"),
    *("show ires --option width=3", "new-arch 3x", "doctor run", "claims run --claims x.toml", "list --plugin x.py"),
    *("predict run x y.png", "speed --arch x"),
)


def _odd_arguments(random: Random, _: bytes) -> bytes:
    words = random.choice(COMMANDS).split()
    for _turn in range(random.choice((0, 1, 1, 2, 3))):
        at = random.randrange(len(words) + 1)
        options = ("--json", "--help", "--x", "-o", "--format", "--fail-on", "run", "--", "\udcff")
        odd = random.choice((*ODD_TEXTS, *options))
        if odd.startswith("new-arch") or words[:1] == ["new-arch"]:
            break
        words[at : at + random.randrange(2)] = [odd.replace("\n", " ")]
    return "\n".join(words).encode("utf-8", "surrogateescape")


def all_kinds(root: Path) -> list[Kind]:
    """Every kind, with the files around it in ``root``, which is the caller's."""
    recipe = Recipe(seeds=(0, 1), images=40, epochs=2)
    run = fabricate_run(root / "run", recipe).folder
    trial = run.trial_folder(run.trial_ids()[0])
    run.write_maps(trial.name, _maps())
    shutil.copytree(root / "run", root / "arguments" / "run")
    _folder_of_images(root / "images")
    for name in ("toml", "tables", "pictures", "files"):
        (root / name).mkdir()
    turns = itertools.count()
    read_run = _run_reader(turns)
    (cost,) = (root / "run" / "costs").iterdir()
    xu2021 = (PROTOCOL_FOLDER / "xu2021.toml").read_bytes()
    network = min((REFERENCE / "networks").glob("*/network.json"), key=lambda file: file.stat().st_size).read_bytes()
    (audit_file,) = (REFERENCE / "data").glob("*/audit.json")
    audit = audit_file.read_bytes()
    claims = b"[[claims]]".join((claim.FOLDER / "xu2021.toml").read_bytes().split(b"[[claims]]")[:6])
    plugin = b"import os, helper\nfrom a.b import c\nx = [1, (2, 3)]\n"
    suite = (library.FOLDER / "leakage.toml").read_bytes()
    write_imported(root / "files" / "base.json", _imported_results())
    imports = (root / "files" / "base.json").read_bytes()
    state = encode_state({"a.weight": torch.zeros(3, 2), "a.count": torch.tensor(1), "extra": {"x": [1, (2.5, "t")]}})

    def inside(name: str, odd: Mutation, file: Path) -> Kind:
        return Kind(name, file.read_bytes(), odd, read_run, str(file.relative_to(root)))

    return [
        Kind("suite", suite, odd_lines, load_suite, "toml/suite.toml"),
        Kind("protocol", xu2021, odd_lines, _protocol, "toml/p.toml"),
        Kind("claims", claims, odd_lines, _claims_file, "toml/claims.toml"),
        Kind("class map", CLASS_MAP, odd_lines, _class_map, "images/fbench_data.toml"),
        Kind("CSV of pixels", _fer2013(), odd_lines, _table("fer2013"), "tables/fer2013.csv"),
        Kind("CSV of votes", _votes(), odd_lines, read_votes, "tables/fer2013new.csv"),
        *(
            Kind(f"image, {form}", _image(form), odd_bytes, _picture, f"pictures/x.{form.lower()}")
            for form in ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
        ),
        inside("run", odd_json, root / "run" / "run.json"),
        inside("plan", odd_json, root / "run" / "plan.json"),
        inside("record", odd_json, trial / "record.json"),
        inside("history", odd_lines, trial / "history.csv"),
        inside("predictions", odd_npz, trial / "predictions.npz"),
        inside("maps", odd_npz, trial / "maps.npz"),
        inside("test readings", odd_bytes, root / "run" / "test_readings.jsonl"),
        inside("cost in a run", odd_json, cost),
        Kind("cost", cost.read_bytes(), odd_json, _cost, "files/cost.json"),
        Kind("CSV of results", _answers_of_others(), odd_lines, _results_of_others, "tables/theirs.csv"),
        Kind("imported results", imports, odd_json, _imported, "files/imported.json"),
        Kind("network", network, odd_json, _network, "files/network.json"),
        Kind("audit", audit, odd_json, _audit, "files/audit.json"),
        Kind("weights", state, odd_bytes, read_state, "files/w.safetensors"),
        Kind(
            "exported network",
            encode_state({"a": torch.zeros(2)}, _exported().to_strings()),
            odd_bytes,
            read_metadata,
            "files/e.safetensors",
        ),
        Kind("plug-in", plugin, odd_bytes, read_sources, "files/p.py"),
        *(
            Kind(f"{name} of a bundle", file.read_bytes(), odd_json, _bundle, str(file.relative_to(root)))
            for name, file in _files_of_a_bundle(root / "theirs")
        ),
        Kind("arguments", b"list", _odd_arguments, _arguments, "arguments/words.txt"),
    ]


def _files_of_a_bundle(folder: Path) -> Iterator[tuple[str, Path]]:
    """A bundle, in which one trial was repeated."""
    repeat(fabricate_bundle(folder, recipe_of({"alpha": 0.7, "beta": 0.6}, seeds=(0, 1), images=40)), "alpha", 0)
    yield "submission", folder / "submission.json"
    yield "record", next(folder.glob("trials/*/record.json"))
    yield "repetition", next(folder.glob("repetitions/*.json"))


def restore(kind: Kind, root: Path) -> None:
    """Put the good file back, for the kinds that read it too."""
    (root / kind.file).write_bytes(kind.good)


def _maps() -> FaceMaps:
    images = np.zeros((2, 1, 8, 8), np.uint8)
    return FaceMaps(
        seed=0,
        source="rendered faces",
        images=images,
        labels=("calm", "joy"),
        predicted=np.array([1, 0]),
        class_names=("calm", "joy"),
        grad_cam=images[:, 0],
        cam_layer="a.b",
        feature_maps=images[0],
        layer="a",
        left_out=(("Grad-CAM", "why"),),
        may_be_kept=True,
    )


OTHERS = EvaluatedOn(
    ImportedData(name="mine", split="test", fingerprint="0" * 64, class_names=("calm", "joy"), images=4),
    EvaluatedImages(("t0", "t1", "t2", "t3"), np.array([0, 1, 0, 1]), ("calm", "joy")),
)


def _answers_of_others() -> bytes:
    rows = [f"net,{seed},t{image},{image % 2},{(image + seed) % 2}" for seed in range(2) for image in range(4)]
    return "\n".join(["network,seed,image,label,predicted", *rows, ""]).encode()


def _results_of_others(path: Path) -> object:
    data = OTHERS.data.model_copy(update={"labels": (0, 1, 0, 1)})
    return imported(read_tables([path], EvaluatedOn(data, OTHERS.images)), EvaluatedOn(data, OTHERS.images), "theirs")


def _imported_results() -> ImportedResults:
    trainings = [
        ImportedTraining(seed=seed, top1=0.75 - seed / 2, predicted=(0, 0, seed, 1 - seed)) for seed in range(2)
    ]
    data = OTHERS.data.model_copy(update={"labels": (0, 1, 0, 1)})
    return ImportedResults(
        source="theirs.csv", imported_at="2026-01-01T00:00:00+00:00", data=data, networks={"net": tuple(trainings)}
    )


def _imported(path: Path) -> object:
    base = load_side(f"{path.with_name('base.json')}:net")
    return changes_without_gate(pairs(base, load_side(str(path))))


def _exported() -> ExportMetadata:
    return ExportMetadata(
        format=ExportFormat.SAFETENSORS,
        fbench_version="1",
        trial_id="0" * 16,
        network="ires",
        builder="ires",
        options={"dropout": 0.5},
        network_digest="0" * 64,
        seed=0,
        data="fer2013",
        data_fingerprint="0" * 64,
        class_names=("calm", "joy"),
        input_shape=(1, 48, 48),
        input="pixels",
        normalisation="training_split",
        mean=(1.0,),
        inverse_deviation=(2.0,),
        test_time_flip=False,
    )


def _network(path: Path) -> object:
    return read_model(path, NetworkDescription)


def _audit(path: Path) -> object:
    return read_model(path, Audit)


def _table(name: str) -> Callable[[Path], object]:
    return lambda path: load_dataset(DataReference(name=name, path=path))


def _picture(path: Path) -> object:
    return decode_image(path, (1, 48, 48))


def _cost(path: Path) -> object:
    read_cost_file(path)
    return load_side(str(path))
