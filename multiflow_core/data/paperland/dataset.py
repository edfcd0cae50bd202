"""Paperland as a data set."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache

from PIL.Image import Image

from ..dataset import EACH, Exam, Lesson, Question, register
from ..flatland.dataset import Flatland
from ..flatland.draw import LARGEST, SMALLEST
from ..flatland.scene import Scene
from .asking import all_types
from .draw import render
from .scenes import distinct, scene
from .telling import caption


class Paperland(Flatland):
    """A world to learn after pruning; what is true of it is judged as in Flatland.

    >>> len(Paperland().pairs(4, 0, 96)), Paperland().judge(["we see at night a red kitty"], [scene("test", 0)])[0].understood
    (4, True)
    """

    name, title = "paperland", "Paperland"

    def items(self, split: str, count: int) -> tuple[Scene, ...]:
        return tuple(distinct(split, count))

    def pictures(self, items: Sequence[Scene], side: int) -> tuple[Image, ...]:
        return _drawn(tuple(items), max(SMALLEST, min(LARGEST, side)))

    def pairs(self, count: int, seed: int, side: int) -> tuple[tuple[Image, str], ...]:
        """From the end of the training list."""
        rng = random.Random(f"calibration {seed}")
        seen = _seen(count, seed)
        return tuple(zip(self.pictures(seen, side), [caption(found, rng) for found in seen]))

    def asked(self, count: int, seed: int, side: int) -> tuple[Sequence[Image], Sequence[tuple[int, Question]]]:
        rng = random.Random(f"calibration questions {seed}")
        seen = _seen(count, seed)
        return self.pictures(seen, side), tuple((i, q) for i, s in enumerate(seen) for q in all_types(s, rng)[:EACH])

    def exam(self, split: str, items: int, captioned: int, asked: int, seed: int = 0) -> Exam:
        """One caption a scene, and of those that are asked about one question of every type."""
        return _exam(self, split, items, captioned, asked, seed)

    def lessons(self, count: int, seed: int = 0) -> tuple[Lesson, ...]:
        """From the start of the training list."""
        return _lessons(count, seed)


@lru_cache(maxsize=2)
def _drawn(scenes: tuple[Scene, ...], side: int) -> tuple[Image, ...]:
    return tuple(render(found, side) for found in scenes)


def _seen(count: int, seed: int) -> tuple[Scene, ...]:
    """The scenes that models are calibrated with."""
    return tuple(scene("train", -1 - i - seed * count) for i in range(count))


@lru_cache(maxsize=4)
def _exam(data: Paperland, split: str, items: int, captioned: int, asked: int, seed: int) -> Exam:
    chosen = data.items(split, items)
    rng = random.Random(f"exam {seed}")
    texts = tuple(caption(found, rng) for found in chosen)
    questions = tuple((i, q) for i, found in enumerate(chosen[:asked]) for q in all_types(found, rng))
    return Exam(data, split, chosen, texts, questions, captioned)


@lru_cache(maxsize=2)
def _lessons(count: int, seed: int) -> tuple[Lesson, ...]:
    rng = random.Random(f"lessons {seed}")
    chosen = (scene("train", i) for i in range(count))
    return tuple(Lesson(found, (caption(found, rng),), tuple(all_types(found, rng))) for found in chosen)


register(Paperland())
