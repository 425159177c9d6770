"""The errors that a user is told in one sentence: what was given, what is allowed, what to do next.

They live on the lowest floor so that every floor above can raise them; the command line turns them into exit
code 2 and prints no traceback unless ``--debug`` is given.
"""

from __future__ import annotations

import difflib
import re
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from fbench.core.user_code import location_of_error

# Control characters of ISO 6429, the two line separators of Unicode that some readers break lines at, and the embedded,
# overriding and isolated directions of writing (Unicode Standard Annex 9), which reorder what stands beside them.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class UserError(Exception):
    """Bad usage or bad input, told in one sentence; the command line exits with 2."""


class StoppedError(BaseException):
    """Work ends before its end because it was asked to, where it can be gone on with. It is of no class that a user's
    code catches by chance."""


@contextmanager
def errors_of_network(name: str) -> Iterator[None]:
    """Turn whatever a network's builder or forward pass raises into one sentence that names the network.

    Raises:
        UserError: the block raised anything.
    """
    try:
        yield
    except (UserError, KeyboardInterrupt, StoppedError):
        raise
    except BaseException as error:  # SystemExit too: a network must not end the program
        reason, location = reason_on_a_line(error), location_of_error(error)
        where = f" ({location})" if location else ""
        raise UserError(
            f"The network '{name}' raised {reason}{where}; mend its builder or its forward pass."
        ) from error


_NATIVE_STACK: Final = re.compile(r"\s*Exception raised from [^\n]*\(most recent call first\):.*", re.DOTALL)
"""What PyTorch's compiled code puts behind the messages of some errors: addresses that tell a reader nothing."""
MOST_OF_A_REASON: Final = 2000
MOST_OF_A_TRACEBACK: Final = 20_000


def reason_of(error: BaseException, most: int = MOST_OF_A_REASON) -> str:
    """Class and message of an exception, or the sentence alone of a user's error; as :func:`message_of` else."""
    message = message_of(error, most)
    if isinstance(error, UserError) and message:
        return message
    name = _class_name(error)
    return _cut(f"{name}: {message}" if message else name, most)


def reason_on_a_line(error: BaseException, most: int = MOST_OF_A_REASON) -> str:
    """What :func:`reason_of` says, on one line."""
    return " ".join(reason_of(error, most).split())


def message_of(error: BaseException, most: int = MOST_OF_A_REASON) -> str:
    """What an exception says, as text of at most ``most`` characters that every file can hold.

    Somebody's exception may have a message that is a book, that no UTF-8 file can hold, or that cannot be had.
    """
    try:
        message = str.__str__(str(error))  # plain text, which somebody's kind of text may not be
    except BaseException as second:  # of any type: it comes from somebody's __str__
        message = f"(its message cannot be had: {_class_name(second)})"
    message = _NATIVE_STACK.sub("", message)
    return _cut("\n".join(readable(line.expandtabs(4)) for line in message[: most + 1].split("\n")), most)


def traceback_of(error: BaseException) -> str:
    """The traceback of an exception, of at most so many characters that its start and its end are left."""
    try:
        text = "".join(traceback.format_exception(error))
    except BaseException as second:  # somebody's exception may fail to be shown
        text = f"(the traceback cannot be had: {_class_name(second)})\n"
    if len(text) > MOST_OF_A_TRACEBACK:
        half = MOST_OF_A_TRACEBACK // 2
        text = f"{text[:half]}\n[...]\n{text[-half:]}"
    return storable(text)


def _class_name(error: BaseException) -> str:
    """The name of its class, as Python itself keeps it: a metaclass may answer otherwise, or not at all."""
    name: str = type.__dict__["__name__"].__get__(type(error))
    return readable(name)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def storable(text: str) -> str:
    r"""The text with whatever UTF-8 cannot hold written as an escape.

    Names of files are bytes: those that are no UTF-8 reach Python as lone surrogates (PEP 383) and are written as such
    (``\udcc9`` for the byte C9).
    """
    return text.encode("utf-8", "backslashreplace").decode()


def readable(text: str) -> str:
    r"""The text on one line, with whatever cannot be shown or stored as UTF-8 written as an escape.

    Bytes that are no UTF-8 as :func:`storable` writes them; line breaks, other control characters and those that turn
    the direction of writing as in Python's strings (``\n``, ``\u202e``).
    """
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], storable(text))


def did_you_mean(given: str, allowed: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the closest allowed name, or an empty string when none is close."""
    close = difflib.get_close_matches(given, list(allowed), n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""
