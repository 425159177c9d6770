"""What a bundle says of itself: the seal over its files, the facts that follow from them, and who repeated what.

A bundle is a run's folder without weights, logits, maps, checkpoints and logs, and without what tells of a place or a
person: every command that reads a run reads it. Beside the files of a run it has ``submission.json``, a
:class:`Submission`, and ``repetitions/``, a :class:`Repetition` each, which others add.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from fbench.benchmark.data.dataset import SplitName
from fbench.core.machine import Machine
from fbench.core.schema import FrozenModel

SUBMISSION_SCHEMA_VERSION: Final = 1
SUBMISSION_FILE: Final = "submission.json"
REPETITIONS: Final = "repetitions"
MOST_BUNDLE_BYTES: Final = 5_000_000
"""Of all files of a bundle: 100 trainings, tested on 3,589 images, have 1.8 million."""

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
ShortHash = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
Name = Annotated[str, Field(max_length=200)]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class SealedFile(FrozenModel):
    """What a file was when the bundle was made."""

    sha256: Sha256
    bytes: int = Field(ge=0)


class BundledNetwork(FrozenModel):
    """A network with its row of a contract: what every trial of it counts.

    ``code`` says whose it is; ``has_sources`` whether a user's own lie in the bundle, without which nobody can repeat
    its trials.
    """

    name: str
    builder: str
    digest: Sha256
    code: Literal["fbench", "user"]
    has_sources: bool
    trainable_params: int
    total_params_keras: int
    macs: int
    trials: int


class BundledData(FrozenModel):
    """A data set by its content; ``audit`` is the fingerprint of the data that was audited, none without an audit."""

    name: str
    fingerprint: Sha256
    audit: Sha256 | None


class BundledMachine(FrozenModel):
    """A kind of machine that trained, with its versions; nothing names a single one."""

    processor: str
    accelerator: str | None
    system: str
    python: str
    fbench: str
    torch: str
    trials: int


class MissingTrial(FrozenModel):
    """A planned trial without a result, which only a bundle that says so may have."""

    network: str
    data: str
    seed: int
    status: Literal["failed", "not run"]


class BundleFacts(FrozenModel):
    """What follows from the files of a bundle, and is computed anew when it is checked.

    ``configuration`` is a hash of the run's configuration, without its name and date.
    """

    configuration: ShortHash
    trials: int
    networks: tuple[BundledNetwork, ...]
    data: tuple[BundledData, ...]
    machines: tuple[BundledMachine, ...]


class Submission(FrozenModel):
    """The content of ``submission.json``. ``by`` is who submits, empty where nobody wants to be named."""

    schema_version: int = SUBMISSION_SCHEMA_VERSION
    fbench_version: str
    created_on: Day
    by: Name = ""
    facts: BundleFacts
    missing: tuple[MissingTrial, ...] = ()
    files: dict[str, SealedFile]


class Repetition(FrozenModel):
    """A trial of a bundle, trained once more: where, when, and what was the same again.

    Attributes:
        trial_id: of the trial.
        repeated_on: day, in UTC.
        by: who repeated it, empty where nobody wants to be named.
        machine: where, with the versions of all packages.
        top1: accuracy by split, a fraction of 1.
        answers_sha256: hash of the predicted classes by split, which is that of the bundle where they are the same.
        same_answers: whether every image has the same class again.
        same_logits: whether the logits are the same; none where the bundle has none to hold them against.
        same_weights: whether the weights are the same by their hash; none as above.
    """

    schema_version: int = SUBMISSION_SCHEMA_VERSION
    trial_id: ShortHash
    repeated_on: Day
    by: Name = ""
    machine: Machine
    top1: dict[SplitName, float]
    answers_sha256: dict[SplitName, Sha256]
    same_answers: bool
    same_logits: bool | None
    same_weights: bool | None

    @property
    def is_same(self) -> bool:
        """Whether nothing that is known of both differs."""
        return self.same_answers and self.same_logits is not False and self.same_weights is not False
