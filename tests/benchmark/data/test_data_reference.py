"""``--data``: names, paths, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fbench.benchmark.data.catalogue import DATA_SETS, known_data
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.references import parse_reference, resolve_reference
from fbench.benchmark.data.source import DataReference, ResolvedReference
from fbench.core.errors import UserError


def resolved(text: str) -> ResolvedReference:
    return resolve_reference(parse_reference(text))


def test_a_bare_name_has_no_path() -> None:
    assert parse_reference("synthetic") == DataReference(name="synthetic", path=None)


def test_the_first_equals_sign_divides_name_and_path() -> None:
    reference = parse_reference("fer2013=/data/a=b/fer2013.csv")
    assert reference == DataReference(name="fer2013", path=Path("/data/a=b/fer2013.csv"))


def test_a_leading_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("USERPROFILE", "/home/someone")
    assert parse_reference("ck48=~/CK+48").path == Path("/home/someone/CK+48")


def test_options_stand_between_name_and_path() -> None:
    reference = parse_reference("ck48:fold=3/10,classes=basic6=/x/y=z")
    assert reference == DataReference(name="ck48", path=Path("/x/y=z"), options={"fold": "3/10", "classes": "basic6"})
    assert resolve_reference(reference).label == "ck48-basic6-fold3of10"


def test_an_option_at_its_default_is_no_part_of_the_name() -> None:
    assert resolved("ferplus:labels=majority,copies=keep=/x").label == "ferplus"
    assert resolved("ferplus:labels=probability=/x").label == "ferplus-probability"
    assert resolved("synthetic:copies=removed").label == "synthetic-removed"


def test_an_option_that_is_not_given_is_at_its_default_and_no_fold_is_asked_for() -> None:
    reference = resolved("ck48:classes=basic6=/x")
    assert reference.options == {"classes": "basic6", "split": "by_subject", "copies": "keep"}
    assert reference.fold is None
    assert reference.given.options == {"classes": "basic6"}
    assert resolved("ck48:fold=3/10=/x").fold == (3, 10)


def test_a_path_belongs_to_a_data_set_that_takes_one() -> None:
    assert resolved("fer2013=/x").path == Path("/x")
    with pytest.raises(ValueError, match="embedded"):
        _ = resolved("synthetic").path


@pytest.mark.parametrize(
    "text", ["synthetic", "fer2013=/x/fer2013.csv", "folder=/x/a b", "ck48:fold=1/3,copies=removed=/x:y,z"]
)
def test_its_text_parses_back(text: str) -> None:
    assert str(parse_reference(text)) == text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("fer2031=/x", ["no data set 'fer2031'", "Did you mean 'fer2013'?", *DATA_SETS]),
        ("shapes=/x", ["no data set 'shapes'", "shapes=folder:/x", "shapes=arrays:FILE.npz", *DATA_SETS]),
        ("mnist", ["no data set 'mnist'", *DATA_SETS]),
        ("", ["no data set ''"]),
        ("fer2013", ["needs a path", "fer2013=PATH"]),
        ("fer2013=", ["no path after '='", "fer2013=PATH"]),
        ("synthetic=/x", ["takes no path"]),
        ("/x/fer2013.csv", ["path without a name", "fer2013=/x/fer2013.csv"]),
        ("ck48:folds=1/3=/x", ["no option 'folds'", "Did you mean 'fold'?", "classes"]),
        ("ck48:fold=0/3=/x", ["fold=0/3", "fold=1/10"]),
        ("ck48:fold=1/2=/x", ["at least 3"]),
        ("ck48:fold=x=/x", ["K/N"]),
        ("ferplus:labels=soft=/x", ["labels=soft", "majority, probability, drop_non_face"]),
        ("ck48:fold", ["ck48:OPTION=VALUE=PATH"]),
        ("ck48=~nobody-has-this-name/x", ["home folder", "in full"]),
    ],
)
def test_a_wrong_reference_is_refused_with_the_way_out(text: str, parts: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        parse_reference(text)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("name", ["fer2013", "ck48", "folder"])
def test_a_missing_path_is_named(name: str, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    with pytest.raises(UserError, match="There is no file or folder") as caught:
        load_dataset(DataReference(name=name, path=missing))
    assert str(missing) in str(caught.value)


def test_a_reference_made_without_parse_is_checked_on_loading() -> None:
    with pytest.raises(UserError, match="needs a path"):
        load_dataset(DataReference(name="fer2013"))


@pytest.mark.parametrize("name", ["fer2013", "ck48"])
def test_a_folder_of_no_known_layout_is_refused_with_what_is_expected(name: str, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    with pytest.raises(UserError) as caught:
        load_dataset(DataReference(name=name, path=tmp_path))
    assert str(known_data(name).expects) in str(caught.value)
