"""What several runs hold together: trials of one data set, measurements of cost, and counts.

Trials of two runs are pooled only where nothing but seeds and networks tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final

from fbench.ablations.claim_tests import CATALOGUE_NAMES
from fbench.architectures.contract import Counts, built_in_contract, user_contract
from fbench.benchmark.data.options import BY_FRAME
from fbench.benchmark.records.budget import load_preset, plan_steps
from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.interim_analyses import ComparisonKey, InterimAnalysis
from fbench.benchmark.records.specs import DataSpec
from fbench.benchmark.runs.interim_analyses import has_its_trials
from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import UserError
from fbench.reports.findings.comparisons.alike import first_difference
from fbench.reports.findings.comparisons.budget import image_passes
from fbench.reports.findings.comparisons.evidence import Evidence, NetworkEvidence, gather
from fbench.reports.findings.comparisons.folds import whole_data_sets
from fbench.reports.findings.comparisons.joining import joined

FIRST_AND_SECOND: Final = ("the first", "the second")
"""Labels of two runs that the sentence before has named."""


@dataclass(frozen=True)
class RunOnData:
    """One run on one data set; ``name`` is what claims call the data set, ``where`` the run's folder."""

    name: str
    where: str
    evidence: Evidence

    @property
    def run(self) -> RunTable:
        """The run."""
        return self.evidence.run

    @property
    def data(self) -> DataSpec:
        """The data set."""
        return self.evidence.data


@dataclass(frozen=True)
class ClaimInputs:
    """All that can decide claims; ``costs`` are measurements with the folder of their run, oldest first."""

    holdings: tuple[RunOnData, ...]
    costs: tuple[tuple[str, CostRecord], ...]
    counts: Mapping[str, Counts]

    @property
    def networks(self) -> set[str]:
        """Every network that a run planned."""
        return {network for holding in self.holdings for network in holding.run.networks}

    @property
    def data_names(self) -> set[str]:
        """Every data set of a run."""
        return {holding.name for holding in self.holdings}


@dataclass(frozen=True)
class DataEvidence:
    """The trials of some networks on one data set, of all runs that hold any of them and trained longest.

    ``failed`` has the reason for a network that was planned and of which no trial finished. ``image_passes`` is how
    many images each trial may see, ``at_half`` the trials of runs that were alike but for half of that or less.
    """

    name: str
    holdings: tuple[RunOnData, ...]
    networks: Mapping[str, NetworkEvidence]
    failed: Mapping[str, str]
    image_passes: int = 0
    at_half: Mapping[str, NetworkEvidence] = field(default_factory=dict)

    @property
    def selected_on_test(self) -> bool:
        """Whether the test split chose the epoch."""
        return any(holding.run.config.protocol.selection == "test" for holding in self.holdings)

    def is_long_enough(self, preset: str) -> bool:
        """Whether each trial may learn at least as long as the preset has it, on all training images."""
        return all(_is_long_enough(holding, preset) for holding in self.holdings)

    @property
    def has_analyses(self) -> bool:
        """Whether seeds were added until comparisons were decided."""
        return any(holding.run.interim_analyses is not None for holding in self.holdings)

    def analysis(self, network: str, other: str) -> InterimAnalysis | None:
        """The last interim analysis of this comparison, where seeds were added until it was decided; else none."""
        for holding in self.holdings:
            analyses = holding.run.interim_analyses
            for study in holding.run.config.suite.studies if analyses else ():
                found = (
                    analyses.latest(ComparisonKey(study.name, network, other, holding.data.name)) if analyses else None
                )
                if found is not None and has_its_trials(found, holding.run):
                    return found
        return None


def gather_claim_inputs(runs: Sequence[RunTable]) -> ClaimInputs:
    """Read runs, perhaps none, for judging claims.

    Raises:
        UserError: a run that cannot be read.
    """
    read = [whole_data_sets([gather(run, data) for data in run.config.data]) for run in runs]
    return claim_inputs_of(runs, [one for of_run in read for one in of_run])


def claim_inputs_of(runs: Sequence[RunTable], read: Sequence[Evidence]) -> ClaimInputs:
    """What runs hold, of which each data set was read already."""
    holdings = [RunOnData(claims_name(one.data), str(one.run.folder.path), one) for one in read]
    costs = [(str(run.folder.path), cost) for run in runs for cost in run.costs]
    return ClaimInputs(
        holdings=tuple(holdings),
        costs=tuple(sorted(costs, key=lambda pair: pair[1].finished_at)),
        counts={**_counts_of_runs(runs), **_counts_of_contracts()},
    )


def claims_name(data: DataSpec) -> str:
    """What claims call a data set of a run."""
    source = data.source or data.name
    by_frame = f"-{BY_FRAME}" if data.options.get("split") == BY_FRAME else ""
    return CATALOGUE_NAMES.get(f"{source}{by_frame}", data.name)


def pool(inputs: ClaimInputs, data: str, networks: Iterable[str]) -> DataEvidence | None:
    """The trials of these networks on a data set; none where no run has any of them planned there.

    Raises:
        UserError: two runs differ in something that their results depend on; the field is named.
    """
    wanted, name = tuple(networks), CATALOGUE_NAMES.get(data, data)
    holdings = [one for one in inputs.holdings if one.name == name and set(wanted) & set(one.run.networks)]
    if not holdings:
        return None
    passes = [image_passes(one.run.config, one.data) for one in holdings]
    longest = [one for one, seen in zip(holdings, passes, strict=True) if seen == max(passes)]
    half = [one for one, seen in zip(holdings, passes, strict=True) if 2 * seen <= _HALF_WITHIN * max(passes)]
    for first, second in pairwise([one for one in holdings if one not in half]):
        _require_one_training(first, second, with_budget=True)
    for one in half:
        _require_one_training(longest[0], one, with_budget=False)
    most = max((image_passes(one.run.config, one.data) for one in half), default=0)
    nearest = [one for one in half if image_passes(one.run.config, one.data) == most]
    found = {network: _merged(network, longest, holdings) for network in wanted}
    absent = [network for network in wanted if found[network] is None]
    return DataEvidence(
        name=name,
        holdings=tuple(longest),
        networks={network: evidence for network, evidence in found.items() if evidence is not None},
        failed={network: reason for network in absent if (reason := _failure(network, longest))},
        image_passes=max(passes),
        at_half={network: side for network in wanted if (side := _merged(network, nearest, holdings)) is not None},
    )


_HALF_WITHIN: Final = 1.02
"""A budget that was meant as half may be rounded up to whole batches and evaluation points."""


def _require_one_training(first: RunOnData, second: RunOnData, *, with_budget: bool) -> None:
    ours, theirs = (_settings(one, with_budget=with_budget) for one in (first, second))
    if found := first_difference(ours, theirs, FIRST_AND_SECOND):
        raise UserError(
            f"The trials on {first.data.name} in {first.where} and {second.where} cannot be pooled: {found}; give runs "
            "that differ in seeds and networks alone."
        )


def _settings(holding: RunOnData, *, with_budget: bool) -> dict[str, Any]:
    config = holding.run.config
    protocol = config.protocol.for_data(holding.data.source or holding.data.name)
    parts: dict[str, dict[str, Any]] = {
        "protocol": {**protocol.settings(), "collapse": protocol.collapse.model_dump()},
        "budget": config.budget.model_dump() if with_budget else {},
        "numerics": config.numerics.model_dump(),
    }
    found: dict[str, Any] = {
        "data fingerprint": holding.data.fingerprint[:16],
        "number of images": holding.data.images_by_split,
    }
    for part, settings in parts.items():
        found |= {f"{part}.{name}": value for name, value in settings.items()}
    return found


def _merged(network: str, holdings: Sequence[RunOnData], of_the_data: Sequence[RunOnData]) -> NetworkEvidence | None:
    """All seeds of a network, each once, ascending.

    Which images belong together is known of the data set where any run on it (``of_the_data``) kept it.
    """
    having = [(one, one.evidence.networks[network]) for one in holdings if network in one.evidence.networks]
    if not having:
        return None
    for (first, ours), (second, theirs) in pairwise(having):
        digests = [side.records[0].spec.network.digest[:16] for side in (ours, theirs)]
        if digests[0] != digests[1]:
            raise UserError(
                f"The trials of {network} in {first.where} and {second.where} cannot be pooled: its network digest is "
                f"{digests[0]} in the first and {digests[1]} in the second; train the network as it is now in both."
            )
    _refuse_other_settings(network, having)
    _, merged = having[0]
    for _, more in having[1:]:
        merged = joined(merged, more)
    known = next((one.evidence for one in of_the_data if one.evidence.clusters is not None), None)
    return merged if known is None else replace(merged, clusters=known.clusters, unit=known.unit)


def _refuse_other_settings(network: str, having: Sequence[tuple[RunOnData, NetworkEvidence]]) -> None:
    """Hold that seeds of a network that was tuned once have the settings of one search."""
    for (first, ours), (second, theirs) in pairwise(having):
        sides = [side.records[0].spec for side in (ours, theirs)]
        tuning = sides[0].default_protocol.tuning if sides[0].default_protocol is not None else None
        if tuning is None or tuning.mode == "per_seed":
            continue
        settings = [spec.protocol.settings() for spec in sides]
        if found := first_difference(settings[0], settings[1], FIRST_AND_SECOND):
            raise UserError(
                f"The trials of {network} in {first.where} and {second.where} cannot be pooled, as their searches "
                f"chose other settings: {found}; take the searches of one run into the other with --from."
            )


def _failure(network: str, holdings: Sequence[RunOnData]) -> str:
    reasons = [
        record.failure_reason or "no reason was kept"
        for holding in holdings
        for planned, record in holding.run.failed()
        if (planned.network, planned.data) == (network, holding.data.name)
    ]
    return f"all that ended failed: {reasons[0]}" if reasons else ""


def _is_long_enough(holding: RunOnData, preset: str) -> bool:
    config, images = holding.run.config, holding.data.images_by_split.get("train", 0)
    budget = config.budget
    if images < 1 or (budget.train_images is not None and budget.train_images < images):
        return False
    protocol = config.protocol.for_data(holding.data.source or holding.data.name)
    least = load_preset(preset).budget
    if budget.batch_size is not None:
        least = least.model_copy(update={"batch_size": budget.batch_size})
    ours, wanted = plan_steps(protocol, budget, images), plan_steps(protocol, least, images)
    return ours.steps * ours.batch_size >= wanted.steps * wanted.batch_size


def _counts_of_contracts() -> dict[str, Counts]:
    rows = {**user_contract(), **built_in_contract()}
    return {name: row.counts for name, row in rows.items() if row.counts is not None}


def _counts_of_runs(runs: Sequence[RunTable]) -> dict[str, Counts]:
    """What runs counted of networks that no contract has, at the size of their own images."""
    return {
        name: Counts(static.trainable_params, static.bn_running_stats, static.macs)
        for run in runs
        for cost in run.costs
        for name, static in cost.static.items()
    }
