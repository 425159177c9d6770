"""A run as a person works with it in Python: frames, comparisons, claims, a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from fbench.benchmark.data.dataset import SplitName
from fbench.benchmark.records.predictions import Predictions
from fbench.benchmark.records.trial_records import HistoryRow, TrialRecord
from fbench.benchmark.store.run_table import RunTable
from fbench.benchmark.store.run_table import load_run as load_table
from fbench.core.arguments import typed_arguments, typed_methods
from fbench.core.errors import UserError, did_you_mean, reason_on_a_line
from fbench.core.paths import expanded

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from fbench.reports.findings.comparisons.asked_pair import AskedPair
    from fbench.reports.findings.gather import ReadRuns

Kept = TypeVar("Kept")
_MOST_ROWS = 14


@typed_methods
@dataclass(frozen=True, repr=False)
class Run(RunTable):
    """The records of one run, and what they say. Made by :func:`fbench.run` and :func:`fbench.load_run`.

    Example:
        >>> import fbench
        >>> run = fbench.load_run("results/two")
        >>> run.summary_frame()[["network", "trainable_params", "macs"]]
          network  trainable_params     macs
        0  lenet5            168971  1234188
        1    ires             52663  2877632
        >>> print(run.compare("ires", "lenet5"))  # doctest: +ELLIPSIS
        ires against lenet5 is undecided: ...
        >>> run.report("two.html").name
        'two.html'
    """

    @classmethod
    def of(cls, table: RunTable) -> Run:
        """The same records."""
        return cls(**{field.name: getattr(table, field.name) for field in fields(table) if field.init})

    @cached_property
    def _read(self) -> ReadRuns:
        from fbench.reports.findings.gather import read_runs

        return read_runs([self])

    def trials_frame(self) -> pd.DataFrame:
        """One row per planned trial: status, accuracy and other qualities (fractions of 1), times in seconds."""
        from fbench.reports.frames import trials_frame

        return trials_frame(self)

    def history_frame(self) -> pd.DataFrame:
        """One row per finished trial and evaluation point: losses in nats, top-1, learning rate, times in seconds."""
        from fbench.reports.frames import history_frame

        return history_frame(self)

    def predictions(self, record: TrialRecord) -> Predictions:
        """Stored predictions of a trial of this run.

        Raises:
            UserError: a record of another run, or predictions that cannot be read.
        """
        return self._of_own(record, super().predictions)

    def classes(self, record: TrialRecord) -> Predictions:
        """Stored predictions of a trial of this run without logits and ids of images.

        Raises:
            UserError: as of :meth:`predictions`.
        """
        return self._of_own(record, super().classes)

    def history(self, record: TrialRecord) -> tuple[HistoryRow, ...]:
        """Evaluation points of a trial of this run.

        Raises:
            UserError: as of :meth:`predictions`.
        """
        return self._of_own(record, super().history)

    def _of_own(self, record: TrialRecord, read: Callable[[TrialRecord], Kept]) -> Kept:
        if record.trial_id not in self.trials:
            raise UserError(f"The run has no trial '{record.trial_id}'; give a record of its own, as of run.trials.")
        try:
            return read(record)
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"What the trial '{record.trial_id}' left cannot be read ({reason_on_a_line(error, 300)}); restore its "
                "files, or delete its folder and run it again."
            ) from error

    def predictions_frame(self, split: SplitName | None = None) -> pd.DataFrame:
        """One row per finished trial and image: label, predicted class, whether it is correct.

        ``split`` is ``validation`` or ``test``, by default the one that headlines rest on.

        Raises:
            UserError: a split that no trial read.
        """
        from fbench.reports.frames import predictions_frame

        return predictions_frame(self, split)

    def costs_frame(self) -> pd.DataFrame:
        """One row per timed call of every measurement of cost, in seconds."""
        from fbench.reports.frames import costs_frame

        return costs_frame(self)

    def summary_frame(self) -> pd.DataFrame:
        """One row per data set and network: quality with both 95 % intervals, parameters, MACs, latency."""
        from fbench.reports.frames import summary_frame

        return summary_frame(self._read.findings)

    def comparisons_frame(self) -> pd.DataFrame:
        """One row per comparison of each study: difference, intervals, p-values, verdict."""
        from fbench.reports.frames import comparisons_frame

        return comparisons_frame(self._read.findings)

    def claims(self) -> pd.DataFrame:
        """One row per claim of the papers that this run bears on, with its verdict and reason."""
        from fbench.reports.frames import claims_frame

        return claims_frame(self._read.findings)

    def compare(self, network: str, baseline: str, data: str | None = None) -> AskedPair:
        """Two networks of the run held against each other on one data set; printed, it is the verdict in a sentence.

        The pair is one of the run's family of comparisons, which counts one more where the run had not planned it.
        ``data`` is needed where the run has several data sets.

        Raises:
            UserError: a network or data set that the run has no finished trial of.
        """
        from fbench.reports.findings.comparisons.asked_pair import asked_pair

        if network == baseline:
            raise UserError(f"'{network}' was given twice; name two networks of the run.")
        evidences = {one.data.name: one for one in self._read.evidences[0]}
        if data is None and len(evidences) > 1:
            raise UserError(f"The run has the data sets {', '.join(evidences)}; name one of them as data.")
        if data is not None and data not in evidences:
            raise UserError(f"The run has no data set '{data}'.{did_you_mean(data, evidences)}")
        evidence = evidences[data] if data else next(iter(evidences.values()))
        found = asked_pair(evidence, network, baseline)
        if found is None:
            absent = network if network not in evidence.networks else baseline
            hint = did_you_mean(absent, evidence.networks)
            raise UserError(f"The run has no finished trial of '{absent}' on {evidence.data.name}.{hint}")
        return found

    def report(
        self,
        output: str | Path | None = None,
        *,
        title: str | None = None,
        theme: Literal["auto", "light", "dark"] = "auto",
    ) -> Path:
        """Write the offline HTML report and return its path; by default ``report.html`` in the run's folder.

        Raises:
            UserError: it cannot be written there.
        """
        from fbench.reports.render.html.build import gather_report, write_page

        target = self.folder.path / "report.html" if output is None else expanded(output)
        write_page(gather_report([self], title=title, theme=theme), target)
        return target

    def __repr__(self) -> str:
        """One line."""
        done = sum(record.status == "finished" for record in self.trials.values())
        return (
            f"<fbench run {self.config.name}: {len(self.networks)} networks on {', '.join(self.data_names)}, "
            f"{done} of {len(self.plan)} trials finished, in {self.folder.path}>"
        )

    def _repr_html_(self) -> str:
        """A table of at most 20 lines, for notebooks."""
        from fbench.api.notebook_view import run_view

        return run_view(self.config.name, repr(self), self._read.findings, _MOST_ROWS)


@typed_arguments
def load_run(path: str | Path) -> Run:
    """Load a run folder for reading.

    Raises:
        UserError: the folder is not a run, or one of its records is not valid (named).

    Example:
        >>> import fbench
        >>> fbench.load_run("results/two").networks
        ('lenet5', 'ires')
    """
    return Run.of(load_table(path))


@typed_arguments
def load_model(run: str | Path | RunTable, trial: str, trust: str | None = None) -> nn.Module:
    """The trained network of a trial, in evaluation mode on the CPU.

    ``trial`` is ``NETWORK:SEED``, a network of one seed, or the id of a trial or its first digits. The network takes
    images float (N, C, H, W) normalised as the trial's protocol says, and returns logits. Code that only the run's
    records name runs where ``trust`` is the digest over its files, which the error says without it.

    Raises:
        UserError: no such run or trial, or a trial whose weights were not kept.

    Example:
        >>> import fbench, torch
        >>> network = fbench.load_model("results/two", "ires:0")
        >>> network(torch.zeros(2, 1, 48, 48)).shape
        torch.Size([2, 7])
    """
    from fbench.benchmark.export.trained import find_trial
    from fbench.benchmark.store.run_folder import RunFolder
    from fbench.benchmark.training.networks import load_model as load

    folder = run.folder if isinstance(run, RunTable) else RunFolder.open(expanded(run))
    return load(folder, find_trial(folder, trial), trust)
