"""What a point of accuracy costs: the cost of one network over another by what its accuracy is higher.

A ratio of two differences has a bounded interval only where the denominator's excludes 0 (Fieller 1954, Journal of the
Royal Statistical Society B 16, 175-185). The interval here holds every price p for which the interval of
``cost difference - p * accuracy difference`` has 0 in it, that one being made from the two intervals by the method of
variance estimates recovery (Donner and Zou 2012, Statistical Methods in Medical Research 21, 347-359).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from fbench.statistics.intervals import Interval

Bargain = Literal["price", "free lunch", "no gain shown", "no cost shown"]
"""What the more accurate network of two offers:

``price``          it is dearer: a price with a bounded interval.
``free lunch``     it is cheaper, or costs the same: a point costs nothing.
``no gain shown``  the interval of the accuracy difference has 0 in it: a least price at best, and no greatest.
``no cost shown``  it is more accurate, and the interval of the cost difference has 0 in it: at most a price.
"""


@dataclass(frozen=True)
class Price:
    """The price of a percentage point of accuracy, in the cost's unit.

    Attributes:
        bargain: what is offered, as far as the intervals can tell.
        per_point: the ratio of the estimates; 0 where the more accurate costs no more, NaN where both are equally
            accurate.
        low: the least price that the data allow.
        high: the greatest; infinite where the gain may be nothing.
        points: the difference of accuracy in percentage points, of the more accurate minus the other.
        cost: the difference of cost in the same direction; negative where the more accurate is the cheaper.
    """

    bargain: Bargain
    per_point: float
    low: float
    high: float
    points: Interval
    cost: Interval


def exact(value: float, confidence: float = 0.95) -> Interval:
    """A number that is known without error, such as a count, as an interval of no width."""
    return Interval(value, value, value, confidence)


def price_of_a_point(accuracy: Interval, cost: Interval) -> Price:
    """The price of a point, from two differences of the same networks taken in the same direction.

    Args:
        accuracy: difference of accuracy, as a fraction of 1 (0.01 is a point), with its interval.
        cost: difference of cost in the same direction, with an independent interval of the same confidence or an
            :func:`exact` one. Where the accuracy's estimate is negative both are turned round.

    Raises:
        ValueError: intervals of different confidence, a value that is NaN, or an interval without its estimate.
    """
    if accuracy.confidence != cost.confidence:
        raise ValueError(
            f"Intervals of the confidences {accuracy.confidence} and {cost.confidence} were given; give equal ones."
        )
    for interval in (accuracy, cost):
        if not interval.low <= interval.estimate <= interval.high:
            raise ValueError(f"{interval} does not hold its estimate; give a defined interval.")
    sign = -1 if accuracy.estimate < 0 else 1
    points, paid = _scaled(accuracy, 100 * sign), _scaled(cost, sign)
    ratio = max(0.0, paid.estimate / points.estimate) if points.estimate > 0 else math.nan
    return Price(_bargain(points, paid), ratio, *_range(points, paid), points, paid)


def _bargain(points: Interval, paid: Interval) -> Bargain:
    if points.low <= 0:
        return "no gain shown"
    if paid.low > 0:
        return "price"
    return "free lunch" if paid.high <= 0 else "no cost shown"


def _range(points: Interval, paid: Interval) -> tuple[float, float]:
    """The least and greatest price that the two intervals allow, not below 0."""
    if paid.high <= 0:
        return 0.0, 0.0
    low = _least(points, paid) if paid.low > 0 else 0.0
    return low, _greatest(points, paid) if points.low > 0 else math.inf


def _least(points: Interval, paid: Interval) -> float:
    """The price at which ``paid - price * points`` has its lower end at 0; paid.low > 0."""
    gain, more = points.estimate, points.high - points.estimate
    cost, less = paid.estimate, paid.estimate - paid.low
    square = cost**2 - less**2
    if more == 0 and gain == 0:
        return math.inf
    return square / (gain * cost + math.sqrt(gain**2 * less**2 + more**2 * square))


def _greatest(points: Interval, paid: Interval) -> float:
    """The price at which ``paid - price * points`` has its upper end at 0; points.low > 0, paid.high > 0."""
    gain, less = points.estimate, points.estimate - points.low
    cost, more = paid.estimate, paid.high - paid.estimate
    square = gain**2 - less**2
    return (gain * cost + math.sqrt(gain**2 * more**2 + less**2 * (cost**2 - more**2))) / square


def _scaled(interval: Interval, factor: float) -> Interval:
    ends = sorted((interval.low * factor, interval.high * factor))
    return Interval(interval.estimate * factor, ends[0], ends[1], interval.confidence)
