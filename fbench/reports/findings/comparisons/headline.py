"""What a reader must be warned of, and how strong the evidence is."""

from __future__ import annotations

from collections.abc import Sequence

from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.findings.comparisons.summary import NetworkSummary, by_accuracy
from fbench.reports.findings.comparisons.units import NEW_UNITS
from fbench.reports.findings.origin.tuning import tuning_caution
from fbench.reports.formatting import count, listing, percent, percent_range, plural
from fbench.statistics.ties import ties_made_equal

SEEDS_FOR_CLAIMS = 10


def cautions(run: RunTable) -> list[str]:
    """What a reader must know before believing a number of this run; empty where there is nothing."""
    protocol = run.config.protocol
    found = []
    synthetic = [data.name for data in run.config.data if data.synthetic]
    if synthetic:
        found.append(
            f"Synthetic data: the faces of the data set {listing(synthetic)} are rendered, not photographed. "
            "Accuracies and differences on them say nothing about real faces."
        )
    if given := tuning_caution(protocol):
        found.append(given)
    if protocol.selection == "test":
        merged = " (validation and test split together)" if protocol.test_split != "own" else ""
        found.append(
            f"Selected on the test set{merged}: it chose the epoch, so these accuracies are optimistic. The protocol "
            "does so only to imitate published numbers."
        )
    known = [data.name for data in run.config.data if data.unit == "known_subjects"]
    if known:
        found.append(
            f"Known faces: subjects of the test split of {listing(known)} were trained on; accuracies say nothing of "
            "new people."
        )
    if protocol.test == "none":
        found.append(
            "The test split was never read: accuracies are those of the validation split"
            + (", which also chose the epoch, and are optimistic." if protocol.selection == "validation" else ".")
        )
    if run.config.preset == "smoke":
        found.append("The preset smoke only shows that everything runs: its numbers mean nothing.")
    if run.interim_analyses is not None:
        found.append(
            "Seeds were added until comparisons were decided: their verdicts and intervals allow for that; accuracies, "
            "ranks, fronts and factors do not."
        )
    if added := sorted({row.seed for row in run.plan if row.added_after_results}):
        found.append(
            f"{plural(len(added), 'seed')} {'was' if len(added) == 1 else 'were'} added after others had finished: if "
            "results were seen before, p-values and intervals promise too much."
        )
    return found


def nothing_finished(evidence: Evidence) -> str:
    """Why there is nothing to read."""
    run = evidence.run
    return (
        f"No trial on {evidence.data.name} has finished: {count(len(run.failed()))} failed and "
        f"{count(len(run.missing()))} have no record yet."
    )


def strength(evidence: Evidence) -> str:
    """What so few seeds can say, to be added to a sentence; empty where there are enough for a claim."""
    fewest = evidence.seed_counts[0]
    if fewest == 1:
        return (
            "; one training per network cannot tell a better network from a lucky seed: differences are shown, "
            "not tested"
        )
    if fewest < SEEDS_FOR_CLAIMS and evidence.run.interim_analyses is None:
        wanted = f"a claim takes {SEEDS_FOR_CLAIMS}"
        return f"; with {fewest} seeds only large differences stand out from chance, and {wanted}"
    return ""


def without_copies(evidence: Evidence, summary: Sequence[NetworkSummary]) -> str:
    """The same headline on the test images that have no copy among those that trained or selected; perhaps empty."""
    best = by_accuracy(summary)[0]
    clean = best.accuracy_without_copies
    if clean is None:
        return ""
    copies = best.accuracy.images - clean.images
    accuracies = ties_made_equal(
        [row.accuracy_without_copies.new_images.estimate if row.accuracy_without_copies else 0 for row in summary]
    )
    first = summary[int(accuracies.argmax())]
    is_first = accuracies.max() == accuracies[[row is best for row in summary].index(True)]
    order = "" if is_first else f"; there {first.network} comes first"
    new_units = NEW_UNITS[first.trials.unit]
    return (
        f"Without the {count(copies)} test images that have an exact copy in the training or validation split, "
        f"{best.network} has {percent(clean.new_images.estimate)} % "
        f"(95 % interval for {new_units} {percent_range(clean.new_images.low, clean.new_images.high)}){order}."
    )
