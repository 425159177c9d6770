"""What a page says of the accuracy of pairs of which a side was imported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fbench.reports.findings.diff.answer import interval_words, share_words
from fbench.reports.findings.gate.change import Unknown
from fbench.reports.findings.gate.family import ERROR
from fbench.reports.findings.gate.imported_changes import imported_accuracy
from fbench.reports.findings.gate.subjects import ComparedPair
from fbench.reports.findings.measures.table import metrics


def imported_sentences(pairs: Sequence[ComparedPair]) -> Iterator[str]:
    """A sentence for each pair, with an interval of its own, what it rests on, and that a side was imported."""
    metric = metrics()["accuracy"]
    for pair in pairs:
        for data, change in imported_accuracy(pair, 1 - ERROR):
            if isinstance(change, Unknown):
                yield f"Accuracy of {pair.label} on {data} is not compared: {change.why}."
                continue
            yield (
                f"Accuracy of {pair.label} on {data}: {share_words(change.estimate, metric)}, 95 % interval "
                f"{interval_words(change, metric)} ({change.how})."
            )
