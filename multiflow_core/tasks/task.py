"""What a task is. Adding one = one file in this room that calls `register`. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..data.dataset import Exam
from ..support.registry import Registry

if TYPE_CHECKING:
    from ..models.vlm import VLM

Scores = dict[str, float]


@dataclass(frozen=True)
class Task:
    """Something a model can be asked, and how well it does.

    >>> TASKS.get("vqa").unit
    'right answers'

    Attributes:
        name, title: for code and for people. place: among the others, lowest first.
        figure: the name of the headline figure in the scores; unit: what a reader calls it.
        lacks: what a model has not that cannot do it, after "has".
        can: whether a model can do it.
        predict: predict(vlm, exam) -> what the model finds, says or answers.
        score: score(predictions, exam) -> {figure: value}.
        told: {figure: its name} of the figures that are told of a run in one line.
        carded: {figure: its name} of those on a model card.
        counts: {name in a result file: count(exam)}: how much of an exam the task takes, besides all items.
    """

    name: str
    title: str
    figure: str
    unit: str
    lacks: str
    can: Callable[[VLM], bool]
    predict: Callable[[VLM, Exam], Any]
    score: Callable[[Any, Exam], Scores]
    told: Mapping[str, str]
    carded: Mapping[str, str]
    place: int = 100
    counts: Mapping[str, Callable[[Exam], int]] = field(default_factory=dict)

    def measure(self, vlm: VLM, exam: Exam) -> Scores:
        """The figures of a model."""
        return self.score(self.predict(vlm, exam), exam)


TASKS: Registry[Task] = Registry("task", __package__)
register = TASKS.register


def tasks() -> tuple[Task, ...]:
    """All tasks, in the order in which people meet them.

    >>> [task.title for task in tasks()][:3]
    ['Retrieval', 'Captioning', 'VQA']
    """
    return tuple(sorted(TASKS.all(), key=lambda task: (task.place, task.name)))


def tasks_of(vlm: VLM) -> tuple[Task, ...]:
    """Those that a model can do."""
    return tuple(task for task in tasks() if task.can(vlm))
