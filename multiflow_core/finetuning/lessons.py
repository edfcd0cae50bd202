"""What a model learns from: batches that the number of a step decides alone, and what it is asked in between."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache

from PIL.Image import Image
from torch import Tensor

from ..data.dataset import DataSet, Exam, Lesson
from ..models.vlm import VLM
from .recipe import Recipe

HELD_OUT = 10  # every tenth item is not learnt from but asked about, where data has no split "val" of its own
DRAWN = 4096  # pictures kept in memory


class School:
    """The lessons of a task, and the exam that says how far a model is.

    >>> from multiflow_core import load
    >>> from multiflow_core.data import dataset
    >>> school = School(load("flatland-blip"), "captioning", dataset.open(), Recipe(pictures=8, batch=4, checked=2), 0)
    >>> school.batch(0)["input_ids"].shape[0], school.exam.split, len(school.exam.items)
    (4, 'val', 2)
    """

    def __init__(self, vlm: VLM, task: str, data: DataSet, recipe: Recipe, seed: int):
        self.vlm, self.task, self.recipe, self.seed = vlm, task, recipe, seed
        lessons = [lesson for lesson in data.lessons(recipe.pictures, seed) if self._teaches(lesson)]
        exam = _validation(data, recipe.checked)
        if exam is None:
            lessons, exam = _divided(data, lessons, recipe.checked)
        if not lessons or not exam.items:
            what = "questions with answers" if task == "vqa" else "captions"
            raise ValueError(f"{data.name} has no {what} to learn {task} from.")
        self.lessons, self.exam = lessons, exam
        self._picture = lru_cache(DRAWN)(lambda i: data.pictures((lessons[i].item,), vlm.side)[0])

    def _teaches(self, lesson: Lesson) -> bool:
        return bool(lesson.questions if self.task == "vqa" else lesson.texts)

    def batch(self, step: int, part: int = 0, parts: int = 1) -> dict[str, Tensor]:
        """What is learnt in a step, or one of several equal parts of it.

        Every lesson comes once before any comes again, in an order of each round's own.
        """
        size = self.recipe.batch
        places = range(step * size + part * size // parts, step * size + (part + 1) * size // parts)
        rng = random.Random(f"step {self.seed} {step} {part}")
        chosen = [self._at(place) for place in places]
        return self._asked(chosen, rng) if self.task == "vqa" else self._said(chosen, rng)

    def _at(self, place: int) -> int:
        around, place = divmod(place, len(self.lessons))
        return _order(len(self.lessons), self.seed, around)[place]

    def _said(self, chosen: Sequence[int], rng: random.Random) -> dict[str, Tensor]:
        pairs: list[tuple[Image, str]] = [(self._picture(i), rng.choice(self.lessons[i].texts)) for i in chosen]
        family, model = self.vlm.family, self.vlm.model
        return family.pairs(model, self.vlm.processor, *zip(*pairs))

    def _asked(self, chosen: Sequence[int], rng: random.Random) -> dict[str, Tensor]:
        rows = []
        for i in chosen:
            asked = self.lessons[i].questions
            rows += [(self._picture(i), q) for q in rng.sample(asked, min(len(asked), self.recipe.questions))]
        pictures, questions = zip(*rows)
        texts = [q.text for q in questions], [q.answer for q in questions]
        return self.vlm.family.answered(self.vlm.model, self.vlm.processor, pictures, *texts)


@lru_cache(maxsize=4)
def _order(count: int, seed: int, around: int) -> list[int]:
    order = list(range(count))
    random.Random(f"round {seed} {around}").shuffle(order)
    return order


def _validation(data: DataSet, checked: int) -> Exam | None:
    """What a model is asked while it learns; None where data has no split for that, or measures on it."""
    with suppress(ValueError):
        exam = data.exam(
            "val", checked, checked, -(-checked // 3)
        )  # a question takes as long as a caption, of which it has many
        if data.exam("test", 1, 0, 0).split != exam.split:
            return exam
    return None


def _divided(data: DataSet, lessons: Sequence[Lesson], checked: int) -> tuple[list[Lesson], Exam]:
    """Lessons, and an exam about every tenth of them."""
    held = lessons[::HELD_OUT][:checked]
    texts = [(i, text) for i, lesson in enumerate(held) for text in lesson.texts]
    questions = tuple((i, q) for i, lesson in enumerate(held) for q in lesson.questions)
    items = tuple(lesson.item for lesson in held)
    owners = tuple(i for i, _ in texts)
    exam = Exam(data, "train", items, tuple(t for _, t in texts), questions, len(items) * bool(texts), owners)
    return [lesson for i, lesson in enumerate(lessons) if i % HELD_OUT], exam
