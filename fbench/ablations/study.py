"""A study: one question, a baseline, the levels compared with it, and one family of tests."""

from __future__ import annotations

import itertools
from typing import Self

from pydantic import Field, model_validator

from fbench.core.errors import UserError, did_you_mean
from fbench.core.schema import FrozenModel

IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"  # names become folder names and anchors in a report


class Study(FrozenModel):
    """One question about networks.

    Attributes:
        name: short name for ``--only``.
        title: heading in a report.
        question: the question in one plain sentence.
        source: the paper's place, such as "Xu et al. 2021, section 2.3".
        baseline: the level that every other level is compared with.
        levels: architectures or variants of the suite, the baseline among them.
        factors: for crossed factors, level -> {factor: level of the factor}, such as
            ``{"arch1": {"convolution": "separable", "head": "gap"}}``; every combination occurs exactly once.
        margin_points: the difference in accuracy, in percentage points, that matters in practice.
        note: what else the comparison changes, for the reader.
        a_a: whether levels may be the same network on the same view of the data, to see what chance alone does.

    Raises:
        UserError: no such level as the baseline, a level twice, or factors that are not fully crossed.
    """

    name: str = Field(pattern=IDENTIFIER)
    title: str
    question: str
    source: str = ""
    baseline: str
    levels: tuple[str, ...] = Field(min_length=1)
    factors: dict[str, dict[str, str]] = Field(default_factory=dict)
    margin_points: float = Field(default=1.0, gt=0, lt=100)
    note: str = ""
    a_a: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.baseline not in self.levels:
            raise UserError(
                f"Study '{self.name}' has the baseline '{self.baseline}', which is not among its levels "
                f"({', '.join(self.levels)}).{did_you_mean(self.baseline, self.levels)} "
                "Add it to the levels or name one of them."
            )
        twice = sorted({level for level in self.levels if self.levels.count(level) > 1})
        if twice:
            raise UserError(f"Study '{self.name}' lists the level '{twice[0]}' twice; list it once.")
        if self.factors:
            self._check_factors()
        return self

    def _check_factors(self) -> None:
        if set(self.factors) != set(self.levels):
            odd = sorted(set(self.factors) ^ set(self.levels))
            levels = ", ".join(self.levels)
            raise UserError(
                f"Study '{self.name}' must give factors for exactly its levels ({levels}); mend '{odd[0]}'."
            )
        names = [set(cell) for cell in self.factors.values()]
        if any(name != names[0] for name in names):
            raise UserError(f"Study '{self.name}' must give every level the same factors; mend 'factors'.")
        factors = sorted(names[0])
        cells = [tuple(cell[factor] for factor in factors) for cell in self.factors.values()]
        combinations = list(itertools.product(*(sorted(set(column)) for column in zip(*cells, strict=True))))
        if sorted(cells) != combinations:
            raise UserError(
                f"Study '{self.name}' has {len(cells)} levels for the {len(combinations)} combinations of "
                f"{' x '.join(factors)}; give each combination exactly one level."
            )


def comparisons(study: Study) -> list[tuple[str, str]]:
    """Return the study's family of tests: (level, baseline) for every level but the baseline, in order."""
    return [(level, study.baseline) for level in study.levels if level != study.baseline]
