"""A claim: a sentence of a paper, where it stands, and the tests that decide it; read from TOML."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final, Self

from pydantic import AliasChoices, Field, PositiveInt, model_validator

from fbench.ablations.claim_tests import ClaimTest
from fbench.ablations.study import IDENTIFIER
from fbench.core.errors import UserError, did_you_mean
from fbench.core.schema import FrozenModel, parse, read_toml

FOLDER: Final = Path(__file__).parent / "claims"


class Claim(FrozenModel):
    """One sentence of a paper as a conjunction of tests.

    Attributes:
        id: short name, unique in its file.
        sentence: a short quotation (in quotation marks) or a faithful paraphrase.
        section: where it stands in the paper, such as a table with its row; a claims file may also say ``place``.
        tests: the claim holds only if all of them do.
        never: why no test could ever decide it, such as a paper that gives no number; a claim has tests or this.
        seeds: trainings of each network that statements about accuracy need at least. Where seeds were added until a
            comparison was decided, the rule of its interim analyses takes their place.
        preset: the least budget that decides statements about accuracy, by name, on data sets without ``image_passes``.
        image_passes: how many images a training of the paper saw, by data set; with fewer, a statement about accuracy
            is decided only where a run of half the budget shows that doubling gains less than the margin. Claims
            without it take that of their paper.
        note: what a reader must know, such as how the sentence was read.
    """

    id: str = Field(pattern=IDENTIFIER)
    sentence: str
    section: str = Field(validation_alias=AliasChoices("section", "place"))
    tests: tuple[ClaimTest, ...] = ()
    never: str = ""
    seeds: PositiveInt = 10
    preset: str = "standard"
    image_passes: dict[str, PositiveInt] = Field(default_factory=dict)
    note: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.tests) == bool(self.never):
            raise UserError(
                f"The claim '{self.id}' has {len(self.tests)} tests; give it at least one, or say in 'never' why none "
                "could decide it."
                if not self.tests
                else f"The claim '{self.id}' has tests and says in 'never' that none could decide it; give one of both."
            )
        return self

    @property
    def networks(self) -> tuple[str, ...]:
        """Every network that its tests name, once."""
        return tuple(dict.fromkeys(name for test in self.tests for name in test.networks_named))

    @property
    def data(self) -> tuple[str, ...]:
        """Every data set that networks must be trained on, once."""
        return tuple(dict.fromkeys(name for test in self.tests for name in test.data_named))

    @property
    def needs_cost(self) -> bool:
        """Whether times of training steps must be measured."""
        return any(test.needs == "time" for test in self.tests)

    @property
    def needs_training(self) -> bool:
        """Whether networks must be trained."""
        return any(test.needs == "training" for test in self.tests)


class PaperClaims(FrozenModel):
    """The claims of one paper, or of a user.

    Attributes:
        paper: what a report calls it.
        image_passes: how many images a training of the paper saw, by data set; for each claim that says nothing else.
        claims: at least one.

    Raises:
        UserError: two claims of one id.
    """

    paper: str
    image_passes: dict[str, PositiveInt] = Field(default_factory=dict)
    claims: tuple[Claim, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _pass_on(cls, values: Any) -> Any:
        """What the paper's trainings saw holds for each of its claims that says nothing else."""
        if not isinstance(values, dict) or not isinstance(values.get("claims"), list):
            return values
        own = {"image_passes": values.get("image_passes", {})}
        return values | {"claims": [own | one if isinstance(one, dict) else one for one in values["claims"]]}

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [claim.id for claim in self.claims]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UserError(f"The claims of '{self.paper}' have the id '{twice[0]}' twice; rename one of them.")
        return self


def load_claims(path: Path, presets: Collection[str]) -> PaperClaims:
    """Read a file of claims; ``presets`` are the names that they may ask for.

    Raises:
        UserError: a missing file, or one that does not hold claims.
    """
    found = parse(PaperClaims, read_toml(path), str(path))
    for claim in found.claims:
        if claim.preset not in presets:
            raise UserError(
                f"{path}: the claim '{claim.id}' asks for preset '{claim.preset}', which there is not."
                f"{did_you_mean(claim.preset, presets)} Allowed: {', '.join(presets)}."
            )
    return found


def shipped_claims() -> tuple[PaperClaims, ...]:
    """The claims of the papers that fbench starts from, in the order of their files."""
    return tuple(parse(PaperClaims, read_toml(path), path.name) for path in sorted(FOLDER.glob("*.toml")))
