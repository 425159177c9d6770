"""A protocol that differs from a named one has a name that says in what."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbench.benchmark.records.protocol_changes import MOST_LETTERS, split_changes
from fbench.benchmark.records.protocol_library import MOST_EXTENDED, changed, load_protocol
from fbench.core.errors import UserError

FBENCH = load_protocol("fbench")


def written(folder: Path, text: str, name: str = "mine.toml") -> str:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_one_setting_is_changed_and_named() -> None:
    found = load_protocol("fbench+learning_rate=0.0001")
    assert found.name == "fbench@1+learning_rate=0.0001"
    assert found.optimizer.learning_rate == 0.0001
    assert found.model_copy(update={"optimizer": FBENCH.optimizer, "name": "fbench"}).settings() == FBENCH.settings()
    assert found.description == "As fbench@1, but for learning_rate=0.0001."


@pytest.mark.parametrize(
    "name",
    [
        "fbench@1+learning_rate=1e-05",
        "fbench@1+epochs=30+batch_size=64",
        "fbench@1+selection=last",
        "fbench@1+stopping.patience=3+stopping.minimum_improvement=0.0",
        "fbench@1+architecture_options.dropout=0.5",
        "xu2021@1+test_time_flip=true",
    ],
)
def test_the_name_is_a_way_to_ask_for_it(name: str) -> None:
    found = load_protocol(name)
    assert load_protocol(found.name) == found
    assert set(found.name.split("+")) >= set(name.split("+")) - {"stopping.minimum_improvement=0.0"}


def test_what_changes_nothing_is_the_named_protocol() -> None:
    assert load_protocol(f"fbench+epochs={FBENCH.epochs}") == FBENCH


def test_changes_of_a_changed_protocol_are_told_one_after_another() -> None:
    found = load_protocol("fbench@1+epochs=30+learning_rate=0.001")
    assert load_protocol("fbench+learning_rate=0.001+epochs=30") == found
    assert found.name == "fbench@1+epochs=30+learning_rate=0.001"


def test_a_setting_that_is_changed_again_has_its_last_value_and_is_told_once() -> None:
    assert (
        changed(load_protocol("fbench+learning_rate=1.0"), {"learning_rate": 0.5}).name == "fbench@1+learning_rate=0.5"
    )
    rate = FBENCH.optimizer.learning_rate
    assert changed(load_protocol("fbench+learning_rate=1.0"), {"learning_rate": rate}) == FBENCH
    with pytest.raises(UserError, match="changes learning_rate twice"):
        load_protocol("fbench+learning_rate=1.0+learning_rate=0.5")


def test_a_file_without_a_name_is_named_after_its_changes(tmp_path: Path) -> None:
    found = load_protocol(written(tmp_path, 'extends = "fbench"\nlabel_smoothing = 0.0\n'))
    assert (found.name, found.version) == ("fbench@1+label_smoothing=0.0", 1)
    assert found == load_protocol("fbench@1+label_smoothing=0.0")


def test_a_file_that_takes_the_name_of_a_shipped_protocol_and_differs_gets_another(tmp_path: Path) -> None:
    text = 'extends = "fbench"\nname = "fbench"\nepochs = 61\n'
    assert load_protocol(written(tmp_path, text)).name == "fbench@1+epochs=61"
    assert load_protocol(written(tmp_path, text.replace("61", "60"))).name == "fbench"


def test_another_kind_is_a_change_of_all_its_settings(tmp_path: Path) -> None:
    found = load_protocol(written(tmp_path, 'extends = "fbench"\nschedule = { kind = "constant" }\n'))
    assert found.name == "fbench@1+schedule.kind=constant"
    assert load_protocol(found.name).schedule.kind == "constant"


def test_many_changes_stand_as_their_number_and_digest(tmp_path: Path) -> None:
    changes = "rotation_degrees = 1.5\nshift_fraction = 0.01\nzoom_fraction = 0.02\nerasing_probability = 0.5\n"
    text = f'extends = "fbench"\nlabel_smoothing = 0.05\n[augmentation]\n{changes}mixup_alpha = 0.25\n'
    found = load_protocol(written(tmp_path, text))
    assert found.name.startswith("fbench@1+6_changes_")
    assert load_protocol(written(tmp_path, text.replace("0.25", "0.5"), "other.toml")).name != found.name


def test_a_file_extends_another_beside_it(tmp_path: Path) -> None:
    written(tmp_path, 'extends = "chowanda2021"\nname = "ours"\nversion = 3\nepochs = 7\n', "base/ours.toml")
    file = written(tmp_path, 'extends = "base/ours.toml"\nbatch_size = 16\n')
    found = load_protocol(file)
    assert (found.name, found.epochs, found.batch_size) == ("ours@3+batch_size=16", 7, 16)


def test_files_that_extend_each_other_are_a_sentence(tmp_path: Path) -> None:
    file = written(tmp_path, 'extends = "other.toml"\n')
    written(tmp_path, 'extends = "mine.toml"\n', "other.toml")
    with pytest.raises(UserError, match="extends itself"):
        load_protocol(file)
    for index in range(MOST_EXTENDED + 2):
        written(tmp_path, f'extends = "{index + 1}.toml"\nname = "x"\n', f"{index}.toml")
    with pytest.raises(UserError, match=f"more than {MOST_EXTENDED} others in turn"):
        load_protocol(str(tmp_path / "0.toml"))


@pytest.mark.parametrize(
    ("given_name", "message"),
    [
        ("fbench+learning_rat=1", r"changes 'learning_rat', which is no setting\. Did you mean 'learning_rate'\?"),
        ("fbench+patience=3", r"is a setting of schedule\.patience and stopping\.patience; give one of these"),
        ("fbench+epochs=many", "'epochs' is 'many'"),
        ("fbench+learning_rate=-1", "learning_rate"),
        ("fbench+stopping.patienc=3", "unknown key 'patienc'"),
    ],
)
def test_a_wrong_change_is_a_sentence(given_name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_protocol(given_name)


def test_a_plus_in_a_number_or_a_path_is_no_change() -> None:
    assert split_changes("a+b/c.toml+learning_rate=1e+2") == ("a+b/c.toml", {"learning_rate": 100.0})


@given(st.floats(min_value=1e-8, max_value=10, allow_nan=False))
def test_any_rate_keeps_its_digits(rate: float) -> None:
    found = load_protocol(f"fbench+learning_rate={rate!r}")
    assert found.optimizer.learning_rate == rate
    assert load_protocol(found.name) == found
    assert len(found.name) < MOST_LETTERS
