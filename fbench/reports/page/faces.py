"""What trained networks make of a few faces: which maps a report shows, and as which figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fbench.benchmark.map_images import RENDERED
from fbench.benchmark.maps import FaceMaps
from fbench.benchmark.table import RunTable
from fbench.reports.comparisons.evidence import Evidence
from fbench.reports.figures.drawing import Illustration
from fbench.reports.figures.faces import feature_map_figure, grad_cam_figure


@dataclass(frozen=True)
class FaceFigures:
    """The maps of one network's trial of ``seed``; ``source`` says in words what the images are."""

    network: str
    seed: int
    source: str
    maps: FaceMaps

    def illustrations(self, key: str) -> tuple[Illustration, Illustration]:
        """Grad-CAM, and the feature maps of an early convolution; ``key`` is unique in a report."""
        return (
            Illustration(f"{key}-cam", f"Grad-CAM of {self.network}", grad_cam_figure(self.maps, self.network)),
            Illustration(
                f"{key}-features", f"Feature maps of {self.network}", feature_map_figure(self.maps, self.network)
            ),
        )


def face_sections(
    run: RunTable, evidence: Evidence, shown: Mapping[tuple[str, str], FaceMaps] | None = None
) -> tuple[FaceFigures, ...]:
    """The maps of every network that has some, in the order of the plan: of the lowest seed with maps.

    Args:
        run: whose folder keeps the maps.
        evidence: the run on one data set.
        shown: maps by network and data set that take the place of kept ones, such as those of images that may not be
            kept.

    Raises:
        UserError: maps that are damaged.
    """
    found = ((network, _maps(run, evidence, network, shown or {})) for network in evidence.networks)
    return tuple(
        FaceFigures(network, maps.seed, _source(maps, evidence), maps) for network, maps in found if maps is not None
    )


def _maps(
    run: RunTable, evidence: Evidence, network: str, shown: Mapping[tuple[str, str], FaceMaps]
) -> FaceMaps | None:
    if (network, evidence.data.name) in shown:
        return shown[network, evidence.data.name]
    kept = (run.folder.maps(record.trial_id) for record in evidence.networks[network].records)
    return next((maps for maps in kept if maps is not None), None)


def _source(maps: FaceMaps, evidence: Evidence) -> str:
    if maps.source != RENDERED:
        return maps.source
    return f"{RENDERED}, as images of {evidence.data.name} may not be shown"
