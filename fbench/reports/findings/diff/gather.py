"""From two sides to everything that a page says of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fbench.core.errors import UserError
from fbench.core.paths import expanded
from fbench.reports.findings.diff.accuracy import compare_accuracy, why_no_accuracy
from fbench.reports.findings.diff.answer import answers
from fbench.reports.findings.diff.choice import choose
from fbench.reports.findings.diff.cost import compare_cost
from fbench.reports.findings.diff.imported import imported_sentences
from fbench.reports.findings.diff.model import SIDES, Difference, SideTrials, SideView
from fbench.reports.findings.diff.networks import compare_pairs
from fbench.reports.findings.diff.settings import compare_settings
from fbench.reports.findings.gate.judge import Gate
from fbench.reports.findings.gate.subjects import Side, pairs
from fbench.reports.findings.origin.tuning import tuning_caution


def gather_difference(base: Side, new: Side, *, gate: Gate | None = None, other_machine: bool = False) -> Difference:
    """Compare two sides in everything that both know.

    Args:
        base: A.
        new: B; differences are B minus A.
        gate: the conditions that were given, judged, if any.
        other_machine: hold times of different machines against the reference load of each.

    Raises:
        UserError: nothing in common, or records that cannot be read.
    """
    compared = [replace(pair, words=SIDES) for pair in pairs(base, new)]
    settings = compare_settings(base, new)
    imported = tuple(imported_sentences(compared)) if base.imported or new.imported else ()
    accuracy = compare_accuracy(compared)
    no_accuracy = imported or why_no_accuracy(compared[0])
    cost = compare_cost(compared, other_machine=other_machine)
    if not cost.groups and not imported and not any(data.rows or data.refused for data in accuracy):
        why = f" ({'; '.join(one.removesuffix('.') for one in no_accuracy)})" if no_accuracy else ""
        raise UserError(
            f"{base.label} and {new.label} have nothing in common that can be compared{why}; `fbench speed` or "
            "`fbench run` makes it."
        )
    names = _names(base, new)
    return Difference(
        title=f"{names[0]} against {names[1]}",
        base=_view(SIDES[0], names[0], base, new),
        new=_view(SIDES[1], names[1], new, base),
        choice=choose(compared, names, accuracy, no_accuracy, cost),
        answers=tuple(answers(settings, accuracy, no_accuracy, cost, gate)),
        cautions=tuple(_cautions(base, new)),
        gate=gate,
        settings=settings,
        accuracy=accuracy,
        no_accuracy=no_accuracy,
        cost=cost,
        networks=compare_pairs(compared),
    )


def _names(base: Side, new: Side) -> tuple[str, str]:
    """What the sides are called: the last part of their paths, or all that was given where that tells no difference."""
    if base.run and new.run and base.network and new.network and base.run.folder.path == new.run.folder.path:
        return base.network, new.network
    names = tuple(f"{_path(side).name}{f':{side.network}' if side.network else ''}" for side in (base, new))
    return (names[0], names[1]) if names[0] != names[1] else (base.label, new.label)


def _path(side: Side) -> Path:
    given = side.label.removesuffix(f":{side.network}") if side.network else side.label
    return expanded(given).resolve()


def _view(letter: str, name: str, side: Side, other: Side) -> SideView:
    named = side.network is not None or other.network is not None
    return SideView(
        letter=letter,
        name=name,
        what=_what(side),
        alone=() if named else tuple(network for network in side.networks if network not in other.networks),
        trials=_trials(side, other),
    )


def _what(side: Side) -> str:
    if side.imported is not None:
        return f"{side.imported.kind}: {side.imported.source}, {side.imported.imported_at[:10]}"
    if side.run is None:
        return f"a measurement of speed, {', '.join(cost.started_at[:10] for cost in side.costs)}"
    return f"the run {side.run.config.name} of {side.run.config.suite.title}, created {side.run.config.created_at[:10]}"


def _trials(side: Side, other: Side) -> SideTrials | None:
    """Without a name, only the networks that the other side names count."""
    if side.run is None:
        return None
    network = side.network or other.network
    wanted = set(side.networks) if network is None else {network}
    run = side.run
    return SideTrials(
        network=network,
        planned=sum(row.network in wanted for row in run.plan),
        failed=tuple((row, record) for row, record in run.failed() if row.network in wanted),
        missing=tuple(row for row in run.missing() if row.network in wanted),
    )


def _cautions(base: Side, new: Side) -> Iterator[str]:
    sides = [(letter, side.run) for letter, side in zip(SIDES, (base, new), strict=True) if side.run is not None]
    for letter, run in sides:
        if run.interim_analyses is not None:
            yield (
                f"Seeds of {letter} were added until its own comparisons were decided. The intervals here do not know "
                "of that; where both networks are of that run, its report has repeated intervals, which do."
            )
    for letter, run in sides:
        if given := tuning_caution(run.config.protocol):
            yield f"{letter}: {given}"
    for letter, run in sides:
        if run.config.protocol.selection == "test":
            yield f"{letter} chose its epochs on the test set, so that its accuracies are too high."
