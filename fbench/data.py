"""Data of one's own, from Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fbench.core.arguments import typed_arguments
from fbench.core.errors import UserError, reason_on_a_line

__all__ = ["from_arrays"]


@typed_arguments
def from_arrays(
    images: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    name: str,
    class_names: Sequence[str] | npt.NDArray[Any] | None = None,
    split: npt.ArrayLike | None = None,
    subjects: npt.ArrayLike | None = None,
    sample_ids: npt.ArrayLike | None = None,
    description: str = "",
    may_show_images: bool = False,
    file: str | Path | None = None,
) -> str:
    """Keep arrays as a data set, and return what ``data`` of :func:`fbench.run` and ``--data`` take for it.

    Args:
        images: uint8 (N, H, W), (N, H, W, C) or (N, C, H, W), C 1 or 3, H equal to W.
        labels: (N,), indices of classes from 0, or their names.
        name: what reports call the data.
        class_names: of all classes; by default the sorted names among the labels, or their numbers.
        split: (N,), ``train``, ``validation`` or ``test``, or 0, 1 and 2; by default a seeded draw of 70/15/15 of each
            class, or of the subjects.
        subjects: (N,), who is shown, where that is known: subjects then lie in one split each, and intervals are for
            new subjects.
        sample_ids: (N,), what each image is called; by default its row.
        description: a sentence for readers.
        may_show_images: whether the images may stand in a report.
        file: the npz file to write; by default one in the cache, named by its content.

    Raises:
        UserError: arrays that do not fit each other, in a sentence, or a file that cannot be written.

    Example:
        >>> import fbench, numpy as np
        >>> images = np.zeros((20, 32, 32), dtype=np.uint8)
        >>> fbench.data.from_arrays(images, ["circle", "square"] * 10, name="shapes", file="shapes.npz")
        'shapes=arrays:shapes.npz'
    """
    from fbench.benchmark.data.cache import cache_directory
    from fbench.benchmark.data.layouts.arrays import dataset_of_arrays
    from fbench.benchmark.data.references import require_own_name
    from fbench.core.files import replacing, require_writable_file
    from fbench.core.npz import write_npz
    from fbench.core.paths import expanded

    require_own_name(name, "from_arrays")
    optional = {"class_names": class_names, "split": split, "subjects": subjects, "sample_ids": sample_ids}
    arrays = {"images": _array("images", images), "labels": _array("labels", labels)}
    arrays |= {key: _array(key, value) for key, value in optional.items() if value is not None}
    arrays |= {"description": np.asarray(description)} if description else {}
    arrays |= {"may_show_images": np.asarray(may_show_images)} if may_show_images else {}
    dataset = dataset_of_arrays(arrays, name, "from_arrays")
    if file is None:
        target = cache_directory() / "arrays" / f"{dataset.fingerprint[:32]}.npz"
    else:
        target = expanded(file)
        if target.suffix != ".npz":
            raise UserError(f"file is {target}; give a name that ends in .npz.")
    require_writable_file(target, "The arrays", "file")
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as stream:
        write_npz(stream, arrays)
    return f"{name}=arrays:{target}"


def _array(name: str, given: npt.ArrayLike) -> npt.NDArray[Any]:
    try:
        return np.asarray(given)
    except (ValueError, TypeError, RuntimeError) as error:  # rows of different lengths, or a tensor that is none
        reason = reason_on_a_line(error, 200)
        raise UserError(f"{name} is no array ({reason}); give one whose rows are of one length.") from error
