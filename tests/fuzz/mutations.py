"""Odd inputs made of good ones: values of other kinds, missing and doubled parts, damaged bytes.

All is drawn from a generator of random numbers that is handed in: that of Hypothesis, which finds the smallest input
that fails, or one with a seed, so that every input has a number.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final, TypeVar

import numpy as np

T = TypeVar("T")

ODD_TEXTS: Final = (
    *(
        "",
        " ",
        "\0",
        "\n",
        "a\nb",
        "\x1b[2J",
        "\u202e",
        "\ufeff",
        "é",
        "𝕏",
        "=1+1",
        "-1",
        "nan",
        "inf",
        "1e999",
        "0x10",
    ),
    *("..", "../../x", "/etc/passwd", "~nobody9", "a/b", "CON", "x" * 300, "x" * 20_000, "(a+)+$", "(((", "{", "%s"),
    *("ires", "fer2013", "validation", "test", "once", "true", "1", "0" * 5000),
)
ODD_NUMBERS: Final = (
    *(0, -1, 1, 2, 7, 255, 256, 65_536, 2**31, 2**53, 2**63, 2**64, -(2**63), 10**30, 10**300),
    *(0.0, -0.0, 0.5, -0.5, 1.5, 1e-320, 1e308, -1e308, 1e-9),
)
ODD_BYTES: Final = (
    *(
        b"\0",
        b"\xff",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\x1b[0m",
        b"\xed\xa0\x80",
        b"\r",
        b"\n\n",
        b'"',
        b"'",
        b",",
        b";",
    ),
    *(b"[" * 300, b"{" * 300, b'{"a":' * 200_000, b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"a." * 3000),
    *(b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\x00\x00\x00\x80", b"PK\x03\x04", b"\x93NUMPY", b'"""', b"= ", b"#"),
)


def odd_value(random: Random) -> Any:
    """A value of JSON that nobody expects."""
    kind = random.randrange(10)
    if kind < 3:
        return random.choice(ODD_TEXTS)
    if kind < 6:
        return random.choice(ODD_NUMBERS)
    if kind == 6:
        return random.choice((None, True, False))
    if kind == 7:
        return random.choice(([], {}, [[]], [None], {"": None}, [0] * 1000, {"kind": "x"}))
    if kind == 8:
        return _nested(random.choice((3, 50, 140)))
    return random.choice((float("nan"), float("inf"), -float("inf")))


def _nested(depth: int) -> Any:
    value: Any = 0
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value[:30]):
            found += _places(inner, (*path, index))
    return found


def _at(value: Any, path: Sequence[Any]) -> Any:
    for key in path:
        value = value[key]
    return value


def odd_tree(random: Random, good: Any) -> Any:
    """A value of JSON with one or a few of its parts changed."""
    tree = json.loads(json.dumps(good))
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        places = _places(tree)[1:]
        if not places:
            return odd_value(random)
        *above, key = random.choice(places)
        inside = _at(tree, above)
        change = random.randrange(8)
        if change < 4:
            inside[key] = odd_value(random)
        elif change == 4:
            del inside[key]
        elif change == 5:
            inside[key] = json.loads(json.dumps(_at(tree, random.choice(places))))
        elif change == 6 and isinstance(inside, dict):
            inside[random.choice(ODD_TEXTS)] = inside.pop(key)
        elif isinstance(inside[key], list) and inside[key]:
            inside[key] = random.choice((inside[key][:-1], inside[key] * 2, inside[key][::-1], inside[key][:1]))
        elif isinstance(inside[key], int | float) and not isinstance(inside[key], bool):
            inside[key] = random.choice((-inside[key], inside[key] + 1, inside[key] * 1e6, str(inside[key])))
    return tree


def odd_json(random: Random, good: bytes) -> bytes:
    """A JSON file, most often one that is still JSON."""
    if random.random() < 0.15:
        return odd_bytes(random, good)
    return json.dumps(odd_tree(random, json.loads(good)), ensure_ascii=random.random() < 0.5).encode(
        "utf-8", "surrogatepass"
    )


def odd_bytes(random: Random, good: bytes) -> bytes:
    """The same bytes with a few of them changed, left out, doubled or put in."""
    content = bytearray(good)
    for _ in range(random.choice((1, 1, 2, 3, 8))):
        at = random.randrange(len(content) + 1)
        until = min(len(content), at + random.choice((1, 1, 2, 4, 16, 200)))
        change = random.randrange(6)
        if change == 0 and at < len(content):
            content[at] ^= 1 << random.randrange(8)
        elif change == 1:
            del content[at:until]
        elif change == 2:
            content[at:at] = content[at:until]
        elif change == 3:
            content[at:at] = random.choice(ODD_BYTES)
        elif change == 4:
            content[at:until] = bytes(random.randrange(256) for _ in range(until - at))
        else:
            del content[at:]
    return bytes(content)


def odd_lines(random: Random, good: bytes) -> bytes:
    """A text of lines (TOML, CSV) with some changed, left out, doubled, moved or with other values."""
    if random.random() < 0.2:
        return odd_bytes(random, good)
    lines = good.decode().split("\n")
    for _ in range(random.choice((1, 1, 2, 3))):
        at = random.randrange(len(lines))
        change = random.randrange(7)
        if change == 0 and len(lines) > 1:
            del lines[at]
        elif change == 1:
            lines.insert(at, lines[random.randrange(len(lines))])
        elif change == 2:
            lines[at] = random.choice(ODD_TEXTS)
        elif change == 3 and "=" in lines[at]:
            lines[at] = f"{lines[at].partition('=')[0]}= {_toml(odd_value(random))}"
        elif change == 4 and "," in lines[at]:
            cells = lines[at].split(",")
            cells[random.randrange(len(cells))] = random.choice((*ODD_TEXTS, *map(str, ODD_NUMBERS)))
            lines[at] = ",".join(cells)
        elif change == 5:
            cut = random.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:cut] + random.choice(ODD_TEXTS) + lines[at][cut:]
        else:
            random.shuffle(lines)
            break
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return "''" if value is None else json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf")


def odd_npz(random: Random, good: bytes) -> bytes:
    """An npz file with other arrays, headers that lie, or damaged bytes."""
    if random.random() < 0.4:
        return odd_bytes(random, good)
    with np.load(io.BytesIO(good)) as archive:
        arrays: dict[str, Any] = dict(archive)
    changed = random.choice(list(arrays))
    arrays[changed] = _odd_array(random, arrays[changed])
    if random.random() < 0.2:
        del arrays[random.choice(list(arrays))]
    content = io.BytesIO()
    if random.random() < 0.3:
        with zipfile.ZipFile(content, "w", random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as written:
            for name in arrays:
                written.writestr(f"{name}.npy", _odd_npy(random))
    else:
        np.savez_compressed(content, **arrays)
    return content.getvalue()


def _odd_array(random: Random, values: Any) -> Any:
    return random.choice(
        (
            *(values.ravel()[:0], values.ravel()[:1], values[None], values.astype(np.str_)),
            *(np.array(5), np.array("x"), np.zeros((3, 0)), np.array([np.nan, np.inf]), np.array([2**63], np.uint64)),
            *(np.array([-1, 300]), np.zeros((2,) * 20, np.uint8), np.array([1 + 2j]), np.array(["a", "\x1b"])),
        )
    )


def _odd_npy(random: Random) -> bytes:
    shape = random.choice(("(3,)", "(-1,)", "(10000000000000,)", "()", "(2,3", "(" * 30, "(1.5,)", "('a',)", "None"))
    kind = random.choice(("|u1", "<f8", "|O", "<U9999999", "V5", "[('a', 'u1')]", "x", "<M8[s]"))
    header = (
        f"{{'descr': {kind!r}, 'fortran_order': {random.choice(('False', 'True', '3'))}, 'shape': {shape}}}".encode()
    )
    version = random.choice((b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x00"))
    length = struct.pack("<H" if version == b"\x01\x00" else "<I", len(header) + 1)
    return b"\x93NUMPY" + version + length + header + b"\n" + bytes(random.randrange(20))


Mutation = Callable[[Random, bytes], bytes]
