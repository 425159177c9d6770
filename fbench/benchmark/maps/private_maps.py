"""Maps of images that may not be kept, for one who has the data and asks to see them: made in memory, never written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fbench.benchmark.data.source import DataReference
from fbench.benchmark.maps.face_maps import FaceMaps
from fbench.benchmark.maps.images import ShownImages
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.run_table import RunTable
from fbench.benchmark.workers.asking import users_networks_at_work
from fbench.benchmark.workers.questions import Tell, question
from fbench.core.errors import UserError

if TYPE_CHECKING:
    from fbench.benchmark.records.trial_records import TrialRecord


def real_face_maps(
    run: RunTable, data_paths: Mapping[str, Path], trust: str | None = None, plugins: Sequence[Path] = ()
) -> dict[tuple[str, str], FaceMaps]:
    """Maps of a data set's own validation images, by network and data set, of the lowest seed with weights.

    Args:
        run: the run; a network that kept no weights is left out.
        data_paths: where the images lie, by the name of the data set in the run, or by its name in the catalogue.
        trust: as of :func:`fbench.benchmark.training.networks.load_model`.
        plugins: files that register networks.

    Raises:
        UserError: the run has no such data set, or no weights; other images than the trials were trained on; a
            network that was edited since, or cannot be run.
    """
    found: dict[tuple[str, str], FaceMaps] = {}
    shown: dict[str, ShownImages | None] = {}
    with users_networks_at_work(plugins) as users:
        for name, reference in _references(run, data_paths).items():
            for network in run.networks:
                record = next((one for one in run.records(network, name) if run.folder.has_weights(one.trial_id)), None)
                if record is None:
                    continue
                fingerprint = record.spec.data.fingerprint
                if fingerprint not in shown:
                    shown[fingerprint] = _own_images(record, reference)
                images = shown[fingerprint]
                if images is not None:
                    asked = question(maps_of, run.folder.path, record.trial_id, reference, trust, images)
                    found[network, name] = users.ask_trained(record.spec.network, asked)
    if not found:
        raise UserError(
            f"{run.folder.path} has no trained network to show images to; run it again here, so that it keeps weights."
        )
    return found


def maps_of(_: Tell, run: Path, trial_id: str, data: DataReference, trust: str | None, images: ShownImages) -> FaceMaps:
    """What :func:`real_face_maps` asks of the network of a trial."""
    from fbench.benchmark.export.trained import load_trained
    from fbench.benchmark.maps.making import make_maps

    return make_maps(load_trained(RunFolder(run), trial_id, data, trust), images)


def _own_images(record: TrialRecord, reference: DataReference) -> ShownImages | None:
    from fbench.benchmark.export.trained import data_of
    from fbench.benchmark.maps.images import images_of

    return images_of(data_of(record.spec, reference))


def _references(run: RunTable, data_paths: Mapping[str, Path]) -> dict[str, DataReference]:
    """Where the data sets of a run are read, by their names in the run.

    Raises:
        UserError: a name that the run does not have.
    """
    known = {data.name: data.reference for data in run.config.data}
    found: dict[str, DataReference] = {}
    for given, path in data_paths.items():
        names = [name for name, reference in known.items() if given in (name, reference.name)]
        if not names:
            raise UserError(f"{run.folder.path} has no data set '{given}'; it has {', '.join(known)}.")
        found |= {name: known[name].model_copy(update={"path": path}) for name in names}
    return found
