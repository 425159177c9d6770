from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fbench.ablations.claim import Claim, PaperClaims, load_claims, shipped_claims
from fbench.ablations.claim_tests import DATA_WORDS, CountIs, Exceeds, MeanReaches, Reaches
from fbench.ablations.published import published_values
from fbench.architectures.contract import built_in_contract
from fbench.benchmark.records.budget import load_presets
from fbench.core.errors import UserError

FEWER = '{ kind = "fewer", network = "ires", than = "arch1" }'


def every_claim() -> list[tuple[str, Claim]]:
    return [(paper.paper, claim) for paper in shipped_claims() for claim in paper.claims]


def one_claim(name: str) -> Claim:
    (found,) = [claim for _, claim in every_claim() if claim.id == name]
    return found


TABLE_3 = ("simple_cnn", "simpler_cnn", "lenet5", "mini_xception", "resnet50")


def write(folder: Path, tests: str = FEWER, more: str = "") -> Path:
    file = folder / "mine.toml"
    file.write_text(
        f'paper = "Mine"\n[[claims]]\nid = "a"\nsentence = "s"\nplace = "p"\n{more}\ntests = [{tests}]\n',
        encoding="utf-8",
    )
    return file


def test_both_papers_have_claims_of_distinct_names() -> None:
    assert [paper.paper for paper in shipped_claims()] == ["Chowanda 2021", "Xu et al. 2021"]
    names = [claim.id for _, claim in every_claim()]
    assert len(set(names)) == len(names) == 44


@pytest.mark.parametrize("claim", [claim for _, claim in every_claim()], ids=lambda claim: claim.id)
def test_every_claim_has_its_sentence_place_and_known_networks(claim: Claim) -> None:
    assert claim.sentence
    assert claim.section
    assert set(claim.networks) <= set(built_in_contract())
    assert set(claim.data) <= set(DATA_WORDS)
    assert claim.needs_training == bool(claim.data)


def test_printed_values_are_those_of_the_published_figures() -> None:
    printed = {(one.architecture, one.data, one.metric): one.value for one in published_values()}
    tests = [test for _, claim in every_claim() for test in claim.tests]
    reached = {(t.network, t.data): t.percent for t in tests if isinstance(t, Reaches) and t.class_name is None}
    table_3 = [("ires", "fer2013"), *((name, "fer2013") for name in TABLE_3)]
    assert reached.pop(("arch1", "ck_plus_by_frame")) == reached["arch1", "ck_plus"]
    assert reached == {key: printed[(*key, "top1")] for key in (("arch1", "fer2013"), ("arch1", "ck_plus"), *table_3)}
    means = {t.network: t.percent for t in tests if isinstance(t, MeanReaches)}
    assert means == {name: printed[name, "mean", "training_accuracy"] for name in ("arch1", "arch2", "arch3", "arch4")}
    (count,) = [test for test in tests if isinstance(test, CountIs)]
    assert (count.value, count.precision) == (printed["ires", None, "total_params_keras"], 100)


def test_the_order_of_table_3_is_that_of_its_accuracies() -> None:
    accuracy = {one.architecture: one.value for one in published_values() if one.section.startswith("Table 3, row")}
    printed = {
        one.architecture: one.value
        for one in published_values()
        if one.paper == "Xu et al. 2021" and one.metric == "top1" and one.architecture
    }
    assert accuracy.keys() == printed.keys()
    (ordered,) = one_claim("order_of_table_3").tests
    assert list(ordered.networks) == sorted(printed, key=lambda name: -printed[name])  # type: ignore[union-attr]


def test_the_best_of_table_4_is_what_the_paper_says_it_exceeds() -> None:
    others = {one.method: one.value for one in published_values() if one.section.startswith("Table 4")}
    assert sorted(others.values()) == [60.30, 61.86, 62.4, 64.4, 65.03]
    assert all(others)
    (test,) = one_claim("better_than_table_4").tests
    assert isinstance(test, Exceeds)
    assert test.percent == max(others.values())


def test_needs_follow_from_the_tests() -> None:
    claim = one_claim("dense_head_worse_and_slower")
    assert (claim.needs_cost, claim.needs_training, claim.data) == (True, True, ("fer2013", "ck_plus", "imed"))
    assert not one_claim("fewest_parameters").needs_training


@pytest.mark.parametrize("never", ["", 'never = "no number"\n'])
def test_a_claim_has_tests_or_says_why_none_could_decide_it(tmp_path: Path, never: str) -> None:
    text = f'paper = "p"\n[[claims]]\nid = "a"\nsentence = "s"\nsection = "t"\n{never}'
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    if never:
        (claim,) = load_claims(path, load_presets()).claims
        assert (claim.never, claim.networks, claim.needs_training) == ("no number", (), False)
        path.write_text(f"{text}tests = [{FEWER}]\n", encoding="utf-8")
    with pytest.raises(UserError, match="The claim 'a' has"):
        load_claims(path, load_presets())


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    found = load_claims(write(tmp_path, more='seeds = 5\npreset = "full"'), load_presets())
    assert isinstance(found, PaperClaims)
    (claim,) = found.claims
    assert (claim.seeds, claim.preset, claim.networks) == (5, "full", ("ires", "arch1"))


@pytest.mark.parametrize(
    ("tests", "more", "words"),
    [
        ('{ kind = "fever", network = "a", than = "b" }', "", "unknown kind 'fever'. Did you mean 'fewer'?"),
        ('{ network = "a", than = "b" }', "", "has no 'kind'; add it"),
        ('{ kind = "fewer", netwrok = "a", than = "b" }', "", "Did you mean 'network'?"),
        ('{ kind = "fewer", network = "a", than = "a" }', "", "holds 'a' against itself"),
        ('{ kind = "fewer", network = "a", than = ["b", "b"] }', "", "names 'b' twice"),
        ('{ kind = "fewer", network = "a", than = [] }', "", "at least 1 entry"),
        ('{ kind = "ordered", networks = ["a"], data = "fer2013" }', "", "at least 2 entries"),
        ('{ kind = "reaches", network = "a", data = "fer2013", percent = 703 }', "", "at most 100"),
        ('{ kind = "count_reduction", network = "a", than = "b", low_percent = 9, high_percent = 6 }', "", "smaller"),
        ('{ kind = "training_time_reduction", network = "a", than = "b", low_percent = 9, high_percent = 99.8 }',
         "", "below 100"),
        (FEWER, 'preset = "standart"', "Did you mean 'standard'?"),
        (FEWER, "seed = 3", "unknown key 'seed'"),
        (FEWER, "seeds = 0", "more than 0"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_told_in_a_sentence(tmp_path: Path, tests: str, more: str, words: str) -> None:
    with pytest.raises(UserError) as error:
        load_claims(write(tmp_path, tests, more), load_presets())
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_an_id_twice_a_missing_file_and_what_is_no_toml_are_told(tmp_path: Path) -> None:
    file = write(tmp_path)
    text = file.read_text(encoding="utf-8")
    file.write_text(text + text.partition("\n")[2], encoding="utf-8")
    with pytest.raises(UserError, match="the id 'a' twice"):
        load_claims(file, load_presets())
    with pytest.raises(UserError, match="There is no file"):
        load_claims(tmp_path / "absent.toml", load_presets())
    file.write_text("paper = ", encoding="utf-8")
    with pytest.raises(UserError, match="not valid TOML"):
        load_claims(file, load_presets())


def test_a_sentence_of_a_paper_is_no_more_than_a_short_quotation() -> None:
    longest: dict[str, Any] = {claim.id: len(claim.sentence.split()) for _, claim in every_claim()}
    assert max(longest.values()) <= 30, longest
