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
        figure: the name of the headline figure in the scores; unit: what a reader calls it. See `headline`.
        lacks: what a model has not that cannot do it, after "has".
        can: whether a model can do it.
        predict: predict(vlm, exam) -> what the model finds, says or answers.
        score: score(predictions, exam) -> {figure: value}; a value may be a `figures.Figure`, which has an interval.
        told: {figure: its name} of the figures that are told of a run in one line.
        carded: {figure: its name} of those on a model card.
        counts: {name in a result file: count(exam)}: how much of an exam the task takes, besides all items, and in which words.
        asks: whether an exam asks for it: without texts nothing is searched, without questions nothing is answered.
        otherwise: {figure: its unit} of what is the headline where `figure` could not be measured, the best first.
        most: {figure: its highest value} of those that are no shares.
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
    counts: Mapping[str, Callable[[Exam], Any]] = field(default_factory=dict)
    asks: Callable[[Exam], bool] = lambda exam: True
    otherwise: Mapping[str, str] = field(default_factory=dict)
    most: Mapping[str, float] = field(default_factory=dict)

    def measure(self, vlm: VLM, exam: Exam) -> Scores:
        """The figures of a model."""
        return self.score(self.predict(vlm, exam), exam)

    def headline(self, scores: Mapping[str, float]) -> str:
        """The name of the headline figure among those that were measured.

        >>> captioning = TASKS.get("captioning")
        >>> captioning.headline({"true": 0.9, "CIDEr-D": 1.2}), captioning.headline({"BLEU-4": 0.3, "CIDEr-D": 1.2})
        ('true', 'CIDEr-D')
        """
        return next((name for name in (self.figure, *self.otherwise) if name in scores), self.figure)

    def unit_of(self, scores: Mapping[str, float]) -> str:
        """What a reader calls that figure."""
        return self.otherwise.get(self.headline(scores), self.unit)


TASKS: Registry[Task] = Registry("task", __package__)
register = TASKS.register


def tasks() -> tuple[Task, ...]:
    """All tasks, in the order in which people meet them.

    >>> [task.title for task in tasks()][:3]
    ['Retrieval', 'Captioning', 'VQA']
    """
    return tuple(sorted(TASKS.all(), key=lambda task: (task.place, task.name)))


def tasks_of(vlm: VLM, exam: Exam | None = None) -> tuple[Task, ...]:
    """Those that a model can do, and that an exam asks for where one is given."""
    return tuple(task for task in tasks() if task.can(vlm) and (exam is None or task.asks(exam)))
