"""A claim: a sentence of a paper, where it stands, and the tests that decide it; read from TOML."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from fbench.ablations.claim_tests import AccuracyTest, ClaimTest, TimeTest, data_of, networks_of
from fbench.ablations.study import IDENTIFIER
from fbench.benchmark.records.budget import load_presets
from fbench.core.errors import UserError, did_you_mean
from fbench.core.schema import FrozenModel, parse, read_toml

FOLDER: Final = Path(__file__).parent / "claims"


class Claim(FrozenModel):
    """One sentence of a paper as a conjunction of tests.

    Attributes:
        id: short name, unique in its file.
        sentence: a short quotation (in quotation marks) or a faithful paraphrase.
        place: where it stands in the paper.
        tests: at least one; the claim holds only if all of them do.
        seeds: trainings of each network that statements about accuracy need at least. Where seeds were added until a
            comparison was decided, the rule of its looks takes their place.
        preset: the least budget that decides statements about accuracy, by name.
        note: what a reader must know, such as how the sentence was read.
    """

    id: str = Field(pattern=IDENTIFIER)
    sentence: str
    place: str
    tests: tuple[ClaimTest, ...] = Field(min_length=1)
    seeds: PositiveInt = 10
    preset: str = "standard"
    note: str = ""

    @field_validator("preset")
    @classmethod
    def _is_a_preset(cls, name: str) -> str:
        presets = load_presets()
        if name not in presets:
            raise ValueError(f"there is no such preset.{did_you_mean(name, presets)} Allowed: {', '.join(presets)}")
        return name

    @property
    def networks(self) -> tuple[str, ...]:
        """Every network that its tests name, once."""
        return tuple(dict.fromkeys(name for test in self.tests for name in networks_of(test)))

    @property
    def data(self) -> tuple[str, ...]:
        """Every data set that networks must be trained on, once."""
        return tuple(dict.fromkeys(name for test in self.tests for name in data_of(test)))

    @property
    def needs_cost(self) -> bool:
        """Whether times of training steps must be measured."""
        return any(isinstance(test, TimeTest) for test in self.tests)

    @property
    def needs_training(self) -> bool:
        """Whether networks must be trained."""
        return any(isinstance(test, AccuracyTest) for test in self.tests)


class PaperClaims(FrozenModel):
    """The claims of one paper, or of a user.

    Raises:
        UserError: two claims of one id.
    """

    paper: str
    claims: tuple[Claim, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [claim.id for claim in self.claims]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UserError(f"The claims of '{self.paper}' have the id '{twice[0]}' twice; rename one of them.")
        return self


def load_claims(path: Path) -> PaperClaims:
    """Read a file of claims.

    Raises:
        UserError: a missing file, or one that does not hold claims.
    """
    return parse(PaperClaims, read_toml(path), str(path))


def shipped_claims() -> tuple[PaperClaims, ...]:
    """The claims of the papers that fbench starts from, in the order of their files."""
    return tuple(parse(PaperClaims, read_toml(path), path.name) for path in sorted(FOLDER.glob("*.toml")))
