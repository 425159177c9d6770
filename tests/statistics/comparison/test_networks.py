from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from fbench.statistics.comparison.mcnemar import mcnemar
from fbench.statistics.comparison.networks import compare_networks, new_images_difference
from fbench.statistics.comparison.paired import compare
from fbench.statistics.comparison.unpaired import unpaired_new_images


def answers(seeds: int, seed: int) -> npt.NDArray[np.bool_]:
    return np.random.default_rng(seed).random((seeds, 80)) < 0.6


def test_seeds_in_common_are_pairs_and_the_others_are_left_out() -> None:
    ours, theirs = answers(4, 1), answers(3, 2)
    found = compare_networks(ours, theirs, (0, 1, 2, 3), (3, 1, 7))
    pairs = compare(ours[[1, 3]].astype(int) - theirs[[1, 0]])
    assert (found.pairing, found.our_seeds, found.their_seeds) == ("paired", (1, 3), (1, 3))
    assert (found.new_images, found.sign_flip) == (pairs.new_images, pairs.sign_flip)
    assert found.mcnemar is None


@pytest.mark.parametrize("their_seeds", [(5, 6, 7), (0, 6, 7)])
def test_with_less_than_two_thirds_in_common_all_seeds_are_used_unpaired(their_seeds: tuple[int, ...]) -> None:
    ours, theirs = answers(4, 1), answers(3, 2)
    found = compare_networks(ours, theirs, (0, 1, 2, 3), their_seeds)
    assert found.pairing == "unpaired"
    assert found.new_images == unpaired_new_images(ours, theirs)
    assert (found.sign_flip, found.seeds) == (None, 3)


@pytest.mark.parametrize("their_seeds", [(3, 1, 7), (5, 6, 7), (0, 6, 7)])
def test_the_difference_alone_is_that_of_the_whole_comparison(their_seeds: tuple[int, ...]) -> None:
    ours, theirs = answers(4, 1), answers(3, 2)
    seeds = ((0, 1, 2, 3), their_seeds)
    assert new_images_difference(ours, theirs, *seeds) == compare_networks(ours, theirs, *seeds).new_images


def test_single_trainings_get_mcnemars_test_and_no_effect_size() -> None:
    ours, theirs = answers(1, 1), answers(1, 2)
    found = compare_networks(ours, theirs, (4,), (4,))
    assert found.mcnemar == mcnemar(ours[0], theirs[0])
    assert found.effect_size is None
    assert found.new_images.rule == "one_seed"
    assert compare_networks(ours, theirs, (4,), (5,)).pairing == "unpaired"


def test_rows_need_a_seed_each() -> None:
    with pytest.raises(ValueError, match="give each row one seed"):
        compare_networks(answers(2, 1), answers(2, 2), (0, 1), (0, 0))
    with pytest.raises(ValueError, match="give both networks the same images"):
        compare_networks(answers(2, 1), answers(2, 2)[:, :5], (0, 1), (0, 1))


@pytest.mark.parametrize(
    ("their_seeds", "pairing"),
    [((0, 1, 2, 3, 6, 7), "paired"), ((0, 1, 2, 6, 7, 8), "unpaired"), ((0, 1, 9), "paired"), ((0, 8, 9), "unpaired")],
)
def test_two_thirds_of_the_smaller_side_in_common_make_pairs(their_seeds: tuple[int, ...], pairing: str) -> None:
    found = compare_networks(answers(6, 1), answers(len(their_seeds), 2), tuple(range(6)), their_seeds)
    assert found.pairing == pairing
