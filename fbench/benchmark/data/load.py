"""Load a data set by reference: from the cache where its content is known, and else from its source."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fbench.benchmark.data.cache import read_entry, write_entry
from fbench.benchmark.data.catalogue import known_data
from fbench.benchmark.data.cleaned import apply_cleaning, read_cleaned
from fbench.benchmark.data.copies import treat_copies
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.file_kinds import kind_of_regular
from fbench.benchmark.data.images.found_instead import found_instead
from fbench.benchmark.data.layouts.readable import Layout, Readable
from fbench.benchmark.data.layouts.table import LAYOUTS
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.data.synthetic.dataset import GENERATOR_VERSION, load_synthetic
from fbench.core.errors import UserError
from fbench.core.hashing import short_hash


def load_dataset(reference: DataReference) -> ImageDataset:
    """Read the data set that a reference names, whatever its layout.

    The images are uint8 (N, 1, 48, 48). What was read is kept in the cache under a key of its content, so
    that a second call returns the same arrays in under a second.

    Raises:
        UserError: an unknown name, a missing path, a path of no known layout, or bad input; see the readers.
    """
    reference.check()
    if reference.path is not None:
        _require_readable(reference, reference.path)
    if reference.name == "cleaned" and reference.path is not None:
        dataset = _cleaned(reference.path)
        label = reference.label.replace("cleaned", dataset.name, 1)
        return treat_copies(dataset, reference.option("copies"), label)
    if reference.path is None:
        dataset = _through_cache(reference, f"generator {GENERATOR_VERSION}", _synthetic())
    else:
        layout, readable = _find(reference, reference.path)
        dataset = _through_cache(reference, f"{layout.name} {layout.version}", readable)
    return treat_copies(dataset, reference.option("copies"), reference.label)


def _cleaned(folder: Path) -> ImageDataset:
    cleaning = read_cleaned(folder)
    if cleaning.source.name == "cleaned":
        raise UserError(f"{folder} was made from another cleaned index; audit and clean its source instead.")
    if cleaning.source.path is not None and not cleaning.source.path.exists():
        raise UserError(
            f"{cleaning.source.path}, from which {folder} was made, is no longer there; put it back, or write the "
            "index again with `fbench data audit DATA --clean`."
        )
    return apply_cleaning(load_dataset(cleaning.source), cleaning, folder)


def _find(reference: DataReference, path: Path) -> tuple[Layout, Readable]:
    try:
        for layout in LAYOUTS[reference.name]:
            readable = layout.find(reference, path)
            if readable is not None:
                return layout, readable
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); check its permissions.") from error
    instead = found_instead(path) if path.is_dir() else ""
    expected = known_data(reference.name).expects
    raise UserError(f"{path} is not what --data {reference.name} reads{instead}; give {expected}.")


def _require_readable(reference: DataReference, path: Path) -> None:
    """See that a path leads to a folder, or to a file that may be text: every file that a layout reads is.

    Raises:
        UserError: it does not.
    """
    try:
        if path.is_symlink() and not path.exists():
            annexed = "; fetch it with `git annex get`" if "annex/objects" in str(path.readlink()) else ""
            raise UserError(f"{path} is a link that leads nowhere{annexed or f'; mend it in --data {reference}'}.")
        if not path.exists():
            raise UserError(f"There is no file or folder {path}; check the path in --data {reference}.")
        is_folder = path.is_dir()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{path} cannot be read ({reason}); check the path and its permissions.") from error
    if not is_folder:
        expected = known_data(reference.name).expects
        kind = kind_of_regular(path, f"give {expected}")
        if kind is not None:
            remedy = f"{kind.remedy} ({expected})" if kind.remedy else f"give {expected}"
            raise UserError(
                f"{path} is {kind.name} by its content, which is not what --data {reference.name} reads; {remedy}."
            )


def _through_cache(reference: DataReference, reader: str, readable: Readable) -> ImageDataset:
    if readable.key is None:
        return readable.read()
    # What was read does not depend on the treatment of copies, so all three share an entry.
    options = {key: value for key, value in reference.options.items() if key != "copies"}
    entry = short_hash([reference.name, options, reader, readable.key])
    kept = read_entry(entry)
    if kept is not None:
        return kept
    dataset = readable.read()
    if readable.key_now() != readable.key:
        raise UserError(f"The files of --data {reference} changed while they were read; run the command again.")
    write_entry(entry, dataset)
    return dataset


def _synthetic() -> Readable:
    """The embedded data set, known by its seed and sizes, and NumPy's version for the random streams."""
    key = f"{load_synthetic.__kwdefaults__} NumPy {np.__version__}"
    return Readable(key, lambda: key, load_synthetic)
