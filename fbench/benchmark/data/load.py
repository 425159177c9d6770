"""Load a data set by reference: from the cache where its content is known, and else from its source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fbench.benchmark.data.cache import read_entry, write_entry
from fbench.benchmark.data.catalogue import data_set, known_data
from fbench.benchmark.data.copies import treat_copies
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.file_kinds import kind_of_regular
from fbench.benchmark.data.images.found_instead import found_instead
from fbench.benchmark.data.layouts.data_set import Derived, Layout, Readable
from fbench.benchmark.data.references import parse_reference, resolve_reference
from fbench.benchmark.data.source import DataReference, ResolvedReference
from fbench.core.errors import UserError
from fbench.core.hashing import short_hash


def load_dataset(reference: DataReference) -> ImageDataset:
    """Read the data set that a reference names, whatever its layout.

    The images are uint8 (N, C, H, W), 1x48x48 but for data of one's own. What was read is kept in the cache under a key
    of its content, so that a second call returns the same arrays in under a second.

    Raises:
        UserError: an unknown name, a missing path, a path of no known layout, or bad input; see the readers.
    """
    resolved = resolve_reference(reference)
    if reference.path is not None:
        _require_readable(reference, reference.path)
    layout, found = _find(resolved)
    if isinstance(found, Derived):
        dataset = _made_of_another(found)
        label = resolved.label.replace(reference.name, dataset.name, 1)
    else:
        dataset = _through_cache(reference, f"{layout.name} {layout.version}", found)
        if reference.label is not None:  # the cache may have it under another name
            dataset = replace(dataset, name=_own_name(resolved))
        label = resolved.label
    return treat_copies(dataset, resolved.options["copies"], label)


def _own_name(reference: ResolvedReference) -> str:
    """The label without the treatment of copies, of which the name is made anew."""
    plain = {key: value for key, value in reference.given.options.items() if key != "copies"}
    return resolve_reference(reference.given.model_copy(update={"options": plain})).label


def _made_of_another(found: Derived) -> ImageDataset:
    source = parse_reference(found.source)
    found.require_source(source)
    return found.make(load_dataset(source))


def _find(reference: ResolvedReference) -> tuple[Layout, Readable | Derived]:
    name, path = reference.given.name, reference.given.path
    declared = data_set(name)
    try:
        for layout in declared.layouts:
            found = layout.find(reference)
            if found is not None:
                return layout, found
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); check its permissions.") from error
    instead = found_instead(path) if path is not None and path.is_dir() else ""
    raise UserError(f"{path} is not what --data {name} reads{instead}; give {declared.known.expects}.")


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
    if not is_folder and path.suffix.lower() == ".npz" and reference.name == "folder":
        raise UserError(f"{path} holds arrays; write --data {reference.label or 'NAME'}=arrays:{path}.")
    if not is_folder and not (known_data(reference.name).is_binary and path.suffix.lower() == ".npz"):
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
