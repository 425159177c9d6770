"""The files of one name in all trials of a run: each is read once, and not at all where the index knows it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import ClassVar, Final, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from fbench.benchmark.store.index.cache_file import Arrays, Kept, is_settled, read_kept, write_kept
from fbench.core.contained import ContainedPath
from fbench.core.garbage import collection_put_off
from fbench.core.siblings import Sibling, Signature, siblings

TRIALS: Final = "trials"
WORTH_KEEPING: Final = 100
"""So many files that had to be read take 20 to 50 ms the next time too; the index is written where there were more."""

FactsT = TypeVar("FactsT")
ValueT = TypeVar("ValueT")


class SeenTrials:
    """The signatures of the files of a run's trials, by name of the file and id, all looked at in one go."""

    def __init__(self, run: ContainedPath, names: Sequence[str]) -> None:
        self.run = run
        self._names = names

    @cached_property
    def _signatures(self) -> dict[str, dict[str, Signature]]:
        found: dict[str, dict[str, Signature]] = {name: {} for name in self._names}
        for sibling in siblings(self.run / TRIALS):
            trial_id = sibling.place.name
            for name, of_name in found.items():
                if (signature := sibling.signature(name)) is not None:
                    of_name[trial_id] = signature
        return found

    def of(self, name: str) -> dict[str, Signature]:
        """Of the files of one name, in the order of the alphabet."""
        return self._signatures[name]


class TrialFiles(ABC, Generic[FactsT, ValueT]):
    """What a kind of file says of each trial: ``facts``, which are small and always at hand, and its whole ``value``.

    A file that cannot be read raises what its reading raised whenever it is asked for, and is never kept.
    """

    name: ClassVar[str]
    """Of the file."""

    def __init__(self, seen: SeenTrials) -> None:
        self.seen = seen
        self._facts: dict[str, FactsT] = {}
        self._values: dict[str, ValueT] = {}
        self._errors: dict[str, Exception] = {}
        self._kept_places: dict[str, int] = {}
        self._kept: Kept | None = None
        self._took = False

    # --- for whoever asks

    def ids(self) -> Sequence[str]:
        """The trials that have the file, in the order of the alphabet."""
        return list(self._signatures)

    def __contains__(self, trial_id: object) -> bool:
        return trial_id in self._signatures

    def prepare(self, trial_ids: Iterable[str] | None = None) -> None:
        """Know the facts of these trials (all by default); files that are in no index are read, and then are in it."""
        wanted = self._signatures if trial_ids is None else trial_ids
        unknown = [one for one in wanted if one in self._signatures and one not in self._facts]
        unknown = [one for one in unknown if one not in self._errors]
        if unknown:
            self._has_kept()
        with collection_put_off():
            for sibling in siblings(self.seen.run / TRIALS, unknown):
                self._read(sibling)
        if len(unknown) > WORTH_KEEPING:
            self._write()

    def require_whole(self) -> None:
        """See that no file that was read so far failed to be.

        Raises:
            Exception: what reading the first one raised, in the order of the alphabet.
        """
        for error in (self._errors[one] for one in sorted(self._errors)):
            raise error

    def facts(self, trial_id: str) -> FactsT:
        """What is known of a trial's file.

        Raises:
            Exception: what reading it raised.
        """
        if trial_id not in self._facts:
            self.value(trial_id)
        return self._facts[trial_id]

    def value(self, trial_id: str) -> ValueT:
        """The content of a trial's file.

        Raises:
            Exception: what reading it raised.
        """
        if trial_id not in self._values and trial_id not in self._errors:
            if trial_id in self._signatures and self._has_kept(trial_id):
                self._values[trial_id] = self._kept_value(self._kept_places[trial_id])
            else:
                self._read(Sibling(self.seen.run / TRIALS / trial_id, None))
        if trial_id in self._errors:
            raise self._errors[trial_id]
        return self._values[trial_id]

    def each(self, trial_ids: Iterable[str]) -> list[ValueT]:
        """The values of many trials, as :meth:`value` gives them."""
        with collection_put_off():
            return [self.value(trial_id) for trial_id in trial_ids]

    # --- what a kind of file is

    @abstractmethod
    def _parse(self, sibling: Sibling) -> ValueT:
        """The value of a trial's file."""

    @abstractmethod
    def _facts_of(self, value: ValueT) -> FactsT:
        """The facts of a value."""

    @abstractmethod
    def _facts_type(self) -> TypeAdapter[list[FactsT]]:
        """How facts are written and checked."""

    @abstractmethod
    def _to_arrays(self, trial_ids: Sequence[str]) -> Arrays:
        """The values of these trials as arrays."""

    @abstractmethod
    def _take(self, arrays: Arrays, count: int) -> None:
        """Take arrays of so many trials from the index.

        Raises:
            ValueError, KeyError, TypeError: they are none of this kind.
        """

    @abstractmethod
    def _kept_value(self, place: int) -> ValueT:
        """A value of the arrays that were taken, by its place among them."""

    # --- within

    @cached_property
    def _signatures(self) -> dict[str, Signature]:
        """Of the files that are there; what the index has of them as they are is taken from it."""
        found = self.seen.of(self.name)
        if len(found) > WORTH_KEEPING:
            self._take_kept(found)
        return found

    def _take_kept(self, seen: Mapping[str, Signature]) -> None:
        kept = read_kept(self.seen.run, self.name.partition(".")[0])
        if kept is None:
            return
        try:
            with collection_put_off():
                facts = self._facts_type().validate_python(kept.facts)
        except ValidationError:
            return
        self._kept = kept
        for trial_id, (signature, place) in kept.signatures.items():
            if seen.get(trial_id) == signature:
                self._facts[trial_id], self._kept_places[trial_id] = facts[place], place

    def _has_kept(self, trial_id: str | None = None) -> bool:
        """Whether the index has a trial's value, or any; what it has is taken when it is first asked for."""
        if self._kept is not None and not self._took:
            self._took = True
            arrays = self._kept.arrays()
            try:
                if arrays is not None:
                    self._take(arrays, len(self._kept.facts))
            except (ValueError, KeyError, TypeError):
                arrays = None
            if arrays is None:
                self._kept_places.clear()
        return trial_id in self._kept_places if trial_id is not None else bool(self._kept_places)

    def _read(self, sibling: Sibling) -> None:
        trial_id = sibling.place.name
        try:
            value = self._parse(sibling)
        except Exception as error:
            self._errors[trial_id] = error
        else:
            self._values[trial_id], self._facts[trial_id] = value, self._facts_of(value)

    def _write(self) -> None:
        self._has_kept()
        known = [one for one in self._signatures if one in self._values or one in self._kept_places]
        settled = [one for one in known if is_settled(self._signatures[one])]
        rows = [(one, self._signatures[one]) for one in settled]
        facts = self._facts_type().dump_python([self._facts[one] for one in settled], mode="json")
        write_kept(self.seen.run, self.name.partition(".")[0], rows, facts, self._to_arrays(settled))
