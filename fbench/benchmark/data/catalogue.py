"""The data sets that fbench knows by name: what each is, where people get it, and what it expects on disk."""

from __future__ import annotations

from typing import Final

from fbench.benchmark.data.options import COPIES, FOLD, DataOption
from fbench.core.errors import UserError, did_you_mean
from fbench.core.schema import FrozenModel


class KnownData(FrozenModel):
    """One name that ``--data`` accepts.

    ``expects`` says in a clause what its path must be, none where it has no path; ``tree`` shows it. ``obtain``
    and ``licence`` are a line each. ``options`` are those of its own and those that every data set takes.
    """

    name: str
    summary: str
    obtain: str
    licence: str
    expects: str | None
    tree: tuple[str, ...] = ()
    may_show_images: bool = False
    own_options: tuple[DataOption, ...] = ()

    @property
    def takes_path(self) -> bool:
        """Whether the data set is read from a place that the user names."""
        return self.expects is not None

    @property
    def options(self) -> tuple[DataOption, ...]:
        """All options that may follow the name."""
        return (*self.own_options, COPIES)


CATALOGUE: Final[dict[str, KnownData]] = {
    known.name: known
    for known in (
        KnownData(
            name="synthetic",
            summary="rendered faces with seven expressions, embedded; needs no download",
            obtain="comes with fbench",
            licence="MIT, as fbench",
            expects=None,
            may_show_images=True,
        ),
        KnownData(
            name="fer2013",
            summary="FER2013: 35,887 gray 48x48 faces, seven expressions (Goodfellow et al. 2013)",
            obtain="Kaggle: the challenge 'Challenges in Representation Learning: Facial Expression Recognition', "
            "or its copies as image folders",
            licence="research under the rules of the challenge; the images are not to be passed on",
            expects="fer2013.csv, icml_face_data.csv, Kaggle's train.csv, a folder with one of them, "
            "or a folder with train/ and test/ (and perhaps val/) of the seven class folders",
            tree=(
                "fer2013.csv             emotion,pixels,Usage",
                "icml_face_data.csv      emotion, Usage, pixels",
                "train.csv (test.csv)    emotion,pixels (test.csv: pixels, no labels, so it is not used)",
                "train/angry/*.png  test/angry/*.png  [val/angry/*.png]  ...",
            ),
        ),
        KnownData(
            name="ferplus",
            summary="FERPlus: FER2013 labelled anew by ten taggers, eight expressions (Barsoum et al. 2016)",
            obtain="fer2013new.csv from github.com/microsoft/FERPlus, beside fer2013.csv or icml_face_data.csv",
            licence="labels: MIT; images: as FER2013",
            expects="a folder with fer2013new.csv and with fer2013.csv or icml_face_data.csv",
            tree=("fer2013new.csv", "fer2013.csv (or icml_face_data.csv)"),
            own_options=(
                DataOption(
                    name="labels",
                    allowed=("majority", "probability", "drop_non_face"),
                    help="majority: the expression most taggers chose, images without one left out; probability: the "
                    "taggers' shares as training targets; drop_non_face: FER2013's own seven labels, without the "
                    "rows that are no face",
                ),
            ),
        ),
        KnownData(
            name="ck48",
            summary="CK+: 48x48 faces of the last frames of 327 sequences, seven expressions (Lucey et al. 2010)",
            obtain="by agreement with the owners (University of Pittsburgh); the 48x48 crops circulate as CK+48 and "
            "ckextended.csv",
            licence="research by agreement; faces may not be published or passed on",
            expects="the folder CK+48 with its class folders of files named like S010_004_00000017.png, or a CSV with "
            "emotion, pixels and Usage such as ckextended.csv",
            tree=("CK+48/anger/S010_004_00000017.png ...", "ckextended.csv          emotion,pixels,Usage"),
            own_options=(
                DataOption(
                    name="classes",
                    allowed=("contempt7", "basic6", "basic7"),
                    help="contempt7: six basic expressions and contempt; basic6: without contempt; basic7: with "
                    "neutral, where the source has it, and without contempt",
                ),
                FOLD,
            ),
        ),
        KnownData(
            name="imed",
            summary="IMED: Indonesian faces; its 7 single emotions are used, its 12 mixed ones left out (Liliana et "
            "al. 2018)",
            obtain="from its authors (Universitas Indonesia)",
            licence="research, by request to the authors",
            expects="a folder of one folder of images for each emotion",
            tree=("Anger/*.jpg ...", "Happy/*.jpg ...", "Angry-Disgust/*.jpg ...   (mixed: left out and counted)"),
        ),
        KnownData(
            name="rafdb",
            summary="RAF-DB basic: 15,339 faces from the web, seven expressions (Li, Deng & Du 2017)",
            obtain="by request from whdeng.cn/RAF/model1.html",
            licence="non-commercial research; images may not be passed on",
            expects="the folder basic of RAF-DB, with EmoLabel/list_patition_label.txt and Image/aligned",
            tree=(
                "EmoLabel/list_patition_label.txt   train_00001.jpg 5",
                "Image/aligned/train_00001_aligned.jpg",
            ),
        ),
        KnownData(
            name="folder",
            summary="any images sorted into class folders, or described by a class map in TOML",
            obtain="your own",
            licence="your own",
            expects="a folder with train/ and test/ (and perhaps val/) of class folders, of class folders alone, "
            "or a class map (a .toml file)",
            tree=(
                "train/CLASS/*.png  test/CLASS/*.png  [val/CLASS/*.png]",
                "CLASS/*.png",
                "faces.toml         root, [classes], and optional splits, subject, may_show_images, licence",
            ),
            own_options=(FOLD,),
        ),
        KnownData(
            name="cleaned",
            summary="a data set without the rows that an audit left out",
            obtain="written by fbench data audit DATA --clean DIR",
            licence="that of the data set it was made from",
            expects="the folder that fbench data audit DATA --clean DIR wrote",
            tree=("cleaned.json", "left_out.csv"),
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
