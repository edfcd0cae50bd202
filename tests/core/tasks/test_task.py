"""What holds for every task of the registry."""

from types import SimpleNamespace

import pytest

from multiflow_core.data import dataset
from multiflow_core.tasks.task import TASKS, Task, tasks, tasks_of

EXAM = dataset.open().exam("val", 4, 2, 1)


def test_tasks_come_in_the_order_of_their_places(monkeypatch):
    monkeypatch.setattr(TASKS, "_entries", dict(TASKS._entries))
    known = tasks()
    assert [task.place for task in known] == sorted(task.place for task in known)
    first, last = (
        Task(name, name, "f", "u", "l", lambda vlm: vlm.able, None, None, {}, {}, place)
        for name, place in (("zeroth", 0), ("grounding", 100))
    )
    TASKS.register(last), TASKS.register(first)
    assert tasks() == (first, *known, last)
    assert tasks_of(SimpleNamespace(able=True, tasks=("vqa",))) == (first, TASKS.get("vqa"), last)
    assert tasks_of(SimpleNamespace(able=False, tasks=())) == ()


@pytest.mark.parametrize("task", tasks(), ids=lambda task: task.name)
def test_every_task_measures_what_it_tells(task, vlm):
    assert task.can(vlm) and not task.can(SimpleNamespace(tasks=()))
    scores = task.measure(vlm, EXAM)
    assert {task.figure, *task.told, *task.carded} <= set(scores)
    assert all(type(value) is float and 0 <= value <= 1 for value in scores.values())
    assert scores == task.score(task.predict(vlm, EXAM), EXAM)


@pytest.mark.parametrize("task", tasks(), ids=lambda task: task.name)
def test_every_task_has_words(task):
    assert task.title and task.unit and task.lacks.startswith("no ")
    assert next(iter(task.told)) == task.figure
