"""Damage, by a seed: bytes of files, values in JSON, texts of addresses."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2**31, 2**63, -(2**70), 0.5, 1e308, -1e308, float("nan"), float("inf"), "", "a", "0", "nan", "../x",
    "/etc/passwd", "\u202e", "\x00", "é" * 300, "![x](http://a.b/c.png)", "<script>", [], {}, [[]], [None], {"a": {}}, [1] * 9,
)  # fmt: skip
NAMES = (
    "",
    "..",
    "~nosuchuser",
    "~nosuchuser/model",
    "/",
    "/etc/passwd",
    "a\x00b",
    "x" * 5000,
    "-1",
    "٣",
    "1e999",
    "🦊",
    "%00",
)


def damaged(data: bytes, rng: random.Random) -> bytes:
    """The bytes of a file after an accident: cut, lengthened, flipped, overwritten, swapped or doubled.

    >>> damaged(b"abcdef", random.Random(1)) != b"abcdef"
    True
    """
    spoilt = bytearray(data)
    at = rng.randrange(len(spoilt) + 1)
    size = rng.choice((1, 1, 2, 8, 64, 512))
    kind = rng.randrange(7)
    if kind == 0:
        del spoilt[at:]
    elif kind == 1:
        spoilt[at:at] = rng.randbytes(size)
    elif kind == 2:
        spoilt[at : at + size] = rng.randbytes(min(size, len(spoilt) - at))
    elif kind == 3:
        del spoilt[at : at + size]
    elif kind == 4 and spoilt:
        for _ in range(rng.choice((1, 1, 3, 20))):
            spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
    elif kind == 5:
        spoilt += rng.randbytes(size)
    elif len(spoilt) > 16:  # among the first bytes: sizes and headers
        spoilt[rng.randrange(16)] = rng.randrange(256)
    return bytes(spoilt) if bytes(spoilt) != data else data + b"\x00"


def twisted(held: Any, rng: random.Random) -> Any:
    """A JSON value in which something is another thing, gone, or there twice."""
    held = copy.deepcopy(held)
    places = list(_places(held))
    if not places:
        return rng.choice(ODD)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        owner, key = rng.choice(places)
        kind = rng.randrange(4)
        try:
            if kind == 0:
                del owner[key]
            elif kind == 1 and isinstance(owner, dict):
                owner[str(rng.choice(NAMES))] = owner[key]
            elif kind == 2 and isinstance(owner, list):
                owner.append(owner[key])
            else:
                owner[key] = rng.choice(ODD)
        except (KeyError, IndexError):
            continue
    return held


def _places(held: Any):
    """Every (container, key) in it."""
    pairs = held.items() if isinstance(held, dict) else enumerate(held) if isinstance(held, list) else ()
    for key, value in pairs:
        yield held, key
        yield from _places(value)


def text_of(held: Any) -> bytes:
    """JSON as others may write it: with numbers that are none, and with halves of characters."""
    return json.dumps(held, ensure_ascii=False).encode("utf-8", "surrogatepass")


def address_value(plain: str, rng: random.Random) -> str:
    """A value in an address that somebody cut, typed or made up."""
    kind = rng.randrange(5)
    if kind == 0:
        return str(rng.choice(NAMES))
    if kind == 1:
        return str(rng.choice(ODD))
    if kind == 2:
        return plain[: rng.randrange(len(plain) + 1)] + "".join(
            chr(rng.choice((9, 44, 45, 59, 61, 233, 8238))) for _ in range(2)
        )
    return damaged(plain.encode(), rng).decode("utf-8", "replace")
