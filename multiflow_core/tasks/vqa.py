"""Visual question answering (VQA): exact match, over all and by question type."""

from __future__ import annotations

from collections.abc import Sequence

from ..data.flatland import Question


def scores(answers: Sequence[str], questions: Sequence[Question]) -> dict[str, float]:
    """Share of right answers, over all questions and for every type.

    >>> scores(["red", "two"], [Question("what color is the cat", "red", "color"), Question("how many", "one", "count")])
    {'all': 0.5, 'color': 1.0, 'count': 0.0}
    """
    by_type: dict[str, list[bool]] = {"all": []}
    for answer, question in zip(answers, questions, strict=True):
        by_type["all"].append(answer == question.answer)
        by_type.setdefault(question.type, []).append(answer == question.answer)
    return {name: sum(right) / len(right) for name, right in by_type.items()}
