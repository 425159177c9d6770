"""Whether trainings were long enough to decide a claim about accuracy.

A claim is decided at the paper's own number of image passes, or where a run of half the budget shows that doubling it
gained each network less than the margin: the upper 95 % bound for new images counts. A flat end of one curve proves
nothing, as the learning rate anneals to zero in every budget.
"""

from __future__ import annotations

from collections.abc import Iterable

from fbench.ablations.claim import Claim
from fbench.reports.findings.claims.parts import MissingEvidence
from fbench.reports.findings.claims.pool import DataEvidence
from fbench.reports.findings.comparisons.learning import compare_evidence
from fbench.reports.formatting import count, listing, margin, number
from fbench.statistics.comparison.verdict import is_testable

_ONE_SIDED: float = 0.90
"""The two-sided interval of which the upper end is a bound at 95 %."""


def lack_of_budget(
    claim: Claim, data: str, networks: Iterable[str], evidence: DataEvidence, margin_of_1: float
) -> MissingEvidence | None:
    """What the trainings of these networks lack to decide the claim, or none where they are long enough.

    ``margin_of_1`` is the difference that matters, as a fraction of 1. Where the claim does not say what its paper's
    trainings saw on this data set, its preset decides.
    """
    wanted = claim.image_passes.get(data)
    if wanted is None:
        if evidence.is_long_enough(claim.preset):
            return None
        return MissingEvidence("preset", data, reason=claim.preset)
    if evidence.image_passes >= wanted:
        return None
    gains = {name: bound for name in networks if (bound := gain_of_doubling(name, evidence)) is not None}
    if gains and set(gains) == set(networks) and all(bound < margin_of_1 for bound in gains.values()):
        return None
    have = f"{count(wanted)} image passes, as in the paper ({count(evidence.image_passes)} so far"
    if not gains:
        return MissingEvidence("budget", data, reason=f"{have}; or a run at half of that, to show what doubling gains)")
    growing = [f"{name} up to {number(100 * bound, 1)}" for name, bound in gains.items() if bound >= margin_of_1]
    absent = [name for name in networks if name not in gains]
    why = f"doubling may still gain {listing(growing)} points" if growing else f"no half of {listing(absent)}"
    return MissingEvidence("budget", data, reason=f"{have}; {why}, where less than {margin(margin_of_1)} would do)")


def gain_of_doubling(network: str, evidence: DataEvidence) -> float | None:
    """The most that doubling the budget has gained this network: the upper 95 % bound for new images, of 1.

    None where no run at half the budget has two seeds of it.
    """
    full, half = evidence.networks.get(network), evidence.at_half.get(network)
    if full is None or half is None:
        return None
    found = compare_evidence(full, half)
    return found.new_images.interval(_ONE_SIDED)[1] if is_testable(found.new_images) else None
