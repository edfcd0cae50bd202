"""Answers: each question about its own picture, exact match, and a share for every type."""

from types import SimpleNamespace

import pytest

from multiflow_core.data.dataset import Exam, Question
from multiflow_core.tasks import vqa

ASKED = (
    (2, Question("what color is the cat", "red", "color")),
    (0, Question("how many cats are there", "two", "count")),
    (0, Question("how many things are there", "four", "count")),
    (1, Question("where is this", "night", "setting")),
)


def test_questions_go_with_the_picture_that_they_are_about():
    data = SimpleNamespace(pictures=lambda items, side: [f"{item} at {side}" for item in items])
    vlm = SimpleNamespace(
        side=96, answer=lambda pictures, texts: [SimpleNamespace(text=pair) for pair in zip(pictures, texts)]
    )
    found = vqa.predict(vlm, Exam(data, "test", ("a", "b", "c"), ("",) * 3, ASKED))
    assert found == [(f"{'abc'[i]} at 96", question.text) for i, question in ASKED]


def test_shares_of_right_answers_by_type():
    scores = vqa.score(["red", "two", "three", "nights"], SimpleNamespace(asked=ASKED))
    assert scores == {"all": 0.5, "color": 1.0, "count": 0.5, "setting": 0.0}


def test_an_answer_for_every_question():
    with pytest.raises(ValueError, match="zip"):
        vqa.score(["red"], SimpleNamespace(asked=ASKED))


def test_ten_answers_and_one_are_judged_each_in_its_own_way():
    people = ("2",) * 3 + ("three",) * 7
    asked = (
        (0, Question("how many dogs", "three", "number", people)),
        (0, Question("how many cats", "two", "number")),
        (1, Question("is it day", "yes", "", ("yes",) * 10)),
    )
    scores = vqa.score(["Two", "Two", "Yes."], SimpleNamespace(asked=asked))
    assert scores == {"all": pytest.approx((0.9 + 0 + 1) / 3), "number": pytest.approx(0.45)}
    assert scores["all"].pictures.tolist() == [0, 0, 1]


def test_questions_without_a_type_are_in_no_type():
    asked = ((0, Question("what", "red")), (1, Question("what", "red", "all")))
    assert vqa.score(["red", "blue"], SimpleNamespace(asked=asked)) == {"all": 0.5}
