"""The parts of a report that show networks themselves: what they see, and how they are built."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from fbench.benchmark.maps.face_maps import FaceMaps
from fbench.reports.figures.architecture import architecture_drawing
from fbench.reports.figures.drawing import illustrate
from fbench.reports.figures.faces import faces_figure, feature_map_figure, grad_cam_figure, same_faces
from fbench.reports.findings.model import DataFindings
from fbench.reports.findings.networks.blueprint import NetworkPlan
from fbench.reports.formatting import count, listing, plural
from fbench.reports.render.html.document import FacesSection, NetworkDrawing


def faces_section(
    findings: DataFindings, drawn: Sequence[str], shown: Mapping[tuple[str, str], FaceMaps], key: str
) -> FacesSection | None:
    """What those networks see that are ``drawn``; none where no maps were kept or are shown."""
    found = [one for one in findings.maps if one.network in drawn]
    if not found:
        return None
    data = findings.data
    numbers: dict[Hashable, int] = {}
    for one in found:
        numbers.setdefault(same_faces(one.maps), len(numbers) + 1)
    sets: dict[Hashable, FaceMaps] = {same_faces(one.maps): one.maps for one in found}
    return FacesSection(
        sources=tuple(dict.fromkeys(f"{one.source}, networks of seed {one.seed}" for one in found)),
        real=any((one.network, data.name) in shown for one in found) and not data.may_show_images,
        faces=tuple(
            illustrate(
                f"{key}-faces-shown{number}",
                f"What is shown{_of_set(number, len(numbers))}: {plural(len(sets[faces].labels), 'image')}",
                faces_figure,
                sets[faces],
            )
            for faces, number in numbers.items()
        ),
        grad_cam=tuple(
            illustrate(
                f"{key}-faces{index}-cam",
                f"Grad-CAM of {one.network}{_of_set(numbers[same_faces(one.maps)], len(numbers))}: {_right(one.maps)}",
                grad_cam_figure,
                one.maps,
                one.network,
            )
            for index, one in enumerate(found, start=1)
            if one.maps.grad_cam is not None
        ),
        feature_maps=tuple(
            illustrate(
                f"{key}-faces{index}-features",
                f"Feature maps of {one.network}{_of_set(numbers[same_faces(one.maps)], len(numbers))}: "
                f"{plural(len(one.maps.feature_maps), 'channel')}",
                feature_map_figure,
                one.maps,
                one.network,
            )
            for index, one in enumerate(found, start=1)
            if one.maps.feature_maps is not None
        ),
    )


def _of_set(number: int, sets: int) -> str:
    """Which images a figure is of, where not all networks were shown the same."""
    return f" on set {number}" if sets > 1 else ""


def _right(maps: FaceMaps) -> str:
    """How many images the network takes for what they show."""
    right = sum(shown == taken for shown, taken in zip(maps.labels, maps.predicted_names, strict=True))
    return f"{right} of {len(maps.labels)} right"


def network_drawings(plans: Sequence[NetworkPlan], drawn: Sequence[str], key: str) -> tuple[NetworkDrawing, ...]:
    """A drawing of each architecture that a network has which is ``drawn``, of those of the same layers together."""
    wanted = [plan for plan in plans if set(plan.networks) & set(drawn)]
    return tuple(
        NetworkDrawing(
            plan.networks,
            illustrate(
                f"{key}-drawing{index}",
                f"{listing(list(plan.networks))}: {count(plan.blueprint.trainable_params)} parameters",
                architecture_drawing,
                plan.blueprint,
                plan.networks[0],
            ),
        )
        for index, plan in enumerate(wanted, start=1)
    )
