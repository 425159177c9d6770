"""How each kind of claim is evaluated: a table of the kind of its tests and what makes parts of one.

A new kind is a model in :mod:`fbench.ablations.claim_tests` and an entry in the table of one module here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from fbench.ablations.claim import Claim
from fbench.ablations.claim_tests import ClaimTest
from fbench.reports.findings.claims import accuracy, counted, epoch_time, printed, training_time, trainings
from fbench.reports.findings.claims.parts import ClaimPart
from fbench.reports.findings.claims.pool import ClaimInputs

Evaluator = Callable[[Any, Claim, ClaimInputs], list[ClaimPart]]

EVALUATORS: Final[Mapping[str, Evaluator]] = {
    **counted.EVALUATORS,
    **accuracy.EVALUATORS,
    **trainings.EVALUATORS,
    **printed.EVALUATORS,
    **epoch_time.EVALUATORS,
    **training_time.EVALUATORS,
}
"""By the kind of a test: the test, its claim and all that can decide it, as parts."""


def parts_of(test: ClaimTest, claim: Claim, inputs: ClaimInputs) -> list[ClaimPart]:
    """What is seen of each comparison or count of a test.

    Raises:
        UserError: it rests on runs that cannot be pooled.
    """
    return EVALUATORS[test.kind](test, claim, inputs)
