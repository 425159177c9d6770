"""What all trials of a run answered: the class that each predicted for each image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from fbench.benchmark.data.dataset import SplitName
from fbench.benchmark.records.predictions import (
    SMALL_FILE,
    Predictions,
    SplitClusters,
    SplitPredictions,
    classes_in,
)
from fbench.benchmark.store.index.cache_file import Arrays
from fbench.benchmark.store.index.trial_files import SeenTrials, TrialFiles
from fbench.core.npz import MOST_ARRAY_BYTES, read_npz
from fbench.core.siblings import Sibling

_SPLITS: Final[tuple[SplitName, ...]] = ("validation", "test")


@dataclass(frozen=True)
class AnswerFacts:
    """Of a split: how many images, the lowest and the highest class that was predicted or right, and how many answers
    were right."""

    images: int
    lowest: int
    highest: int
    right: int


class TrialAnswers(TrialFiles[dict[SplitName, AnswerFacts], Predictions]):
    """The predictions of a run's trials without logits; labels and clusters that are equal are one array."""

    name: ClassVar[str] = SMALL_FILE

    def __init__(self, seen: SeenTrials) -> None:
        super().__init__(seen)
        self._shared: dict[bytes, SplitPredictions] = {}
        self._kept_answers: dict[SplitName, _Answers] = {}

    def _parse(self, sibling: Sibling) -> Predictions:
        found = classes_in(read_npz(BytesIO(sibling.content(self.name, MOST_ARRAY_BYTES))))
        return {split: self._with_shared(part) for split, part in found.items()}

    def _with_shared(self, part: SplitPredictions) -> SplitPredictions:
        """The same with the labels and clusters of other trials, where these are equal."""
        key = part.labels.tobytes() + str(part.labels.dtype).encode()
        if part.clusters is not None:
            key += part.clusters.unit.encode() + part.clusters.numbers.tobytes()
        known = self._shared.setdefault(key, part)
        return SplitPredictions(part.predicted, known.labels, clusters=known.clusters)

    def _facts_of(self, value: Predictions) -> dict[SplitName, AnswerFacts]:
        return {split: _facts(part) for split, part in value.items()}

    def _facts_type(self) -> TypeAdapter[list[dict[SplitName, AnswerFacts]]]:
        return TypeAdapter(list[dict[SplitName, AnswerFacts]])

    def _to_arrays(self, trial_ids: Sequence[str]) -> Arrays:
        values = [self.value(trial_id) for trial_id in trial_ids]
        found: dict[str, npt.NDArray[Any]] = {}
        for split in _SPLITS:
            found |= _packed(split, [value.get(split) for value in values])
        return found

    def _take(self, arrays: Arrays, count: int) -> None:
        self._kept_answers = {split: _Answers.of(split, arrays, count) for split in _SPLITS}
        for answers in self._kept_answers.values():
            for frame in answers.frames:
                self._with_shared(frame)

    def _kept_value(self, place: int) -> Predictions:
        found = {split: answers.at(place) for split, answers in self._kept_answers.items()}
        return {split: part for split, part in found.items() if part is not None}


def _facts(part: SplitPredictions) -> AnswerFacts:
    both = [numbers for numbers in (part.labels, part.predicted) if numbers.size]
    return AnswerFacts(
        images=part.labels.size,
        lowest=min((int(numbers.min()) for numbers in both), default=0),
        highest=max((int(numbers.max()) for numbers in both), default=0),
        right=int(np.count_nonzero(part.correct)),
    )


@dataclass(frozen=True)
class _Answers:
    """The answers of one split: those of trial ``i`` are ``predicted[ends[i]:ends[i + 1]]``, of the images of the split
    that is ``frames[frame[i]]``; a trial without the split has the frame -1."""

    predicted: npt.NDArray[np.integer]
    ends: npt.NDArray[np.integer]
    frame: npt.NDArray[np.integer]
    frames: tuple[SplitPredictions, ...]

    @classmethod
    def of(cls, split: SplitName, arrays: Arrays, count: int) -> _Answers:
        """What was packed.

        Raises:
            ValueError, KeyError: it is nothing of the kind.
        """
        frames: list[SplitPredictions] = []
        while (labels := arrays.get(f"{split}_labels_{len(frames)}")) is not None:
            prefix = f"{split}_clusters_{len(frames)}_"
            unit = next((name.removeprefix(prefix) for name in arrays if name.startswith(prefix)), None)
            clusters = None if unit is None else SplitClusters(unit, arrays[prefix + unit])  # type: ignore[arg-type] # as it was written
            frames.append(SplitPredictions(labels[:0], labels, clusters=clusters))
        found = cls(arrays[f"{split}_predicted"], arrays[f"{split}_ends"], arrays[f"{split}_frame"], tuple(frames))
        sizes = [frame.labels.size for frame in frames] + [0]
        if (
            len(found.frame) != count
            or len(found.ends) != count + 1
            or found.ends[-1] != found.predicted.size
            or not np.array_equal(np.diff(found.ends), np.array(sizes)[found.frame])
        ):
            raise ValueError(f"its answers on the {split} split do not fit each other")
        return found

    def at(self, place: int) -> SplitPredictions | None:
        """Those of one trial."""
        number = int(self.frame[place])
        if number < 0:
            return None
        frame = self.frames[number]
        predicted = self.predicted[self.ends[place] : self.ends[place + 1]]
        return SplitPredictions(predicted, frame.labels, clusters=frame.clusters)


def _packed(split: SplitName, parts: Sequence[SplitPredictions | None]) -> dict[str, npt.NDArray[Any]]:
    """The answers of one split as arrays; see :class:`_Answers`."""
    frames: dict[tuple[int, int], tuple[int, SplitPredictions]] = {}
    frame = np.full(len(parts), -1)
    for place, part in enumerate(parts):
        if part is not None:
            key = (id(part.labels), id(part.clusters))
            frame[place] = frames.setdefault(key, (len(frames), part))[0]
    predicted = [np.zeros(0, np.uint8) if part is None else part.predicted for part in parts]
    found = {
        f"{split}_predicted": np.concatenate(predicted) if predicted else np.zeros(0, np.uint8),
        f"{split}_ends": np.cumsum([0, *(one.size for one in predicted)]),
        f"{split}_frame": frame,
    }
    for number, part in frames.values():
        found[f"{split}_labels_{number}"] = part.labels
        if part.clusters is not None:
            found[f"{split}_clusters_{number}_{part.clusters.unit}"] = part.clusters.numbers
    return found
