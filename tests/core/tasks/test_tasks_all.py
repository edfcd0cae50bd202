"""Claims that every registered task must keep, also one added tomorrow."""

from dataclasses import replace

import pytest

from multiflow_core import load
from multiflow_core.experiments.benchmark import full_exam
from multiflow_core.experiments.sweep import describe
from multiflow_core.models.vlm import BUILT_IN
from multiflow_core.tasks.figures import intervals
from multiflow_core.tasks.task import tasks, tasks_of


@pytest.mark.parametrize("task", tasks(), ids=lambda task: task.name)
def test_claims(task):
    able = [vlm for vlm in map(load, BUILT_IN) if task.can(vlm)]
    assert able, "no built-in model can do it"
    exam = replace(full_exam("test", 4), classes=("a cat", "a car", "a tree"), labels=(0, 1, 2, 0), rerank=2)
    assert task.asks(exam) and task in tasks_of(able[0], exam)
    scores = task.measure(able[0], exam)
    assert {task.figure, *task.told, *task.carded, *task.otherwise} <= set(scores)
    assert task.headline(scores) == task.figure and task.unit_of(scores) == task.unit
    assert all(0 <= value <= task.most.get(figure, 1) for figure, value in scores.items())
    assert all(low <= scores[figure] <= high for figure, (low, high) in intervals(scores).items())
    assert task.measure(able[0], exam) == scores
    assert task.title and task.unit and task.lacks
    assert {part: describe(able[0], exam)[part] for part in task.counts} == {
        part: count(exam) for part, count in task.counts.items()
    }
