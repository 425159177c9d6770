"""A bundle made of a run: small, whole, and without what tells of a place or a person."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from fbench.benchmark.bundles.checking import check_bundle
from fbench.benchmark.bundles.contents import may_be_bundled, sealed
from fbench.benchmark.bundles.facts import facts_of, missing_trials, planned_records
from fbench.benchmark.bundles.findings import BundleCheck, said
from fbench.benchmark.bundles.private_texts import own_names, private_in
from fbench.benchmark.bundles.stripping import stripped
from fbench.benchmark.bundles.submission import MOST_BUNDLE_BYTES, SUBMISSION_FILE, MissingTrial, Submission
from fbench.benchmark.records.predictions import SMALL_FILE
from fbench.benchmark.store.hashes import HASHES_FILE
from fbench.benchmark.store.index.histories import HISTORY_FILE
from fbench.benchmark.store.index.records import RECORD_FILE
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.core.bounded import MOST_JSON_BYTES, json_in, read_bytes
from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError
from fbench.core.files import require_writable_folder
from fbench.core.machine import package_version
from fbench.core.paths import expanded

_TRIAL_FILES = (RECORD_FILE, HISTORY_FILE, SMALL_FILE)


@dataclass(frozen=True)
class MadeBundle:
    """A bundle that is not written yet: its files by name, and the planned trials that its run has no result of."""

    files: Mapping[str, bytes]
    missing: tuple[MissingTrial, ...] = ()


def make_bundle(run: RunTable, *, partial: bool = False, with_sources: bool = False) -> MadeBundle:
    """Make a bundle of a run.

    Args:
        run: the run.
        partial: take a run of which trials failed or were not run; its bundle says so.
        with_sources: take the sources of users' networks too, as their owner agrees.

    Raises:
        UserError: the run has no result, is a part of one, is not finished, would be too large, or has a file that
            cannot be read or holds what no bundle may.
    """
    _refuse_unfinished(run, partial=partial)
    files = dict(_files_of(run, with_sources=with_sources))
    for name, content in files.items():
        _refuse_private(run, name, content)
    size = sum(map(len, files.values()))
    if size > MOST_BUNDLE_BYTES:
        raise UserError(
            f"{run.folder.path} would make a bundle of {size:,} bytes, and {MOST_BUNDLE_BYTES:,} are the most; submit "
            "its networks in several runs: fbench run --from takes their trials as done."
        )
    return MadeBundle(files, missing_trials(run))


def write_bundle(bundle: MadeBundle, to: Path, by: str = "") -> BundleCheck:
    """Write a bundle into a new or empty folder, which appears whole and checked or not at all.

    Args:
        bundle: of :func:`make_bundle`.
        to: the folder.
        by: who submits it, where somebody wants to be named.

    Raises:
        UserError: something is there, nothing can be written there, or the bundle does not pass its check.
    """
    folder = expanded(to)
    require_writable_folder(folder, "The bundle", "--to")
    place = ContainedPath(folder.parent) / folder.name
    if place.exists() and place.names():
        raise UserError(f"{to} is there and not empty; give a new folder with --to.")
    with place.replacing_folder() as made:
        for name, content in bundle.files.items():
            with file_in(made, name).replacing() as stream:
                stream.write(content)
        submission = _submission(load_run(made.path), bundle, by)
        with (made / SUBMISSION_FILE).replacing() as stream:
            stream.write(f"{submission.model_dump_json(indent=1)}\n".encode())
        check = check_bundle(made.path)
        if check.problems:
            raise UserError(
                f"The run makes no bundle that passes its check: {check.problems[0].sentence}; see fbench doctor RUN."
            )
    return replace(check, path=folder)


def _submission(written: RunTable, bundle: MadeBundle, by: str) -> Submission:
    return Submission(
        fbench_version=package_version("fbench"),
        created_on=datetime.now(UTC).date().isoformat(),
        by=" ".join(by.split()),
        facts=facts_of(written, bundle.files),
        missing=bundle.missing,
        files={name: sealed(content) for name, content in bundle.files.items()},
    )


def file_in(folder: ContainedPath, name: str) -> ContainedPath:
    """The file of a name with ``/`` below a folder."""
    for part in PurePosixPath(name).parts:
        folder = folder / part
    return folder


def _refuse_unfinished(run: RunTable, *, partial: bool) -> None:
    where = run.folder.path
    if run.config.shard is not None:
        raise UserError(f"{where} is part {run.config.shard} of a run; fbench merge makes one run of the parts.")
    if not planned_records(run):
        raise UserError(f"{where} has no finished trial; submit it when fbench run has ended.")
    missing = missing_trials(run)
    if missing and not partial:
        row = missing[0]
        raise UserError(
            f"{where} has {len(missing)} planned trials without a result, the first of them {row.network} on "
            f"{row.data}, seed {row.seed} ({row.status}); the same fbench run goes on with them, and --partial submits "
            "what is there and says what it lacks."
        )


def _files_of(run: RunTable, *, with_sources: bool) -> Iterator[tuple[str, bytes]]:
    """The files of a bundle, each without what is private."""
    names, ids = own_names(), {record.trial_id for record in planned_records(run)}
    for name in _names_of(run, ids, with_sources=with_sources):
        if not may_be_bundled(name):
            raise UserError(f"{run.folder.path} has the file {name}, which no bundle may have; give it another name.")
        content = _read(file_in(run.folder.files, name))
        try:
            yield name, content if name.startswith("plugins/") else stripped(name, content, names, ids)
        except (ValueError, AttributeError, TypeError) as error:
            reason = said(error)
            raise UserError(f"{run.folder.path / name} cannot be read ({reason}); see fbench doctor RUN.") from error
    for trial_id in sorted(ids):
        yield from _of_trial(run, trial_id, names)


def _names_of(run: RunTable, trial_ids: Collection[str], *, with_sources: bool) -> Iterator[str]:
    """The names of all files but those of trials."""
    files = run.folder.files
    digests = {run.trials[trial_id].spec.network.digest[:16] for trial_id in trial_ids}
    wanted = [
        *("run.json", "plan.json", "test_readings.jsonl", "interim_analyses.json"),
        *("inputs/suite.toml", "inputs/protocol.toml"),
        *(f"data/{data.fingerprint[:16]}/audit.json" for data in run.config.data),
        *(f"networks/{digest}/network.json" for digest in sorted(digests)),
        *(f"costs/{name}" for name in run.folder.cost_names()),
        *(f"tuning/searches/{search_id}.json" for search_id in run.searches),
    ]
    yield from (name for name in wanted if file_in(files, name).exists())
    used = {run.trials[trial_id].spec.network.plugin_digest for trial_id in trial_ids} if with_sources else set()
    for digest in sorted(digest for digest in used if digest is not None):
        yield from _sources_below(files / "plugins" / digest, f"plugins/{digest}/")


def _sources_below(folder: ContainedPath, prefix: str) -> Iterator[str]:
    for name, is_folder in folder.entries().items():
        if is_folder:
            yield from _sources_below(folder / name, f"{prefix}{name}/")
        elif name.endswith(".py"):
            yield f"{prefix}{name}"


def _of_trial(run: RunTable, trial_id: str, own: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """The files of a trial, with their hashes; those of its weights and logits tell whether others get the same."""
    folder = run.folder.trial_files(trial_id)
    found = {name: stripped(name, _read(folder / name), own, ()) for name in _TRIAL_FILES if (folder / name).exists()}
    if SMALL_FILE not in found:
        raise UserError(f"There is no {folder / SMALL_FILE}, from which accuracies are recomputed; restore it.")
    if (folder / HASHES_FILE).exists():
        kept = json_in(_read(folder / HASHES_FILE))
        now = {name: sealed(content).sha256 for name, content in found.items()}
        hashes = f"{json.dumps(dict(kept) | now, indent=1, sort_keys=True)}\n"
        found[HASHES_FILE] = hashes.encode()
    for name, content in found.items():
        yield f"trials/{trial_id}/{name}", content


def _read(file: ContainedPath) -> bytes:
    try:
        return read_bytes(file, MOST_JSON_BYTES)
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be read ({said(error)}); see fbench doctor RUN.") from error


def _refuse_private(run: RunTable, name: str, content: bytes) -> None:
    for found in private_in(name, content):
        raise UserError(
            f"{run.folder.path / name} holds {found.kind} ({found.words[:80]}), which no bundle may; take it out"
            f"{', or leave --with-sources out' * name.startswith('plugins/')}."
        )
