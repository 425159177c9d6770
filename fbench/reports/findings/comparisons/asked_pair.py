"""Two networks of a run, compared because somebody asks: corrected as if the run had planned to."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fbench.ablations.study import Study
from fbench.reports.findings.comparisons.comparison import Comparison
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.findings.comparisons.studies import StudyResult, study_results
from fbench.reports.findings.comparisons.verdicts import verdict_sentence

_NAME = "asked"


@dataclass(frozen=True)
class AskedPair:
    """The comparison and the study of two networks that it is."""

    comparison: Comparison
    result: StudyResult

    def __str__(self) -> str:
        """The verdict in a sentence."""
        return f"{verdict_sentence(self.comparison, self.result)}."


def asked_pair(evidence: Evidence, network: str, baseline: str, margin_points: float = 1.0) -> AskedPair | None:
    """The two on one data set; none where one of them has no finished trial there.

    They are a member of the run's family of comparisons, which counts one more where the run had not planned them.
    """
    if not {network, baseline} <= set(evidence.networks):
        return None
    study = Study(
        name=_NAME,
        title=f"{network} against {baseline}",
        question=f"Is {network} as accurate as {baseline}?",
        baseline=baseline,
        levels=(baseline, network),
        margin_points=margin_points,
    )
    config = evidence.run.config
    others = tuple(one for one in config.suite.studies if one.name != _NAME)
    suite = config.suite.model_copy(update={"studies": (*others, study)})
    run = replace(evidence.run, config=config.model_copy(update={"suite": suite}))
    (result,) = (one for one in study_results(replace(evidence, run=run)) if one.study.name == _NAME)
    return AskedPair(result.comparisons[0], result)
