"""What a page says of the accuracy of pairs of which a side was imported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fbench.reports.findings.diff.answer import interval_words, share_words
from fbench.reports.findings.gate.change import MeasuredChange, Unknown
from fbench.reports.findings.gate.family import ERROR
from fbench.reports.findings.gate.imported_changes import imported_accuracy
from fbench.reports.findings.gate.subjects import ComparedPair
from fbench.reports.findings.measures.table import metrics


def imported_changes(
    pairs: Sequence[ComparedPair], *, together: bool = False
) -> Iterator[tuple[ComparedPair, str, MeasuredChange | Unknown]]:
    """The difference in accuracy of each pair of which a side was imported, with its data set; ``together``: with
    intervals that hold for all of them at once."""
    found = [pair for pair in pairs if pair.base.imported is not None or pair.new.imported is not None]
    confidence = 1 - ERROR / max(1, len(found) if together else 1)
    for pair in found:
        yield from ((pair, data, change) for data, change in imported_accuracy(pair, confidence))


def imported_sentences(pairs: Sequence[ComparedPair]) -> Iterator[str]:
    """A sentence for each pair, with an interval of its own, what it rests on, and that a side was imported."""
    metric = metrics()["accuracy"]
    for pair, data, change in imported_changes(pairs):
        if isinstance(change, Unknown):
            yield f"Accuracy of {pair.label} on {data} is not compared: {change.why}."
            continue
        yield (
            f"Accuracy of {pair.label} on {data}: {share_words(change.estimate, metric)}, 95 % interval "
            f"{interval_words(change, metric)} ({change.how})."
        )
