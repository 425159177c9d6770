from __future__ import annotations

import sys

import pytest

from fbench.cli.app import main


def outcome(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["fbench", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "given", "allowed"),
    [
        (["report", "runs/a", "--correction", "bonf"], "'bonf'", "'holm', 'fdr'"),
        (["run", "--precision", "fp8"], "'fp8'", "'fp32', 'tf32', 'bf16'"),
        (["run", "--seeds", "x"], "--seeds x was given", "give a whole number"),
        (["run", "--epochs", "0"], "--epochs 0 was given", "give at least 1"),
        (["run", "--learning-rate", "fast"], "--learning-rate fast was given", "give a number"),
        (["run", "--sed", "3"], "--sed", "--seeds"),
        (["runn"], "runn", "fbench --help"),
        (["report"], "'run'", "fbench report --help"),
    ],
)
def test_what_the_parser_refuses_is_one_sentence_with_what_is_allowed(
    arguments: list[str],
    given: str,
    allowed: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, printed = outcome(arguments, monkeypatch, capsys)
    assert code == 2
    assert printed.startswith("fbench: ")
    assert printed.count("\n") == 1
    assert given in printed
    assert allowed in printed


def test_a_command_that_is_given_nothing_says_what_it_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = outcome(["data"], monkeypatch, capsys)
    assert code == 2
    assert not printed.startswith("fbench: ")


def test_a_command_that_went_well_ends_with_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome(["--version"], monkeypatch, capsys)[0] == 0
