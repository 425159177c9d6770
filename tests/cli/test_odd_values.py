"""Values that no run can have, and commands that say what to type next: each as a stranger tried it."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from typed import typed

import fbench
from fbench.core.errors import UserError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("faces_at_hand", "unpainted")]
PLAN = ["run", "--arch", "lenet5", "--preset", "smoke", "--dry-run"]


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        (["--epochs", "9999999999"], "100000"),
        (["--epochs", "0"], "--epochs 0 was given: give at least 1"),
        (["--batch-size", "99999999999999999999"], "1000000"),
        (["--seeds", "1000000"], "give 1 to 10,000"),
        (["--seeds", "99999999999999999999999"], "give 1 to 10,000"),
        (["--until-decided", "--max-seeds", "1000000"], "give 2 to 10,000"),
        (["--retries", "99999999"], "1000"),
        (["--learning-rate", "inf"], "give a finite number"),
        (["--protocol", "fbench+weight_decay=Infinity"], "give a finite number"),
        (["--protocol", "fbench+gradient_clip_norm=Infinity"], "give a finite number"),
        (["--assume-sd", "1e308,1e308,1e308"], "three standard deviations of 0 to 100 points"),
    ],
)
def test_a_number_that_no_run_can_have_is_one_sentence(tmp_path: Path, given: list[str], allowed: str) -> None:
    done = typed(*PLAN, *given, cwd=tmp_path)
    assert (done.code, len(done.err.splitlines())) == (2, 1), done.err
    assert allowed in done.err


PROTOCOL = 'extends = "fbench"\nname = "mine"\nversion = 1\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PROTOCOL.replace("mine", "t/../../escaped"), "'name' is 't/../../escaped': give a text of the form"),
        (PROTOCOL + "epochs = 99999999999999999999\n", "'epochs' is 99999999999999999999: give at most 100000"),
        (PROTOCOL + "[augmentation]\nrotation_degrees = inf\n", "give a finite number"),
        (PROTOCOL + "[architecture_options]\ndropout = inf\n", "among its architecture_options; give finite ones"),
        (PROTOCOL + "[architecture_options]\ndropuot = 0.3\n", "the option 'dropuot', which none has. Did you mean"),
    ],
)
def test_a_protocol_that_cannot_be_meant_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "p.toml").write_text(text)
    done = typed(*PLAN, "--protocol", "p.toml", cwd=tmp_path)
    assert (done.code, len(done.err.splitlines())) == (2, 1), done.err
    assert said in done.err


def test_an_option_of_a_protocol_that_other_networks_have_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(PROTOCOL + "[architecture_options]\ndropout = 0.3\n")
    assert typed(*PLAN, "--protocol", "p.toml", cwd=tmp_path).code == 0


def test_a_variant_does_not_decide_what_the_data_do(tmp_path: Path) -> None:
    suite = (
        'name = "s"\ntitle = "S"\n[[studies]]\nname = "a"\ntitle = "A"\nquestion = "?"\nbaseline = "ires"\n'
        'levels = ["ires", "v"]\n[variants.v]\nbase = "ires"\noptions = { image_size = 64 }\n'
    )
    (tmp_path / "s.toml").write_text(suite)
    done = typed("run", "--suite", "s.toml", "--preset", "smoke", "--dry-run", cwd=tmp_path)
    assert done.code == 2
    assert "'v' sets the option image_size, which the data decide; leave it out" in done.err


@pytest.mark.parametrize("base", ["ires", "lenet5"])
def test_an_option_of_a_variant_is_finite(tmp_path: Path, base: str) -> None:
    suite = (
        f'name = "s"\ntitle = "S"\n[[studies]]\nname = "a"\ntitle = "A"\nquestion = "?"\nbaseline = "{base}"\n'
        f'levels = ["{base}", "v"]\n[variants.v]\nbase = "{base}"\noptions = {{ dropout = inf }}\n'
    )
    (tmp_path / "s.toml").write_text(suite)
    done = typed("run", "--suite", "s.toml", "--preset", "smoke", "--dry-run", cwd=tmp_path)
    assert (done.code, len(done.err.splitlines())) == (2, 1), done.err


def test_too_few_subjects_for_three_splits_are_one_sentence(tmp_path: Path) -> None:
    images, labels = np.zeros((30, 8, 8), np.uint8), np.arange(30) % 2
    np.savez(tmp_path / "few.npz", images=images, labels=labels, subjects=np.arange(30) % 2)
    done = typed(*PLAN, "--data", "x=arrays:few.npz", cwd=tmp_path)
    assert done.code == 2
    assert "2 subjects or other groups cannot fill 3 splits, as each stays whole" in done.err
    with pytest.raises(UserError, match="1 subjects or other groups cannot fill 3 splits"):
        fbench.data.from_arrays(images, labels, name="x", subjects=["one"] * 30)


def test_one_image_is_a_path_and_no_text_of_letters(tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert typed(*PLAN[:-1], "--jobs", "1", "--out", str(run), cwd=tmp_path).code == 0
    with pytest.raises(UserError, match=r"No image could be read \(\S*nofile.png does not exist\)"):
        fbench.predict(str(run), "lenet5:0", "nofile.png")


def test_the_command_that_would_decide_more_goes_on_in_the_same_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from fbench.benchmark.store.run_table import load_run
    from fbench.reports.findings.gather import gather_findings
    from fbench.reports.findings.origin.provenance import place_option
    from fbench.reports.render.terminal.summary import print_summary

    shutil.copytree(Path(__file__).parents[2] / "results" / "fer2013-standard", tmp_path / "q2")
    run = load_run(tmp_path / "q2")
    findings = gather_findings([run])
    (section,) = findings.data_sections
    assert section.next_step.command
    print_summary(findings, place_option(run))
    printed = " ".join(capsys.readouterr().out.split())
    assert f"{section.next_step.command} --out {shlex.quote(str(tmp_path / 'q2'))}" in printed


def test_a_network_of_another_alphabet_has_a_row_that_can_be_read(tmp_path: Path) -> None:
    assert typed("new-arch", "my_net", cwd=tmp_path).code == 0
    assert typed("new-arch", "é", cwd=tmp_path).code == 0
    assert typed("params", "é", "--check", "--plugin", "é.py", cwd=tmp_path).code == 0


def test_a_row_whose_file_was_not_loaded_is_named_and_no_disagreement(tmp_path: Path) -> None:
    for name in ("aa", "bb"):
        assert typed("new-arch", name, cwd=tmp_path).code == 0
    done = typed("params", "aa", "--check", "--plugin", "aa.py", cwd=tmp_path)
    assert done.code == 0, done.out
    assert done.err.strip() == "bb  is not checked, as its file was not loaded: --plugin bb.py"
    (tmp_path / "bb.py").unlink()
    gone = typed("params", "--check", "--plugin", "aa.py", cwd=tmp_path)
    assert gone.code == 1
    assert "bb  has a row but is not registered; load its file with --plugin, or delete the row by hand" in gone.out


WRONG_OUTPUT = """
import torch
from torch import nn
import fbench

class Odd(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.linear = nn.Linear(size * size, 5)
    def forward(self, images):
        return self.linear(images.flatten(1))

@fbench.register("odd")
def build(num_classes: int = 7, in_channels: int = 1, image_size: int = 48) -> nn.Module:
    return Odd(image_size)
"""


def test_what_a_run_would_refuse_is_not_shown_as_if_it_were_well(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(WRONG_OUTPUT)
    done = typed("show", "odd", "--plugin", "odd.py", cwd=tmp_path)
    assert done.code == 2
    assert "7" in done.err


def test_status_and_json_speak_of_what_is_planned(tmp_path: Path) -> None:
    out = ["--jobs", "1", "--out", "run"]
    assert typed(*PLAN[:-1], *out, cwd=tmp_path).code == 0
    (trial,) = (tmp_path / "run" / "trials").iterdir()
    record = json.loads((trial / "record.json").read_text())
    other = trial.with_name("f" * 16)  # of code that has been edited since
    other.mkdir()
    (other / "record.json").write_text(json.dumps(record | {"trial_id": other.name}))
    done = typed(*PLAN[:-1], *out, "--json", cwd=tmp_path)
    assert json.loads(done.out.splitlines()[-1])["finished"] == 1
    failed = record | {"status": "failed", "failure_reason": "several\nlines\nof it"}
    (trial / "record.json").write_text(json.dumps(failed))
    table = typed("status", "run", cwd=tmp_path).out
    assert "failed: several…" in table
    assert "lines" not in table


def test_two_smoke_runs_are_told_why_they_are_not_compared(tmp_path: Path) -> None:
    assert typed(*PLAN[:-1], "--jobs", "1", "--out", "sm", cwd=tmp_path).code == 0
    (tmp_path / "c.csv").write_text("network,seed,top1\ntheirs,0,0.5\ntheirs,1,0.5\n")
    imported = typed("import", "csv", "c.csv", "--data", "synthetic", "--out", "c.json", cwd=tmp_path)
    assert imported.code == 0, imported.err
    done = typed("report", "sm", "c.json", "--format", "md", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "&#" not in done.out.replace("&#124;", "")
