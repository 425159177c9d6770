"""What trained networks make of a few faces: which maps a report shows, and which it has to leave out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from fbench.benchmark.maps.face_maps import FaceMaps
from fbench.benchmark.maps.images import RENDERED
from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.left_out import Omissions, attempt

ShownMaps = Mapping[tuple[str, str], FaceMaps]


@dataclass(frozen=True)
class NetworkMaps:
    """The maps of one network's trial of ``seed``; ``source`` says in words what the images are."""

    network: str
    seed: int
    source: str
    maps: FaceMaps


def network_maps(
    run: RunTable, evidence: Evidence, shown: ShownMaps | None = None, omissions: Omissions | None = None
) -> tuple[NetworkMaps, ...]:
    """The maps of every network that has some, in the order of the plan: of the lowest seed with maps.

    Args:
        run: whose folder keeps the maps.
        evidence: the run on one data set.
        shown: maps by network and data set that take the place of kept ones, such as those of images that may not be
            kept.
        omissions: takes a note of what networks have no maps of, and of maps that are damaged; none: the first that
            are damaged are raised.

    Raises:
        UserError: maps that are damaged, and nothing takes a note of it.
    """
    found = []
    for network in evidence.networks:
        maps = attempt(omissions, f"maps of {network}", partial(_maps, run, evidence, network, shown or {}))
        if maps is None:
            if omissions is not None and (reason := _why_none(run, evidence, network)):
                omissions.note(f"maps of {network}", reason)
            continue
        if omissions is not None:
            for what, reason in maps.left_out:
                omissions.note(f"{what} of {network}", reason)
        if maps.grad_cam is not None or maps.feature_maps is not None:
            found.append(NetworkMaps(network, maps.seed, _source(maps, evidence), maps))
    return tuple(found)


def _maps(run: RunTable, evidence: Evidence, network: str, shown: ShownMaps) -> FaceMaps | None:
    if (network, evidence.data.name) in shown:
        return shown[network, evidence.data.name]
    kept = (run.folder.maps(record.trial_id) for record in evidence.networks[network].records)
    return next((maps for maps in kept if maps is not None), None)


def _why_none(run: RunTable, evidence: Evidence, network: str) -> str:
    reasons = (run.folder.maps_left_out(record.trial_id) for record in evidence.networks[network].records)
    return next((reason for reason in reasons if reason), "")


def _source(maps: FaceMaps, evidence: Evidence) -> str:
    if maps.source != RENDERED:
        return maps.source
    return f"{RENDERED}, as images of {evidence.data.name} may not be shown"
