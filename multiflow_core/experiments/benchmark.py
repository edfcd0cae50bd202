"""The zero-shot benchmark: a model's figures on every task that it can do."""

from __future__ import annotations

from collections.abc import Collection

from ..data import dataset
from ..data.dataset import DataSet, Exam
from ..models.vlm import VLM
from ..support.threads import Progress
from ..tasks.task import Scores, tasks_of


def measure(
    vlm: VLM, exam: Exam, only: Collection[str] | None = None, progress: Progress | None = None
) -> dict[str, Scores]:
    """The figures of every task that the model can do and the exam asks for, or of `only` these: {task: {figure: value}}.

    >>> from multiflow_core import load
    >>> sorted(measure(load("flatland-xvlm"), full_exam("test", 4)))
    ['queries', 'retrieval']
    """
    found = {}
    chosen = [task for task in tasks_of(vlm, exam) if only is None or task.name in only]
    for done, task in enumerate(chosen):
        if progress:
            progress(done / len(chosen), task.name)
        found[task.name] = task.measure(vlm, exam)
    return found


def full_exam(split: str = "test", items: int = 1000, data: str | DataSet = dataset.DEFAULT) -> Exam:
    """What a model card reports: all items for every task."""
    return dataset.open(data).exam(split, items, items, items)


def short_exam(data: str | DataSet = dataset.DEFAULT) -> Exam:
    """1,000 unseen items for retrieval, 200 captions, questions about 100: a quarter of a minute a run on two cores."""
    return dataset.open(data).exam("test", 1000, 200, 100)


def check_asked(vlm: VLM, exam: Exam) -> None:
    """ValueError where an exam on data of one's own asks nothing that the model can do."""
    if exam.data.fingerprint and not tasks_of(vlm, exam):
        raise ValueError(
            f"{exam.data.name} asks nothing that {vlm.name} can do ({', '.join(vlm.tasks) or 'nothing'}): it needs captions for "
            "retrieval and captioning, questions with answers for vqa, at least two classes for classification."
        )
