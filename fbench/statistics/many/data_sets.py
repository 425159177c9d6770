"""A difference of two networks over several data sets: on these, on data sets in general, and on the next one.

Each data set k of K gives a difference ``d_k`` with the standard error ``s_k`` for its new images and seeds, no smaller
than its interval has it. The model is that of random effects, ``d_k = mean + data_set_k + error_k`` (DerSimonian, Laird
1986, Controlled Clinical Trials 7, 177-188), and three questions have three answers:

- ``these``: the mean over these data sets; chance is seeds and images. Its standard error is ``sqrt(sum s_k^2) / K`` on
  Satterthwaite's degrees of freedom.
- ``new``: the mean over data sets that might have been chosen; chance is the data set too. Student's t over the data
  sets, as over seeds: the spread of the ``d_k`` holds both variances. Where they agree better than their errors allow,
  the standard error is that of ``these``: nothing is known better of all data sets than of some. Weights by
  1 / (s_k^2 + tau^2) with Hartung's and Knapp's interval are narrower, and of 95 % they keep 91 % where data sets are
  of unequal size, as weights that are themselves estimated are taken for known; equal weights keep 94.6 % or more
  (``results/inference/data_sets.csv``).
- ``prediction``: what one more data set would show, with the standard error of ``new`` times ``sqrt(K + 1)``. The
  usual interval of random effects (Higgins, Thompson, Spiegelhalter 2009, JRSS A 172, 137-159) keeps 85 % where the
  variance between data sets is like that within; this one 95 % or more.

``between_sd`` is the standard deviation between data sets beyond seeds and images, by moments (Hedges, Olkin 1985,
Statistical Methods for Meta-Analysis, chapter 9): ``sqrt(max(0, s^2 - mean s_k^2))``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.intervals import check_confidence
from fbench.statistics.sum_of_t import student

LARGEST = 1.0
"""No difference of two accuracies is larger."""


@dataclass(frozen=True)
class OverDataSets:
    """What K data sets say of one difference; all in the unit of the differences."""

    data_sets: int
    these: MeanEstimate
    new: MeanEstimate
    between_sd: float
    prediction: tuple[float, float]


@dataclass(frozen=True)
class _Possible:
    """Within the largest difference either way."""

    def within(self, low: float, high: float, _confidence: float) -> tuple[float, float]:
        """The part of an interval that is possible."""
        return max(-LARGEST, low), min(LARGEST, high)


def over_data_sets(differences: Sequence[MeanEstimate], confidence: float = 0.95) -> OverDataSets:
    """Pool the differences of one pair of networks on several data sets.

    Args:
        differences: of each data set, for new seeds and images, as fractions of 1.
        confidence: of the intervals.

    Raises:
        ValueError: fewer than two data sets, one without a standard error, or a confidence not between 0 and 1.
    """
    check_confidence(confidence)
    count = len(differences)
    values = np.array([one.estimate for one in differences])
    errors = np.array([_error(one) for one in differences])
    freedom = np.array([one.degrees_of_freedom for one in differences])
    if count < 2:
        raise ValueError(f"{count} data set was given; a difference over data sets takes two at least.")
    if not np.all(errors > 0):
        raise ValueError("A data set has no standard error; leave out those with one seed.")
    mean = float(values.mean())
    variance = float(np.sum(errors**2))
    freedom_of_these = variance**2 / float(np.sum(errors**4 / freedom))
    spread = float(values.std(ddof=1))
    of_these = math.sqrt(variance) / count
    freedom_of_new = min(count - 1.0, freedom_of_these)
    of_new = max(spread / math.sqrt(count), of_these)  # data sets that happen to agree are no proof that all would
    half = student(freedom_of_new).quantile(confidence) * of_new * math.sqrt(count + 1)
    return OverDataSets(
        data_sets=count,
        these=_estimate(mean, of_these, freedom_of_these, confidence),
        new=_estimate(mean, of_new, freedom_of_new, confidence),
        between_sd=math.sqrt(max(0.0, spread**2 - float(np.mean(errors**2)))),
        prediction=_Possible().within(mean - half, mean + half, confidence),
    )


def _error(one: MeanEstimate) -> float:
    """The standard error, or that of which the 95 % interval would be as long on its longer side: where few images
    differ, all that they could have carried is in the interval and not in the standard error."""
    longer = max(one.high - one.estimate, one.estimate - one.low)
    return max(one.standard_error, longer / student(one.degrees_of_freedom).quantile(one.confidence))


def _estimate(mean: float, error: float, freedom: float, confidence: float) -> MeanEstimate:
    found = MeanEstimate(mean, math.nan, math.nan, error, freedom, confidence, "data_sets", bounds=_Possible())
    low, high = found.interval(confidence)
    return replace(found, low=low, high=high)
