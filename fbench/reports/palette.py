"""One colour and one marker per network through a whole report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# Okabe & Ito (2008), told apart with every common colour blindness, without their yellow, which is too pale
# on white; then darker relatives of the first six. Markers differ too: no reading rests on colour alone.
_HUES: Final = (
    ("#0072b2", "#4aa8e0"),
    ("#d55e00", "#ff8a3d"),
    ("#009e73", "#2fc79b"),
    ("#b8609a", "#dd8fc2"),
    ("#c98a00", "#f0b63c"),
    ("#3d9fd6", "#8ccdf2"),
    ("#5a5f66", "#aab0b8"),
    ("#003f66", "#7b9fd6"),
    ("#7f3300", "#d09a72"),
    ("#00573f", "#6fae96"),
    ("#6b2656", "#b784b5"),
    ("#7a5400", "#bfa15c"),
)
_MARKERS: Final = tuple(zip("os^DvPXp<h>", "●■▲◆▼✚✖⬟◀⬢▶", strict=True))


@dataclass(frozen=True)
class Style:
    """How one network looks: colours on a light and a dark page, its marker in matplotlib and in text."""

    light: str
    dark: str
    marker: str
    symbol: str


def assign_styles(networks: Iterable[str]) -> dict[str, Style]:
    """An appearance for each network, by its place in the order given.

    12 colours and 11 markers make 132 networks that differ in at least one of the two.
    """
    return {
        network: Style(*_HUES[index % len(_HUES)], *_MARKERS[index % len(_MARKERS)])
        for index, network in enumerate(networks)
    }
