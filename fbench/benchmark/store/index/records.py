"""The records of all trials of a run, and what is asked of all of them at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import numpy as np
from pydantic import TypeAdapter
from pydantic_core import from_json

from fbench.benchmark.records.trial_records import SCHEMA_VERSION, SplitMeasures, TrialRecord
from fbench.benchmark.store.files import naming, of_schema
from fbench.benchmark.store.index.cache_file import Arrays
from fbench.benchmark.store.index.parts import Parts
from fbench.benchmark.store.index.trial_files import SeenTrials, TrialFiles
from fbench.core.bounded import json_in
from fbench.core.errors import UserError
from fbench.core.hashing import short_hash
from fbench.core.siblings import Sibling

RECORD_FILE: Final = "record.json"
_LINES: Final = "lines"
_PARTS: Final = "parts"


@dataclass(frozen=True)
class SplitFacts:
    """Of a split: its accuracy, a fraction, and of how many classes the record has the recall."""

    top1: float
    classes: int


@dataclass(frozen=True)
class RecordFacts:
    """What is asked of all records of a run. ``settings`` is the same where all that trials have to share is."""

    status: Literal["finished", "failed"]
    failure_reason: str | None
    network: str
    seed: int
    settings: str
    validation: SplitFacts | None
    test: SplitFacts | None

    @property
    def finished(self) -> bool:
        """Whether the trial has a result."""
        return self.status == "finished"


def facts_of(record: TrialRecord, settings: str | None = None) -> RecordFacts:
    """The facts of a record; ``settings`` where they are known."""
    return RecordFacts(
        status=record.status,
        failure_reason=record.failure_reason,
        network=record.spec.network.name,
        seed=record.spec.seed,
        settings=settings or _settings(record),
        validation=_of_split(record.validation),
        test=_of_split(record.test),
    )


def _of_split(measures: SplitMeasures | None) -> SplitFacts | None:
    return None if measures is None else SplitFacts(measures.top1, len(measures.recall_by_class))


def _settings(record: TrialRecord) -> str:
    shared = record.spec.model_dump(mode="json", exclude={"network", "seed"})
    return short_hash(shared | {"pytorch": record.machine.pytorch})


class TrialRecords(TrialFiles[RecordFacts, TrialRecord], Mapping[str, TrialRecord]):
    """The records of a run by id, those of the index made into models when they are asked for."""

    name: ClassVar[str] = RECORD_FILE

    def __init__(self, seen: SeenTrials) -> None:
        super().__init__(seen)
        self._parts = Parts()
        self._lines: dict[str, bytes] = {}
        self._kept_lines: list[bytes] = []
        self._settings: dict[tuple[object, ...], tuple[str, object]] = {}

    # --- a mapping

    def __getitem__(self, trial_id: str) -> TrialRecord:
        if trial_id not in self:
            raise KeyError(trial_id)
        return self.value(trial_id)

    def __iter__(self) -> Iterator[str]:
        return iter(self._signatures)

    def __len__(self) -> int:
        return len(self._signatures)

    # --- a kind of file

    def _parse(self, sibling: Sibling) -> TrialRecord:
        trial_id, place = sibling.place.name, sibling.place / self.name
        with naming(place):
            values = of_schema(json_in(sibling.content(self.name)), SCHEMA_VERSION, place)
            taken_out = self._parts.taken_out(values)
            record = TrialRecord.model_validate(self._parts.put_back(taken_out))
        if record.trial_id != trial_id:
            raise UserError(f"{place} is the record of trial '{record.trial_id}'; restore it or delete its folder.")
        self._lines[trial_id] = json.dumps(taken_out, separators=(",", ":")).encode()
        return record

    def _facts_of(self, value: TrialRecord) -> RecordFacts:
        spec = value.spec
        shared = (spec.data, spec.protocol, spec.default_protocol, spec.budget, spec.numerics)
        key = (*map(id, shared), value.machine.pytorch)
        if key not in self._settings:
            self._settings[key] = (_settings(value), shared)  # held, so that no other part gets its id
        return facts_of(value, self._settings[key][0])

    def _facts_type(self) -> TypeAdapter[list[RecordFacts]]:
        return TypeAdapter(list[RecordFacts])

    def _to_arrays(self, trial_ids: Sequence[str]) -> Arrays:
        lines = b"\n".join(self._lines.get(one) or self._kept_lines[self._kept_places[one]] for one in trial_ids)
        parts = json.dumps(self._parts.values).encode()
        return {_LINES: np.frombuffer(lines, np.uint8), _PARTS: np.frombuffer(parts, np.uint8)}

    def _take(self, arrays: Arrays, count: int) -> None:
        parts, lines = Parts(from_json(arrays[_PARTS].tobytes())), arrays[_LINES].tobytes().split(b"\n")
        if len(lines) != count:
            raise ValueError(f"it has {len(lines)} records of {count}")
        self._parts, self._kept_lines = parts, lines

    def _kept_value(self, place: int) -> TrialRecord:
        return TrialRecord.model_validate(self._parts.put_back(from_json(self._kept_lines[place])))
