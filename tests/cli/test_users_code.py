"""Every command that takes a plug-in runs it in a worker process: whatever it does, the command says one sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support import make_stripes, trial_spec_of
from typer.testing import CliRunner, Result

from fbench.ablations.suite import adhoc_suite
from fbench.architectures import registry
from fbench.architectures.plugins import load_plugin
from fbench.architectures.registry import create
from fbench.benchmark.data.dataset import SPLITS
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.specs import data_spec
from fbench.benchmark.records.trial_records import PlannedTrial, RunConfig
from fbench.benchmark.store.inputs import keep_plugin
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.training.trial import TrialContext, run_trial
from fbench.benchmark.workers import asking
from fbench.cli.app import app
from fbench.core.errors import UserError

pytestmark = pytest.mark.slow

PLUGIN = """
import ctypes, os, sys
from pathlib import Path
import torch
from torch import nn
import fbench

class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no")

def anything():
    {anything}

{at_import}
torch.set_default_dtype(torch.float64)

@fbench.register("taught")
def taught(num_classes: int = 7, in_channels: int = 1, image_size: int = 48) -> nn.Module:
    {in_builder}
    return nn.Sequential(nn.Conv2d(in_channels, 4, 3, stride=4), nn.Flatten(), nn.Linear(4 * 12**2, num_classes))
"""
FAULTS = {
    "os._exit(0)": "ended with exit code 0 in the middle of its work",
    "sys.exit(0)": "SystemExit: 0",
    "while True: pass": "was not done within its limit",
    "raise Unspeakable": "Unspeakable: (its message cannot be had: RuntimeError)",
    "ctypes.string_at(0)": "crashed in native code (SIGSEGV)",
}
HARMLESS = (
    "Path({witness!r}).write_text(str(os.getpid())); print('x' * 5_000_000); os.write(1, b'y' * 1_000_000); "
    "torch.set_num_threads(1); os.chdir('/'); os.environ['FBENCH_CACHE_DIR'] = '/nowhere'"
)
IN_BUILDER = {
    "show": ["show", "taught"],
    "speed": ["speed", "taught", "--batch-sizes", "1", "--blocks", "2", "--seconds", "0.02", "--out", "speed.json"],
    "export": ["export", "run", "taught", "--to", "safetensors", "--output", "taught.safetensors"],
    "predict": ["predict", "run", "taught", "face.png"],
    "doctor": ["doctor", "--determinism", "taught", "--device", "cpu"],
    "report": ["report", "run", "--show-images", "folder=images", "--output", "report.html"],
}
AT_IMPORT = {"list": ["list", "taught"], "claims": ["claims"]}
OTHERS = {
    "show --profile": ["show", "taught", "--profile"],
    "show --counters": ["show", "taught", "--counters"],
    "params": ["params", "taught"],
    "params --update": ["params", "taught", "--update"],
}
"""What asks as ``show``, ``speed`` and ``list`` do."""
LIMIT_S = 5.0
"""For an endless loop."""


def written(
    folder: Path, name: str, anything: str = "pass", *, at_import: bool = False, in_builder: bool = False
) -> Path:
    file = folder / name
    calls = {"at_import": "anything()" if at_import else "", "in_builder": "anything()" if in_builder else "pass"}
    file.write_text(PLUGIN.format(anything=anything, **calls), encoding="utf-8")
    return file


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a run of the network, the images it was trained on, and one face."""
    folder = tmp_path_factory.mktemp("users")
    stripes = make_stripes((36, 12, 12), size=48)
    for row, image in enumerate(stripes.images):
        part = {"train": "train", "validation": "val", "test": "test"}[SPLITS[stripes.split[row]]]
        place = folder / "images" / part / stripes.class_names[stripes.labels[row]]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(place / f"{row:03}.png")
    Image.fromarray(np.zeros((48, 48), np.uint8)).save(folder / "face.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("FBENCH_CACHE_DIR", str(folder / "cache"))
        make_run(folder)
        yield folder


def make_run(folder: Path) -> None:
    create("lenet5")  # all built-in networks are registered from here on
    builders, entries = dict(registry._REGISTRY.builders), dict(registry._REGISTRY.entries)
    plugin = written(folder, "taught.py")
    load_plugin(plugin)
    reference = DataReference(name="folder", path=folder / "images")
    dataset = load_dataset(reference)
    spec = trial_spec_of(dataset, "taught", budget=Budget(image_passes=24, evaluation_points=1, batch_size=12))
    network = spec.network.model_copy(update={"plugin_file": str(plugin)})
    spec = spec.model_copy(update={"data": data_spec(reference, dataset), "network": network})
    run = RunFolder(folder / "run")
    kept = registry.plugin_of("taught")
    assert kept is not None
    keep_plugin(run.files, kept.digest, kept)
    run.create(
        RunConfig(
            name="example",
            suite=adhoc_suite(["taught"]),
            protocol=spec.protocol,
            preset="smoke",
            budget=spec.budget,
            data=(spec.data,),
            numerics=spec.numerics,
            created_at="2026-01-02T03:04:05+00:00",
            fbench_version="0.1.0",
        )
    )
    run.extend_plan([PlannedTrial(network="taught", data=spec.data.name, seed=0, trial_id=spec.trial_id)])
    run.write_trial(run_trial(spec, dataset, TrialContext(torch.device("cpu"))))
    registry._REGISTRY.builders, registry._REGISTRY.entries = builders, entries


@pytest.fixture(autouse=True)
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)


def typed(*arguments: str) -> Result:
    """What a command did; it left this process as it was."""
    before = (Path.cwd(), dict(os.environ), torch.get_default_dtype(), torch.get_num_threads())
    result = CliRunner().invoke(app, list(arguments))
    assert (Path.cwd(), dict(os.environ), torch.get_default_dtype(), torch.get_num_threads()) == before
    return result


def sentence(*arguments: str) -> str:
    result = typed(*arguments)
    assert isinstance(result.exception, UserError), result.output
    assert "\n" not in str(result.exception)
    assert str(result.exception).endswith((".", "code."))
    return str(result.exception)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("command", IN_BUILDER)
def test_a_network_that_breaks_its_process_is_one_sentence_with_its_file(
    command: str, fault: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault.startswith("while"):
        monkeypatch.setattr(asking, "QUESTION_LIMIT_S", LIMIT_S)
        monkeypatch.setattr(asking, "WORK_LIMIT_S", LIMIT_S)
    plugin = written(place, f"bad{list(FAULTS).index(fault)}.py", fault, in_builder=True)
    said = sentence(*IN_BUILDER[command], "--plugin", plugin.name)
    assert "The network 'taught'" in said
    assert plugin.name in said
    assert FAULTS[fault] in said
    assert not [
        file.name for file in place.iterdir() if file.name in ("speed.json", "taught.safetensors", "report.html")
    ]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("command", AT_IMPORT)
def test_a_plug_in_that_breaks_its_process_is_one_sentence_with_its_file(
    command: str, fault: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault.startswith("while"):
        monkeypatch.setattr(asking, "QUESTION_LIMIT_S", LIMIT_S)
    plugin = written(place, f"bad{list(FAULTS).index(fault)}.py", fault, at_import=True)
    said = sentence(*AT_IMPORT[command], "--plugin", plugin.name)
    assert f"The plug-in {plugin.name}" in said
    assert FAULTS[fault] in said


@pytest.mark.parametrize("command", [*IN_BUILDER, *AT_IMPORT, *OTHERS])
def test_what_a_plug_in_prints_and_sets_stays_in_its_process(command: str, place: Path) -> None:
    witness = place / "witness"
    plugin = written(place, "harmless.py", HARMLESS.format(witness=str(witness)), at_import=True, in_builder=True)
    result = typed(*(IN_BUILDER | AT_IMPORT | OTHERS)[command], "--plugin", plugin.name)
    assert result.exit_code == 0, result.output
    assert "xxx" not in result.output
    assert "yyy" not in result.output
    assert int(witness.read_text()) != os.getpid()
    for file in ("speed.json", "taught.safetensors", "report.html", "fbench_contract.toml", "witness"):
        (place / file).unlink(missing_ok=True)


def test_a_network_that_breaks_its_process_in_the_gate_holds_up_no_other(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its line says so, and the others are compared."""
    monkeypatch.setattr(asking, "QUESTION_LIMIT_S", LIMIT_S)
    written(place, "many.py")
    names = [f"net{number}" for number in range(len(FAULTS))]
    text = "".join(
        f"\n@fbench.register({name!r})\ndef {name}(num_classes=7, in_channels=1, image_size=48):\n    {fault}\n"
        for name, fault in zip(names, FAULTS, strict=True)
    )
    (place / "many.py").write_text((place / "many.py").read_text() + text)
    counts = "trainable_params = 1\nbn_running_stats = 0\nmacs = 1\n"
    contract = place / "fbench_contract.toml"
    contract.write_text("".join(f"[{name}]\n{counts}" for name in ("taught", *names)))
    result = typed("params", *names, "taught", "lenet5", "--check", "--json", "--plugin", "many.py")
    contract.unlink()
    assert result.exit_code == 1
    drifts = {row["name"]: row["message"] for row in json.loads(result.stdout)["drift"]}
    for name, reason in zip(names, FAULTS.values(), strict=True):
        assert drifts[name].startswith(f"cannot be counted: The network '{name}'")
        assert "many.py" in drifts[name]
        assert reason in drifts[name]
    assert "counted" in drifts["taught"]
    assert "lenet5" not in drifts


def test_a_network_that_dies_when_it_is_measured_is_left_out_and_alone_is_one_sentence(place: Path) -> None:
    plugin = written(place, "dies_later.py", "pass")
    plugin.write_text(
        plugin.read_text()
        + """
class Dies(nn.Flatten):
    def forward(self, x):
        if x.device.type != "meta":
            os._exit(3)
        return super().forward(x)

@fbench.register("dies")
def dies(num_classes: int = 7, in_channels: int = 1, image_size: int = 48) -> nn.Module:
    return nn.Sequential(Dies(), nn.Linear(in_channels * image_size**2, num_classes))
"""
    )
    quick = ["--batch-sizes", "1", "--blocks", "2", "--seconds", "0.02", "--out", "speed.json"]
    result = typed("speed", "taught", "dies", *quick, "--plugin", "dies_later.py")
    assert result.exit_code == 0, result.output
    assert "dies was not measured: its worker process ended with exit code 3" in result.stdout
    (place / "speed.json").unlink()
    said = sentence("speed", "dies", *quick, "--plugin", "dies_later.py")
    assert "The network 'dies'" in said
    assert "dies_later.py" in said
    assert not (place / "speed.json").exists()


def test_code_that_a_record_names_runs_in_a_worker_from_a_copy_that_goes_with_it(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    asked = sentence("predict", "run", "taught", "face.png")
    assert "add --trust" in asked
    digest = asked.partition("--trust ")[2].partition(",")[0]
    assert json.loads(typed("predict", "run", "taught", "face.png", "--trust", digest, "--json").stdout)["images"]
    assert not registry.is_registered("taught")
    assert list(tmp_path.iterdir()) == []
