"""The errors that a user is told in one sentence: what was given, what is allowed, what to do next.

They live on the lowest floor so that every floor above can raise them; the command line turns them into exit
code 2 and prints no traceback unless ``--debug`` is given.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from fbench.architectures.user_code import place_of_error


class UserError(Exception):
    """Bad usage or bad input, told in one sentence; the command line exits with 2."""


@contextmanager
def errors_of_network(name: str) -> Iterator[None]:
    """Turn whatever a network's builder or forward pass raises into one sentence that names the network.

    Raises:
        UserError: the block raised anything.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason, place = " ".join(str(error).split()), place_of_error(error)
        raise UserError(
            f"The network '{name}' raised {type(error).__name__}: {reason}{f' ({place})' if place else ''}; "
            "mend its builder or its forward pass."
        ) from error


def did_you_mean(given: str, allowed: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the closest allowed name, or an empty string when none is close."""
    close = difflib.get_close_matches(given, list(allowed), n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""
