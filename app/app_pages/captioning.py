"""What each model says about a picture, word by word."""

from __future__ import annotations

import streamlit as st

from app.engine import runs, shipped
from app.facts import climb, gallery, pace, truth
from app.look.words import percent
from app.markup import cards
from app.parts import ahead, ladder_panel, picture_picker, ui
from app.state import Run

ABOUT = (
    "Both models describe the same picture, one word at a time, always taking the likeliest next word. The bar under a word "
    "is as strong as the model was sure of it; point at a word for the number. Words struck through are false of the "
    "picture: Flatland draws its pictures itself, so it knows; of other pictures nobody does, and none is struck. A dashed "
    "frame marks words that only one of the two says."
)
ABOUT_LADDER = (
    "The captions of ever sparser models. A **dot** is a sparsity that was tried, a **band** joins dots with the same caption: "
    "green and ✓ true of the picture, red and ✗ false, violet where nobody knows. Tried at 0, 10, … 90 %, and by halving down "
    "to 1 % where the dense model's caption first changes and where captions first become false; between other dots nothing "
    "was tried. A caption may come back."
)


def show(settings: Run) -> None:
    st.title("Captioning: what does each model say?")
    with ui.working() as progress:
        dense = runs.vlm(settings.model, progress)
    if not ui.able(dense, "captioning", settings):
        return
    with st.container(key="wrap_asked_captions"):
        left, right = st.columns([4, 8], gap="large")
        picture = picture_picker.choose(settings.data, left.container(), left.container())
    with right:
        said = _captions(settings, picture)
        if ladder_panel.wanted(settings, "caption", cheap=True):
            ladder_panel.show(climb.captions(settings, picture, said), ABOUT_LADDER)
    ahead.fetch(settings, picture.id, lambda at, told: gallery.caption(at, picture, told))


def _captions(settings: Run, picture: gallery.Picture) -> gallery.Caption:
    """Both captions; returns the dense model's."""
    keys = settings.unpruned, settings
    name = f"{runs.title(keys[1])} at {percent(settings.sparsity)}"
    with ui.working() as progress:
        captions = [gallery.caption(key, picture, progress) for key in keys]
    dense = runs.vlm(settings.model)
    said = truth.marked(*(truth.judged(one, picture, truth.at_home(dense)) for one in captions))
    ui.heading(finding(name, *said), ABOUT, "captions")
    for side, title, caption in zip(
        ("dense", "pruned"), (f"{runs.dense_title(keys[0])} says", f"{name} says"), said, strict=True
    ):
        if side == "pruned" and (before := shipped.before(settings, "captioning")):
            _before(before, picture)
        with st.container(key=f"caption_{side}"):
            st.html(cards.caption_card(title, caption, side))
    st.html(cards.legend(judged=any(one.true is not None for one in said)))
    if picture.scene is not None:
        st.caption(f"What is really there: *{gallery.caption_of(picture.scene)}*.")
    with ui.working() as progress:
        ui.note(pace.sentence(settings, "captioning", progress))
    picture_picker.written(picture)
    ui.loud(truth.strange(dense, picture.scene is not None))
    return captions[0]


def _before(key: Run, picture: gallery.Picture) -> None:
    """What the same pruned model said before it was fine-tuned."""
    with ui.working() as progress:
        caption = gallery.caption(key, picture, progress)
    said = truth.judged(caption, picture, truth.at_home(runs.vlm(key.model)))
    title = f"{runs.title(key.order)} at {percent(key.sparsity)}, before it was fine-tuned, says"
    st.html(cards.caption_card(title, said, "rival"))


def finding(name: str, dense: cards.Said, pruned: cards.Said) -> str:
    """The page's finding in one sentence."""
    words = [[word.text for word in said.words] for said in (dense, pruned)]
    if words[0] == words[1]:
        return f"{name} says exactly what the dense model says"
    if None in (dense.true, pruned.true):
        same = len(set(words[0]) & set(words[1]))
        return f"{name} shares {same} of {len(set(words[0]))} words with the dense model"
    if pruned.true:
        return (
            f"{name} says something else, and it is true as far as it goes"
            if dense.true
            else f"{name} gets right what the dense model got wrong"
        )
    if not pruned.understood:
        return f"{name} no longer forms a sentence about this picture"
    wrong = sum(word.false for word in pruned.words)
    return f"{name} says {wrong or 'something'} {'false word' if wrong == 1 else 'false words' if wrong else 'false'}"


ui.page(show)
