"""Flatland as a data set: its scenes are drawn as they are asked for, and it knows what is true of them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from PIL.Image import Image

from ..dataset import EACH, DataSet, Exam, Judgement, Lesson, Question, register
from .draw import LARGEST, SMALLEST, render
from .language import caption, judge, parse
from .questions import all_types, ask
from .scene import Scene, distinct, scene
from .truths import truths
from .typed import typed_queries

FEWEST = 8  # queries of a form


class Flatland(DataSet):
    """The built-in world.

    >>> len(Flatland().pairs(4, 0, 96)), Flatland().exam("test", 3, 3, 0).texts[0][:2]
    (4, 'a ')
    """

    name, title = "flatland", "Flatland"

    def items(self, split: str, count: int) -> tuple[Scene, ...]:
        return tuple(found for _, found in distinct(split, count))

    def pictures(self, items: Sequence[Scene], side: int) -> tuple[Image, ...]:
        return _drawn(tuple(items), max(SMALLEST, min(LARGEST, side)))

    def pairs(self, count: int, seed: int, side: int) -> tuple[tuple[Image, str], ...]:
        """From the end of the training list."""
        return _pairs(count, seed, max(SMALLEST, min(LARGEST, side)))

    def asked(self, count: int, seed: int, side: int) -> tuple[Sequence[Image], Sequence[tuple[int, Question]]]:
        """About the scenes of `pairs`.

        >>> pictures, asked = Flatland().asked(2, 0, 96)
        >>> len(pictures), [number for number, _ in asked]
        (2, [0, 0, 0, 1, 1, 1])
        """
        rng = random.Random(f"calibration questions {seed}")
        questions = tuple((i, ask(found, rng)) for i, found in enumerate(_seen(count, seed)) for _ in range(EACH))
        return [picture for picture, _ in self.pairs(count, seed, side)], questions

    def exam(self, split: str, items: int, captioned: int, asked: int, seed: int = 0) -> Exam:
        """Every scene has one full caption, and of those that are asked about one question of every type.

        Queries of every form are true of some scenes; there are a fifth as many of each as captions, at most.
        """
        return _exam(self, split, items, captioned, asked, seed)

    def lessons(self, count: int, seed: int = 0) -> tuple[Lesson, ...]:
        """From the start of the training list; calibration pairs are from its end."""
        return _lessons(count, seed)

    def judge(self, captions: Iterable[str], items: Iterable[Scene]) -> list[Judgement]:
        """A true caption names something there is: "no dogs" is true of most pictures and says nothing about them.

        A model that has lost its sight must not score by it.

        >>> from .scene import Thing
        >>> cat = Scene("day", (Thing("cat", "red", "small", 0.5, 0.5),))
        >>> [found.true for found in Flatland().judge(["a red cat", "a blue cat", "no dogs"], [cat] * 3)]
        [True, False, False]
        """
        verdicts = [(judge(text, found), text) for text, found in zip(captions, items, strict=True)]
        return [Judgement(v.true and _names_something(text), v.understood, v.left_out) for v, text in verdicts]

    def truths(self, texts: Sequence[str], items: Sequence[Scene]) -> np.ndarray:
        return truths(texts, items)


def _names_something(text: str) -> bool:
    return any(phrase.kind and phrase.count != 0 for phrase in parse(text).phrases)


@lru_cache(maxsize=2)
def _drawn(scenes: tuple[Scene, ...], side: int) -> tuple[Image, ...]:
    return tuple(render(found, side) for found in scenes)


@lru_cache(maxsize=2)
def _pairs(count: int, seed: int, side: int) -> tuple[tuple[Image, str], ...]:
    rng = random.Random(f"calibration {seed}")
    return tuple((render(found, side), caption(found, rng, full=True)) for found in _seen(count, seed))


@lru_cache(maxsize=2)
def _lessons(count: int, seed: int) -> tuple[Lesson, ...]:
    rng = random.Random(f"lessons {seed}")
    chosen = (scene("train", i) for i in range(count))
    return tuple(Lesson(found, (caption(found, rng, full=True),), tuple(all_types(found, rng))) for found in chosen)


def _seen(count: int, seed: int) -> list[Scene]:
    """The scenes that models are calibrated with."""
    return [scene("train", -1 - i - seed * count) for i in range(count)]


@lru_cache(maxsize=4)
def _exam(data: Flatland, split: str, items: int, captioned: int, asked: int, seed: int) -> Exam:
    chosen = data.items(split, items)
    rng = random.Random(f"benchmark {seed}")
    texts = tuple(caption(found, rng, full=True) for found in chosen)
    questions = tuple((i, q) for i, found in enumerate(chosen[:asked]) for q in all_types(found, rng))
    typed = typed_queries(chosen, max(FEWEST, captioned // 5))
    queries = tuple((form, text) for form, found in typed.items() for text in found)
    return Exam(data, split, chosen, texts, questions, captioned, queries=queries)


register(Flatland())
