"""What a user may give as a tracker, and what is said of anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from fbench.benchmark.trackers import choice
from fbench.benchmark.trackers.choice import TrackerPlace, mirrors_of, parse_trackers
from fbench.core.errors import UserError


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every library, as far as anybody looks."""
    monkeypatch.setattr(choice, "find_spec", lambda package: package)


@pytest.mark.usefixtures("installed")
def test_trackers_are_read_once_each_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = ["tensorboard=tb", "mlflow=sqlite:///kept/m.db", "tensorboard=tb", "mlflow=http://127.0.0.1:5000"]
    assert [one.label for one in parse_trackers(given)] == [given[0], given[1], given[3]]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("tensorbord=tb", "there is no tracker 'tensorbord'. Did you mean 'tensorboard'?"),
        ("tb", "there is no tracker 'tb'"),
        ("mlflow", "names no place; give one, such as mlflow=sqlite:///mlflow.db"),
        ("tensorboard=", "names no place; give one, such as tensorboard=runs"),
        ("mlflow=./mlruns", "MLflow keeps runs in a database or on a server"),
        ("mlflow=file:///tmp/mlruns", "MLflow keeps runs in a database or on a server"),
        ("mlflow=sqlite:///", "names no file"),
        ("mlflow=sqlite://", "names no file"),
        ("mlflow=sqlite:///a_folder", "What MLflow keeps cannot be written to a_folder"),
        ("tensorboard=a_file", "What TensorBoard shows cannot be written to a_file"),
    ],
)
def test_what_cannot_be_a_tracker_is_one_sentence(
    given: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a_folder").mkdir()
    (tmp_path / "a_file").touch()
    with pytest.raises(UserError) as error:
        parse_trackers([given])
    assert said in str(error.value)
    assert str(error.value).endswith(".")


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "find_spec", lambda package: None)
    with pytest.raises(UserError) as error:
        parse_trackers(["mlflow=sqlite:///mlflow.db"])
    assert str(error.value) == (
        "--track mlflow=sqlite:///mlflow.db needs the package mlflow, which is not installed; get it with "
        "pip install 'fbench[mlflow]'."
    )


def test_every_kind_has_an_extra_of_its_name_and_a_module() -> None:
    import tomllib
    from importlib import import_module

    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name, kind in choice.KINDS.items():
        assert any(one.startswith(kind.package) for one in project["optional-dependencies"][name])
        assert kind.example.startswith(f"{name}=")
        module = import_module(kind.module)
        assert callable(module.check_place)
        assert callable(module.open_tracker)


def test_a_password_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    place = TrackerPlace("mlflow", "postgresql://me:secret@host/db")
    assert place.label == "mlflow=postgresql://host/db"

    def refuse(kind: str) -> None:
        raise OSError("nobody listens")

    monkeypatch.setattr(choice, "_module", refuse)
    with pytest.raises(UserError) as error, mirrors_of([place], lambda sentence: None):
        pass
    assert str(error.value) == (
        "--track mlflow=postgresql://host/db cannot be used (OSError: nobody listens); start or mend it, or give "
        "another place, such as mlflow=sqlite:///mlflow.db."
    )
