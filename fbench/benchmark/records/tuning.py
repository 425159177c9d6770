"""The search for settings that every network gets alike: what is tried, for how long, and with which seeds.

Section ``[tuning]`` of a protocol. Learning rates are factors of the protocol's own; a strength of regularisation says
what it multiplies. All rates times all strengths are tried by successive halving (Jamieson & Talwalkar 2016, AISTATS):
every rung is a complete, shorter training, since the learning rate of a protocol falls to its end in every budget.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Final, Literal, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from fbench.core.errors import UserError
from fbench.core.schema import FrozenModel

FIRST_SEARCH_SEED: Final = 1_000_000
"""Far above the seeds of trials, so that no trial of a run repeats one of its search."""


class Strength(FrozenModel):
    """A strength of regularisation: what the protocol's own values are multiplied by.

    Attributes:
        name: what the report calls it.
        weight_decay: factor of the optimizer's weight decay.
        label_smoothing: factor of the label smoothing.
        augmentation: factor of the ranges of the augmentation and the probability of erasing, not that of the flip.
    """

    name: str = Field(min_length=1)
    weight_decay: NonNegativeFloat = 1.0
    label_smoothing: NonNegativeFloat = 1.0
    augmentation: NonNegativeFloat = 1.0

    @property
    def changes_nothing(self) -> bool:
        """Whether this is the protocol's own strength."""
        return self.weight_decay == self.label_smoothing == self.augmentation == 1.0


class Rung(FrozenModel):
    """One round: the share of the run's image passes that each candidate gets, and how many go on.

    Attributes:
        share: of the run's image passes.
        keep: how many candidates go on beside the default, which always does; the last rung decides, so it keeps none.
        seeds: trainings of each candidate.
    """

    share: Annotated[float, Field(gt=0.0, le=1.0)]
    keep: NonNegativeInt = 0
    seeds: PositiveInt = 1


class Candidate(FrozenModel):
    """Settings that a search tries: a factor of the learning rate, and a strength by its name."""

    rate: PositiveFloat
    strength: str


class Tuning(FrozenModel):
    """The search of every network: candidates, rungs, seeds, and whether it is made once or for each seed.

    Attributes:
        rates: factors of the protocol's learning rate, 1 among them.
        strengths: of regularisation, one of which changes nothing.
        rungs: rounds of ascending shares, the last of them 1.
        first_seed: of the search's trainings, far above those of trials.
        mode: ``once`` searches once for a network; intervals of the run then hold given these settings. ``per_seed``
            searches anew for each seed of a network, so that the variance of tuning is part of the variance between
            seeds (Bouthillier et al. 2021, MLSys, "Accounting for variance in machine learning benchmarks").

    Raises:
        UserError: a search that cannot work.
    """

    rates: tuple[PositiveFloat, ...] = Field(min_length=1)
    strengths: tuple[Strength, ...] = Field(min_length=1)
    rungs: tuple[Rung, ...] = Field(min_length=1)
    first_seed: NonNegativeInt = FIRST_SEARCH_SEED
    mode: Literal["once", "per_seed"] = "once"

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [strength.name for strength in self.strengths]
        if len(set(names)) < len(names) or len(set(self.rates)) < len(self.rates):
            raise UserError("[tuning] tries a rate or the name of a strength twice; give each once.")
        if 1.0 not in self.rates or sum(strength.changes_nothing for strength in self.strengths) != 1:
            raise UserError(
                "[tuning] has to try the protocol's own settings: give the rate 1.0, and one strength that multiplies "
                "nothing (each factor 1 or left out)."
            )
        shares = [rung.share for rung in self.rungs]
        if shares != sorted(set(shares)) or shares[-1] != 1.0:
            raise UserError(f"[tuning] has rungs with the shares {shares}; give ascending shares that end with 1.")
        kept = [rung.keep for rung in self.rungs]
        fewer = all(after < before for before, after in pairwise(kept))
        if kept[-1] != 0 or not fewer or kept[0] >= len(self.candidates):
            raise UserError(
                f"[tuning] has rungs that keep {kept} beside the default; each has to keep fewer than the one before, "
                f"the first fewer than the {len(self.candidates)} candidates, and the last none."
            )
        return self

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """All candidates in the order in which ties are decided: the default, then rates by strengths as given."""
        default = self.default
        crossed = (Candidate(rate=rate, strength=one.name) for rate in self.rates for one in self.strengths)
        return (default, *(candidate for candidate in crossed if candidate != default))

    @property
    def default(self) -> Candidate:
        """The protocol's own settings."""
        return Candidate(rate=1.0, strength=next(one.name for one in self.strengths if one.changes_nothing))

    def strength(self, name: str) -> Strength:
        """A strength by its name.

        Raises:
            StopIteration: there is none of this name.
        """
        return next(one for one in self.strengths if one.name == name)

    def seeds(self, rung: int, search: int) -> tuple[int, ...]:
        """The seeds of a rung in a search, the same for every network; searches share none."""
        most = max(one.seeds for one in self.rungs)
        return tuple(self.first_seed + search * most + seed for seed in range(self.rungs[rung].seeds))

    def search_of(self, seed: int) -> int:
        """Which search gives the settings of a trial with this seed."""
        return seed if self.mode == "per_seed" else 0

    @property
    def entering(self) -> tuple[int, ...]:
        """How many candidates enter each rung, the default among them, if none fails."""
        return (len(self.candidates), *(rung.keep + 1 for rung in self.rungs[:-1]))

    @property
    def trials_at_most(self) -> int:
        """How many trainings a search has; fewer where candidates fail."""
        return sum(count * rung.seeds for count, rung in zip(self.entering, self.rungs, strict=True))

    @property
    def budgets_at_most(self) -> float:
        """What a search costs in image passes, in trials of the run: 4.5 means as much as 4.5 of them."""
        return sum(count * rung.seeds * rung.share for count, rung in zip(self.entering, self.rungs, strict=True))
