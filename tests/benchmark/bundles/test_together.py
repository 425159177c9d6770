"""Several bundles: which are meant, and where two of them do not agree."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from bundled_run import a_trial, change, seal_again

from fbench.benchmark.bundles.checking import check_bundle
from fbench.benchmark.bundles.together import bundle_folders, bundle_names, check_together
from fbench.core.errors import UserError


def test_a_bundle_is_meant_itself_and_a_folder_all_that_lie_in_it(bundle: Path, run: Path, tmp_path: Path) -> None:
    around = tmp_path / "community"
    shutil.copytree(bundle, around / "one")
    (around / "two").mkdir()  # one that lacks all, which is told when it is checked
    (around / "README.md").write_text("")
    assert bundle_folders([bundle, around]) == [bundle, around / "one", around / "two"]
    with pytest.raises(UserError, match=r"is a run and no bundle; fbench submit .*run --to DIR makes one of it"):
        bundle_folders([run])
    (tmp_path / "empty").mkdir()
    for nothing in (tmp_path / "empty", tmp_path / "absent"):
        with pytest.raises(UserError, match="is no bundle and holds none"):
            bundle_folders([nothing])


def test_a_bundle_that_is_named_twice_is_one_and_two_of_one_name_are_told_apart(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "a" / "mine")
    shutil.copytree(bundle, tmp_path / "b" / "mine")
    paths = [tmp_path / "a" / "mine", tmp_path / "b" / ".." / "a" / "mine", tmp_path / "b" / "mine", bundle]
    folders = bundle_folders(paths)
    assert folders == [paths[0], paths[2], paths[3]]
    assert bundle_names(folders) == ["a/mine", "b/mine", "bundle"]


def test_the_same_trial_is_the_same_in_both_or_told(bundle: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(bundle, tmp_path / "other"))
    assert list(check_together([check_bundle(bundle), check_bundle(other)])) == []
    change(a_trial(other) / "record.json", lambda record: record["test"].update(top1=0.25))
    seal_again(other)
    ((check, found),) = check_together([check_bundle(bundle), check_bundle(other)])
    assert check.path == other
    assert found.is_problem
    assert found.text == f"(lenet5 on stripes, seed 0) has another result than in {bundle}; leave one of the two out"


def test_another_result_of_another_processor_is_noted_and_the_first_one_counts(bundle: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(bundle, tmp_path / "other"))

    def trained_elsewhere(record: dict[str, Any]) -> None:
        record["test"].update(top1=0.25)
        record["machine"].update(processor="another processor")

    change(a_trial(other) / "record.json", trained_elsewhere)
    seal_again(other)
    ((check, found),) = check_together([check_bundle(bundle), check_bundle(other)])
    assert check.path == other
    assert not found.is_problem
    assert "as it was trained on another processor, and there on " in found.text
    assert found.text.endswith("; of the two that one counts")


def test_other_data_of_one_name_are_noted(bundle: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(bundle, tmp_path / "other"))
    change(other / "run.json", lambda config: config["data"][0].update(fingerprint="0" * 64))
    ((_, found),) = check_together([check_bundle(bundle), check_bundle(other)])
    assert not found.is_problem
    assert found.text.startswith("has other data called stripes than ")
