"""What the check of a bundle finds, a sentence each."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fbench.benchmark.bundles.submission import Repetition, Submission
from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import message_of


def said(error: BaseException) -> str:
    """What an error says, on a line."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else message_of(error, 300)
    return " ".join(text.split()).removesuffix(".")


@dataclass(frozen=True)
class BundleFinding:
    """Something about a bundle; one that is a ``problem`` keeps it from passing, the others are for a reader.

    ``file`` is the name of the file from the bundle's folder, or of a part of it.
    """

    file: str
    text: str
    is_problem: bool = True

    @property
    def sentence(self) -> str:
        """The file and what is said of it."""
        return f"{self.file} {self.text}"


@dataclass(frozen=True)
class BundleCheck:
    """What was found in one bundle; ``submission`` and ``run`` are none where they cannot be read.

    ``name`` is what it is called beside others, empty where it is alone.
    """

    path: Path
    submission: Submission | None
    findings: tuple[BundleFinding, ...]
    repetitions: tuple[Repetition, ...] = ()
    run: RunTable | None = field(default=None, repr=False, compare=False)
    name: str = ""

    @property
    def problems(self) -> list[BundleFinding]:
        """What keeps it from passing."""
        return [one for one in self.findings if one.is_problem]

    @property
    def passes(self) -> bool:
        """Whether nothing does."""
        return not self.problems

    @property
    def repeated_trials(self) -> set[str]:
        """The trials that somebody trained again, with the same result."""
        return {one.trial_id for one in self.repetitions if one.is_same}
