"""Which networks answer in this process and which in a worker, and what comes back from there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from support import ask_here
from torch import nn

from fbench.architectures import announced
from fbench.architectures.contract import built_in_contract
from fbench.architectures.registry import is_at_hand, register
from fbench.benchmark.records.specs import NetworkSpec
from fbench.benchmark.workers.asking import UsersNetworks, users_networks
from fbench.benchmark.workers.questions import Question, Subject, Tell, question
from fbench.core.errors import UserError

pytestmark = pytest.mark.usefixtures("same_registry_afterwards")
PLUGIN = """
import fbench

@fbench.register("of_a_plugin", description="a plug-in's", aliases=("its",))
def build(num_classes=7, in_channels=1, image_size=48):
    raise AssertionError("it is not built here")
"""


@dataclass(frozen=True)
class Found:
    """What a question may answer."""

    path: Path
    numbers: tuple[int, ...]
    names: dict[str, str]


def found(tell: Tell, path: Path, *, number: int, name: str = "a") -> Found:
    tell("a network")
    tell("")
    return Found(path / name, (number, os.getpid()), {"name": name})


def refused(_: Tell) -> None:
    raise UserError("No.")


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(PLUGIN)
    return tmp_path / "mine.py"


def trained(builder: str, source: str | None = "0") -> NetworkSpec:
    options = {"num_classes": 7, "in_channels": 1, "image_size": 48}
    return NetworkSpec(
        name="named", builder=builder, options=options, digest="0", source_sha256=source, plugin_file="theirs.py"
    )


def test_a_question_is_written_as_the_call_of_its_function_and_travels_with_its_types(tmp_path: Path) -> None:
    asked = question(found, tmp_path, number=3)
    told: list[str] = []
    here = asked.answer_here(told.append)
    assert (here.path, here.numbers[0], told) == (tmp_path / "a", 3, ["a network", ""])
    assert asked.to_json()["arguments"] == {"path": str(tmp_path), "number": 3}
    assert asked.answer_from_json({"path": "x", "numbers": [1, 2], "names": {}}) == Found(Path("x"), (1, 2), {})


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> list[Subject | None]:
    """What goes to a worker, by its subject."""
    subjects: list[Subject | None] = []

    def note(_: UsersNetworks, asked: Question[Any], subject: Subject | None) -> Any:
        subjects.append(subject)

    monkeypatch.setattr(UsersNetworks, "_elsewhere", note)
    return subjects


def test_what_is_fbenchs_or_of_this_session_answers_here_and_users_networks_elsewhere(
    elsewhere: list[Subject | None], plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @register("of_this_session")
    def build(num_classes: int = 7, in_channels: int = 1, image_size: int = 48) -> nn.Module:
        raise AssertionError

    points = {"announced": EntryPoint("announced", "some.module:net", announced.ENTRY_POINT_GROUP)}
    monkeypatch.setattr(announced, "entry_points", lambda: points)
    asked = question(found, plugin, number=3)
    with users_networks() as users:
        for name in ("ires", "of_this_session", "unknown"):
            assert users.ask_network(name, asked).numbers == (3, os.getpid())
        for network in (trained("ires", None), trained("of_this_session")):
            assert users.ask_trained(network, asked).numbers == (3, os.getpid())
        assert elsewhere == []
        users.ask_network("announced", asked)
        users.ask_trained(trained("announced"), asked)
        users.ask_trained(trained("of_a_plugin"), asked)
    with users_networks([plugin]) as users:
        for name in ("ires", "of_this_session", "of_a_plugin"):
            users.ask_network(name, asked)
        users.ask_trained(trained("ires", None), asked)
    assert elsewhere == [
        Subject("announced", "announced"),
        Subject("named", "announced", "theirs.py"),
        Subject("named", "of_a_plugin", "theirs.py"),
        Subject("of_a_plugin", "of_a_plugin"),
        Subject("named", "ires", "theirs.py"),
    ]


def test_a_subject_is_told_with_the_file_or_module_that_its_code_comes_from(
    plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_here(monkeypatch)
    points = {"announced": EntryPoint("announced", "some.module:net", announced.ENTRY_POINT_GROUP)}
    monkeypatch.setattr(announced, "entry_points", lambda: points)
    told: list[str] = []
    with users_networks([plugin], told.append) as users:
        users.ask_network("of_a_plugin", question(found, plugin, number=1))
        users.ask_network("announced", question(found, plugin, number=1))
        users.ask_trained(trained("not_there"), question(found, plugin, number=1))
    subjects = [text for text in told if text not in ("a network", "")]
    assert subjects == [
        f"the plug-in {plugin}",
        f"the network 'of_a_plugin' ({plugin})",
        f"the plug-in {plugin}",
        "the network 'announced' (some.module)",
        f"the plug-in {plugin}",
        "the network 'named' (theirs.py)",
    ]


def test_plug_ins_are_listed_beside_fbenchs_networks_and_this_sessions(
    plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_here(monkeypatch)
    with users_networks([plugin]) as users:
        listing = users.listing()
    mine = listing.named("its")
    assert (mine.name, mine.about.description, mine.built_in, mine.loaded) == (
        "of_a_plugin",
        "a plug-in's",
        False,
        True,
    )
    assert listing.names[: len(built_in_contract())] == tuple(built_in_contract())
    assert [one.name for one in listing.matching("of_a_*")] == ["of_a_plugin"]
    with pytest.raises(UserError, match=r"There is no architecture 'of_a_plugn'\. Did you mean 'of_a_plugin'"):
        listing.named("of_a_plugn")
    with pytest.raises(UserError, match="No architecture matches 'zzz"):
        listing.matching("zzz*")


@pytest.mark.slow
def test_one_worker_answers_all_questions_and_another_comes_after_a_failure(plugin: Path) -> None:
    with users_networks([plugin]) as users:
        listing = users.listing()
        first = users.ask_network("of_a_plugin", question(found, plugin, number=1))
        second = users.ask_network("of_a_plugin", question(found, plugin, number=2, name="\udcc9"))
        with pytest.raises(UserError, match=r"^No\."):
            users.ask(question(refused))
        third = users.ask_network("of_a_plugin", question(found, plugin, number=3))
    assert listing.named("its").name == "of_a_plugin"
    assert not is_at_hand("of_a_plugin")
    assert second.path == plugin / "\udcc9"
    assert first.numbers[1] == second.numbers[1] != third.numbers[1]
    assert os.getpid() not in (first.numbers[1], third.numbers[1])
