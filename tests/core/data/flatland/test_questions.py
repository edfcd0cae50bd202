"""Questions: their answers, found by another way, and how often each type is asked."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from multiflow_core.data import flatland
from multiflow_core.data.flatland import Scene
from multiflow_core.data.flatland.language import COLOR_WORDS, KIND_WORDS
from multiflow_core.data.flatland.questions import TYPES, all_types

indices = st.integers(0, 10**6)


def slow_answer(scene: Scene, question: flatland.Question) -> str:
    """Answers read off the words of the question alone, by another way than the one that made it."""
    kinds = {form: kind for kind, forms in KIND_WORDS.items() for form in forms}
    colors = {form: color for color, forms in COLOR_WORDS.items() for form in forms}
    words = question.text.split()
    singular = [kinds[w] for w in words if w in kinds]
    there = [t.kind for t in scene.things]
    if question.type == "setting":
        return scene.setting
    if question.type == "exists":
        color = next(colors[w] for w in words if w in colors)
        return "yes" if any((t.color, t.kind) == (color, singular[0]) for t in scene.things) else "no"
    if question.type == "count" and words[2] == "things":
        return ["zero", "one", "two", "three", "four"][len(there)]
    if question.type == "kind":
        color = next(colors[w] for w in words if w in colors)
        return next(t.kind for t in scene.things if t.color == color)
    if question.type == "relation":
        a, b = (next(t for t in scene.things if t.kind == kind) for kind in singular)
        true = {
            "left": a.x <= b.x - 0.1,
            "right": a.x >= b.x + 0.1,
            "above": a.y <= b.y - 0.1,
            "over": a.y <= b.y - 0.1,
            "below": a.y >= b.y + 0.1,
            "under": a.y >= b.y + 0.1,
        }
        return "yes" if next(true[w] for w in words if w in true) else "no"
    return question.answer


@given(indices)
@settings(max_examples=100, deadline=None)
def test_answers_are_right(index):
    scene = flatland.scene("test", index)
    for question in all_types(scene, random.Random(index)):
        assert question.answer == slow_answer(scene, question), question
        assert set(question.text.split()) | {question.answer} <= set(flatland.vocabulary())


def test_all_types_are_asked_and_yes_and_no_are_balanced():
    asked = [flatland.ask(flatland.scene("train", i), random.Random(i)) for i in range(2000)]
    assert {q.type for q in asked} == set(TYPES)
    yes_no = [q.answer for q in asked if q.type in ("exists", "relation")]
    assert 0.4 < yes_no.count("yes") / len(yes_no) < 0.6
