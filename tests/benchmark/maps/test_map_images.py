from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from face_maps import secret_faces
from support import data_spec_of, make_stripes

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.synthetic.expressions import CLASS_NAMES, bayes_posterior
from fbench.benchmark.data.synthetic.sampling import sample_parameters
from fbench.benchmark.maps.images import FACES_SEED, MOST_IMAGES, RENDERED, images_of, images_to_keep, rendered_faces

SHAPE = (1, 48, 48)


def must_not_be_read() -> ImageDataset:
    raise AssertionError("images that may not be shown were read")


def test_data_that_may_be_shown_gives_the_first_selection_image_of_each_class() -> None:
    stripes = make_stripes()
    shown = images_to_keep(data_spec_of(stripes), lambda: stripes)
    assert shown is not None
    rows = stripes.rows("validation")
    for name, image in zip(shown.labels, shown.images, strict=True):
        first = next(row for row in rows if stripes.class_names[stripes.labels[row]] == name)
        np.testing.assert_array_equal(image, stripes.images[first])
    assert (shown.labels, shown.source, shown.may_be_kept) == (stripes.class_names, "images of stripes", True)


def test_data_without_a_selection_split_gives_test_images() -> None:
    stripes = make_stripes()
    joined = replace(stripes, split=np.where(stripes.split == 1, 2, stripes.split).astype(np.uint8))
    shown = images_of(joined)
    assert shown is not None
    np.testing.assert_array_equal(shown.images[0], stripes.images[stripes.rows("validation")[0]])


def test_no_more_than_eight_classes_are_shown() -> None:
    stripes = make_stripes((0, 40, 0))
    many = replace(stripes, labels=(np.arange(40) % 20).astype(np.uint8), class_names=tuple("abcdefghijklmnopqrst"))
    shown = images_of(many)
    assert shown is not None
    assert shown.labels == many.class_names[:MOST_IMAGES]


@pytest.mark.parametrize("class_names", [("anger", "happiness", "contempt"), CLASS_NAMES, ("0_Angry", "joy")])
def test_data_that_may_not_be_shown_gives_rendered_faces_by_its_own_names(class_names: tuple[str, ...]) -> None:
    data = data_spec_of(secret_faces()).model_copy(update={"class_names": class_names})
    shown = images_to_keep(data, must_not_be_read)
    again = rendered_faces(class_names, SHAPE)
    assert shown is not None
    assert again is not None
    assert shown.labels == tuple(name for name in class_names if name != "contempt")
    assert (shown.source, shown.may_be_kept, shown.images.shape[1:]) == (RENDERED, True, SHAPE)
    np.testing.assert_array_equal(shown.images, again.images)


def test_a_name_gets_the_face_of_its_expression_whatever_the_order() -> None:
    one, other = rendered_faces(("anger", "joy"), SHAPE), rendered_faces(("happy", "angry"), SHAPE)
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one.images, other.images[::-1])


@pytest.mark.parametrize(
    ("class_names", "shape"),
    [
        (("happy", "cat"), SHAPE),
        (("contempt",), SHAPE),
        (("happy", "sad"), (3, 48, 48)),
        (("happy", "sad"), (1, 64, 64)),
    ],
)
def test_unknown_classes_and_other_sizes_give_no_faces(
    class_names: tuple[str, ...], shape: tuple[int, int, int]
) -> None:
    assert rendered_faces(class_names, shape) is None


def test_every_rendered_face_is_unmistakable() -> None:
    labels = np.arange(len(CLASS_NAMES))
    parameters = sample_parameters(labels, seed=FACES_SEED, split="validation")
    assert bayes_posterior(parameters.intensities)[labels, labels].min() > 0.95
