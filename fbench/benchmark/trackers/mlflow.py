"""MLflow: a run a trial, in an experiment that is called as the run's folder is.

Everything goes through ``MlflowClient``, as trials run beside each other: nothing is said of an "active run", no
artifact is written, and so no folder beside the database.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from fbench.benchmark.records.trial_records import HistoryRow, TrialRecord
from fbench.benchmark.trackers.tracker import TrackedTrial, measures_of, results_of
from fbench.core.errors import UserError, readable
from fbench.core.files import require_writable_file
from fbench.core.paths import expanded

if TYPE_CHECKING:
    from mlflow import MlflowClient

SERVERS: Final = ("http", "https", "databricks")
DATABASES: Final = ("sqlite", "postgresql", "mysql", "mssql")
TRIAL: Final = "fbench.trial_id"
FINISHED: Final = "fbench.finished_at"
MOST_OF_A_TEXT: Final = 5000
"""A tag and a parameter may be so long in MLflow 3, a little below its own limits (8,000 and 6,000)."""
MOST_AT_ONCE: Final = 100
"""Parameters in a call."""
ENVIRONMENT: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
"""Unless a user says otherwise: a server that is gone holds up a run for seconds, where MLflow would try minutes."""


def check_place(place: str, before: str = "--track mlflow=", start: str = "mlflow=") -> None:
    """Hold that a place can be one of MLflow's; its folder of files is one no more. In sentences ``before`` stands
    before what was given, and ``start`` before what may be.

    Raises:
        UserError: it cannot.
    """
    scheme, colon, _ = place.partition(":")
    dialect = scheme.partition("+")[0].lower()
    if dialect not in (*SERVERS, *DATABASES) or not (colon or dialect == "databricks"):
        raise UserError(
            f"{before}{readable(place)} was given, and MLflow keeps runs in a database or on a server; give "
            f"{start}sqlite:///mlflow.db, or the address of a server, such as {start}http://127.0.0.1:5000."
        )
    if dialect == "sqlite":
        file = database_file(place)
        if file is None:
            raise UserError(f"{before}{readable(place)} names no file; give one, such as {start}sqlite:///mlflow.db.")
        require_writable_file(expanded(file), "What MLflow keeps", "--track mlflow=sqlite:///FILE")


def database_file(place: str) -> str | None:
    """The file of an SQLite database; none where that is no such database, or one in memory."""
    found = re.match(r"sqlite(\+\w+)?:///(?P<file>[^?]+)", place, re.IGNORECASE)
    return found["file"] if found else None


def open_tracker(place: str) -> MlflowTracker:
    """Connect; errors as :func:`open_client`."""
    return MlflowTracker(open_client(place))


def open_client(place: str) -> MlflowClient:
    """Connect.

    Raises:
        Exception: MLflow or the database refuses, in words of its own.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if place.partition(":")[0].partition("+")[0].lower() in DATABASES:
        _ask_database(place)
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=place)
    client.search_experiments(max_results=1)
    return client


def _ask_database(place: str) -> None:
    """Read the database once: MLflow itself would wait for one that refuses, for most of an hour."""
    from sqlalchemy import create_engine, inspect

    engine = create_engine(place)
    try:
        inspect(engine).get_table_names()
    finally:
        engine.dispose()


class MlflowTracker:
    """Keeps trials with a client; a trial is found again by its tag."""

    def __init__(self, client: MlflowClient) -> None:
        self._client = client
        self._experiments: dict[str, str] = {}
        self._runs: dict[str, str] = {}
        self._open: set[str] = set()

    def has_end(self, trial: TrackedTrial, record: TrialRecord) -> bool:
        """Whether its run says when it finished, and the same."""
        run = self._find(trial)
        return run is not None and run.data.tags.get(FINISHED) == record.finished_at

    def begin(self, trial: TrackedTrial, at_s: float) -> int:
        """Make its run, or set the one that it has to running."""
        run = self._find(trial)
        self._open.add(trial.trial_id)
        if run is not None:
            self._runs[trial.trial_id] = run.info.run_id
            self._client.update_run(run.info.run_id, status="RUNNING")
            return len(self._client.get_metric_history(run.info.run_id, "validation_top1"))
        tags = {
            TRIAL: trial.trial_id,
            "mlflow.source.name": "fbench",
            "mlflow.source.type": "LOCAL",
        }
        made = self._client.create_run(self._experiment(trial), _milliseconds(at_s), tags, trial.label)
        self._runs[trial.trial_id] = made.info.run_id
        self._log(trial, params=trial.every_setting())
        return 0

    def evaluated(self, trial: TrackedTrial, row: HistoryRow, at_s: float) -> None:
        """Metrics with the image passes as their step."""
        self._log(trial, measures_of(row), row.images_seen, at_s)

    def ended(self, trial: TrackedTrial, record: TrialRecord, at_s: float) -> None:
        """The last metrics, tags, and the run's status."""
        run = self._runs[trial.trial_id]
        tags = {"fbench.status": record.status, "fbench.failure_reason": record.failure_reason or ""}
        tags |= {
            "fbench.version": record.machine.versions.get("fbench", ""),
            "fbench.machine": record.machine.processor,
        }
        self._log(trial, results_of(record), record.images_seen, at_s, tags=tags)
        status = "FINISHED" if record.status == "finished" else "FAILED"
        self._client.set_terminated(run, status, _milliseconds(at_s))
        self._log(trial, tags={FINISHED: record.finished_at})
        self._open.discard(trial.trial_id)

    def close(self) -> None:
        """Runs whose trials did not end were stopped, and are gone on with by the next call."""
        for trial_id in sorted(self._open & self._runs.keys()):
            self._client.set_terminated(self._runs[trial_id], "KILLED")
        self._open.clear()

    def _experiment(self, trial: TrackedTrial) -> str:
        if trial.run not in self._experiments:
            found = self._client.get_experiment_by_name(trial.run)
            made = found.experiment_id if found is not None else self._client.create_experiment(trial.run)
            self._experiments[trial.run] = made
        return self._experiments[trial.run]

    def _find(self, trial: TrackedTrial) -> Any:
        wanted = f"tags.`{TRIAL}` = '{trial.trial_id}'"
        found = self._client.search_runs([self._experiment(trial)], wanted, max_results=1)
        return found[0] if found else None

    def _log(
        self,
        trial: TrackedTrial,
        metrics: Mapping[str, float] | None = None,
        step: int = 0,
        at_s: float = 0.0,
        *,
        params: Mapping[str, object] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        from mlflow.entities import Metric, Param, RunTag

        run, time_ms = self._runs[trial.trial_id], _milliseconds(at_s)
        values = [Metric(key, value, time_ms, step) for key, value in (metrics or {}).items()]
        texts = [Param(_key(key), str(value)[:MOST_OF_A_TEXT]) for key, value in (params or {}).items()]
        marks = [RunTag(key, value[:MOST_OF_A_TEXT]) for key, value in (tags or {}).items()]
        if values or marks:
            self._client.log_batch(run, values, [], marks)
        for part in _parts(texts):
            self._client.log_batch(run, [], part, [])


def _key(name: str) -> str:
    """A name of letters that MLflow takes; options of a user's builder may have others."""
    return re.sub(r"[^\w\-. /]", "_", name, flags=re.ASCII)[:250]


def _parts(items: Sequence[Any]) -> list[Sequence[Any]]:
    return [items[first : first + MOST_AT_ONCE] for first in range(0, len(items), MOST_AT_ONCE)]


def _milliseconds(seconds: float) -> int:
    return round(1000 * seconds)
