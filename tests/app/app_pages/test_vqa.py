"""VQA as a session sees it, on the shipped checkpoint."""

import pytest

from app.facts import gallery, truth
from tests.app.conftest import filled, plots, texts


def test_a_question_in_the_address_is_answered_and_judged(open_page):
    at = open_page("vqa", scene="5", ask="What colour is the castle?", sparsity="0")
    assert "color" not in at.text_input(key="ask").value
    assert texts(at).count("✓ Right") == 2 and "orange" in texts(at)
    assert "answers as the dense model does, and is right" in texts(at)


def test_examples_fit_the_picture(open_page):
    at = open_page("vqa", scene="12")
    examples = [button.label for button in at.button if button.key.startswith("example_")]
    picture = gallery.picture("", 12)
    assert len(examples) >= 5 and all(truth.right_answer(example, picture)[0] for example in examples)
    at.button(key="example_2").click().run()
    assert at.text_input(key="ask").value == examples[2] and f"“{examples[2]}”" in texts(at)
    at.button(key="scene_27").click().run()
    assert [b.label for b in at.button if b.key.startswith("example_")] != examples


@pytest.mark.parametrize(
    ("question", "part"),
    [("is the castle happy", "'happy' stands where"), ("what color is the dog", "no 'dog' in this picture")],
)
def test_what_the_lab_does_not_know_it_says(open_page, question, part):
    at = open_page("vqa", scene="5", ask=question)
    assert "The lab does not know the right answer: " in texts(at) and part in texts(at)
    assert "✓ Right" not in texts(at) and "✗ Wrong" not in texts(at)


@pytest.mark.parametrize(
    ("question", "part"),
    [("  ", "Type a question"), ("?!", "no words"), ("who " * 90, "characters"), ("hic sunt", "none of these")],
)
def test_a_question_without_a_word_gets_a_sentence(open_page, question, part):
    at = open_page("vqa")
    at.text_input(key="ask").set_value(question).run()
    assert not at.exception and not at.error
    assert len(at.warning) == 1 and part in at.warning[0].value
    assert "<h2>" not in texts(at)


def test_two_models_that_disagree(open_page):
    at = filled(open_page("vqa", scene="5", ask="is there a purple car", sparsity="0.8"))
    assert "“is there a purple car”: only the dense model is right" in texts(at)
    assert "MULTIFLOW answers “yes” up to" in texts(at) and "✗ Wrong" in texts(at)
    assert len(plots(at)) == 2
