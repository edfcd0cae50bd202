"""Queries of every form that the grammar has, over all combinations of its words."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from .language import NUMBERS, plural
from .scene import ALL_KINDS, COLORS, RELATIONS, Scene
from .short_texts import with_article
from .truths import truths

SIDES = tuple(r for r in RELATIONS if r != "next to")  # clear-cut relations: "next to" is a matter of degree


def typed_queries(scenes: Sequence[Scene], most: int) -> dict[str, list[str]]:
    """For every form, queries that are true of some of the scenes and not of all; at most so many, evenly chosen.

    >>> from .scene import scene
    >>> {form: texts[0] for form, texts in typed_queries([scene("test", i) for i in range(40)], 5).items()}["none"]
    'no cats'
    """
    found = {}
    for form, texts in _combinations().items():
        share = truths(texts, scenes).mean(1)
        there = [text for text, part in zip(texts, share) if 0 < part < 1]
        step = max(1.0, len(there) / most)
        found[form] = [there[int(i * step)] for i in range(min(most, len(there)))]
    return found


def _combinations() -> dict[str, list[str]]:
    pairs = [*itertools.permutations(ALL_KINDS, 2)]
    return {
        "thing": [with_article(f"{color} {kind}") for kind in ALL_KINDS for color in COLORS],
        "two": [f"{with_article(a)} and {with_article(b)}" for a, b in pairs if a < b],
        "relation": [*_related(pairs)],
        "count": [f"{number} {plural(kind)}" for kind in ALL_KINDS for number in NUMBERS[2:]],
        "none": [f"no {plural(kind)}" for kind in ALL_KINDS],
    }


def _related(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """a red dog above a plane"""
    for a, b in pairs:
        for color in COLORS:
            for side in SIDES:
                yield f"{with_article(f'{color} {a}')} {side} {with_article(b)}"
