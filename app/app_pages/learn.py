"""The lesson: ten steps from what comes in to which weight goes, on a layer in which every number can be changed."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app import state
from app.engine import checkpoints, runs
from app.lesson import STEPS, Step, printed, small_layers
from app.lesson.small_layers import Lesson
from app.lesson.step import reminder
from app.look.words import percent
from app.markup import matrices
from app.parts import address, lesson_panel, selection, theme, ui
from app.state import Run


def show(settings: Run) -> None:
    st.title("Learn: which weights go, and why?")
    at, hidden = lesson_panel.where()
    step = STEPS[at - 1]
    st.markdown(f"## {at}. {step.title}")
    with st.container(key="wrap_learn"):
        left, right = st.columns([2, 3], gap="large")
    with left:
        words, below_words = st.container(), st.container()
    with right:
        pictures, below_pictures = st.container(), st.container()
    # what the reader changes and answers comes first, so that the words and pictures above already know
    with below_pictures:
        if step.edits:
            lesson_panel.edit(step)
    with below_words:
        lesson = _lesson(settings, _real_layer(settings) if step.real else None)
    with words:
        _explain(step, lesson)
    with below_words:
        shown = lesson_panel.ask(step.exercise(lesson), at, hidden) if step.exercise else not step.game
    with pictures:
        if step.game:
            shown = lesson_panel.play(lesson, hidden)
        if shown or not step.game:
            drawn = *step.pictures(lesson, shown), *reminder(step, lesson, shown)
            st.html(matrices.side_by_side(drawn, theme.palette()))
        if shown:
            st.markdown(step.moral(lesson))
    _foot(settings, hidden)


def _explain(step: Step, lesson: Lesson) -> None:
    st.markdown(step.text(lesson))
    if step.formula:
        st.latex(step.formula.latex)
        st.caption(step.formula.signs)


def _lesson(settings: Run, layer: str | None = None) -> Lesson:
    """All that the steps are about, with the numbers in force; a real layer only where one is asked for."""
    weights, tokens = lesson_panel.current(state.LESSON_WEIGHTS), lesson_panel.current(state.LESSON_TOKENS)
    scale = float(address.now(state.SCALE))
    real = None
    if layer:
        with ui.working() as progress:
            real = small_layers.excerpt(settings.model, layer, settings.sparsity, progress)
    return Lesson(small_layers.small(weights, tokens), small_layers.towers(weights, tokens, scale), real)


def _real_layer(settings: Run) -> str:
    with ui.working() as progress:
        layers = runs.vlm(settings.model, progress).layers
    name = selection.layer(layers).name
    st.page_link("app_pages/why.py", label="Ask about any single weight of this layer", icon=":material/help_center:")
    st.page_link("app_pages/overview.py", label="See what pruning does to the whole model", icon=":material/grid_view:")
    return name


def _foot(settings: Run, hidden: bool) -> None:
    """Paper, and what the sidebar has to do with all this."""
    with ui.controls("lesson"), st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.download_button(
            "The lesson on paper",
            partial(printed.page, _lesson(settings), not hidden),
            "pruning-lesson.html",
            "text/html",
            icon=":material/print:",
            key="print",
            on_click="ignore",
            help="One file to print, with your numbers; it needs no network. The answers are at its end, unless they are hidden.",
        )
        st.caption(
            f"The lesson has its own small layer; only step 10 looks at {ui.verbatim(checkpoints.title(settings.model))}, at "
            f"{percent(settings.sparsity)}. What {runs.method(settings.method).title} would do is told, weight by weight, under "
            "*Why this weight?*."
        )


ui.page(show)
