"""Captions: only as many as are asked for, and judged by who knows."""

from types import SimpleNamespace

import pytest

from multiflow_core.data.dataset import Exam
from multiflow_core.data.flatland import Flatland, Scene, Thing
from multiflow_core.tasks import captioning

CAT = Scene("day", (Thing("cat", "red", "small", 0.5, 0.5),))


def exam(data, captioned: int) -> Exam:
    return Exam(data, "test", (CAT,) * 4, ("a red cat",) * 4, captioned=captioned)


def test_the_first_pictures_are_described():
    vlm = SimpleNamespace(side=64, caption=lambda pictures: [SimpleNamespace(text=str(len(pictures)))] * len(pictures))
    assert captioning.predict(vlm, exam(Flatland(), 3)) == ["3", "3", "3"]


def test_true_complete_and_understood_are_shares_of_all_captions():
    said = ["a small red cat by day", "a red cat", "a blue cat", "cat cat red", "no dogs"]
    scores = captioning.score(said, Exam(Flatland(), "test", (CAT,) * 5, ("",) * 5, captioned=5))
    assert scores == {"true": pytest.approx(0.4), "complete": pytest.approx(0.2), "understood": pytest.approx(0.8)}


def test_where_nobody_knows_the_truth_there_are_no_figures():
    unknown = SimpleNamespace(judge=lambda captions, items: None)
    assert captioning.score(["a red cat"], exam(unknown, 1)) == {}


def test_each_caption_is_held_against_its_own_item():
    asked = []
    data = SimpleNamespace(judge=lambda captions, items: asked.extend(zip(captions, items, strict=True)))
    captioning.score(["a", "b"], Exam(data, "test", ("x", "y", "z"), ("",) * 3, captioned=2))
    assert asked == [("a", "x"), ("b", "y")]
