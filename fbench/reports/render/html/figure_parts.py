"""The parts of a data set's section that are figures alone: where each stands, how it is read, and what is drawn.

A further figure is a function of its own in :mod:`fbench.reports.figures` and an entry in :data:`PARTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from fbench.reports.figures.canvas import WIDE_PAGE_IN
from fbench.reports.figures.drawing import illustrate, with_narrow
from fbench.reports.figures.learning import Quantity, is_in_epochs, learning_curves
from fbench.reports.figures.single_seeds import single_seeds
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.findings.comparisons.summary import by_accuracy
from fbench.reports.findings.model import DataFindings
from fbench.reports.palette import Style
from fbench.reports.render.html.amounts import seeds_and_images, seeds_words
from fbench.reports.render.html.document import FigureGroup, FigurePart
from fbench.reports.render.html.drawn import ALL_UP_TO

Place = Literal["accuracy", "learning"]
"""Where in the section: after the summary of accuracies, or after what all networks say together."""

Groups = tuple[FigureGroup, ...]

MOST_CURVES: Final = 10
"""Networks in one figure of learning curves."""


@dataclass(frozen=True)
class FigureInputs:
    """What figures are made of: what was found on one data set, how networks look, and which have figures of their
    own."""

    found: DataFindings
    evidence: Evidence
    styles: Mapping[str, Style]
    drawn: Sequence[str]


@dataclass(frozen=True)
class PartEntry:
    """A part of figures alone.

    Attributes:
        place: where it stands among the others.
        anchor: of its heading, unique in a section; the keys of its figures begin with it.
        title: its heading.
        how: how it is read; ``{found}`` stands for the findings, as in ``{found.new_units}``.
        groups: its figures; without any the part is left out.
    """

    place: Place
    anchor: str
    title: str
    how: str
    groups: Callable[[FigureInputs], Groups]


def figure_parts(inputs: FigureInputs, place: Place) -> tuple[FigurePart, ...]:
    """The parts that stand in one place and have a figure."""
    made = [(entry, entry.groups(inputs)) for entry in PARTS if entry.place == place]
    return tuple(
        FigurePart(entry.anchor, entry.title, entry.how.format(found=inputs.found), groups)
        for entry, groups in made
        if groups
    )


def every_seed(inputs: FigureInputs) -> Groups:
    """Accuracy of every seed, the most accurate network first; none where no network has two seeds."""
    summary = inputs.found.summary
    if max((row.seeds for row in summary), default=0) < 2:
        return ()
    trials = [row.trials for row in by_accuracy(summary)[:ALL_UP_TO]]
    which = f" of the {len(trials)} most accurate of {len(summary)}" if len(trials) < len(summary) else ""
    key, title = f"{inputs.found.key}-seeds", f"Top-1 of every seed{which}, %; {seeds_and_images(trials)}"
    wide = illustrate(key, title, single_seeds, trials, inputs.styles, WIDE_PAGE_IN)
    narrow = illustrate(key, title, single_seeds, trials, inputs.styles)
    return (FigureGroup("", (with_narrow(wide, narrow),)),)


def learning(inputs: FigureInputs) -> Groups:
    """A group for each study, and one for the networks that are in none; large ones in parts.

    Each has accuracy and loss over epochs; none where a curve would be a single point.
    """
    studies = [study.result for study in inputs.found.studies]
    found = [(result.study.title, _among(result.levels, inputs.drawn)) for result in studies]
    groups = [(title, levels) for title, levels in found if levels]
    shown = {network for _, levels in groups for network in levels}
    if others := tuple(network for network in inputs.drawn if network not in shown):
        groups.append(("Other networks" if groups else "All networks", others))
    parts = [
        (
            title if len(levels) <= MOST_CURVES else f"{title}, {start + 1} to {min(start + MOST_CURVES, len(levels))}",
            levels[start : start + MOST_CURVES],
        )
        for title, levels in groups
        for start in range(0, len(levels), MOST_CURVES)
    ]
    drawn = [_curves(inputs, title, levels, index) for index, (title, levels) in enumerate(parts, start=1)]
    return tuple(group for group in drawn if group.figures)


def _among(levels: Sequence[str], drawn: Sequence[str]) -> tuple[str, ...]:
    return tuple(network for network in levels if network in drawn)


def _curves(inputs: FigureInputs, title: str, networks: tuple[str, ...], index: int) -> FigureGroup:
    chosen = {network: inputs.evidence.networks[network] for network in networks}
    if max((len(history) for found in chosen.values() for history in found.histories), default=0) < 2:
        return FigureGroup(title, ())
    wanted: tuple[tuple[Quantity, str], ...] = (("top1", "Top-1, %,"), ("loss", "Loss, nats,"))
    key = f"{inputs.found.key}-learning{index}"
    over = f"over {'epochs' if is_in_epochs(chosen) else 'images'}"
    seeds = seeds_words(len(found.seeds) for found in chosen.values())
    return FigureGroup(
        title,
        tuple(
            illustrate(f"{key}-{quantity}", f"{name} {over}; {seeds}", learning_curves, chosen, inputs.styles, quantity)
            for quantity, name in wanted
        ),
    )


PARTS: Final = (
    PartEntry(
        place="accuracy",
        anchor="seeds",
        title="Every seed",
        how="How to read: a point is one training on the {found.split_words}, a darker one several that are alike; the "
        "upright line is the mean. Where the points of two rows mix, one seed alone could name either network the "
        "better.",
        groups=every_seed,
    ),
    PartEntry(
        place="learning",
        anchor="learning",
        title="Learning curves",
        how="How to read: a line is the median over seeds, a faint one a single seed; where seeds are too many, a band "
        "reaches from the lowest to the highest. An arrow says how far a seed went that leaves the panel. "
        "Training accuracy is measured on augmented images while the weights still change, so that it can lie below "
        "the validation split’s.",
        groups=learning,
    ),
)
"""In the order of the page."""
