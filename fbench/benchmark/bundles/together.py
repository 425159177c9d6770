"""Several bundles beside each other: where they are, and whether they agree on what more than one of them has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from fbench.benchmark.bundles.findings import BundleCheck, BundleFinding
from fbench.benchmark.bundles.submission import SUBMISSION_FILE
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.store.equal_trials import is_same_trial
from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError
from fbench.core.paths import expanded


def bundle_folders(paths: Sequence[Path]) -> list[Path]:
    """The bundles that are meant: each path itself, or every folder in one that is no bundle itself.

    Raises:
        UserError: a path is no folder, a run, or empty.
    """
    found: dict[Path, Path] = {}
    for given in paths:
        path = expanded(given)
        folder = ContainedPath(path)
        entries = folder.entries()
        if SUBMISSION_FILE in entries:
            found.setdefault(path.resolve(), path)
            continue
        if "run.json" in entries:
            raise UserError(f"{path} is a run and no bundle; fbench submit {path} --to DIR makes one of it.")
        inner = [path / name for name, is_folder in entries.items() if is_folder and not name.startswith(".")]
        if not inner:
            raise UserError(f"{path} is no bundle and holds none; fbench submit RUN --to DIR makes one.")
        for one in inner:
            found.setdefault(one.resolve(), one)
    return list(found.values())


def bundle_names(paths: Sequence[Path]) -> list[str]:
    """What bundles are called beside each other: by their folders, and where two are called alike by those around."""
    names = [path.resolve().name for path in paths]
    return [
        "/".join(path.resolve().parts[-2:]) if names.count(name) > 1 else name
        for path, name in zip(paths, names, strict=True)
    ]


def check_together(checks: Sequence[BundleCheck]) -> Iterator[tuple[BundleCheck, BundleFinding]]:
    """What is wrong with bundles beside each other, with the second of the two that do not agree: a trial that has
    another result there. Another processor may round otherwise, and data of one name may be others: these are notes."""
    for one, two in combinations((check for check in checks if check.run is not None), 2):
        yield from ((two, found) for found in (*_other_results(one, two), *_other_data(one, two)))


def _other_results(one: BundleCheck, two: BundleCheck) -> Iterator[BundleFinding]:
    if one.run is None or two.run is None:
        return
    for trial_id in two.run.trials:
        if trial_id in one.run.trials:
            ours, theirs = two.run.trials[trial_id], one.run.trials[trial_id]
            if not is_same_trial(ours, two.run.folder, theirs, one.run.folder):
                yield _other_result(ours, theirs, one.path)


def _other_result(ours: TrialRecord, theirs: TrialRecord, path: Path) -> BundleFinding:
    place, said = f"trials/{ours.trial_id}", f"({ours.spec.label}) has another result than in {path}"
    if computes_on(ours) == computes_on(theirs):
        return BundleFinding(place, f"{said}; leave one of the two out")
    where = f"on {computes_on(ours)}, and there on {computes_on(theirs)}"
    return BundleFinding(place, f"{said}, as it was trained {where}; of the two that one counts", is_problem=False)


def computes_on(record: TrialRecord) -> str:
    """What the bits of a result may depend on beside its numerics."""
    return record.machine.accelerator or record.machine.processor


def _other_data(one: BundleCheck, two: BundleCheck) -> Iterator[BundleFinding]:
    if one.run is None or two.run is None:
        return
    theirs = {data.name: data.fingerprint for data in one.run.config.data}
    for data in two.run.config.data:
        if theirs.get(data.name, data.fingerprint) != data.fingerprint:
            yield BundleFinding(
                "run.json",
                f"has other data called {data.name} than {one.path} (fingerprint {data.fingerprint[:16]}, and there "
                f"{theirs[data.name][:16]}), so that they are on boards of their own",
                is_problem=False,
            )
