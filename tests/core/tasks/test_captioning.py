"""Captions: only as many as are asked for, and judged by who knows."""

from types import SimpleNamespace

import pytest

from multiflow_core.data.dataset import Exam
from multiflow_core.data.flatland import Flatland, Scene, Thing
from multiflow_core.tasks import captioning
from multiflow_core.tasks.task import TASKS

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


UNKNOWN = SimpleNamespace(judge=lambda captions, items: None)


def test_where_nobody_knows_the_truth_captions_are_held_against_texts():
    """Two pictures with a text, one with two, one with none, which does not count; only three are described."""
    texts = ("A red cat sits on a mat.", "two dogs", "the sea", "a beach at night with two boats")
    asked = Exam(UNKNOWN, "test", "abcd", texts, captioned=3, of=(0, 1, 1, 3))
    scores = captioning.score(["a red cat sits on a mat", "the sea", "whatever"], asked)
    assert list(scores) == ["CIDEr-D", "BLEU-4", "ROUGE-L"]
    assert scores["ROUGE-L"] == 1.0 and scores["ROUGE-L"].pictures.tolist() == [0, 1]
    assert scores["BLEU-4"] == pytest.approx(1.0)  # nine words of nine, five threes of five: the short one has none
    assert scores["CIDEr-D"] == pytest.approx(
        (10 + 10 * 2 / 4 / 2) / 2
    )  # one of two texts, and no runs of three or four
    task = TASKS.get("captioning")
    assert (task.headline(scores), task.unit_of(scores)) == ("CIDEr-D", "CIDEr-D")


def test_where_nobody_knows_and_there_are_no_texts_nothing_is_asked():
    task = TASKS.get("captioning")
    bare = Exam(UNKNOWN, "test", "abcd", (), captioned=3)
    assert captioning.score(["a red cat"], bare) == {} and not task.asks(bare)
    assert task.asks(exam(UNKNOWN, 1)) and not task.asks(exam(Flatland(), 0))
    assert task.asks(Exam(Flatland(), "test", (CAT,), (), captioned=1))


def test_each_caption_is_held_against_its_own_item():
    asked = []
    data = SimpleNamespace(judge=lambda captions, items: asked.extend(zip(captions, items, strict=True)))
    captioning.score(["a", "b"], Exam(data, "test", ("x", "y", "z"), ("",) * 3, captioned=2))
    assert asked == [("a", "x"), ("b", "y")]
