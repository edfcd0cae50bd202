"""Blocks along an axis: short names that fit below narrow columns."""

from __future__ import annotations

import itertools
from collections.abc import Sequence


def ticks(blocks: Sequence[str]) -> list[str]:
    """Numbers only, and under the middle block of every part the part's name.

    >>> ticks(["vision 0", "vision 1", "vision 2", "decoder 0", "pooler"])
    ['0', '1<br>vision', '2', '0<br>decoder', 'pooler']
    """
    found = []
    for part, group in itertools.groupby(map(_split, blocks), key=lambda pair: pair[0]):
        numbers = [number for _, number in group]
        middle = (len(numbers) - 1) // 2
        found += [_tick(part, number, named=n == middle) for n, number in enumerate(numbers)]
    return found


def _split(block: str) -> tuple[str, str]:
    part, _, number = block.rpartition(" ")
    return (part, number) if part and number.isdigit() else (block, "")


def _tick(part: str, number: str, named: bool) -> str:
    if not number:
        return part
    return f"{number}<br>{part}" if named else number
