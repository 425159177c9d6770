"""The data sets that fbench knows by name: what each is and what it expects on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fbench.architectures.errors import UserError, did_you_mean


@dataclass(frozen=True)
class KnownData:
    """One name that ``--data`` accepts. ``expects`` says what its path must be; None where it has no path."""

    name: str
    summary: str
    expects: str | None

    @property
    def takes_path(self) -> bool:
        """Whether the data set is read from a place that the user names."""
        return self.expects is not None


CATALOGUE: Final[dict[str, KnownData]] = {
    known.name: known
    for known in (
        KnownData(
            name="synthetic",
            summary="rendered faces with seven expressions, embedded; needs no download",
            expects=None,
        ),
        KnownData(
            name="fer2013",
            summary="FER2013: 35,887 gray 48x48 faces, seven expressions (Goodfellow et al. 2013)",
            expects="fer2013.csv, icml_face_data.csv, a folder with one of them, "
            "or a folder with train/ and test/ (and perhaps val/) of the seven class folders",
        ),
        KnownData(
            name="ck48",
            summary="CK+48: 981 gray 48x48 faces of 118 subjects, seven expressions (Lucey et al. 2010)",
            expects="the folder CK+48 with its seven class folders of files named like S010_004_00000017.png",
        ),
        KnownData(
            name="folder",
            summary="any images sorted into class folders",
            expects="a folder with train/ and test/ (and perhaps val/) of class folders, or of class folders alone",
        ),
    )
}


def known_data(name: str) -> KnownData:
    """Look up a name.

    Raises:
        UserError: nothing has this name.
    """
    if name not in CATALOGUE:
        raise UserError(f"There is no data set '{name}'.{did_you_mean(name, CATALOGUE)} Known: {', '.join(CATALOGUE)}.")
    return CATALOGUE[name]
