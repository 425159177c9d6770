from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from fbench.benchmark.records.protocol import Augmentation
from fbench.benchmark.training.augment import MixedBatch, apply_augmentation, augment, draw_augmentation

LABELS = torch.arange(8) % 3


def images() -> torch.Tensor:
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(8, 1, 48, 48)), (0, 0, 3, 3))
    return torch.from_numpy(smooth / smooth.std()).float()


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_nothing_asked_changes_nothing() -> None:
    batch = augment(images(), LABELS, Augmentation(), generator())
    assert torch.equal(batch.images, images())


def test_a_sure_flip_mirrors_every_image() -> None:
    batch = augment(images(), LABELS, Augmentation(flip_probability=1.0), generator())
    assert torch.equal(batch.images, images().flip(-1))


def test_half_the_images_flip_on_average() -> None:
    many = torch.arange(2.0).view(1, 1, 1, 2).expand(4000, 1, 2, 2).contiguous()
    batch = augment(many, torch.zeros(4000, dtype=torch.long), Augmentation(flip_probability=0.5), generator())
    share = (batch.images[:, 0, 0, 0] == 1).float().mean().item()
    assert abs(share - 0.5) < 4 * 0.5 / np.sqrt(4000)


def test_crop_after_padding_moves_by_whole_pixels_with_the_border_repeated() -> None:
    source = images()
    batch = augment(source, LABELS, Augmentation(crop_padding_px=3), generator())
    padded = torch.nn.functional.pad(source, (3, 3, 3, 3), mode="replicate")
    for index in range(8):
        crops = [padded[index, :, y : y + 48, x : x + 48] for y in range(7) for x in range(7)]
        assert min((batch.images[index] - crop).abs().max().item() for crop in crops) < 1e-4


def test_rotation_agrees_with_scipy() -> None:
    """With only rotation on, the angle is found by search and the interior agrees with scipy's bilinear rotation."""
    source = images()[:2]
    batch = augment(source, LABELS[:2], Augmentation(rotation_degrees=15.0), generator())
    for index in range(2):
        errors = []
        for angle in np.arange(-15, 15.1, 0.1):
            rotated = ndimage.rotate(source[index, 0].numpy(), angle, reshape=False, order=1, mode="nearest")
            errors.append(np.abs(rotated - batch.images[index, 0].numpy())[12:36, 12:36].max())
        assert min(errors) < 0.03


def test_zoom_and_shift_stay_within_their_limits() -> None:
    ramp = torch.linspace(-1, 1, 48).view(1, 1, 1, 48).expand(64, 1, 48, 48).contiguous()
    settings = Augmentation(shift_fraction=0.1, zoom_fraction=0.2)
    moved = augment(ramp, torch.zeros(64, dtype=torch.long), settings, generator()).images
    slope = (moved[:, 0, 24, 30] - moved[:, 0, 24, 18]) / (ramp[0, 0, 24, 30] - ramp[0, 0, 24, 18])
    assert slope.min() >= 0.8 - 1e-3
    assert slope.max() <= 1.2 + 1e-3
    centre = (moved[:, 0, 24, 23] + moved[:, 0, 24, 24]) / 2
    assert centre.abs().max() <= 0.2 * 48 / 47 + 1e-3


def test_erasing_sets_a_rectangle_to_the_mean() -> None:
    ones = torch.ones(64, 1, 48, 48)
    settings = Augmentation(erasing_probability=1.0, erasing_max_fraction=0.25)
    erased = augment(ones, torch.zeros(64, dtype=torch.long), settings, generator()).images[:, 0] == 0
    assert erased.flatten(1).any(1).all()
    assert erased.float().mean((1, 2)).max() <= 0.27
    for mask in erased:
        rows, columns = mask.any(1).nonzero().flatten(), mask.any(0).nonzero().flatten()
        assert mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()


def test_mixup_blends_images_and_keeps_both_labels() -> None:
    source = torch.arange(8.0).view(8, 1, 1, 1).expand(8, 1, 4, 4).contiguous()
    labels = torch.arange(8)
    batch = augment(source, labels, Augmentation(mixup_alpha=0.4), generator())
    assert batch.other_labels is not None
    assert batch.share is not None
    expected = batch.share * labels + (1 - batch.share) * batch.other_labels
    torch.testing.assert_close(batch.images[:, 0, 0, 0], expected.float())


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_mixup_shares_follow_a_beta_distribution(alpha: float) -> None:
    from scipy import stats

    many = torch.zeros(4000, 1, 1, 1)
    batch = augment(many, torch.zeros(4000, dtype=torch.long), Augmentation(mixup_alpha=alpha), generator(3))
    assert batch.share is not None
    assert stats.kstest(batch.share.numpy(), stats.beta(alpha, alpha).cdf).pvalue > 1e-3


def test_equal_seeds_give_equal_images_and_others_do_not() -> None:
    settings = Augmentation(flip_probability=0.5, rotation_degrees=10, shift_fraction=0.1, zoom_fraction=0.1)
    first = augment(images(), LABELS, settings, generator(5)).images
    assert torch.equal(first, augment(images(), LABELS, settings, generator(5)).images)
    assert not torch.equal(first, augment(images(), LABELS, settings, generator(6)).images)


EVERYTHING = Augmentation(
    flip_probability=0.5,
    rotation_degrees=10,
    shift_fraction=0.1,
    zoom_fraction=0.1,
    crop_padding_px=2,
    erasing_probability=0.5,
    mixup_alpha=0.3,
)


def test_the_sampling_grid_is_the_affine_grid_of_torch() -> None:
    draws = draw_augmentation(EVERYTHING.model_copy(update={"mixup_alpha": 0.0}), 8, 1, (48, 36), generator())
    assert draws.matrices is not None
    source = torch.rand(8, 1, 48, 36)
    grid = torch.nn.functional.affine_grid(draws.matrices, [8, 1, 48, 36], align_corners=False)
    expected = torch.nn.functional.grid_sample(source, grid, padding_mode="border", align_corners=False)
    only_moved = type(draws)(matrices=draws.matrices)
    torch.testing.assert_close(apply_augmentation(MixedBatch(source, LABELS), only_moved).images, expected)


def test_several_batches_augmented_together_are_those_augmented_one_by_one() -> None:
    many = torch.rand(24, 1, 48, 48)
    labels = torch.arange(24)
    draws = draw_augmentation(EVERYTHING, 8, 3, (48, 48), generator())
    together = apply_augmentation(MixedBatch(many, labels), draws)
    for start in (0, 8, 16):
        rows = slice(start, start + 8)
        alone = apply_augmentation(MixedBatch(many[rows], labels[rows]), draws.part(start, start + 8))
        assert torch.equal(alone.images, together.images[rows])
        assert together.other_labels is not None
        assert alone.other_labels is not None
        assert torch.equal(alone.other_labels, together.other_labels[rows])
        assert set(alone.other_labels.tolist()) == set(range(start, start + 8))
