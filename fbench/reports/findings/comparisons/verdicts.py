"""Verdicts in sentences: what was decided, how surely, and what an undecided comparison lacks."""

from __future__ import annotations

from typing import Final, Protocol

from fbench.reports.findings.comparisons.comparison import Comparison
from fbench.reports.findings.comparisons.families import CORRECTION_WORDS, CorrectedFamily
from fbench.reports.findings.comparisons.learning import collapsed_words
from fbench.reports.findings.comparisons.units import units
from fbench.reports.formatting import count, listing, margin, number, p_equals, percent, points_range
from fbench.statistics.comparison.verdict import LEVEL
from fbench.statistics.discordance import images_for_margin

ONE_SEED: Final = "one training on a side says nothing of the chance of a seed"


class Corrected(Protocol):
    """Where a comparison stands: in a study, or among the pairs of two runs."""

    @property
    def family(self) -> CorrectedFamily:
        """The tests that are corrected together."""

    @property
    def margin(self) -> float:
        """The difference that matters, as a fraction of 1."""


def verdict_sentence(row: Comparison, result: Corrected) -> str:
    """One comparison in a sentence without its full stop; the network comes first."""
    words = {"better": _real, "worse": _real, "equivalent": _equivalent, "undecided": _undecided}
    return words[row.verdict](row, result) + _mark(row)


def _real(row: Comparison, result: Corrected) -> str:
    small = (
        f", certainly by less than the {margin(result.margin)} that matter"
        if row.analysis is None and row.decision.below_margin
        else ""
    )
    size = number(100 * abs(row.estimate), 1)
    return f"{row.network} is {size} points {row.verdict} than {row.baseline} ({_evidence(row, result)}){small}"


def _equivalent(row: Comparison, result: Corrected) -> str:
    within = margin(result.margin)
    inside = points_range(*row.equivalence_interval)
    return f"{row.network} and {row.baseline} are equivalent within {within} ({inside} points{_at(row)})"


def _undecided(row: Comparison, result: Corrected) -> str:
    start = f"{row.network} against {row.baseline} is undecided"
    if row.analysis_lost:
        return f"{start}: trials of the interim analysis that judged it are missing"
    seen, wanted = _few_images(row, result.margin)
    reasons = [
        *(
            ["neither of the two learned, as both are within chance of the largest class"]
            if row.neither_learned
            else []
        ),
        *([row.untested] if row.untested else []),
        *([] if row.is_tested or row.untested else [ONE_SEED]),
    ]
    if reasons:
        return f"{start}: {'; '.join([*reasons, *seen, *wanted])}"
    if row.learned_verdict not in (None, "undecided"):
        said = {"better": "it is better", "worse": "it is worse", "equivalent": "they are equivalent"}
        words = said[str(row.learned_verdict)]
        return f"{start} ({_range(row)} points): of trainings that learned {words}, of all trainings that is not so"
    least = f"; equivalent only within {number(100 * row.smallest_margin, 1)}"
    missing = f": {wanted[0]}" if wanted else _missing(row)
    return f"{start} ({'; '.join([f'{_range(row)} points{_at(row)}{least}', *seen])}){missing}"


def _few_images(row: Comparison, within: float) -> tuple[list[str], list[str]]:
    """Where few images differ: on how many they do and on how many they may, and how many images the margin wants."""
    images = row.few_images
    if images is None:
        return [], []
    differ = "differs" if images.differing == 1 else "differ"
    most, needed = images.most_differing(LEVEL), images_for_margin(within, LEVEL, images.largest)
    seen = f"{count(images.differing)} of {units(images.images, row.unit)} {differ}, up to {_share(most)} % may"
    if most < within:
        return [seen], []
    if images.differing:
        return [seen], [f"{margin(within)} needs more than {units(max(needed, images.images), row.unit)}"]
    return [seen], [f"{margin(within)} needs {units(needed, row.unit)}"]


def _share(fraction: float) -> str:
    return percent(fraction, 0 if fraction >= 0.1 else 1)


def _missing(row: Comparison) -> str:
    """What would decide it, if the true difference is the one seen."""
    if row.analysis is not None and row.analysis.state == "futile":
        return f": stopped at {row.analysis.seeds} seeds, as those still allowed would hardly decide it"
    if row.more is None:
        return ""
    condition = ": if the true difference is the one seen, "
    if row.more.seeds is not None:
        return f"{condition}about {count(roughly(row.more.seeds))} seeds each would decide with a chance of 80 %"
    wanted = f", and about {units(roughly(row.more.images), row.unit)} could" if row.more.images else ""
    return f"{condition}this test set is too small, more seeds cannot decide{wanted}"


def roughly(amount: int) -> int:
    """Two digits of a number that is no better known."""
    step = int(10 ** max(0, len(str(amount)) - 2))
    return -(-amount // step) * step


def _evidence(row: Comparison, result: Corrected) -> str:
    if row.analysis is not None:
        return f"{_range(row)}{_at(row)}"
    corrected = f" after {CORRECTION_WORDS[result.family.correction]}" if result.family.is_corrected else ""
    return f"{_range(row)}; {p_equals(row.decision.p_adjusted)}{corrected}"


def _at(row: Comparison) -> str:
    return f", repeated interval of the interim analysis at {row.analysis.seeds} seeds" if row.analysis else ""


def _range(row: Comparison) -> str:
    return points_range(*row.interval)


def _mark(row: Comparison) -> str:
    """What is special about the data of a comparison."""
    marks = [collapsed_words(row.learned, row.network, row.baseline)] if row.learned else []
    if row.unpaired_seeds:
        seeds = listing([str(seed) for seed in row.unpaired_seeds])
        word = "seed" if len(row.unpaired_seeds) == 1 else "seeds"
        marks.append(f"left out, as one of both lacks it: {word} {seeds}")
    if row.difference.pairing == "unpaired":
        marks.append("unpaired, as the two have less than two thirds of their seeds in common")
    return f" [{'; '.join(marks)}]" if marks else ""
