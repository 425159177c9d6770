"""The parts of a report that show networks themselves: what they see, and how they are built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fbench.benchmark.maps import FaceMaps
from fbench.reports.comparisons.evidence import Evidence
from fbench.reports.figures.architecture import architecture_drawing
from fbench.reports.figures.drawing import Illustration
from fbench.reports.networks.blueprint import network_plans
from fbench.reports.page.document import (
    FacesSection,
    NetworkDrawing,
)
from fbench.reports.page.faces import face_sections
from fbench.reports.wording import listing

MOST_SHOWN: Final = 32
"""Networks that are drawn one by one in one part of a page; more are too many to look at."""


def faces_section(evidence: Evidence, shown: Mapping[tuple[str, str], FaceMaps], key: str) -> FacesSection | None:
    """What networks see; none where no maps were kept or are shown."""
    found = face_sections(evidence.run, evidence, shown)[:MOST_SHOWN]
    if not found:
        return None
    pairs = [one.illustrations(f"{key}-faces{place}") for place, one in enumerate(found, start=1)]
    return FacesSection(
        sources=tuple(dict.fromkeys(f"{one.source}, networks of seed {one.seed}" for one in found)),
        real=any((one.network, evidence.data.name) in shown for one in found) and not evidence.data.may_show_images,
        grad_cam=tuple(first for first, _ in pairs),
        feature_maps=tuple(second for _, second in pairs),
    )


def network_drawings(evidence: Evidence, key: str) -> tuple[NetworkDrawing, ...]:
    """A drawing of each architecture whose description is kept, those of the same layers together."""
    plans = network_plans(evidence.run, evidence.data.name)[:MOST_SHOWN]
    return tuple(
        NetworkDrawing(
            plan.networks,
            Illustration(
                f"{key}-drawing{place}",
                listing(list(plan.networks)),
                architecture_drawing(plan.blueprint, plan.networks[0]),
            ),
        )
        for place, plan in enumerate(plans, start=1)
    )
