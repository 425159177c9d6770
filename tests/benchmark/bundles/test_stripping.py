"""What goes into a bundle is the file itself, or the file without what is private."""

from __future__ import annotations

import json

import pytest

from fbench.benchmark.bundles.stripping import stripped


def json_of(values: object) -> bytes:
    return json.dumps(values).encode()


def test_a_file_with_nothing_private_stays_byte_by_byte() -> None:
    content = b'{"a":   [1.50, "plain"],\n"b": null}'
    assert stripped("run.json", content, ("anna",), ()) == content
    assert stripped("trials/x/history.csv", b"step,/home/anna\n", ("anna",), ()) == b"step,/home/anna\n"


def test_paths_and_names_go_and_a_machine_keeps_its_words() -> None:
    found = json.loads(
        stripped(
            "run.json",
            json_of({"why": "g++ of anna in /home/anna/x.cpp", "machine": {"system": "Linux of anna"}, "n": 1e-300}),
            ("anna",),
            (),
        )
    )
    assert found == {"why": "g++ of … in x.cpp", "machine": {"system": "Linux of anna"}, "n": 1e-300}


def test_images_and_subjects_have_numbers() -> None:
    audit = {
        "left_out": [{"reason": "is cut short", "names": ["P. Smith.jpg", "Q. Jones.jpg"]}],
        "data": {"left_out": [{"reason": "is cut short", "count": 2, "examples": ["P. Smith.jpg"]}]},
        "subjects_on_both_sides": [{"subject": "P. Smith", "images": {"train": 1}}],
    }
    assert json.loads(stripped("audit.json", json_of(audit), (), ())) == {
        "left_out": [{"reason": "is cut short", "names": ["1", "2"]}],
        "data": {"left_out": [{"reason": "is cut short", "count": 2, "examples": []}]},
        "subjects_on_both_sides": [{"subject": "1", "images": {"train": 1}}],
    }


def test_readings_of_other_trials_have_no_network() -> None:
    lines = [{"trial_id": "a", "network": "mine"}, {"trial_id": "b", "network": "secret"}]
    content = b"\n".join(map(json_of, lines))
    found = [json.loads(line) for line in stripped("test_readings.jsonl", content, (), {"a"}).splitlines()]
    assert found == [{"trial_id": "a", "network": "mine"}, {"trial_id": "b"}]


def test_a_suite_is_looked_through_line_by_line() -> None:
    assert stripped("inputs/suite.toml", b'title = "of anna"\nsource = "/srv/a/b.pdf"', ("anna",), ()) == (
        'title = "of …"\nsource = "b.pdf"'.encode()
    )


def test_what_is_no_json_is_told() -> None:
    with pytest.raises(ValueError, match=r"."):
        stripped("run.json", b"{", (), ())
