"""Canonical JSON and its hash, the base of every identity."""

from __future__ import annotations

import hashlib
import json

from fbench.core.errors import UserError


def canonical_json(value: object) -> str:
    """JSON with sorted keys, no spaces and no NaN: equal values give equal text.

    Raises:
        UserError: a number is not finite, which settings of whatever kind may have been given as.
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    except ValueError as error:
        raise UserError(
            "A setting of the data, protocol, network or search is infinite or no number; give a finite one."
        ) from error


def short_hash(value: object) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]
