"""One minor version of PyTorch in a run: trainings of two are not compared, so a run that would mix them is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fbench.benchmark.store.run_folder import RunFolder
from fbench.core.errors import UserError
from fbench.core.machine import minor_version, package_version


def refuse_mixed_versions(
    folder: RunFolder, done: Iterable[str], taken: Mapping[str, RunFolder], *, trains_here: bool
) -> None:
    """Hold that the trials that are ``done`` in a folder, those that are ``taken`` from other runs and those that are
    to be trained here are of one minor version of PyTorch.

    All finished trials of a folder are of one, as each run in it was held to this, so that the first one tells.

    Raises:
        UserError: they are of two.
    """
    sources = {folder.path: (folder, list(done))}
    for trial_id, source in taken.items():
        sources.setdefault(source.path, (source, []))[1].append(trial_id)
    wanted = minor_version(package_version("torch")) if trains_here else None
    for source, trial_ids in sources.values():
        version = _first_version(source, trial_ids)
        wanted = wanted or version
        if version is not None and version != wanted:
            raise UserError(
                f"{source.path} has trainings of PyTorch {version}, and this run has others of PyTorch {wanted}, which "
                "are not compared with them; run it where that version is installed, or as a run of its own with --out."
            )


def _first_version(folder: RunFolder, trial_ids: Iterable[str]) -> str | None:
    if not folder.path.exists():
        return None
    records = folder.trials()
    found = next((one for one in trial_ids if one in records and records.facts(one).finished), None)
    return None if found is None else records[found].machine.pytorch
