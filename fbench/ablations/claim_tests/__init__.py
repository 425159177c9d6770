"""The atomic tests of which claims are made, told apart by ``kind``; each is data, evaluated by the reports floor.

Networks are registered names, or a run's own; data sets are names of :data:`DATA_WORDS` or of ``fbench data list``. A
test of several networks or data sets has a part for each. Figures that a paper prints are known to half of their last
digit: ``precision`` says what the last digit is worth.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fbench.ablations.claim_tests.accuracy import (
    AccuracyTest,
    Exceeds,
    LessAccurate,
    MoreAccurate,
    NoLessAccurate,
    NoOverfitting,
    Ordered,
    OverfitsLess,
    PoorRecall,
)
from fbench.ablations.claim_tests.base import CATALOGUE_NAMES, DATA_WORDS, data_words
from fbench.ablations.claim_tests.counts import (
    COUNT_WORDS,
    Count,
    CountIs,
    CountRatio,
    CountReduction,
    CountTest,
    Fewer,
)
from fbench.ablations.claim_tests.printed import GainsUpTo, MeanReaches, PrintedTest, Reaches, StopsAfter
from fbench.ablations.claim_tests.times import EpochTimeReduction, TimeTest, TrainingTimeReduction, TrainsFaster

ClaimTest = Annotated[
    CountTest | AccuracyTest | PrintedTest | TimeTest | EpochTimeReduction, Field(discriminator="kind")
]

__all__ = [
    "CATALOGUE_NAMES",
    "COUNT_WORDS",
    "DATA_WORDS",
    "AccuracyTest",
    "ClaimTest",
    "Count",
    "CountIs",
    "CountRatio",
    "CountReduction",
    "CountTest",
    "EpochTimeReduction",
    "Exceeds",
    "Fewer",
    "GainsUpTo",
    "LessAccurate",
    "MeanReaches",
    "MoreAccurate",
    "NoLessAccurate",
    "NoOverfitting",
    "Ordered",
    "OverfitsLess",
    "PoorRecall",
    "PrintedTest",
    "Reaches",
    "StopsAfter",
    "TimeTest",
    "TrainingTimeReduction",
    "TrainsFaster",
    "data_words",
]
