"""What a search for settings found: every candidate that was tried, what was chosen, and what it cost."""

from __future__ import annotations

from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.tuning import Candidate
from fbench.core.schema import FrozenModel

SEARCH_SCHEMA_VERSION = 1


class SearchTrial(FrozenModel):
    """One training of a search. ``top1`` is a fraction of the validation split and ``loss`` its mean cross-entropy in
    nats, none where the trial failed.

    ``rung`` counts from 0, ``rate`` is a factor of the protocol's own, ``image_passes`` are images seen, ``time_s`` is
    what the trial took.
    """

    rung: int
    rate: float
    strength: str
    seed: int
    top1: float | None
    loss: float | None
    image_passes: int
    time_s: float
    trial_id: str

    @property
    def candidate(self) -> Candidate:
        """What was tried."""
        return Candidate(rate=self.rate, strength=self.strength)


class SearchRecord(FrozenModel):
    """The search of one network on one data set, under one protocol and budget, for one seed or for all.

    ``search`` is 0, or the seed of the trials that it was made for. ``challenger`` is the best candidate of the last
    rung beside the default, ``difference`` its accuracy on the validation split minus that of the default, in fractions
    of 1, and ``standard_error`` that of the difference, for new images; none where either failed.
    """

    search_id: str
    network: str
    network_digest: str
    data: str
    search: int
    chosen: Candidate
    challenger: Candidate | None = None
    difference: float | None = None
    standard_error: float | None = None
    numerics: Numerics
    fbench_version: str
    finished_at: str
    trials: tuple[SearchTrial, ...]

    @property
    def image_passes(self) -> int:
        """Images that were seen in all trainings of the search."""
        return sum(trial.image_passes for trial in self.trials)

    @property
    def time_s(self) -> float:
        """Seconds of all trainings of the search, one after another."""
        return sum(trial.time_s for trial in self.trials)


class SearchTable(FrozenModel):
    """Searches under one protocol and budget on one data set, as they are kept for others to use.

    ``protocol`` is the default with its ``[tuning]``.
    """

    schema_version: int = SEARCH_SCHEMA_VERSION
    data: str
    data_fingerprint: str
    protocol: Protocol
    budget: Budget
    searches: tuple[SearchRecord, ...]
