"""The tasks there are, in order, and those that a model can do."""

from types import SimpleNamespace

from multiflow_core.tasks.task import TASKS, Task, tasks, tasks_of


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
