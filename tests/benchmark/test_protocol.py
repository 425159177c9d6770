from __future__ import annotations

from pathlib import Path

import pytest

from fbench.architectures.errors import UserError
from fbench.benchmark.protocol import AdamW, Protocol, list_protocols, load_protocol

TEXT = """
name = "mine"
version = 1
epochs = 2
batch_size = 8
reference_batch_size = 8
optimizer = { kind = "adamw", learning_rate = 0.001 }
schedule = { kind = "constant" }
"""


def written(tmp_path: Path, text: str) -> str:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_every_shipped_protocol_loads_under_its_own_name() -> None:
    assert "fbench" in list_protocols()
    for name in list_protocols():
        assert load_protocol(name).name == name


def test_the_default_protocol_is_adamw_with_warm_up_cosine_and_label_smoothing() -> None:
    protocol = load_protocol("fbench")
    assert isinstance(protocol.optimizer, AdamW)
    assert protocol.schedule.kind == "warmup_cosine"
    assert protocol.label_smoothing > 0
    assert (protocol.selection, protocol.test) == ("selection", "once")


def test_a_protocol_is_read_from_a_file(tmp_path: Path) -> None:
    protocol = load_protocol(written(tmp_path, TEXT))
    assert (protocol.name, protocol.epochs, protocol.optimizer.learning_rate) == ("mine", 2, 0.001)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT + "batchsize = 3\n", r"unknown key 'batchsize'\. Did you mean 'batch_size'\?"),
        (TEXT + "[augmentation]\nflip = 0.5\n", r"unknown key 'flip' in 'augmentation'\. .*flip_probability"),
        (TEXT.replace("adamw", "adam_w"), "optimizer"),
        (TEXT.replace("epochs = 2", "epochs = 0"), "'epochs' is 0"),
        (TEXT.replace("version = 1", ""), "'version' is missing"),
        (TEXT + "[", "not valid TOML"),
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_protocol(written(tmp_path, text))


def test_an_unknown_name_and_a_missing_file_say_what_is_allowed() -> None:
    with pytest.raises(UserError, match=r"Did you mean 'fbench'\?"):
        load_protocol("fbensch")
    with pytest.raises(UserError, match="no file"):
        load_protocol("nowhere.toml")


def test_protocols_are_values() -> None:
    protocol = load_protocol("fbench")
    assert Protocol.model_validate_json(protocol.model_dump_json()) == protocol
