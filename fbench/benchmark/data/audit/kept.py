"""Full audits are kept in the user's cache by the content of the data set, so that runs and reports can show them."""

from __future__ import annotations

import logging
from pathlib import Path

from pydantic import ValidationError

from fbench.benchmark.data.audit.findings import AUDIT_SCHEMA_VERSION, NEAR_CORRELATION, Audit
from fbench.benchmark.data.cache import cache_directory
from fbench.core.files import replacing

_log = logging.getLogger(__name__)


def keep_audit(audit: Audit) -> None:
    """Keep an audit for later runs; a cache that cannot be written is reported and costs only time."""
    try:
        with replacing(_file(audit.data_fingerprint)) as stream:
            stream.write((audit.model_dump_json() + "\n").encode())
    except OSError as error:
        _log.warning("the audit could not be kept in %s: %s", cache_directory(), error)


def cached_audit(fingerprint: str) -> Audit | None:
    """The audit that was kept for the data set of this fingerprint, or None where there is none that can be read."""
    try:
        return Audit.model_validate_json(_file(fingerprint).read_bytes())
    except (OSError, ValidationError):
        return None


def _file(fingerprint: str) -> Path:
    return cache_directory() / "audits" / f"{fingerprint}-{AUDIT_SCHEMA_VERSION}-{NEAR_CORRELATION}.json"
