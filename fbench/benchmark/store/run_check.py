"""The files of a run held against their hashes and their form, and put right as far as that can be done.

Nothing is deleted: what is damaged is moved to ``damaged/`` in the run's folder, and whatever the same ``fbench run``
makes again, it makes again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from fbench.benchmark.maps.face_maps import MAPS_FILE
from fbench.benchmark.records.predictions import LOGITS_FILE, SMALL_FILE
from fbench.benchmark.records.trial_records import PlannedTrial
from fbench.benchmark.store.files import read_cost_file
from fbench.benchmark.store.hashes import HASHES_FILE, is_as_kept, read_hashes, write_hashes
from fbench.benchmark.store.inputs import PROTOCOL_FILE, SUITE_FILE, given_of, wrong_plugins
from fbench.benchmark.store.run_folder import WEIGHTS_FILE, RunFolder
from fbench.benchmark.store.search_files import read_search
from fbench.benchmark.store.trial_damage import LEFT_OUT_OF_COMMITS, damage_of_trial
from fbench.core.contained import UNFINISHED, ContainedPath
from fbench.core.errors import UserError, reason_on_a_line

DAMAGED: Final = "damaged"
_FOLDERS: Final = ("trials", "costs", "networks", "data", "inputs", "checkpoints", "searches")
_LONGEST_NAME_BYTES: Final = 200
"""Of what is moved aside; file systems take 255, and a number follows."""
_DONE_WITHOUT: Final = (WEIGHTS_FILE, LOGITS_FILE)
_AGAIN: Final = "the same fbench run makes it again"
_AGAIN_IN_A_SEARCH: Final = "a search that is not done makes it again"

Outcome = Literal["repaired", "problem", "note"]


@dataclass(frozen=True)
class CheckedFile:
    """What is wrong with a file, by its name from the run's folder, and what was done; a ``note`` is no damage."""

    file: str
    wrong: str
    done: str
    outcome: Outcome


@dataclass(frozen=True)
class RunCheck:
    """What was found in a run: how many files have the hash that was kept of them, and how many have none."""

    whole: int
    without_hash: int
    found: tuple[CheckedFile, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left that is damaged."""
        return all(one.outcome != "problem" for one in self.found)


def check_run(folder: RunFolder) -> RunCheck:
    """Check every file of a run and repair what can be; only while no other process works in it.

    Raises:
        UserError: ``run.json`` is damaged, without which nothing can be said of the rest; or a link lies in the folder.
    """
    folder.config()
    check, tuning = _Check(folder), _Check(folder.searching, keeps_weights=False)
    found = [*check.kinds(), *check.leftovers(), *check.plan(), *check.files_of_run(), *check.trials()]
    found += [*tuning.leftovers(), *tuning.searches(), *tuning.trials()]
    return RunCheck(check.whole + tuning.whole, check.without_hash + tuning.without_hash, tuple(found))


class _Check:
    """Goes through a run, or what its searches for settings left, of which weights are not kept; and counts."""

    def __init__(self, folder: RunFolder, *, keeps_weights: bool = True) -> None:
        self._folder, self._keeps_weights = folder, keeps_weights
        self._files = folder.files
        self.whole = 0
        self.without_hash = 0

    def kinds(self) -> Iterator[CheckedFile]:
        """What is a file where a folder is to be, or hashes that cannot be read."""
        for name in _FOLDERS:
            place = self._files / name
            if place.exists() and not place.is_folder():
                yield self._aside(place, "is no folder", f"moved aside; {_AGAIN}")
        if read_hashes(self._files) is None and (self._files / HASHES_FILE).exists():
            yield self._aside(self._files / HASHES_FILE, "cannot be read", "moved aside; these files have no hash now")

    def leftovers(self) -> Iterator[CheckedFile]:
        """What a process that was killed did not finish."""
        for around in (self._files, *(self._files / name for name in ("trials", "costs", "searches"))):
            for name in around.names():
                if name.startswith(UNFINISHED):
                    yield self._aside(around / name, "was not finished", "moved aside")

    def plan(self) -> Iterator[CheckedFile]:
        """A plan that cannot be read is made anew of the records."""
        try:
            self._folder.plan()
        except UserError as error:
            moved = self._aside(self._files / "plan.json", reason_on_a_line(error), "")
            rows = []
            for trial_id in self._folder.trial_ids():
                spec = self._readable(lambda trial_id=trial_id: self._folder.trial(trial_id).spec)  # type: ignore[misc]
                if spec is not None:
                    row = PlannedTrial(
                        network=spec.network.name, data=spec.data.name, seed=spec.seed, trial_id=trial_id
                    )
                    rows.append(row)
            self._folder.extend_plan(rows)
            done = f"made anew of {len(rows)} records; the same fbench run plans the others again"
            yield CheckedFile(moved.file, moved.wrong, done, "repaired")

    def files_of_run(self) -> Iterator[CheckedFile]:
        """Those beside the trials."""
        yield from self._compare("run.json", None)
        yield from self._compare("plan.json", None)
        for name in (SUITE_FILE, PROTOCOL_FILE):
            yield from self._compare(f"inputs/{name}", None)
        yield from self._compare("inputs/given.json", lambda: given_of(self._files))
        for place, wrong in wrong_plugins(self._files):
            yield self._aside(place, wrong, f"moved aside; {_AGAIN}")
        for name in ("test_readings.jsonl", "interim_analyses.json"):
            read = self._folder.test_readings if name.startswith("test") else self._folder.interim_analyses
            yield from self._compare(name, read)
        for name in self._folder.cost_names():
            file = self._files / "costs" / name
            yield from self._compare(f"costs/{name}", lambda file=file: read_cost_file(file))  # type: ignore[misc]
        for name in (self._files / "networks").names():
            read_network = lambda name=name: self._folder.network(name)  # noqa: E731
            yield from self._compare(f"networks/{name}/network.json", read_network)
        for name in (self._files / "data").names():
            read_audit = lambda name=name: self._folder.audit(name)  # noqa: E731
            yield from self._compare(f"data/{name}/audit.json", read_audit)

    def searches(self) -> Iterator[CheckedFile]:
        """What searches for settings found."""
        around = self._files / "searches"
        for name in around.names():
            search_id = name.removesuffix(".json")
            if not name.startswith(UNFINISHED) and name != HASHES_FILE:
                read_one = lambda one=search_id: read_search(self._folder, one)  # noqa: E731
                yield from self._compare(name, read_one, around)

    def trials(self) -> Iterator[CheckedFile]:
        """Records with the files beside them."""
        for trial_id in (self._files / "trials").names():
            trial = self._files / "trials" / trial_id
            if not trial_id.startswith(UNFINISHED) and trial.is_folder():
                yield from self._trial(trial_id, trial)

    def _trial(self, trial_id: str, trial: ContainedPath) -> Iterator[CheckedFile]:
        hashes = read_hashes(trial)
        if hashes is None and (trial / HASHES_FILE).exists():
            yield self._aside(trial / HASHES_FILE, "cannot be read", "moved aside; the trial's files have no hash now")
        changed = [
            name
            for name, kept in (hashes or {}).items()
            if (trial / name).is_file() and not is_as_kept(trial / name, kept)
        ]
        moved = [name for name in changed if name in _DONE_WITHOUT]
        for name in moved:
            yield self._aside(trial / name, "is not what was written", "moved aside; the record stays without it")
        changed = [name for name in changed if name not in moved]
        wrong = self._wrong_with(trial_id, trial)
        if wrong is None and changed:
            wrong = f"{', '.join(changed)} {'is' if len(changed) == 1 else 'are'} not what was written"
        wrong = wrong or damage_of_trial(trial)
        if wrong is not None:
            again = _AGAIN if self._keeps_weights else _AGAIN_IN_A_SEARCH
            yield self._aside(trial, wrong, f"the trial was moved aside; {again}")
            return
        if (trial / MAPS_FILE).exists():
            problem = self._problem(lambda: self._folder.maps(trial_id))
            if problem:
                yield self._aside(trial / MAPS_FILE, problem, f"moved aside; {_AGAIN}")
        for name in hashes or {}:
            if name in moved or (name == WEIGHTS_FILE and not self._keeps_weights):
                continue
            if not (trial / name).exists() and name in LEFT_OUT_OF_COMMITS:
                yield CheckedFile(self._name(trial / name), "is not here", "left as it is: reports do without", "note")
        present = [name for name in trial.names() if name not in (HASHES_FILE, MAPS_FILE)]
        self.whole += sum(name in (hashes or {}) for name in present)
        self.without_hash += sum(name not in (hashes or {}) for name in present)

    def _wrong_with(self, trial_id: str, trial: ContainedPath) -> str | None:
        """Why a trial cannot be used, or none."""
        if not (trial / "record.json").exists():
            return "has no record.json"
        problem = self._problem(lambda: self._folder.trial(trial_id))
        if problem is None and (trial / SMALL_FILE).exists():
            problem = self._problem(lambda: self._folder.predictions(trial_id))
        if problem is None and (trial / "history.csv").exists():
            problem = self._problem(lambda: self._folder.history(trial_id))
        return problem

    def _compare(
        self, name: str, read: Callable[[], object] | None, around: ContainedPath | None = None
    ) -> Iterator[CheckedFile]:
        """One file beside the trials: moved aside where it cannot be read, told where it was changed. Its name is from
        the folder ``around``, that of the run by default, which has its hash."""
        file = around = around or self._files
        for part in name.split("/"):
            file = file / part
        hashes = read_hashes(around) or {}
        if not file.exists():
            if name in hashes:
                yield CheckedFile(self._name(file), "is missing", f"nothing; {_AGAIN}", "note")
            return
        problem = self._problem(read) if read is not None else None
        if problem is not None:
            yield self._aside(file, problem, f"moved aside; {_AGAIN}", around)
        elif name not in hashes:
            self.without_hash += 1
        elif is_as_kept(file, hashes[name]):
            self.whole += 1
        else:
            yield CheckedFile(
                self._name(file),
                "is valid, and not what was written",
                "nothing; restore it, or see who changed it",
                "problem",
            )

    def _problem(self, read: Callable[[], object]) -> str | None:
        try:
            read()
        except (UserError, OSError, ValueError, KeyError) as error:
            return reason_on_a_line(error, 300)
        return None

    @staticmethod
    def _readable(read: Callable[[], Any]) -> Any:
        try:
            return read()
        except UserError:
            return None

    def _aside(self, file: ContainedPath, wrong: str, done: str, around: ContainedPath | None = None) -> CheckedFile:
        """Move a file or folder to where damaged ones are kept; ``around`` is the folder that has its hash."""
        name, number = self._name(file), 0
        around = around or self._files
        hashes, own_name = read_hashes(around) or {}, "/".join(file.parts[len(around.parts) :])
        short = os.fsdecode(os.fsencode(name.replace("/", "-"))[:_LONGEST_NAME_BYTES])
        while (target := ContainedPath(self._files.root) / DAMAGED / f"{short}-{number}").exists():
            number += 1
        target.move_here(file)
        if own_name in hashes:
            write_hashes(around, {other: kept for other, kept in hashes.items() if other != own_name})
        return CheckedFile(name, wrong, f"{done} ({self._name(target)})" if done else "", "repaired")

    def _name(self, file: ContainedPath) -> str:
        return "/".join(file.parts)
