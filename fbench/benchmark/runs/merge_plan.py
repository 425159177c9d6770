"""Whether several runs can be one, and what that is made of: shards that were trained on different machines, or runs of
the same configuration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fbench.benchmark.records.trial_records import PlannedTrial, RunConfig
from fbench.benchmark.runs.configuration import different_settings
from fbench.benchmark.runs.pytorch_versions import refuse_mixed_versions
from fbench.benchmark.runs.shards import Shard
from fbench.benchmark.store.equal_trials import is_same_trial
from fbench.benchmark.store.index.records import TrialRecords
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.trial_damage import damage_of_trial
from fbench.core.errors import UserError
from fbench.core.paths import expanded

Place = tuple[str, str, int]
"""A network, a data set and a seed."""


@dataclass(frozen=True)
class Source:
    """A run to be merged, read once."""

    folder: RunFolder
    config: RunConfig
    plan: tuple[PlannedTrial, ...]
    trials: TrialRecords

    @property
    def shard(self) -> Shard | None:
        """Which part of a run it is; none where it is whole."""
        return None if self.config.shard is None else Shard.parse(self.config.shard)


@dataclass(frozen=True)
class MergePlan:
    """What a merged run is made of.

    Attributes:
        sources: the runs.
        config: that of the merged run.
        planned: its plan, the rows of all sources.
        taken: the source of each trial that one of them has a record of.
        missing_shards: the numbers of shards that were not given.
    """

    sources: tuple[Source, ...]
    config: RunConfig
    planned: tuple[PlannedTrial, ...]
    taken: Mapping[str, Source] = field(default_factory=dict)
    missing_shards: tuple[Shard, ...] = ()

    @property
    def still_to_run(self) -> list[PlannedTrial]:
        """The rows of the plan whose trial no source has a record of."""
        return [row for row in self.planned if row.trial_id not in self.taken]


def plan_merge(paths: Sequence[Path]) -> MergePlan:
    """See whether runs can be one, and what it would be made of.

    Raises:
        UserError: they are of different configurations, data, code or minor versions of PyTorch, the same trial has
            another result in two of them, one was made until decided, or one is no run.
    """
    sources = [_read(path) for path in paths]
    first = sources[0]
    if len(sources) < 2 and first.shard is None:
        raise UserError(f"{first.folder.path} alone was given to be merged, and is whole; give two runs at least.")
    for other in sources[1:]:
        _refuse_other_run(first, other)
    taken = _taken(sources)
    planned = _planned(sources, taken)
    _refuse_versions(sources, taken)
    return MergePlan(
        tuple(sources),
        first.config.model_copy(
            update={"shard": None, "created_at": min(source.config.created_at for source in sources)}
        ),
        planned,
        taken,
        tuple(_missing_shards(sources)),
    )


def refuse_half(plan: MergePlan) -> None:
    """See that a merged run would be whole.

    Raises:
        UserError: a shard was not given, or trials are still to run.
    """
    if plan.missing_shards:
        names = ", ".join(str(shard) for shard in plan.missing_shards)
        raise UserError(
            f"Of {plan.missing_shards[0].of} shards these are missing: {names}; give them too, or --partial for a run "
            "that says what it lacks."
        )
    if left := plan.still_to_run:
        row = left[0]
        amount = "1 trial is" if len(left) == 1 else f"{len(left)} trials are"
        raise UserError(
            f"{amount} still to run, the first of them {row.network} on {row.data}, seed {row.seed}; go "
            "on with the runs that lack them, or give --partial for a run that says what it lacks."
        )


def _read(path: Path) -> Source:
    folder = RunFolder.open(expanded(path))
    return Source(folder, folder.config(), tuple(folder.plan()), folder.trials())


def _refuse_other_run(first: Source, other: Source) -> None:
    different = [name for name in different_settings(first.config, other.config) if name != "shard"]
    if different:
        raise UserError(
            f"{first.folder.path} and {other.folder.path} are no parts of one run (different {', '.join(different)}); "
            "merge runs of one configuration."
        )
    one, two = first.shard, other.shard
    if one is not None and two is not None and one.of != two.of:
        raise UserError(
            f"{first.folder.path} is shard {one} and {other.folder.path} shard {two}, which are parts of different "
            "divisions; merge shards of one."
        )
    if one is not None and two is not None and _places(first) != _places(other):
        raise UserError(
            f"{first.folder.path} and {other.folder.path} were planned with different seeds; give both commands the "
            "same --seeds before they are merged."
        )
    if other.folder.interim_analyses() is not None or first.folder.interim_analyses() is not None:
        raise UserError(
            f"{first.folder.path} or {other.folder.path} was run until decided, and its seeds follow from its own "
            "trials; give its command --from the other run in place of merging them."
        )


def _places(source: Source) -> set[Place]:
    return {(row.network, row.data, row.seed) for row in source.plan}


def _taken(sources: Sequence[Source]) -> dict[str, Source]:
    """The source of each trial: one where it finished, where there is one.

    Raises:
        UserError: a trial finished in two of them with other results, or in none as it was written.
    """
    taken: dict[str, Source] = {}
    damaged: dict[str, str] = {}
    for source in sources:
        for trial_id in source.trials:
            if (wrong := damage_of_trial(source.folder.trial_files(trial_id))) is not None:
                damaged.setdefault(
                    trial_id,
                    f"Trial {trial_id} in {source.folder.path} is damaged ({wrong}); `fbench doctor "
                    f"{source.folder.path}` moves it aside, and the run's command makes it again.",
                )
                continue
            other = taken.get(trial_id)
            if other is None or not other.trials.facts(trial_id).finished:
                taken[trial_id] = source
            elif source.trials.facts(trial_id).finished:
                _refuse_other_result(trial_id, other, source)
    for trial_id, sentence in damaged.items():
        if trial_id not in taken:
            raise UserError(sentence)
    return taken


def _refuse_other_result(trial_id: str, one: Source, two: Source) -> None:
    records = one.trials[trial_id], two.trials[trial_id]
    if is_same_trial(records[0], one.folder, records[1], two.folder):
        return
    raise UserError(
        f"{records[0].spec.label} (trial {trial_id}) has other results in {one.folder.path} than in {two.folder.path}; "
        "leave one of the two runs out, or delete that trial in one."
    )


def _planned(sources: Sequence[Source], taken: Mapping[str, Source]) -> tuple[PlannedTrial, ...]:
    """The rows of all plans, in the order in which they come.

    Where a search chose the settings of a network, a shard that has not made it plans the trial by another id: the row
    of one that has a record counts.

    Raises:
        UserError: a network is not the same in two runs.
    """
    rows: dict[Place, tuple[PlannedTrial, Source]] = {}
    for source in sources:
        is_tuned = source.config.protocol.tuning is not None
        for row in source.plan:
            place = (row.network, row.data, row.seed)
            before, where = rows.setdefault(place, (row, source))
            if before.trial_id == row.trial_id:
                continue
            if not is_tuned or (before.trial_id in taken and row.trial_id in taken):
                raise UserError(
                    f"The code or options of '{row.network}' are not the same in {where.folder.path} and in "
                    f"{source.folder.path}; train its trials anew with one of the two."
                )
            if row.trial_id in taken:
                rows[place] = (row, source)
    return tuple(row for row, _ in rows.values())


def _refuse_versions(sources: Sequence[Source], taken: Mapping[str, Source]) -> None:
    by_source = {
        trial_id: source.folder for trial_id, source in taken.items() if source.trials.facts(trial_id).finished
    }
    refuse_mixed_versions(sources[0].folder, (), by_source, trains_here=False)


def _missing_shards(sources: Sequence[Source]) -> Iterator[Shard]:
    shards = [source.shard for source in sources if source.shard is not None]
    if len(shards) == len(sources):  # a whole run among them has all
        given = {shard.number for shard in shards}
        yield from (Shard(number, shards[0].of) for number in range(1, shards[0].of + 1) if number not in given)
