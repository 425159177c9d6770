"""Can this run be trusted? What a careful reader would ask, one line each: what is well, and what to be warned of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.comparisons.budget import ShortBudget
from fbench.reports.findings.comparisons.evidence import Evidence, NetworkEvidence
from fbench.reports.findings.comparisons.headline import SEEDS_FOR_CLAIMS
from fbench.reports.findings.comparisons.learning import (
    collapses_words,
    exploded_losses,
    unknown_classes,
)
from fbench.reports.findings.costs.machines import TimesApart
from fbench.reports.findings.origin.readings import count_readings
from fbench.reports.findings.overview.without_result import networks_without_result
from fbench.reports.formatting import chance, count, listing, percent, plural, significant
from fbench.statistics.collapse import Collapses

_MOST_NAMED: Final = 3


@dataclass(frozen=True)
class TrustLine:
    """What was found on one question in a short sentence; ``is_warning`` where it limits what the run's numbers say.

    ``details`` are what the sentence sums up, a line each; empty where it says all.
    """

    topic: str
    text: str
    is_warning: bool
    details: tuple[str, ...] = ()


def trust_lines(evidence: Evidence, budget: ShortBudget | None, apart: TimesApart) -> tuple[TrustLine, ...]:
    """The warnings first, each group in the order of the questions; none where nothing has finished."""
    networks = list(evidence.networks.values())
    if not networks:
        return ()
    lines = [
        _budget(budget),
        *_plateau(networks),
        _seeds(evidence),
        _collapses(networks),
        *_exploded(evidence),
        _classes(evidence),
        *_copies(evidence),
        *_machine(evidence.run),
        *_machines(apart),
        *_code(networks),
        *_readings(evidence),
        _trials(evidence),
    ]
    return tuple(sorted(lines, key=lambda line: not line.is_warning))


def _budget(budget: ShortBudget | None) -> TrustLine:
    if budget is None:
        return TrustLine("Budget", "the protocol’s own.", False)
    share = chance(budget.image_passes / budget.own)
    return TrustLine(
        "Budget",
        f"{share} % of the protocol’s own image passes; longer trainings may differ.",
        True,
    )


def _plateau(networks: Sequence[NetworkEvidence]) -> Iterator[TrustLine]:
    """How many trainings were still at their best when they ended; nothing where each was evaluated once."""
    histories = [history for one in networks for history in one.histories if len(history) > 1]
    if not histories:
        return
    rising = sum(
        max(history, key=lambda row: (row.validation_top1, -row.validation_loss)) is history[-1]
        for history in histories
    )
    rest = "still learning" if 2 * rising > len(histories) else "most had levelled off"
    yield TrustLine(
        "Plateau",
        f"{count(rising)} of {plural(len(histories), 'training')} {'was' if rising == 1 else 'were'} best at the end: "
        f"{rest}.",
        2 * rising > len(histories),
    )


def _seeds(evidence: Evidence) -> TrustLine:
    fewest = evidence.seed_counts[0]
    if fewest == 1:
        return TrustLine("Seeds", "one training of a network: nothing tells it from a lucky one.", True)
    if fewest < SEEDS_FOR_CLAIMS and evidence.run.interim_analyses is None:
        return TrustLine(
            "Seeds", f"{count(fewest)}: only large differences stand out from chance; take {SEEDS_FOR_CLAIMS}.", True
        )
    most = max(evidence.seed_counts)
    return TrustLine("Seeds", f"{count(fewest)}{f' to {count(most)}' if most > fewest else ''} of each network.", False)


def _collapses(networks: Sequence[NetworkEvidence]) -> TrustLine:
    bad = [one for one in networks if one.collapses.collapsed]
    if not bad:
        fewest = min(one.collapses.trainings for one in networks)
        bound = percent(Collapses(0, fewest).rate().high, 0)
        words = f"no training; after {plural(fewest, 'training')} without one, up to {bound} % of a network’s may."
        return TrustLine("Collapsed", words, False)
    if len(bad) == 1:
        return TrustLine("Collapsed", f"{collapses_words(bad[0].collapses, bad[0].network)}.", True)
    collapsed, trained = (sum(getattr(one.collapses, which) for one in bad) for which in ("collapsed", "trainings"))
    text = f"{count(collapsed)} of {plural(trained, 'training')} of {_named([one.network for one in bad])}."
    return TrustLine("Collapsed", text, True, tuple(collapses_words(one.collapses, one.network) for one in bad))


def _exploded(evidence: Evidence) -> Iterator[TrustLine]:
    found = exploded_losses(evidence)
    if found:
        each = tuple(f"{network} ({significant(loss)} nats)" for network, loss in found)
        shown = each[0] if len(found) == 1 else _named([network for network, _ in found])
        text = f"exploded on the validation split: {shown}."
        yield TrustLine("Losses", text, True, each[1:] and each)


def _classes(evidence: Evidence) -> TrustLine:
    if unknown := unknown_classes(evidence):
        whose, first = {one.who for one in unknown}, unknown[0]
        if len(unknown) == 1:
            return TrustLine(
                "Classes", f"hardly ever recognised: {first.name} ({first.reached}), by {first.who}.", True
            )
        some = f"some of {plural(max(one.asked for one in unknown), 'network')} that learned"
        who = next(iter(whose)) if len(whose) == 1 else some
        text = f"hardly ever recognised: {_named([one.name for one in unknown])}, by {who}."
        each = (f"{one.name}: {one.reached}{f' with {one.who}' if len(whose) > 1 else ''}" for one in unknown)
        return TrustLine("Classes", text, True, tuple(each))
    learned = sum(not one.collapsed for one in evidence.networks.values())
    if not learned:
        return TrustLine("Classes", "no network learned any.", True)
    which = "every network" if learned == len(evidence.networks) else f"the {plural(learned, 'network')} that learned"
    return TrustLine("Classes", f"each is recognised by {which}.", False)


def _copies(evidence: Evidence) -> Iterator[TrustLine]:
    audit = evidence.run.audits.get(evidence.data.name)
    if audit is None:
        return
    leaked = len(audit.test_rows_with_copies)
    if not leaked:
        yield TrustLine("Copies", "no test image is in the training or validation split.", False)
        return
    share = leaked / max(1, sum(audit.images_by_split_and_class["test"]))
    yield TrustLine(
        "Copies",
        f"{plural(leaked, 'test image')} ({percent(share)} %) {'is' if leaked == 1 else 'are'} in other splits; "
        "the summary has top-1 without them.",
        True,
    )


def _machine(run: RunTable) -> Iterator[TrustLine]:
    if not run.costs:
        yield TrustLine("Times", "not measured.", False)
        return
    cost = run.costs[-1]
    if cost.busy_percent is None:
        yield TrustLine("Times", "measured on a machine of whose other work nothing is known.", True)
    elif cost.is_of_busy_machine:
        yield TrustLine(
            "Times",
            f"measured while other work took {percent(cost.busy_percent / 100, 0)} % of the cores; ratios within the "
            "measurement hold, times do not.",
            True,
        )
    else:
        taken = percent(cost.busy_percent / 100, 0)
        yield TrustLine("Times", f"measured on a quiet machine (other work {taken} % of the cores).", False)
        yield from _roofline(cost)


def _roofline(cost: CostRecord) -> Iterator[TrustLine]:
    """Where that was measured on a busier machine than the times."""
    ceiling = cost.roofline
    if ceiling is not None and ceiling.is_of_busy_machine:
        taken = percent((ceiling.busy_percent or 0.0) / 100, 0)
        text = f"measured while other work took {taken} % of the cores: shares of it are too large."
        yield TrustLine("Roofline", text, True)


def _machines(apart: TimesApart) -> Iterator[TrustLine]:
    """Where times are of several machines."""
    if apart.measured:
        each = "; ".join(f"{listing(one.networks)} on {one.letter}" for one in apart.measured)
        text = f"measured on {plural(len(apart.measured), 'machine')}, and comparable within one alone: {each}."
        yield TrustLine("Machines", text, True, apart.sentences)
    elif apart.trained_on:
        yield TrustLine("Machines", "several trained; times of trainings are of one of them.", False, apart.sentences)


def _code(networks: Sequence[NetworkEvidence]) -> Iterator[TrustLine]:
    machines = [record.machine for one in networks for record in one.records]
    revisions = {one.git_revision for one in machines if one.git_revision}
    if any(one.git_dirty for one in machines):
        yield TrustLine("Code", "trainings ran with changes that were in no commit.", True)
    elif len(revisions) > 1:
        yield TrustLine("Code", f"trainings are of {len(revisions)} revisions of fbench.", True)
    else:
        what = f"revision {revisions.pop()[:10]}, nothing uncommitted" if revisions else "an installed fbench"
        yield TrustLine("Code", f"{what}.", False)


def _readings(evidence: Evidence) -> Iterator[TrustLine]:
    found = next((one for one in count_readings(evidence.run) if one.data == evidence.recorded_data), None)
    if found is None:
        return
    others = found.total - found.of_this_run
    text = f"read {plural(found.of_this_run, 'time')} by this run, {plural(others, 'time')} by others"
    chose = f"; {count(found.selecting)} chose an epoch" if found.selecting else "; none chose an epoch"
    yield TrustLine("Test split", f"{text}{chose}.", found.selecting > 0)


def _trials(evidence: Evidence) -> TrustLine:
    run, absent = evidence.run, networks_without_result(evidence)
    failed, missing = len(run.failed()), len(run.missing())
    if not failed and not missing:
        return TrustLine("Trials", f"all {count(len(run.plan))} finished.", False)
    parts = [f"{count(amount)} {word}" for amount, word in ((failed, "failed"), (missing, "not run yet")) if amount]
    nothing = f"; no result of {_named([one.network for one in absent])}" if absent else ""
    reasons = tuple(f"{one.network}: {one.reason}" for one in absent)
    return TrustLine("Trials", f"of {count(len(run.plan))}, {listing(parts)}{nothing}.", True, reasons)


def _named(names: Sequence[str]) -> str:
    """The first of many names, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return listing([*names[:_MOST_NAMED], f"{count(more)} more"] if more > 1 else names)
