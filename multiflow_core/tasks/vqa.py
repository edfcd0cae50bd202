"""Visual question answering (VQA): exact match, over all and by question type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.dataset import Exam
from .task import Scores, Task, register

if TYPE_CHECKING:
    from ..models.vlm import VLM


def predict(vlm: VLM, exam: Exam) -> list[str]:
    """A greedy answer to every question."""
    pictures = exam.pictures(vlm.side)
    answers = vlm.answer([pictures[i] for i, _ in exam.asked], [question.text for _, question in exam.asked])
    return [answer.text for answer in answers]


def score(answers: list[str], exam: Exam) -> Scores:
    """Share of right answers, over all questions and for every type.

    >>> from types import SimpleNamespace as Any
    >>> from multiflow_core.data.dataset import Question
    >>> asked = [(0, Question("what color is the cat", "red", "color")), (0, Question("how many", "one", "count"))]
    >>> score(["red", "two"], Any(asked=asked))
    {'all': 0.5, 'color': 1.0, 'count': 0.0}
    """
    by_type: dict[str, list[bool]] = {"all": []}
    for answer, (_, question) in zip(answers, exam.asked, strict=True):
        by_type["all"].append(answer == question.answer)
        by_type.setdefault(question.type, []).append(answer == question.answer)
    return {name: sum(right) / len(right) for name, right in by_type.items()}


register(
    Task(
        name="vqa",
        title="VQA",
        figure="all",
        unit="right answers",
        lacks="no decoder that answers questions",
        can=lambda vlm: "vqa" in vlm.tasks,
        predict=predict,
        score=score,
        told={"all": "VQA"},
        carded={"all": "VQA, all types"},
        place=3,
        counts={"questions": lambda exam: len(exam.asked)},
    )
)
