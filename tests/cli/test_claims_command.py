from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fbench.cli.app import app
from fbench.core.errors import UserError
from tests.reports.findings.claims.runs import run_of

runner = CliRunner()
ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "claims.md"
CLAIM_ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)

MINE = """
paper = "Mine"
[[claims]]
id = "a"
sentence = "IRes is smaller than ARCH-1."
section = "nowhere"
tests = [{ kind = "fewer", network = "NETWORK", than = "arch1" }]
"""


def claims_of(*arguments: str) -> dict[str, Any]:
    result = runner.invoke(app, ["claims", *arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def by_id(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {claim["id"]: claim for paper in found["papers"] for claim in paper["claims"]}


def test_without_a_run_it_prints_what_arithmetic_decides_and_what_the_rest_needs() -> None:
    result = runner.invoke(app, ["claims"])
    assert result.exit_code == 0, result.output
    assert "contradicted by arithmetic" in result.stdout
    counted = "44 claims: 2 supported, 2 contradicted, 40 undecided and 0 not yet; 4 of the verdicts by arithmetic"
    assert counted in result.stdout
    for claim in by_id(claims_of()).values():
        assert bool(claim["missing"]) == (claim["verdict"] == "undecided" and not claim["never_decided"])


def test_the_documentation_holds_the_verdicts_that_the_command_prints() -> None:
    by_arithmetic, of_the_run = (
        {tuple(cell.strip() for cell in row) for row in CLAIM_ROW.findall(part)}
        for part in DOCS.read_text(encoding="utf-8").split("## What the committed run says")
    )
    decided = {
        (name, f"{claim['verdict']} by arithmetic", claim["why"])
        for name, claim in by_id(claims_of()).items()
        if claim["by_arithmetic"]
    }
    assert by_arithmetic == decided
    found = by_id(claims_of(str(ROOT / "results" / "fer2013-standard")))
    assert len(of_the_run) == 8
    for name, verdict, why in of_the_run:
        assert verdict == found[name]["verdict"]
        for interval in re.findall(r"\(([−+][^)]+)\)", why):
            assert interval in found[name]["why"]


def test_the_documentation_names_every_kind_of_test() -> None:
    from fbench.ablations.claim_tests import AccuracyTest, CountTest, EpochTimeReduction, PrintedTest, TimeTest

    kinds = [
        model.model_fields["kind"].annotation.__args__[0]
        for union in (CountTest, AccuracyTest, PrintedTest, TimeTest | EpochTimeReduction)
        for model in union.__args__
    ]
    text = DOCS.read_text(encoding="utf-8")
    assert len(kinds) == 19
    assert [kind for kind in kinds if f"`{kind}`" not in text] == []


def test_runs_decide_and_json_says_why(tmp_path: Path) -> None:
    run_of(tmp_path / "a", {"ires": 0.62, "ires_no_se": 0.48}, seeds=range(5))
    run_of(tmp_path / "b", {"ires": 0.62, "ires_no_se": 0.48}, seeds=range(5, 10))
    found = by_id(claims_of(str(tmp_path / "a"), str(tmp_path / "b")))["squeeze_excite_helps"]
    assert (found["verdict"], found["by_arithmetic"]) == ("not yet", False)
    assert found["why"].startswith("at this budget ires is ")
    assert found["needs"] == {
        "networks": ["ires", "ires_no_se"], "data": ["fer2013"], "seeds": 10, "preset": "standard",
        "image_passes": {"fer2013": 2_870_900}, "cost": False,
    }  # fmt: skip
    assert found["rests_on"] == ["FER2013 under the protocol fbench, 6 epochs, batch size 128"]
    assert [part["verdict"] for part in found["parts"]] == ["not yet"]


def test_claims_of_ones_own_take_the_place_of_the_papers(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE.replace("NETWORK", "ires"), encoding="utf-8")
    found = claims_of("--claims", str(tmp_path / "mine.toml"))
    assert [paper["paper"] for paper in found["papers"]] == ["Mine"]
    assert found["verdicts"] == {"supported": 1, "contradicted": 0, "undecided": 0, "not yet": 0}


@pytest.mark.parametrize("network", ["irse", "arch-1"])
def test_an_unknown_network_is_refused_with_a_suggestion(tmp_path: Path, network: str) -> None:
    (tmp_path / "mine.toml").write_text(MINE.replace("NETWORK", network), encoding="utf-8")
    with pytest.raises(UserError, match=rf"'{network}', which nothing knows. Did you mean"):
        runner.invoke(app, ["claims", "--claims", str(tmp_path / "mine.toml")], catch_exceptions=False)


def test_an_unknown_data_set_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    test = 'tests = [{ kind = "reaches", network = "ires", data = "fer2103", percent = 60 }]'
    (tmp_path / "mine.toml").write_text(re.sub(r"tests = .*", test, MINE), encoding="utf-8")
    with pytest.raises(UserError, match=r"data set 'fer2103', which nothing knows. Did you mean 'fer2013'"):
        runner.invoke(app, ["claims", "--claims", str(tmp_path / "mine.toml")], catch_exceptions=False)


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a run folder"):
        runner.invoke(app, ["claims", str(tmp_path)], catch_exceptions=False)


def test_judging_a_run_imports_no_torch(tmp_path: Path) -> None:
    run_of(tmp_path / "a", {"ires": 0.6}, seeds=(0,), images=40)
    code = (
        "import sys\n"
        f"sys.argv = ['fbench', 'claims', {str(tmp_path / 'a')!r}]\n"
        "from fbench.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('HEAVY', [name for name in ('torch', 'matplotlib', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip().splitlines()[-1] == "HEAVY []", done.stdout + done.stderr
