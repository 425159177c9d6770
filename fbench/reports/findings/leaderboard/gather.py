"""From checked bundles to everything that a leaderboard says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from fbench.benchmark.bundles.findings import BundleCheck
from fbench.benchmark.bundles.submission import Submission
from fbench.core.errors import UserError
from fbench.reports.findings.comparisons.budget import short_budget
from fbench.reports.findings.comparisons.evidence import NetworkEvidence
from fbench.reports.findings.comparisons.learning import compare_evidence, learned_comparison
from fbench.reports.findings.comparisons.studies import why_untested
from fbench.reports.findings.comparisons.units import NEW_UNITS, UNITS
from fbench.reports.findings.leaderboard.checked import check_bundles
from fbench.reports.findings.leaderboard.entries import (
    Held,
    by_settings,
    counted,
    entries_of,
    held_networks,
    labels_of,
)
from fbench.reports.findings.leaderboard.headings import Heading, headings_of
from fbench.reports.findings.leaderboard.model import MARGIN, AgainstLeader, Board, BoardRow, BundleLine, Leaderboard
from fbench.reports.findings.leaderboard.words import board_sentence, code_words
from fbench.reports.findings.tradeoffs.fronts import FEWEST_SEEDS
from fbench.statistics.comparison.best import BestBound, best_bounds
from fbench.statistics.comparison.networks import new_images_difference
from fbench.statistics.comparison.verdict import FamilyMember, decide
from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.single import summarise
from fbench.statistics.ties import ties_made_equal


def gather_leaderboard(paths: Sequence[Path], title: str = "Leaderboard") -> Leaderboard:
    """The leaderboard of bundles, or of all in a folder.

    Raises:
        UserError: a path is no bundle and holds none, or a bundle does not pass its check.
    """
    checks = check_bundles(paths)
    for check in checks:
        if not check.passes:
            raise UserError(
                f"{check.path} does not pass fbench submit --check ({check.problems[0].sentence}); leave it out, or "
                "mend it."
            )
    groups = by_settings(held_networks(checks))
    headings = headings_of([group[0] for group in groups])
    boards = tuple(
        _board(f"board{number}", group, heading)
        for number, (group, heading) in enumerate(zip(groups, headings, strict=True), start=1)
    )
    return Leaderboard(
        title=title,
        boards=boards,
        bundles=tuple(_bundle_lines(checks)),
        answers=tuple(map(board_sentence, boards)),
        remarks=tuple(f"{check.name}: {found.sentence}." for check in checks for found in check.findings),
    )


def _board(key: str, group: Sequence[Held], heading: Heading) -> Board:
    first = group[0]
    entries = entries_of(group)
    accuracies = [summarise(one.trained.correct, clusters=one.trained.clusters) for one in entries]
    ordered = ties_made_equal([one.new_images.estimate for one in accuracies])
    order = sorted(range(len(entries)), key=lambda place: -ordered[place])
    untested = why_untested(*(one.evidence for one in group)) if all(one.evidence.is_smoke for one in group) else ""
    places = [] if untested else [place for place in order if _is_compared(entries[place].trained)]
    compared = [entries[place].trained for place in places] if len(places) > 1 else []
    bounds = dict(zip(places, _bounds(compared), strict=True)) if compared else {}
    against = dict(zip(places[1:], _against_leader(compared), strict=True)) if compared else {}
    labels = labels_of(entries)
    unit = entries[0].trained.unit
    return Board(
        key=key,
        heading=heading.text,
        data=first.evidence.data,
        trained=heading.trained,
        split_words=first.evidence.split_words,
        images=first.network.correct.shape[1],
        new_units=NEW_UNITS[unit],
        units=UNITS[unit],
        rows=tuple(
            BoardRow(
                label=labels[place],
                name=entries[place].name,
                digest=entries[place].digest,
                place=number,
                trained=entries[place].trained,
                accuracy=accuracies[place],
                bound=bounds.get(place),
                against_leader=against.get(place),
                repeated=entries[place].repeated,
                bundles=entries[place].bundles,
                code=entries[place].code,
            )
            for number, place in enumerate(order, start=1)
        ),
        pairs=len(compared) * (len(compared) - 1) // 2,
        budget=short_budget(first.evidence.run.config, first.evidence.data),
        untested=untested,
    )


def _is_compared(network: NetworkEvidence) -> bool:
    return len(network.seeds) >= FEWEST_SEEDS and not network.collapsed


def _bounds(networks: Sequence[NetworkEvidence]) -> tuple[BestBound, ...]:
    def difference(ours: int, theirs: int) -> MeanEstimate:
        a, b = networks[ours], networks[theirs]
        return new_images_difference(a.correct, b.correct, a.seeds, b.seeds, a.clusters)

    return best_bounds(difference, len(networks))


def _against_leader(networks: Sequence[NetworkEvidence]) -> Iterator[AgainstLeader]:
    """Each network but the first minus the first. As the data choose the leader, all pairs are one family."""
    leader, *others = networks
    learned = [learned_comparison(one, leader) for one in others]
    differences = [
        found.learned if found else compare_evidence(one, leader) for one, found in zip(others, learned, strict=True)
    ]
    members = [
        FamilyMember(one.new_images, MARGIN, with_collapsed=found.every.new_images if found else None)
        for one, found in zip(differences, learned, strict=True)
    ]
    decisions = decide(members, planned=len(networks) * (len(networks) - 1) // 2)
    yield from (AgainstLeader(*pair) for pair in zip(differences, decisions, strict=True))


def _bundle_lines(checks: Sequence[BundleCheck]) -> Iterator[BundleLine]:
    for check in checks:
        submission = check.submission
        if submission is None or check.run is None:
            continue
        yield BundleLine(
            name=check.name,
            by=submission.by,
            created_on=submission.created_on,
            networks=len(submission.facts.networks),
            trials=submission.facts.trials,
            missing=submission.missing,
            machines=submission.facts.machines,
            repeated=counted(check.repetitions, set(check.run.trials)),
            code=_code_of(submission),
        )


def _code_of(submission: Submission) -> str:
    networks = submission.facts.networks
    words = (code_words(one.code == "user", has_sources=one.has_sources) for one in networks)
    return "; ".join(dict.fromkeys(words))
