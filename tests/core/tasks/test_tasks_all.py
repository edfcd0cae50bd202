"""Claims that every registered task must keep, also one added tomorrow."""

import pytest

from multiflow_core import load
from multiflow_core.experiments.benchmark import full_exam
from multiflow_core.experiments.sweep import describe
from multiflow_core.models.vlm import BUILT_IN
from multiflow_core.tasks.task import tasks


@pytest.mark.parametrize("task", tasks(), ids=lambda task: task.name)
def test_claims(task):
    able = [vlm for vlm in map(load, BUILT_IN) if task.can(vlm)]
    assert able, "no built-in model can do it"
    exam = full_exam("test", 4)
    scores = task.measure(able[0], exam)
    assert {task.figure, *task.told, *task.carded} <= set(scores)
    assert all(0 <= value <= 1 for value in scores.values())
    assert task.measure(able[0], exam) == scores
    assert task.title and task.unit and task.lacks
    assert {part: describe(able[0], exam)[part] for part in task.counts} == {
        part: count(exam) for part, count in task.counts.items()
    }
