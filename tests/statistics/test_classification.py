from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve

from fbench.statistics import classification as ours

CLASSES = 7


@pytest.fixture
def labels() -> npt.NDArray[np.int64]:
    return np.random.default_rng(0).integers(0, CLASSES, size=500)


@pytest.fixture
def logits(labels: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.random.default_rng(1).normal(size=(500, CLASSES)) + 1.5 * np.eye(CLASSES)[labels]


def test_every_measure_agrees_with_scikit_learn(labels: npt.NDArray[np.int64], logits: npt.NDArray[np.float64]) -> None:
    predicted = logits.argmax(axis=1)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = ours.measure(labels, predicted, logits)
    assert found.top1 == pytest.approx(metrics.accuracy_score(labels, predicted))
    assert found.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(labels, predicted))
    assert found.macro_f1 == pytest.approx(metrics.f1_score(labels, predicted, average="macro"))
    assert found.per_class_recall == pytest.approx(metrics.recall_score(labels, predicted, average=None))
    assert found.log_loss == pytest.approx(metrics.log_loss(labels, probabilities))
    assert np.array_equal(found.confusion, metrics.confusion_matrix(labels, predicted))


def test_the_calibration_error_agrees_with_scikit_learns_calibration_curve(
    labels: npt.NDArray[np.int64], logits: npt.NDArray[np.float64]
) -> None:
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    confidence = probabilities.max(axis=1)
    accuracy, mean_confidence = calibration_curve(logits.argmax(axis=1) == labels, confidence, n_bins=15)
    images = np.histogram(confidence, bins=15, range=(0, 1))[0]
    expected = (images[images > 0] / 500 * np.abs(accuracy - mean_confidence)).sum()
    assert ours.expected_calibration_error(labels, logits) == pytest.approx(expected)


def test_a_hand_computed_calibration_error() -> None:
    # Confidence 0.8 right, 0.8 wrong, 0.6 right: gaps of |0.8 - 0.5| for two images and |0.6 - 1| for one.
    odds = np.log([4.0, 4.0, 1.5])
    logits = np.stack([odds, np.zeros(3)], axis=1)
    assert ours.expected_calibration_error([0, 1, 0], logits) == pytest.approx((2 * 0.3 + 0.4) / 3)


def test_a_class_without_labels_is_left_out_of_the_averages() -> None:
    labels = np.array([0, 0, 1, 1, 1])
    predicted = np.array([0, 2, 1, 1, 0])
    confusion = ours.confusion_matrix(labels, predicted, 3)
    assert confusion.tolist() == [[1, 0, 1], [1, 2, 0], [0, 0, 0]]
    assert ours.per_class_recall(confusion)[:2] == pytest.approx([1 / 2, 2 / 3])
    assert math.isnan(ours.per_class_recall(confusion)[2])
    assert ours.balanced_accuracy(confusion) == pytest.approx((1 / 2 + 2 / 3) / 2)
    reference = metrics.f1_score(labels, predicted, labels=[0, 1], average="macro")
    assert ours.macro_f1(confusion) == pytest.approx(reference)


def test_labels_of_one_byte_do_not_overflow() -> None:
    labels = np.arange(20, dtype=np.uint8)
    assert np.array_equal(ours.confusion_matrix(labels, labels, 20), np.eye(20))


def test_the_predictions_define_the_accuracy_and_not_the_logits() -> None:
    found = ours.measure([0, 1], [0, 1], [[1.0, 0.0], [1.0, 0.0]])
    assert found.top1 == 1


def test_large_logits_do_not_overflow() -> None:
    logits = np.array([[60000, -60000], [60000, -60000]], dtype=np.float16)
    assert ours.log_loss([0, 0], logits) == 0
    assert ours.log_loss([1, 0], logits) == pytest.approx(60000, rel=1e-3)


def test_a_uniform_answer_costs_the_logarithm_of_the_number_of_classes() -> None:
    assert ours.log_loss([0, 3, 6], np.zeros((3, CLASSES))) == pytest.approx(math.log(CLASSES))


@pytest.mark.parametrize(
    ("labels", "predicted", "message"),
    [
        ([0, 7], [0, 0], "label is 7"),
        ([0, 1], [0, -1], "prediction is -1"),
        ([0, 1], [0], "do not pair"),
        ([], [], "give a row of integers"),
        ([0.5], [0], "give a row of integers"),
    ],
)
def test_what_is_no_pair_of_classes_is_refused(labels: list[int], predicted: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ours.confusion_matrix(labels, predicted, CLASSES)


def test_logits_of_a_diverged_network_are_refused() -> None:
    with pytest.raises(ValueError, match="diverged"):
        ours.log_loss([0], [[np.nan, 1.0]])


def test_unequal_numbers_of_labels_and_logits_are_refused() -> None:
    with pytest.raises(ValueError, match="do not pair"):
        ours.expected_calibration_error([0, 1], [[0.0, 1.0]])
