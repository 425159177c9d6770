"""The evaluation points of all trials of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from fbench.benchmark.records.trial_records import HistoryRow
from fbench.benchmark.store.files import history_in, naming
from fbench.benchmark.store.index.cache_file import Arrays
from fbench.benchmark.store.index.trial_files import SeenTrials, TrialFiles
from fbench.core.siblings import Sibling

HISTORY_FILE: Final = "history.csv"
_FIELDS: Final = tuple(HistoryRow.model_fields)
_ROWS: Final = "rows"
_ENDS: Final = "ends"


@dataclass(frozen=True)
class HistoryFacts:
    """How many evaluation points there are."""

    rows: int


class TrialHistories(TrialFiles[HistoryFacts, tuple[HistoryRow, ...]]):
    """The histories of a run's trials."""

    name: ClassVar[str] = HISTORY_FILE

    def __init__(self, seen: SeenTrials) -> None:
        super().__init__(seen)
        self._rows: npt.NDArray[np.float64] = np.zeros((0, len(_FIELDS)))
        self._ends: npt.NDArray[np.integer] = np.zeros(1, np.int64)

    def _parse(self, sibling: Sibling) -> tuple[HistoryRow, ...]:
        with naming(sibling.place / self.name):
            return tuple(history_in(sibling.content(self.name)))

    def _facts_of(self, value: tuple[HistoryRow, ...]) -> HistoryFacts:
        return HistoryFacts(len(value))

    def _facts_type(self) -> TypeAdapter[list[HistoryFacts]]:
        return TypeAdapter(list[HistoryFacts])

    def _to_arrays(self, trial_ids: Sequence[str]) -> Arrays:
        values = [self.value(trial_id) for trial_id in trial_ids]
        rows = [[getattr(row, field) for field in _FIELDS] for value in values for row in value]
        return {
            _ROWS: np.array(rows, np.float64).reshape(-1, len(_FIELDS)),
            _ENDS: np.cumsum([0, *(len(value) for value in values)]),
        }

    def _take(self, arrays: Arrays, count: int) -> None:
        rows, ends = arrays[_ROWS], arrays[_ENDS]
        if rows.shape != (int(ends[-1]), len(_FIELDS)) or len(ends) != count + 1:
            raise ValueError("its evaluation points do not fit each other")
        self._rows, self._ends = rows, ends

    def _kept_value(self, place: int) -> tuple[HistoryRow, ...]:
        rows = self._rows[self._ends[place] : self._ends[place + 1]].tolist()
        return tuple(HistoryRow.model_validate(dict(zip(_FIELDS, row, strict=True))) for row in rows)
