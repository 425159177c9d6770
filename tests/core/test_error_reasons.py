from __future__ import annotations

import pytest

from fbench.core.errors import UserError, errors_of_network, message_of, reason_of, reason_on_a_line, traceback_of


class SilentError(Exception):
    def __str__(self) -> str:
        raise SystemError("no")


class NoStringError(Exception):
    def __str__(self) -> str:
        return None  # type: ignore[return-value]  # noqa: PLE0307 - what is wrong with it


class NamelessType(type):
    def __getattribute__(cls, name: str) -> object:
        if name in {"__name__", "__qualname__", "__module__"}:
            raise KeyboardInterrupt
        return super().__getattribute__(name)


class NamelessError(Exception, metaclass=NamelessType):
    def __str__(self) -> str:
        raise GeneratorExit


class OddText(str):
    __slots__ = ()

    def __getitem__(self, part: object) -> str:
        raise KeyError


class OddTextError(Exception):
    def __str__(self) -> str:
        return OddText("odd")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("too few"), "ValueError: too few"),
        (AssertionError(), "AssertionError"),
        (KeyError("a"), "KeyError: 'a'"),
        (ValueError("of\ntwo lines"), "ValueError: of\ntwo lines"),
        (ValueError("größer 大"), "ValueError: größer 大"),
        (ValueError("\udcff"), "ValueError: \\udcff"),
        (ValueError("\x1b[31mred\x00"), "ValueError: \\x1b[31mred\\x00"),
        (ValueError("a\tb"), "ValueError: a   b"),
        (ValueError("\u202eeman"), "ValueError: \\u202eeman"),
        (UserError("There is no file x; give another."), "There is no file x; give another."),
        (UserError(), "UserError"),
        (
            TypeError(
                "too large Exception raised from f at a.h:7 (most recent call first):\nframe #0: g + 0x9d (lib.so)"
            ),
            "TypeError: too large",
        ),
        (SystemExit(3), "SystemExit: 3"),
        (SilentError(), "SilentError: (its message cannot be had: SystemError)"),
        (NamelessError(), "NamelessError: (its message cannot be had: GeneratorExit)"),
        (OddTextError(), "OddTextError: odd"),
        (NoStringError(), "NoStringError: (its message cannot be had: TypeError)"),
    ],
)
def test_a_reason_is_class_and_message_in_text_that_every_file_holds(error: BaseException, reason: str) -> None:
    assert reason_of(error) == reason
    reason_of(error).encode()


def test_a_traceback_that_cannot_be_had_is_no_error() -> None:
    assert traceback_of(NamelessError()) == "(the traceback cannot be had: KeyboardInterrupt)\n"


@pytest.mark.parametrize("letter", ["x", "\udcff", "大"])
def test_a_long_message_is_cut_at_two_thousand_characters(letter: str) -> None:
    found = reason_of(ValueError(letter * 3000))
    assert len(found) == 2000
    assert found.startswith("ValueError: ")
    assert found.endswith("…")


def test_a_message_alone_and_a_reason_on_one_line_are_cut_as_well() -> None:
    assert message_of(ValueError("of\ntwo lines")) == "of\ntwo lines"
    assert reason_on_a_line(ValueError("of\n  two lines")) == "ValueError: of two lines"
    assert reason_on_a_line(UserError("x" * 500), 400) == "x" * 399 + "…"
    assert message_of(ValueError("x" * 400), 400) == "x" * 400


def test_a_network_that_ends_the_program_is_one_sentence_and_ctrl_c_is_not() -> None:
    with pytest.raises(UserError, match=r"The network 'n' raised SystemExit: 3 .*; mend"), errors_of_network("n"):
        raise SystemExit(3)
    with pytest.raises(KeyboardInterrupt), errors_of_network("n"):
        raise KeyboardInterrupt
