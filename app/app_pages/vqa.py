"""Questions about a picture: what each model answers, and at which sparsity the answer flips."""

from __future__ import annotations

import streamlit as st

from app import state
from app.charts.answers import FirstWords
from app.engine import runs, shipped
from app.facts import climb, gallery, truth, typed_text
from app.look.words import percent
from app.markup import cards
from app.parts import ahead, ladder_panel, picture_picker, text_field, ui
from app.state import TUNED, Run

ABOUT = (
    "Both models read the same question about the same picture and write an answer, one word at a time. The bar under an "
    "answer is as strong as the model was sure of it; a wrong answer is struck through. Flatland draws its pictures itself, "
    "so it knows what is right; of other pictures it is what people answered, where they were asked."
)
ABOUT_WORDS = (
    "How likely each model found each word as the first of its answer: the likeliest words of either model. ✓ marks the "
    "right one. Pruning often shifts these bars long before the answer flips."
)
ABOUT_LADDER = (
    "The same question to models of rising sparsity. A **dot** is a sparsity that was asked, a **band** joins dots with the "
    "same answer: green and ✓ right, red and ✗ wrong, violet where nobody knows. Asked at 0, 10, … 90 %, and by halving down "
    "to 1 % where the dense model's answer first changes; between other dots nothing was asked. An answer may come back."
)


def show(settings: Run) -> None:
    st.title("VQA: what does each model answer?")
    with ui.working() as progress:
        dense = runs.vlm(settings.model, progress)
    if not ui.able(dense, "vqa", settings):
        return
    with st.container(key="wrap_asked_vqa"):
        left, right = st.columns([4, 8], gap="large")
        picture = picture_picker.choose(settings.data, left.container(), left.container())
    with right:
        with ui.asked("question"):
            examples = typed_text.questions(picture)
            hint, first = "what color is the car", typed_text.like_the_usual(examples) if settings.form == TUNED else ""
            text_field.field(state.QUESTION, "Question", hint, ":material/help_center:", examples, first)
        question = text_field.checked(state.QUESTION, dense, typed_text.QUESTION)
        if question.usable:
            _answers(settings, picture, question.text)


def _answers(settings: Run, picture: gallery.Picture, question: str) -> None:
    key = settings
    name = f"{runs.title(key)} at {percent(settings.sparsity)}"
    right, why = truth.right_answer(question, picture)
    with ui.working() as progress:
        said = [gallery.answer(k, picture, question, progress) for k in (settings.unpruned, key)]
    replies = [truth.replied(answer, right, question, picture) for answer in said]
    ui.heading(finding(question, name, *replies), ABOUT, "answers")
    before = shipped.before(key, "vqa")
    places = list(st.columns(3 if before else 2, gap="small"))
    if before:
        with places.pop(1):
            _before(before, picture, question, right)
    for place, side, title, reply in zip(
        places, ("dense", "pruned"), (f"{runs.dense_title(key)} answers", f"{name} answers"), replies, strict=True
    ):
        with place, st.container(key=f"answer_{side}"):
            st.html(cards.answer_card(title, reply, side))
    if right is None:
        st.caption(f"The lab does not know the right answer: {ui.verbatim(why)}.")
    ui.loud(truth.strange(runs.vlm(settings.model), picture.scene is not None))
    if ladder_panel.wanted(settings, "answer", cheap=True):
        ladder_panel.show(climb.answers(key, picture, question, said[0], right), ABOUT_LADDER)
    ui.chart(FirstWords(name, said[0].alternatives, said[1].alternatives, right), "first_words", ABOUT_WORDS)
    ahead.fetch(key, (picture.id, question), lambda at, told: gallery.answer(at, picture, question, told))


def _before(key: Run, picture: gallery.Picture, question: str, right: str | None) -> None:
    """What the same pruned model answered before it was fine-tuned."""
    with ui.working() as progress:
        answer = gallery.answer(key, picture, question, progress)
    title = f"{runs.title(key.order)} at {percent(key.sparsity)}, before, answers"
    st.html(cards.answer_card(title, truth.replied(answer, right, question, picture), "rival"))


def finding(question: str, name: str, dense: cards.Reply, pruned: cards.Reply) -> str:
    """The page's finding in one sentence."""
    asked = f"“{question[:60]}…”" if len(question) > 60 else f"“{question}”"
    if dense.text == pruned.text:
        verdict = {True: ", and is right", False: ", and is wrong", None: ""}[dense.true]
        return f"{asked}: {name} answers as the dense model does{verdict}"
    if dense.true and pruned.true:
        return f"{asked}: {name} answers in another word, and both are right"
    if dense.true or pruned.true:
        who = "only the dense model" if dense.true else f"only {name}"
        return f"{asked}: {who} is right"
    return f"{asked}: {name} answers something else" + (", and both are wrong" if dense.true is False else "")


ui.page(show)
