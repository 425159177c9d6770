"""What tells of a place, a person or a machine is found, taken out, and told from what only looks like it."""

from __future__ import annotations

import getpass
import json
import socket

import pytest

from fbench.benchmark.bundles.private_texts import own_names, private_in, private_texts, without_private

PRIVATE = {
    "read from /home/anna/data/fer.csv, then": "read from fer.csv, then",
    "file:///srv/x/y.csv": "y.csv",
    "~/faces/y.csv": "y.csv",
    "at ~anna/y.csv": "at y.csv",
    "C:\\Users\\anna\\y.csv": "y.csv",
    "\\\\server\\share\\y.csv": "y.csv",
    "key='/mnt/x/y'": "key='y'",
    "/data.csv": "data.csv",
    "ask a.b@uni-x.de for it": "ask … for it",
    "anna@gpu01": "…",
    "on 192.168.0.12:6379": "on …:6379",
}
HARMLESS = (
    "https://doi.org/10.1000/182",
    "1,200 images/s and 1/2 / 3",
    "fbench@2+learning_rate=0.001",
    "latency_p99@64:+10%",
    "torch 2.13.0+cpu, opencv 4.13.0.90",
    "results/faces/README.md and ../run",
    "/sys/class/powercap",
    "row:17",
)


@pytest.mark.parametrize("text", PRIVATE)
def test_what_is_private_is_found_and_taken_out(text: str) -> None:
    assert len(list(private_texts(text))) == 1
    assert without_private(text) == PRIVATE[text]
    assert not list(private_texts(PRIVATE[text]))


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert not list(private_texts(text))
    assert without_private(text, ("gpu",)) == text


def test_an_image_in_the_guise_of_text_is_found() -> None:
    assert [one.kind for one in private_texts("data:image/png;base64,aGk=")] == ["a file in the guise of text"]
    assert [one.kind for one in private_texts("QUJD" * 100)] == ["a file in the guise of text"]
    assert not list(private_texts("0123456789abcdef" * 4))


def test_a_name_is_taken_out_of_sentences_and_not_of_what_people_call_things() -> None:
    assert without_private("made by anna on gpu01.", ("anna", "gpu01")) == "made by … on …."
    assert without_private("anna_net is annas", ("anna",)) == "anna_net is annas"
    assert without_private("anna", ("anna",)) == "anna"


def test_own_names_are_those_of_machine_and_user_that_say_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "gpu01.cs.example.org")
    monkeypatch.setattr(getpass, "getuser", lambda: "anna")
    assert own_names() == ("gpu01.cs.example.org", "gpu01", "anna")
    monkeypatch.setattr(socket, "gethostname", lambda: "localhost")
    monkeypatch.setattr(getpass, "getuser", lambda: "root")
    assert own_names() == ()


def test_json_is_searched_by_its_texts_and_names_and_programs_by_other_rules() -> None:
    content = json.dumps({"a": ["C:\\Users\\anna\\y.csv"], "/home/anna/x": 1}).encode()
    assert [one.words for one in private_in("run.json", content)] == ["C:\\Users\\anna\\y.csv", "/home/anna/x"]
    assert len(list(private_in("test_readings.jsonl", content + b"\n" + content))) == 4
    program = b"x = q@k\n@fbench.register('a')\nname = f'{stem}/__init__.py'\n"
    assert not list(private_in("plugins/x.py", program))
    assert [one.words for one in private_in("x.py", b"# anna@example.org\nF = '/home/anna/x'\n")] == [
        "/home/anna/x",
        "anna@example.org",
    ]
    assert not list(private_in("predictions.npz", content))
