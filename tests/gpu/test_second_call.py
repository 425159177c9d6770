"""What the stages of the second call measure, on the processor and on the pretended device."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fbench.cli.app import app
from tests.gpu.contact import (
    accuracy,
    commands,
    faces,
    plain_loop,
    trainings,
)
from tests.gpu.contact.packed_faces import write_packed
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.trials import patterned_images
from tests.gpu.measured import all_of
from tests.gpu.pretended import DEVICE, pretended_cuda
from tests.support import Heard, data_spec_of, make_stripes, run_here, trial_spec_of, use_stripes


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    """On the processor."""
    return Settings(tmp_path, tmp_path, "cpu", small=True)


@pytest.fixture
def there(tmp_path: Path) -> Settings:
    """On the pretended device."""
    return Settings(tmp_path, tmp_path, str(DEVICE), small=True)


def test_faces_are_unpacked_once_for_all_stages(tmp_path: Path) -> None:
    packed = tmp_path / "packed.npz"
    write_packed(packed, patterned_images(28, 14))
    settings = Settings(tmp_path, tmp_path, "cpu", small=True, faces=packed)
    assert all_of(faces, settings)["unpacked"]["images"] == 56
    packed.unlink()
    dataset, data = faces.images_of(settings)
    assert (len(dataset.images), data.fingerprint) == (56, patterned_images(28, 14).fingerprint)
    assert str(faces.reference_of(settings)) == f"faces=arrays:{tmp_path / 'faces.npz'}"


def test_without_faces_trainings_take_patterned_images(here: Settings) -> None:
    assert all_of(faces, here)["unpacked"] is None
    dataset, _ = faces.images_of(here)
    assert dataset.name == "patterned"
    assert str(faces.reference_of(here)) == "synthetic"


@pytest.mark.slow
@pytest.mark.parametrize("place", ["here", "there"])
def test_a_training_is_measured_with_its_share_of_the_roofline(
    place: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: Settings = request.getfixturevalue(place)
    monkeypatch.setattr(trainings, "TRAINED", (("lenet5", "bf16"), ("lenet5", "fp32")))
    if place == "there":
        with pretended_cuda():
            (found,) = all_of(trainings, settings).values()
    else:
        (found,) = all_of(trainings, settings).values()
    assert found["steps"] == 2
    assert found["roofline_percent"] > 0
    assert len(found["history"]) == 1


@pytest.mark.slow
def test_the_plain_loop_is_drawn_out_to_as_many_epochs(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainings, "TRAINED", (("lenet5", "fp32"),))
    found = all_of(plain_loop, here)
    assert list(found) == ["lenet5 fp32", "lenet5 fp32 steps alone"]
    for one in found.values():
        assert one["extrapolated_100_epochs_s"] == pytest.approx(one["step_us"] * 2 * 100 / 1e6)
        assert "times_fbench" not in one  # no training was measured


@pytest.mark.slow
def test_accuracy_is_held_against_the_same_trainings_on_a_processor(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stripes, heard = make_stripes(), Heard()
    use_stripes(monkeypatch)
    run_here([trial_spec_of(stripes, "lenet5", seed) for seed in range(3)], here.work / "run", heard)
    records = sorted(heard.records, key=lambda record: record.spec.seed)
    monkeypatch.setattr(accuracy, "reference_trials", lambda: records)
    monkeypatch.setattr(accuracy, "images_of", lambda settings: (stripes, data_spec_of(stripes)))
    (found,) = all_of(accuracy, here).values()
    assert found["of_seeds"] == found["of_seeds_on_processor"][:1]  # the same arithmetic here
    mean, deviation = found["processor_top1"], found["processor_deviation"]
    expected = (found["validation_top1"] - mean) / (deviation * (1 + 1 / 3) ** 0.5)
    assert found["difference_in_errors"] == pytest.approx(expected)


@pytest.mark.slow
def test_on_other_images_accuracy_is_not_held_against_the_reference(here: Settings) -> None:
    assert [record.spec.seed for record in accuracy.reference_trials()] == list(range(10))
    assert all_of(accuracy, here) == {"ires fp32": None}


def test_commands_of_fbench_are_given_as_a_user_does(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def as_if(arguments: Sequence[str], settings: Settings) -> float:
        ran.append([*arguments])
        if arguments[0] == "run":
            stripes = make_stripes()
            run_here([trial_spec_of(stripes, "lenet5")], Path(arguments[arguments.index("--out") + 1]))
        else:
            Path(arguments[-1]).write_text("{}", encoding="utf-8")
        return 1.5

    monkeypatch.setattr(commands, "_fbench", as_if)
    use_stripes(monkeypatch)
    found = all_of(commands, here)
    assert (found["quick run, jobs 1"]["trials"], found["quick run, jobs 1"]["finished"]) == (1, 1)
    assert (found["speed"]["took_s"], found["speed"]["failures"]) == (1.5, {})
    assert ran[0][:3] == ["speed", "arch1", "ires"]
    assert ran[1][:5] == ["run", "--arch", "arch1", "--arch", "ires"]
    runner = CliRunner()
    for given in ran:  # fbench knows each option
        said = runner.invoke(app, [*given, "--help"])
        assert said.exit_code == 0, said.output


@pytest.mark.slow
def test_a_command_that_fails_is_told_with_its_words(here: Settings) -> None:
    with pytest.raises(RuntimeError, match="ended with 2"):
        commands._fbench(["run", "--suite", "no_such_suite"], here)
