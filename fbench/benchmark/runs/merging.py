"""One run of several, written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from fbench.architectures.plugin_sources import PluginSources, read_copy
from fbench.benchmark.records.specs import plugin_folder
from fbench.benchmark.records.trial_records import RunConfig
from fbench.benchmark.runs.configuration import different_settings
from fbench.benchmark.runs.merge_plan import MergePlan, Source
from fbench.benchmark.store.inputs import keep_inputs
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.search_files import read_searches, write_search
from fbench.core.errors import UserError
from fbench.core.files import require_writable_folder
from fbench.core.locks import locked
from fbench.core.paths import expanded


def carry_out_merge(plan: MergePlan, out: Path) -> RunFolder:
    """Write the merged run into a new folder. Its plan is written first, so that one that was cut off lacks trials and
    says so; the same call goes on with it.

    Raises:
        UserError: the folder has something else in it, is one of the sources, or cannot be written.
    """
    folder = RunFolder(expanded(out))
    require_writable_folder(folder.path, "The merged run", "--out")
    if folder.path.resolve() in {source.folder.path.resolve() for source in plan.sources}:
        raise UserError(f"--out {out} is one of the runs to be merged; give a new folder.")
    with locked(folder.path, f"The run {folder.path}"):
        folder.clean()
        if (folder.path / "run.json").exists():
            if different := different_settings(plan.config, folder.config()):
                raise UserError(
                    f"{folder.path} belongs to a run with another configuration (different {', '.join(different)}); "
                    "give a new folder with --out."
                )
        elif folder.path.exists() and not folder.is_new():
            raise UserError(f"{folder.path} is no run and no empty folder; give a new one with --out.")
        else:
            folder.create(plan.config)
        folder.extend_plan(plan.planned)
        done = set(folder.trial_ids())
        for trial_id, source in plan.taken.items():
            if trial_id not in done:
                folder.take_trial(source.folder, trial_id)
        for source in plan.sources:
            _take_what_lies_beside(folder, source, plan.config)
        folder.write_test_readings(_readings(plan.sources))
    return folder


def _take_what_lies_beside(folder: RunFolder, source: Source, config: RunConfig) -> None:
    """What a source has beside its trials: networks, audits, costs, searches, and what was asked for."""
    theirs = source.folder
    plugins = dict(_plugins(theirs, source.config))
    keep_inputs(folder.files, config, plugins)
    for digest in (theirs.files / "networks").names():
        if (network := theirs.network(digest)) is not None:
            folder.write_network(digest, network)
    for data in source.config.data:
        if (audit := theirs.audit(data.fingerprint)) is not None and folder.audit(data.fingerprint) is None:
            folder.write_audit(data.fingerprint, audit)
    for cost in theirs.costs():
        folder.write_cost(cost)
    for record in read_searches(theirs.searching).values():
        write_search(folder.searching, record)
    done = set(folder.searching.trial_ids())
    for trial_id in theirs.searching.trial_ids():
        if trial_id not in done:
            folder.searching.take_trial(theirs.searching, trial_id)


def _readings(sources: Sequence[Source]) -> list[str]:
    """The lines of all ledgers, each as often as in the one that has it most often: the copies of machines that share a
    cache have the same readings."""
    found = Counter[str]()
    for source in sources:
        found |= Counter(source.folder.test_reading_lines())
    return list(found.elements())


def _plugins(folder: RunFolder, config: RunConfig) -> Iterator[tuple[str, PluginSources]]:
    """The copies of plug-ins that a run keeps, by their digests; those that are not what they were are left out."""
    for path in map(PurePosixPath, config.plugins):
        if len(path.parts) == 3 and path.parent == plugin_folder(path.parts[1]):
            with suppress(UserError):
                sources = read_copy(folder.files / "plugins" / path.parts[1], path.name)
                if sources.digest == path.parts[1]:
                    yield sources.digest, sources
