from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fbench.benchmark.cost import energy
from fbench.benchmark.cost.calls import Call, Mark
from fbench.benchmark.cost.energy import EnergyCounter, energy_counter, read_energy
from fbench.benchmark.records.cost_specs import Setting

CPU = torch.device("cpu")
SETTING = Setting(batch_size=4)


def zone(folder: Path, number: str, name: str, microjoules: int) -> Path:
    made = folder / f"intel-rapl:{number}"
    made.mkdir()
    (made / "name").write_text(f"{name}\n", encoding="ascii")
    (made / "energy_uj").write_text(f"{microjoules}\n", encoding="ascii")
    (made / "max_energy_range_uj").write_text("10000000\n", encoding="ascii")
    return made


def rapl(folder: Path) -> EnergyCounter:
    found = energy_counter(CPU, folder)
    assert isinstance(found, EnergyCounter)
    return found


def test_packages_are_added_and_their_parts_and_the_whole_platform_are_not(tmp_path: Path) -> None:
    zone(tmp_path, "0", "package-0", 2_000_000)
    zone(tmp_path, "0:0", "core", 1_000_000)
    zone(tmp_path, "1", "package-1", 3_000_000)
    zone(tmp_path, "2", "psys", 9_000_000)
    assert rapl(tmp_path).read_j() == 5.0


def test_a_counter_that_starts_anew_goes_on(tmp_path: Path) -> None:
    package = zone(tmp_path, "0", "package-0", 9_000_000)
    counter = rapl(tmp_path)
    before = counter.read_j()
    (package / "energy_uj").write_text("500000", encoding="ascii")
    assert counter.read_j() - before == pytest.approx(1.5)  # one joule to the end of the range, half a joule on


def test_without_a_counter_the_reason_is_given(tmp_path: Path) -> None:
    assert energy_counter(CPU, tmp_path) == f"this system shows no RAPL counter in {tmp_path}"


def test_without_permission_the_way_to_get_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = zone(tmp_path, "0", "package-0", 0)
    real = Path.read_text

    def refuse(file: Path, *arguments: object, **keywords: object) -> str:
        if file.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return real(file, *arguments, **keywords)  # type: ignore[arg-type] # passed through as they came

    monkeypatch.setattr(Path, "read_text", refuse)
    found = energy_counter(CPU, tmp_path)
    assert isinstance(found, str)
    assert f"chmod a+r {package / 'energy_uj'}" in found


def test_energy_an_image_is_what_the_counter_gained_over_the_images() -> None:
    joules = 0.0

    def work(mark: Mark) -> None:
        nonlocal joules
        joules += 8.0  # for a batch of four

    call = Call(lambda: None, work, lambda: None)
    found = read_energy("a", SETTING, call, 4, 0.01, EnergyCounter("a counter", lambda: joules), CPU)
    assert found.joules_per_image == pytest.approx(2.0)
    assert len(found.readings_j_per_image) == energy.STRETCHES


@pytest.mark.parametrize(
    ("counter", "reason"),
    [
        ("no such device", "not available: no such device"),
        (EnergyCounter("a counter", lambda: 1.0), "not available: a counter did not advance while the network worked"),
    ],
)
def test_energy_is_never_zero_for_want_of_a_reading(counter: EnergyCounter | str, reason: str) -> None:
    call = Call(lambda: None, lambda mark: None, lambda: None)
    found = read_energy("a", SETTING, call, 4, 0.01, counter, CPU)
    assert (found.joules_per_image, found.method) == (None, reason)
