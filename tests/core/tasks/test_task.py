"""The tasks there are, in order, and those that a model can do."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from multiflow_core.data.dataset import Exam, Question
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


BARE = Exam(SimpleNamespace(judge=lambda captions, items: None), "test", "ab", ())


@pytest.mark.parametrize(
    ("exam", "asked"),
    [
        (BARE, []),
        (replace(BARE, texts=("a", "b")), ["retrieval"]),
        (replace(BARE, texts=("a", "b"), captioned=1), ["retrieval", "captioning"]),
        (replace(BARE, captioned=1), []),
        (replace(BARE, asked=((0, Question("what", "this")),)), ["vqa"]),
        (replace(BARE, queries=(("thing", "a red cat"),)), ["queries"]),
        (replace(BARE, classes=("x", "y"), labels=(1, 0)), ["classification"]),
    ],
)
def test_an_exam_asks_for_what_it_has(exam, asked):
    able = SimpleNamespace(tasks=("retrieval", "captioning", "vqa"))
    assert [task.name for task in tasks_of(able, exam)] == asked
    assert [part for task in tasks_of(able, exam) for part in task.counts if not task.counts[part](exam)] == []


def test_the_headline_is_the_best_that_was_measured():
    task = Task(
        "t", "T", "sure", "sure ones", "l", None, None, None, {}, {}, otherwise={"near": "near ones", "far": "far"}
    )
    assert [task.headline(scores) for scores in ({"far": 0, "near": 1}, {"far": 0}, {"far": 0, "sure": 1}, {})] == [
        "near",
        "far",
        "sure",
        "sure",
    ]
    assert (task.unit_of({"near": 1}), task.unit_of({"sure": 1}), task.unit_of({})) == (
        "near ones",
        "sure ones",
        "sure ones",
    )
