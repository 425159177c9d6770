from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors import safe_open
from trained_run import FILE_NAMES, TrainedRun

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.export import formats
from fbench.benchmark.export.calibration import calibration_pixels
from fbench.benchmark.export.errors import ExportError, ExportMismatch
from fbench.benchmark.export.formats import ExportReport, open_exported, write_export
from fbench.benchmark.export.metadata import ExportFormat, ExportMetadata
from fbench.benchmark.export.onnx_session import TOLERANCE, deviation
from fbench.benchmark.export.trained import load_trained

EXACT = (ExportFormat.ONNX, ExportFormat.SAFETENSORS, ExportFormat.TORCH_EXPORT)
Exported = Callable[[str, ExportFormat], ExportReport]


@pytest.mark.parametrize("kind", ["plain", "flipped"])
@pytest.mark.parametrize("export_format", EXACT)
def test_a_file_gives_the_logits_of_the_trained_network_from_pixels(
    export_format: ExportFormat, kind: str, trained: TrainedRun, stripes: ImageDataset, exported: Exported
) -> None:
    trial_id = getattr(trained, kind)
    network = load_trained(trained.folder, trial_id)
    report = exported(kind, export_format)
    assert report.deviation <= TOLERANCE
    assert report.size_bytes == report.path.stat().st_size
    metadata, logits = open_exported(report.path, network.record.spec.network, trial_id)
    pixels = stripes.images[stripes.rows("test")].astype(np.float32)
    assert deviation(logits(pixels), network.logits(pixels)) <= TOLERANCE
    assert metadata == report.metadata
    assert metadata.class_names == stripes.class_names
    assert metadata.input_shape == (1, 16, 16)
    assert metadata.test_time_flip == (kind == "flipped")
    assert metadata.normalisation == ("per_image" if kind == "flipped" else "training_split")
    assert metadata.network_digest == network.record.spec.network.digest


def test_metadata_can_be_read_without_fbench(trained: TrainedRun, stripes: ImageDataset, exported: Exported) -> None:
    onnx_file, safetensors_file, torch_file = (exported("plain", export_format).path for export_format in EXACT)
    model = onnx.load(onnx_file)
    from_onnx = {entry.key: entry.value for entry in model.metadata_props}
    with safe_open(safetensors_file, "numpy") as archive:
        from_safetensors = archive.metadata()
    extra = {"fbench.json": ""}
    with torch_file.open("rb") as stream:
        torch.export.load(stream, extra_files=extra)
    from_torch = json.loads(extra["fbench.json"])
    for values, words in ((from_onnx, "inside"), (from_safetensors, "left to the reader"), (from_torch, "inside")):
        assert values["trial_id"] == trained.plain
        assert values["network"] == "lenet5"
        assert json.loads(values["class_names"]) == list(stripes.class_names)
        assert json.loads(values["input_shape"]) == [1, 16, 16]
        assert values["input"].startswith(("pixels 0 to 255", "normalised pixels"))
        assert words in values["input"]
        assert len(json.loads(values["mean"])) == 1
        assert values["fbench_version"]


def test_the_archive_of_pytorch_holds_no_pickle_and_no_place_of_this_machine(exported: Exported) -> None:
    with zipfile.ZipFile(exported("plain", ExportFormat.TORCH_EXPORT).path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            assert b"site-packages" not in content, name
            if name.endswith(".pt"):
                assert content == b""


def test_an_archive_with_a_pickle_is_not_opened(trained: TrainedRun, tmp_path: Path, exported: Exported) -> None:
    with zipfile.ZipFile(exported("plain", ExportFormat.TORCH_EXPORT).path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    attacks = {
        "sample_inputs/model.pt": lambda content: b"\x80\x04N.",
        "model_weights_config.json": lambda content: content.replace(b'"use_pickle": false', b'"use_pickle":  true', 1),
        "weights/weight_0": None,
    }
    for ending, change in attacks.items():
        file = tmp_path / "bad.pt2"
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in members.items():
                hit = name.endswith(ending)
                archive.writestr(name, change(content) if hit and change else content)
                if hit and change is None:
                    archive.writestr(name.replace("weight_0", "opaque_obj_0"), b"\x80\x04N.")
        with pytest.raises(ExportError, match=r"has the part .* which may be a pickle"):
            open_exported(file, trained.folder.trial(trained.plain).spec.network, trained.plain)


def test_int8_tells_how_often_it_agrees(trained: TrainedRun, stripes: ImageDataset, tmp_path: Path) -> None:
    network, pixels = load_trained(trained.folder, trained.plain), calibration_pixels(stripes, 60)
    report = write_export(network, ExportFormat.ONNX_INT8, tmp_path / "n.onnx", pixels)
    metadata, logits = open_exported(report.path, network.record.spec.network, trained.plain)
    agreement = np.mean(logits(pixels).argmax(1) == network.logits(pixels).argmax(1))
    assert report.agreement == pytest.approx(agreement, abs=1 / 60)  # a batch of another size may round otherwise
    assert report.calibration_images == 60
    assert metadata.format == "onnx-int8"


@pytest.mark.parametrize("export_format", EXACT)
def test_a_file_that_computes_something_else_is_removed_and_the_former_one_stays(
    export_format: ExportFormat, trained: TrainedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The content of seed 1 under the name of seed 0."""
    path = tmp_path / FILE_NAMES[export_format]
    network, other = (load_trained(trained.folder, trial_id) for trial_id in (trained.plain, trained.other))
    metadata = formats.metadata_for(network.record, network.fitted, export_format)
    content = formats._encode(other, metadata, None)
    monkeypatch.setattr(formats, "_encode", lambda *_: content)
    with pytest.raises(ExportMismatch, match="logits deviate by"):
        write_export(network, export_format, path)
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"the former one")
    with pytest.raises(ExportMismatch):
        write_export(network, export_format, path)
    assert path.read_bytes() == b"the former one"


@pytest.mark.parametrize("export_format", EXACT)
def test_a_file_of_another_trial_is_refused(
    export_format: ExportFormat, trained: TrainedRun, exported: Exported
) -> None:
    network = load_trained(trained.folder, trained.other)
    path = exported("plain", export_format).path
    with pytest.raises(ExportError, match=f"is of trial '{trained.plain}' .lenet5, seed 0., and '{trained.other}'"):
        open_exported(path, network.record.spec.network, trained.other)


@pytest.mark.parametrize("name", ["n.onnx", "n.safetensors", "n.pt2", "n.h5", "nowhere.onnx"])
def test_what_is_no_export_is_one_sentence(name: str, trained: TrainedRun, tmp_path: Path) -> None:
    if name != "nowhere.onnx":
        (tmp_path / name).write_bytes(b"nothing of the kind")
    network = trained.folder.trial(trained.plain).spec.network
    with pytest.raises(ExportError) as raised:
        open_exported(tmp_path / name, network, trained.plain)
    assert name in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_a_foreign_file_of_the_right_kind_is_one_sentence(trained: TrainedRun, tmp_path: Path) -> None:
    from fbench.benchmark.export.onnx_file import onnx_bytes

    network = load_trained(trained.folder, trained.plain)
    (tmp_path / "n.onnx").write_bytes(onnx_bytes(network.network, (1, 16, 16)))
    with pytest.raises(ExportError, match="does not say which trial it is of"):
        open_exported(tmp_path / "n.onnx", network.record.spec.network, trained.plain)


def test_metadata_survive_as_text(trained: TrainedRun) -> None:
    network = load_trained(trained.folder, trained.plain)
    metadata = formats.metadata_for(network.record, network.fitted, ExportFormat.ONNX)
    strings = metadata.to_strings()
    assert all(isinstance(value, str) for value in strings.values())
    assert ExportMetadata.from_strings(strings | {"other": "x"}, "here") == metadata
