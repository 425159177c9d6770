"""What travels is JSON and bytes; what has changed on the way, or leads elsewhere, is not taken."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from pretended import specs_in

from fbench.architectures.plugin_sources import PluginSources
from fbench.benchmark.clusters.parcel import Message, Parcel, SentPlugin
from fbench.benchmark.workers.messages import NoMessageError


def test_a_message_comes_back_as_it_was() -> None:
    message = Message({"done": "a", "answer": {"n": 1}}, {"record.json": b"{}\n\n", "weights": bytes(range(256))})
    assert Message.from_bytes(message.to_bytes()) == message
    assert Message.from_bytes(Message({"begins": "x"}).to_bytes()) == Message({"begins": "x"})


@pytest.mark.parametrize(
    "wrong",
    [
        "text",
        b"",
        b"{}\n",
        b"nonsense\n",
        b'{"files": [["a", 3]]}\nab',
        b'{"files": [["a", 1]]}\nab',
        b'{"files": [["a", -1], ["b", 3]]}\nab',
        b'{"files": [["a", 1], ["a", 1]]}\nab',
        b'{"files": [[1, 2]]}\nab',
        b'[{"files": []}]\n',
        pickle.dumps({"files": []}),
        b"[" * 100_000 + b"\n",
    ],
)
def test_what_is_no_message_is_refused(wrong: object) -> None:
    with pytest.raises(NoMessageError):
        Message.from_bytes(wrong)


def test_a_parcel_comes_back_as_it_was(tmp_path: Path) -> None:
    spec = specs_in(tmp_path, 1)[0]
    parcel = Parcel(spec=spec, device="cpu", cpus=1, gpus=0.25, versions={"torch": "2"}, flag="f")
    back = Parcel.from_text(parcel.to_text())
    assert back.spec.trial_id == spec.trial_id
    assert back.spec.data.path is None  # a place of the driver's
    assert (back.gpus, back.versions) == (0.25, {"torch": "2"})
    with pytest.raises(NoMessageError):
        Parcel.from_text('{"spec": 1}')


def test_a_plug_in_arrives_byte_by_byte_and_an_altered_one_is_refused(tmp_path: Path) -> None:
    files = {"mine.py": "# é\r\nimport blocks\n".encode(), "blocks/conv.py": bytes(range(256))}
    sources = PluginSources(tmp_path, "mine.py", files, {"timm": "1.0"})
    sent = SentPlugin.model_validate_json(SentPlugin.of(sources).model_dump_json())
    assert sent.sources(tmp_path / "there").files == files
    assert sent.sources(tmp_path / "there").identity == sources.identity
    altered = sent.model_copy(update={"files": {**sent.files, "mine.py": "import os\n"}})
    with pytest.raises(NoMessageError, match="other files than were sent"):
        altered.sources(tmp_path)


@pytest.mark.parametrize("name", ["../away.py", "/away.py", "a/../../away.py", "a//b.py", "c:away.py", "a\\b.py"])
def test_a_plug_in_whose_files_lead_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    sources = PluginSources(tmp_path, "mine.py", {"mine.py": b"", name: b""})
    with pytest.raises(NoMessageError, match="outside of its folder"):
        SentPlugin.of(sources).sources(tmp_path)
