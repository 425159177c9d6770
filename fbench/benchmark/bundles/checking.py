"""A bundle checked as if it were a stranger's, which it is: nothing it says is believed that can be computed anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from fbench.benchmark.bundles.contents import BundleContents, is_repetition, may_be_bundled, read_contents
from fbench.benchmark.bundles.facts import facts_of, missing_trials
from fbench.benchmark.bundles.findings import BundleCheck, BundleFinding, said
from fbench.benchmark.bundles.network_checks import check_networks
from fbench.benchmark.bundles.private_texts import private_in
from fbench.benchmark.bundles.repetition_checks import read_repetitions
from fbench.benchmark.bundles.submission import (
    SUBMISSION_FILE,
    SUBMISSION_SCHEMA_VERSION,
    BundleFacts,
    MissingTrial,
    Submission,
)
from fbench.benchmark.bundles.trial_checks import check_plan, check_trials
from fbench.benchmark.store.files import of_schema, read_model
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.core.bounded import json_in
from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError

_MOST_SHOWN = 60
_SEVERAL = 3


def open_bundle(path: Path) -> Submission:
    """What a bundle says of itself, unchecked.

    Raises:
        UserError: there is no bundle at ``path``, or its ``submission.json`` is not valid.
    """
    file = ContainedPath(path, (SUBMISSION_FILE,))
    if not file.is_file():
        raise UserError(f"{path} is no bundle (it has no {SUBMISSION_FILE}); fbench submit RUN --to DIR makes one.")
    return read_model(file, Submission, SUBMISSION_SCHEMA_VERSION)


def check_bundle(path: Path) -> BundleCheck:
    """Check all of a bundle; nothing of it is executed, and nothing outside of it reached.

    A folder without ``submission.json`` is a bundle that lacks it.
    """
    folder = ContainedPath(path)
    try:
        contents = read_contents(folder)
        submission = _submission(contents)
    except (UserError, ValueError, TypeError) as error:
        return BundleCheck(path, None, (BundleFinding(SUBMISSION_FILE, _invalid(error)),))
    found = [*_check_seal(contents, submission), *_check_private(contents)]
    try:
        run = load_run(path)
    except UserError as error:
        found.append(BundleFinding("the run", f"cannot be read: {_without(path, error)}"))
        return BundleCheck(path, submission, tuple(found))
    facts = _facts(run, contents, found, path)
    found += _check_facts(facts, submission, run) if facts is not None else ()
    for check in (check_plan(run), check_networks(run), check_trials(run, contents)):
        try:
            found += check
        except UserError as error:
            found.append(BundleFinding("the run", f"cannot be checked: {_without(path, error)}"))
    repetitions, of_repetitions = read_repetitions(run, contents)
    return BundleCheck(path, submission, (*found, *of_repetitions), repetitions, run)


def _submission(contents: BundleContents) -> Submission:
    if (reason := contents.wrong.get(SUBMISSION_FILE)) is not None:
        raise UserError(reason)
    if SUBMISSION_FILE not in contents.files:
        raise UserError("it is missing")
    values = json_in(contents.files[SUBMISSION_FILE])
    if not isinstance(values, dict):
        raise ValueError("it is no table")  # noqa: TRY004 - of a file's content
    return Submission.model_validate(of_schema(values, SUBMISSION_SCHEMA_VERSION, Path(SUBMISSION_FILE)))


def _invalid(error: Exception) -> str:
    if isinstance(error, ValidationError):
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        return f"is not valid ({place}: {problem['msg'][:200]})"
    return f"is not valid ({said(error)})"


def _check_seal(contents: BundleContents, submission: Submission) -> Iterator[BundleFinding]:
    """Files that are missing, added or changed since the bundle was made, or that none may have."""
    yield from (BundleFinding(name, reason) for name, reason in contents.wrong.items())
    seals = contents.sealed
    for name, seal in submission.files.items():
        if not may_be_bundled(name):
            yield BundleFinding(SUBMISSION_FILE, f"seals {name[:_MOST_SHOWN]}, which is no file that a bundle may have")
        elif name not in seals and name not in contents.wrong:
            yield BundleFinding(name, "is missing")
        elif name in seals and seals[name] != seal:
            yield BundleFinding(name, "was changed since the bundle was made (its hash is another)")
    for name in seals.keys() - submission.files.keys():
        yield BundleFinding(name, "was added after the bundle was made")


def _check_private(contents: BundleContents) -> Iterator[BundleFinding]:
    for name, content in contents.files.items():
        if is_repetition(name) or may_be_bundled(name) or name == SUBMISSION_FILE:
            for found in private_in(name, content):
                yield BundleFinding(name, f"holds {found.kind}: {found.words[:_MOST_SHOWN]}")
                break


def _facts(run: RunTable, contents: BundleContents, found: list[BundleFinding], path: Path) -> BundleFacts | None:
    try:
        return facts_of(run, contents.files)
    except (UserError, ValueError) as error:
        found.append(BundleFinding("the run", f"cannot be read: {_without(path, error)}"))
        return None


def _check_facts(facts: BundleFacts, submission: Submission, run: RunTable) -> Iterator[BundleFinding]:
    """What the submission states, against what follows from the files."""
    stated = submission.facts
    for name in BundleFacts.model_fields:
        if getattr(stated, name) != getattr(facts, name):
            yield BundleFinding(SUBMISSION_FILE, f"states other {name} than follow from the files")
    if set(map(_place, missing_trials(run))) != set(map(_place, submission.missing)):
        yield BundleFinding("plan.json", "has planned trials without a result that submission.json does not name")
    elif submission.missing:
        names = ", ".join(f"{one.network}:{one.seed} ({one.status})" for one in submission.missing[:_SEVERAL])
        more = f" and {len(submission.missing) - _SEVERAL} more" * (len(submission.missing) > _SEVERAL)
        yield BundleFinding("the run", f"is partial; without a result are {names}{more}", is_problem=False)


def _place(trial: MissingTrial) -> tuple[str, str, int]:
    return trial.network, trial.data, trial.seed


def _without(path: Path, error: Exception) -> str:
    return said(error).replace(f"{path}/", "").replace(str(path), "the bundle")
