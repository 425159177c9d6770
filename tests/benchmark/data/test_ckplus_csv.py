"""CK+ from a CSV: frames of one sequence stay together although nothing names them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from sample_files import pixel_text, random_images, write_lines

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.layouts.ckplus_csv import CK_CODES, alike_frames
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.data.units import clusters_of_rows
from fbench.core.errors import UserError

SHARED = Path(__file__).parents[4] / "shared" / "data"


def load(path: Path, **options: str) -> ImageDataset:
    return load_dataset(DataReference(name="ck48", path=path, options=options))


def frames(codes: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 7), sequences: int = 8) -> list[str]:
    """Three frames of each sequence, which differ by a little noise; Usage puts them on three sides."""
    random = np.random.default_rng(0)
    lines = ["emotion,pixels,Usage"]
    for code in codes:
        for sequence in range(sequences):
            first = random_images(1, 1000 * code + sequence)[0].astype(int)
            for usage in ("Training", "PublicTest", "PrivateTest"):
                frame = np.clip(first + random.integers(-20, 21, first.shape), 0, 255).astype(np.uint8)
                lines.append(f"{code},{pixel_text(frame)},{usage}")
    return lines


def test_frames_of_a_sequence_are_on_one_side_whatever_usage_says(tmp_path: Path) -> None:
    dataset = load(write_lines(tmp_path / "ckextended.csv", frames()))
    assert dataset.class_names == ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
    by_sequence = dataset.split.reshape(-1, 3)
    assert (by_sequence == by_sequence[:, :1]).all()
    assert set(dataset.split.tolist()) == {0, 1, 2}
    assert "Usage is not used" in dataset.description


def test_sequences_are_what_is_independent_and_by_frame_they_are_known(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "ckextended.csv", frames())
    dataset = load(path)
    found = clusters_of_rows(dataset, dataset.rows("test"))
    assert found is not None
    assert found.unit == "sequences"
    assert (found.numbers.reshape(-1, 3) == np.arange(found.numbers.size // 3)[:, None]).all()
    by_frame = load(path, split="by_frame")
    assert by_frame.name == "ck48-by_frame"
    assert (by_frame.split.reshape(-1, 3) != by_frame.split.reshape(-1, 3)[:, :1]).any()
    assert "frames of one sequence train and test" in by_frame.description
    known = clusters_of_rows(by_frame, by_frame.rows("test"))
    assert known is not None
    assert known.unit == "known_subjects"


def test_codes_are_those_of_ckextended(tmp_path: Path) -> None:
    dataset = load(write_lines(tmp_path / "ck.csv", frames(tuple(range(8)))), classes="basic7")
    assert dataset.class_names == ("anger", "disgust", "fear", "happy", "sadness", "surprise", "neutral")
    rows = {name: int(name.removeprefix("row:")) for name in dataset.sample_ids.tolist()}
    for name, label in zip(dataset.sample_ids.tolist(), dataset.labels.tolist(), strict=True):
        assert dataset.class_names[label] == CK_CODES[rows[name] // 24]
    assert [(part.reason, len(part.names)) for part in dataset.left_out] == [("is labelled contempt", 24)]


def test_each_fold_tests_other_sequences(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "ck.csv", frames())
    tested: list[str] = []
    for fold in (1, 2, 3, 4):
        dataset = load(path, fold=f"{fold}/4")
        by_sequence = dataset.split.reshape(-1, 3)
        assert (by_sequence == by_sequence[:, :1]).all()
        tested += dataset.sample_ids[dataset.split == 2].tolist()
    assert sorted(tested) == sorted(set(tested))
    assert len(tested) == 7 * 8 * 3


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "ck.csv", frames())
    with pytest.raises(UserError, match=r"no image of the class 'neutral'.*ck48:classes=contempt7=PATH"):
        load(path, classes="basic7")
    lines = frames()
    lines[5] = "8" + lines[5][1:]
    with pytest.raises(UserError, match="line 6: the emotion is '8'"):
        load(write_lines(tmp_path / "bad.csv", lines))


def test_usage_may_be_anything_or_missing(tmp_path: Path) -> None:
    lines = frames()
    plain = load(write_lines(tmp_path / "ck.csv", lines))
    other = [line.replace("Training", "fold 1").replace("PublicTest", "") for line in lines]
    assert load(write_lines(tmp_path / "other.csv", other)).fingerprint == plain.fingerprint
    without = [line.rpartition(",")[0] for line in lines]
    assert load(write_lines(tmp_path / "without.csv", without)).fingerprint == plain.fingerprint


def test_messages_speak_of_ck(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no column 'emotion'; a CK\+ CSV has .* so give ckextended\.csv"):
        load(write_lines(tmp_path / "ck.csv", ["label,pixels"]))
    lines = frames()
    lines[3] = f"0,{pixel_text(random_images(1, size=64)[0])},Training"
    with pytest.raises(UserError, match="line 4: 4096 pixels, but a 48x48 image has 2304"):
        load(write_lines(tmp_path / "large.csv", lines))


def test_in_a_folder_the_usual_name_or_a_single_file_is_read(tmp_path: Path) -> None:
    lines = frames()
    write_lines(tmp_path / "mine.csv", lines)
    alone = load(tmp_path)
    write_lines(tmp_path / "another.csv", lines[:9])
    with pytest.raises(UserError, match=r"has 2 CSV files \(another\.csv, mine\.csv\); give the one"):
        load(tmp_path)
    write_lines(tmp_path / "ckextended.csv", lines)
    assert load(tmp_path).fingerprint == alone.fingerprint


def refusal(path: Path, fold: str) -> str:
    try:
        load(path, fold=fold)
    except UserError as error:
        return str(error)
    return ""


def test_a_class_of_frames_that_are_all_alike_is_refused_where_it_cannot_train(tmp_path: Path) -> None:
    lines = [line for line in frames() if not line.startswith("7,")]
    path = write_lines(tmp_path / "ck.csv", [*lines, *frames((7,), 1)[1:]])
    outcomes = [refusal(path, f"{fold}/3") for fold in (1, 2, 3)]
    assert outcomes.count("") == 1, "its only group trains in one fold of three"
    assert sum("too few images of the class 'contempt'" in outcome for outcome in outcomes) == 2


@pytest.mark.skipif(not (SHARED / "unpack.py").exists(), reason="the real data are not here")
def test_all_sequences_of_the_real_set_stay_whole() -> None:
    """File names tell the truth that the CSV hides: S010_004_00000017.png is of the sequence S010_004."""
    spec = importlib.util.spec_from_file_location("unpack", SHARED / "unpack.py")
    assert spec is not None
    assert spec.loader is not None
    unpack = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(unpack)
    loaded = unpack.load_ck48()
    images, labels, names = (np.asarray(part) for part in (loaded[0], loaded[1], loaded[2]))
    groups = np.array(alike_frames(images.reshape(-1, 1, 48, 48).astype(np.uint8), labels.astype(np.uint8)))
    sequences = np.array([Path(str(name)).name[:8] for name in names])
    assert len(np.unique(sequences)) == 327
    assert len(np.unique(groups)) == 254
    assert all(len(np.unique(groups[sequences == sequence])) == 1 for sequence in np.unique(sequences))
