"""How many seeds and images a figure rests on, for its title."""

from __future__ import annotations

from collections.abc import Iterable

from fbench.reports.findings.comparisons.evidence import NetworkEvidence
from fbench.reports.formatting import count, plural


def seeds_words(seeds: Iterable[int]) -> str:
    """The seeds of several networks: "11 seeds", or from the fewest to the most of one."""
    return amount_words(seeds, "seed")


def seeds_and_images(networks: Iterable[NetworkEvidence]) -> str:
    """The seeds of networks, and the images that each of their trainings was tested on."""
    shapes = [found.correct.shape for found in networks]
    return f"{seeds_words(seeds for seeds, _ in shapes)}, {amount_words((images for _, images in shapes), 'image')}"


def amount_words(amounts: Iterable[int], thing: str) -> str:
    """One number where all agree, else from the smallest to the largest; at least one amount."""
    known = sorted(set(amounts))
    return plural(known[0], thing) if len(known) == 1 else f"{count(known[0])} to {count(known[-1])} {thing}s"
