"""The search behind the default protocol: stages of candidates, and the trials that each of them asks for."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import Field, NonNegativeInt

from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.numerics import Precision, choose_numerics
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.protocol_changes import overlaid
from fbench.benchmark.records.specs import DataSpec, TrialSpec
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.training.networks import network_spec
from fbench.core.hashing import short_hash
from fbench.core.schema import FrozenModel, parse, read_toml

CANDIDATES: Final = Path(__file__).with_name("candidates.toml")


class Rung(FrozenModel):
    """Networks, each trained in one precision with each of some candidates."""

    networks: tuple[str, ...]
    precision: Precision = "fp32"
    candidates: tuple[str, ...]


class Stage(FrozenModel):
    """Candidates that are trained equally long."""

    name: str
    budget: Budget
    seed: NonNegativeInt = 0
    trials: tuple[Rung, ...]


class Ladder(FrozenModel):
    """Everything that is tried: the protocol where the search starts, named changes of it, and the stages."""

    start: dict[str, Any]
    changes: dict[str, dict[str, Any]]
    stages: tuple[Stage, ...] = Field(min_length=1)

    def protocol(self, candidate: str) -> Protocol:
        """The start with one or several changes over it, as in ``rate_4e-3+mixup``.

        Raises:
            KeyError: a change that is not in the file.
            UserError: settings that contradict each other.
        """
        settings = self.start
        for change in candidate.split("+"):
            settings = overlaid(settings, self.changes[change])
        return parse(Protocol, settings, candidate)


def read_ladder(file: Path = CANDIDATES) -> Ladder:
    """Read what is tried.

    Raises:
        UserError: the file is missing or has a wrong or unknown key.
    """
    return parse(Ladder, read_toml(file), file.name)


def stage_trials(ladder: Ladder, stage: Stage, data: DataSpec) -> list[tuple[str, TrialSpec]]:
    """Each candidate's name with its trial, in the order of the file; no trial reads the test split."""
    found = []
    for rung in stage.trials:
        for name in rung.networks:
            network = network_spec(name, name, {}, data)
            for candidate in rung.candidates:
                spec = TrialSpec(
                    network=network,
                    data=data,
                    protocol=ladder.protocol(candidate),
                    budget=stage.budget,
                    seed=stage.seed,
                    numerics=choose_numerics("cpu", rung.precision),
                )
                found.append((candidate, spec))
    return found


def question(spec: TrialSpec) -> str:
    """What a trial asks, whichever version of the training code answers: the search went on while it got faster."""
    asked = spec.identity() | {"precision": spec.numerics.precision, "numerics": None, "numerics_version": None}
    return short_hash(asked)


def answers(records: Iterable[TrialRecord]) -> dict[str, TrialRecord]:
    """Finished trials by what they ask; of several the one that was made last."""
    finished = sorted((record for record in records if record.status == "finished"), key=lambda one: one.finished_at)
    return {question(record.spec): record for record in finished}


def missing(specs: Sequence[TrialSpec], answered: Container[str]) -> list[TrialSpec]:
    """The trials that no record answers, each once."""
    return list({question(spec): spec for spec in specs if question(spec) not in answered}.values())
