"""Measures of one classifier on one labelled set.

A class that no label has is left out of the averages over classes (its recall and F1 are not defined), as in
scikit-learn's ``balanced_accuracy_score``; scikit-learn's macro F1 would count it as 0 once it is predicted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
CALIBRATION_BINS = 15  # Guo et al. 2017, section 5


@dataclass(frozen=True)
class ClassificationMeasures:
    """All measures of one set of predictions; accuracies are fractions of 1, ``log_loss`` is in nats.

    ``per_class_recall`` has one value a class, NaN for a class without labels; ``confusion`` counts images by
    true class (row) and predicted class (column).
    """

    top1: float
    balanced_accuracy: float
    macro_f1: float
    per_class_recall: tuple[float, ...]
    log_loss: float
    expected_calibration_error: float
    confusion: tuple[tuple[int, ...], ...]


def measure(labels: npt.ArrayLike, predicted: npt.ArrayLike, logits: npt.ArrayLike) -> ClassificationMeasures:
    """Measure predictions.

    Args:
        labels: true classes, shape (N,).
        predicted: predicted classes, shape (N,); they define every accuracy, as stored logits are rounded.
        logits: shape (N, K); they define the loss and the calibration error.

    Raises:
        ValueError: empty or unequal lengths, a class outside 0 to K - 1, or a logit that is not finite.
    """
    scores = _as_logits(logits)
    confusion = confusion_matrix(labels, predicted, scores.shape[1])
    return ClassificationMeasures(
        top1=top1(confusion),
        balanced_accuracy=balanced_accuracy(confusion),
        macro_f1=macro_f1(confusion),
        per_class_recall=tuple(per_class_recall(confusion).tolist()),
        log_loss=log_loss(labels, scores),
        expected_calibration_error=expected_calibration_error(labels, scores),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )


def confusion_matrix(labels: npt.ArrayLike, predicted: npt.ArrayLike, num_classes: int) -> IntArray:
    """Count images by true class (row) and predicted class (column), shape (K, K).

    Raises:
        ValueError: empty or unequal lengths, or a class outside 0 to K - 1.
    """
    true = _as_classes(labels, num_classes, "label")
    answer = _as_classes(predicted, num_classes, "prediction")
    if true.shape != answer.shape:
        raise ValueError(f"{true.size} labels and {answer.size} predictions do not pair; give one prediction a label.")
    return np.bincount(true * num_classes + answer, minlength=num_classes**2).reshape(num_classes, num_classes)


def top1(confusion: IntArray) -> float:
    """Return the share of right answers, from a confusion matrix of shape (K, K)."""
    return float(np.trace(confusion) / confusion.sum())


def per_class_recall(confusion: IntArray) -> FloatArray:
    """Return the share of right answers of each true class, shape (K,); NaN for a class without labels."""
    images = confusion.sum(axis=1)
    return np.where(images > 0, np.diagonal(confusion) / np.maximum(images, 1), np.nan)


def balanced_accuracy(confusion: IntArray) -> float:
    """Return the mean recall over the classes that have labels (Brodersen et al. 2010, ICPR)."""
    return float(np.nanmean(per_class_recall(confusion)))


def macro_f1(confusion: IntArray) -> float:
    """Return the mean F1 over the classes that have labels: 2 TP / (2 TP + FP + FN) of each class."""
    present = confusion.sum(axis=1) > 0
    both = confusion.sum(axis=0) + confusion.sum(axis=1)
    return float((2 * np.diagonal(confusion)[present] / both[present]).mean())


def log_loss(labels: npt.ArrayLike, logits: npt.ArrayLike) -> float:
    """Return the mean cross-entropy in nats, from labels of shape (N,) and logits of shape (N, K).

    Raises:
        ValueError: empty or unequal lengths, a label outside 0 to K - 1, or a logit that is not finite.
    """
    scores = _as_logits(logits)
    true = _paired(labels, scores)
    return float((special.logsumexp(scores, axis=1) - scores[np.arange(true.size), true]).mean())


def expected_calibration_error(labels: npt.ArrayLike, logits: npt.ArrayLike, bins: int = CALIBRATION_BINS) -> float:
    """Return the mean gap of confidence and accuracy over equal-width bins (Guo et al. 2017, ICML, eq. 3).

    The confidence is the largest softmax probability; a bin is open on the left and closed on the right.

    Args:
        labels: shape (N,).
        logits: shape (N, K).
        bins: number of bins between 0 and 1.

    Raises:
        ValueError: empty or unequal lengths, a label outside 0 to K - 1, or a logit that is not finite.
    """
    scores = _as_logits(logits)
    true = _paired(labels, scores)
    confidence = special.softmax(scores, axis=1).max(axis=1)
    correct = scores.argmax(axis=1) == true
    bin_of = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence)
    gap = np.bincount(bin_of, weights=confidence - correct, minlength=bins)
    return float(np.abs(gap).sum() / true.size)


def _as_logits(logits: npt.ArrayLike) -> FloatArray:
    scores = np.asarray(logits, dtype=np.float64)
    if scores.ndim != 2 or scores.size == 0:
        raise ValueError(f"The logits have the shape {scores.shape}; give one row an image and one column a class.")
    if not np.isfinite(scores).all():
        raise ValueError("A logit is NaN or infinite; such a network has diverged and cannot be measured.")
    return scores


def _as_classes(classes: npt.ArrayLike, num_classes: int, what: str) -> IntArray:
    values = np.asarray(classes)
    if values.ndim != 1 or values.size == 0 or not np.issubdtype(values.dtype, np.integer):
        raise ValueError(f"The {what}s have the shape {values.shape} and type {values.dtype}; give a row of integers.")
    if values.min() < 0 or values.max() >= num_classes:
        wrong = values[(values < 0) | (values >= num_classes)][0]
        raise ValueError(f"A {what} is {wrong}; with {num_classes} classes it must be from 0 to {num_classes - 1}.")
    return values.astype(np.int64)


def _paired(labels: npt.ArrayLike, logits: FloatArray) -> IntArray:
    true = _as_classes(labels, logits.shape[1], "label")
    if true.size != len(logits):
        raise ValueError(f"{true.size} labels and {len(logits)} rows of logits do not pair; give one row a label.")
    return true
