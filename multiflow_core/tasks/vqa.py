"""Visual question answering (VQA): right answers, over all and by question type.

Where one person has answered, an answer is right if it is the same, letter by letter; where several have, by VQA's own rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.dataset import Exam, Question
from .answers import agreement
from .figures import Figure
from .task import Scores, Task, register

if TYPE_CHECKING:
    from ..models.vlm import VLM

ALL = "all"


def predict(vlm: VLM, exam: Exam) -> list[str]:
    """A greedy answer to every question."""
    pictures = exam.pictures(vlm.side)
    answers = vlm.answer([pictures[i] for i, _ in exam.asked], [question.text for _, question in exam.asked])
    return [answer.text for answer in answers]


def right(answer: str, question: Question) -> float:
    """How right an answer is, 0 to 1.

    >>> right("2", Question("how many", "two")), right("2", Question("how many", "2", answers=("two", "2", "2", "2")))
    (0.0, 1.0)
    """
    if len(question.answers) > 1:
        return agreement(answer, question.answers)
    return float(answer == question.answer)


def score(answers: list[str], exam: Exam) -> Scores:
    """Share of right answers, over all questions and for every type.

    >>> from types import SimpleNamespace as Any
    >>> asked = [(0, Question("what color is the cat", "red", "color")), (0, Question("how many", "one", "count"))]
    >>> score(["red", "two"], Any(asked=asked))
    {'all': 0.5, 'color': 1.0, 'count': 0.0}
    """
    by_type: dict[str, list[tuple[float, int]]] = {ALL: []}
    for answer, (picture, question) in zip(answers, exam.asked, strict=True):
        for kind in {ALL, question.type or ALL}:
            by_type.setdefault(kind, []).append((right(answer, question), picture))
    return {kind: Figure(*zip(*outcomes)) for kind, outcomes in by_type.items()}


register(
    Task(
        name="vqa",
        title="VQA",
        figure=ALL,
        unit="right answers",
        lacks="no decoder that answers questions",
        can=lambda vlm: "vqa" in vlm.tasks,
        predict=predict,
        score=score,
        told={ALL: "VQA"},
        carded={ALL: "VQA, all types"},
        place=3,
        counts={"questions": lambda exam: len(exam.asked)},
        asks=lambda exam: len(exam.asked) > 0,
    )
)
