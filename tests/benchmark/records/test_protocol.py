from __future__ import annotations

from pathlib import Path

import pytest

from fbench.benchmark.records.protocol import AdamW, Protocol
from fbench.benchmark.records.protocol_library import list_protocols, load_protocol
from fbench.core.errors import UserError

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
    assert (protocol.selection, protocol.test) == ("validation", "once")


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


def test_both_papers_recipes_can_be_run_by_name() -> None:
    """Xu et al. 2021, section 4; Chowanda 2021, Pre-processing and initial hyper-parameters settings."""
    xu, chowanda = load_protocol("xu2021"), load_protocol("chowanda2021")
    assert (xu.epochs, xu.selection) == (100, "validation")
    assert xu.augmentation.flip_probability > 0
    assert xu.augmentation.rotation_degrees > 0
    assert xu.augmentation.crop_padding_px > 0
    assert (chowanda.optimizer.kind, chowanda.optimizer.learning_rate, chowanda.epochs) == ("adam", 0.01, 200)
    assert chowanda.schedule.kind == "reduce_on_plateau"
    assert chowanda.schedule.factor == 0.1
    assert chowanda.stopping is not None
    assert chowanda.architecture_options == {"dropout": 0.5}
    assert chowanda.optimizer.weight_decay == 2 * 0.2  # the gradient of 0.2 w^2
    assert (chowanda.augmentation.rotation_degrees, chowanda.augmentation_use) == (20, "one_fixed_copy")
    assert (chowanda.selection, chowanda.test_split) == ("test", "merged_with_validation")


def test_what_a_paper_leaves_open_is_named() -> None:
    for name in ("xu2021", "chowanda2021"):
        protocol = load_protocol(name)
        assert protocol.source
        assert protocol.stated
        assert all("not stated" in text or len(text) > 20 for text in protocol.choices.values())


def test_a_data_set_can_have_its_own_batch_size() -> None:
    protocol = load_protocol("chowanda2021")
    assert protocol.for_data("ck48").batch_size == 10
    assert protocol.for_data("fer2013").batch_size == 256
    assert protocol.for_data("ck48").settings()["batch_size"] == 10
    assert "batch_size_for_data" not in protocol.for_data("ck48").settings()


def test_words_for_readers_are_no_part_of_the_settings() -> None:
    protocol = load_protocol("chowanda2021")
    other = protocol.model_copy(update={"description": "x", "choices": {"a": "b"}, "stated": {}, "source": ""})
    assert other.settings() == protocol.settings()


def test_the_rule_of_collapsed_trainings_is_a_field_and_no_part_of_the_settings(tmp_path: Path) -> None:
    text = 'extends = "fbench"\nname = "mine"\n[collapse]\nchance = 0.01\n'
    mine, base = load_protocol(written(tmp_path, text)), load_protocol("fbench")
    assert (base.collapse.chance, base.collapse.loss_factor) == (0.05, 2.0)
    assert (mine.collapse.chance, mine.collapse.loss_factor) == (0.01, 2.0)
    assert mine.model_copy(update={"name": "fbench"}).settings() == base.settings()
    with pytest.raises(UserError, match="chance"):
        load_protocol(written(tmp_path, text.replace("0.01", "1.0")))


def test_a_protocol_extends_another_field_by_field(tmp_path: Path) -> None:
    text = 'extends = "chowanda2021"\nname = "mine"\n[optimizer]\nweight_decay = 0.001\n[choices]\nplateau = "mine"\n'
    mine, base = load_protocol(written(tmp_path, text)), load_protocol("chowanda2021")
    assert mine.optimizer.weight_decay == 0.001
    assert mine.optimizer.learning_rate == base.optimizer.learning_rate
    assert mine.augmentation == base.augmentation
    assert mine.choices == base.choices | {"plateau": "mine"}


def test_another_kind_of_optimizer_replaces_the_extended_one_whole(tmp_path: Path) -> None:
    text = 'extends = "fbench"\nname = "mine"\noptimizer = { kind = "sgd", learning_rate = 0.1 }\n'
    mine = load_protocol(written(tmp_path, text))
    assert mine.optimizer.model_dump() == {"kind": "sgd", "learning_rate": 0.1} | mine.optimizer.model_dump(
        exclude={"kind", "learning_rate"}
    )
    assert mine.optimizer.weight_decay == 0.0


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ('test_split = "merged_with_validation"\n', "no validation split is left"),
        ('augmentation_use = "one_fixed_copy"\naugmentation = { mixup_alpha = 0.2 }\n', "has one label"),
        ('extends = "chowanda"\n', "There is no protocol 'chowanda'"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(tmp_path: Path, extra: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_protocol(written(tmp_path, extra + TEXT))


def test_records_of_the_first_version_are_still_read() -> None:
    values = load_protocol("fbench").model_dump(mode="json")
    del values["weight_decay_on"]
    assert Protocol.model_validate(values | {"decay_all_parameters": False}) == load_protocol("fbench")
    older = Protocol.model_validate(values | {"decay_all_parameters": True})
    assert older.weight_decay_on == "all_parameters"
