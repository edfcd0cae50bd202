"""The lesson on the screen: finding one's way, numbers to change, answers to give, the guessing game."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from .. import state
from ..engine import classes
from ..lesson import STEPS, Exercise, Step, guess
from ..lesson.small_layers import INPUTS, OUTPUTS, Cell, Lesson, Numbers
from ..lesson.step import name
from ..look.words import number, percent
from ..markup import matrices, tally
from ..state.keys import Key
from . import address, session

TABLES: dict[str, tuple[Key[str], str, tuple[str, ...]]] = {
    "weights": (state.LESSON_WEIGHTS, "Weights", tuple(f"output {o}" for o in OUTPUTS)),
    "tokens": (
        state.LESSON_TOKENS,
        "What arrives at the inputs",
        ("pair 1, token 1", "pair 1, token 2", "pair 2, token 1", "pair 2, token 2"),
    ),
}


ROWS = 8  # answers of a class that are shown
LOOK = 2.0  # seconds between two looks at what a class has answered


# --- finding one's way ----------------------------------------------------------------------------------------------


def where() -> tuple[int, bool]:
    """The number of the step, from 1, and whether answers are kept back: the row of buttons over the lesson."""
    with st.container(horizontal=True, vertical_alignment="center", key="steps", gap="small"):
        back, forth, pages = (st.container(width="content") for _ in range(3))
        hidden = _hiding()
    step = pages.pagination(
        len(STEPS),
        default=state.STEP.default,
        **address.bound(state.STEP),
        max_visible_pages=None,
    )
    back.button(
        "Back", on_click=_go, args=(-1,), icon=":material/arrow_back:", shortcut="B", key="back", disabled=step == 1
    )
    forth.button(
        "Next",
        on_click=_go,
        args=(1,),
        icon=":material/arrow_forward:",
        icon_position="right",
        shortcut="N",
        key="next",
        type="primary",
        disabled=step == len(STEPS),
    )
    return step, hidden


def _go(by: int) -> None:
    session.put(state.STEP, min(len(STEPS), max(1, session.get(state.STEP) + by)))


def _hiding() -> bool:
    """Whether the answers are to be kept back: the instructor's view, which a link can ask for."""
    if not session.has(state.HIDING):
        session.put(state.HIDING, bool(address.now(state.ANSWERS)))
    hidden = st.toggle(
        "Hide the answers",
        key=state.HIDING.name,
        persist_state="session",
        help="The instructor's view, for a class: every answer is kept back until somebody gives it. A link with "
        "`answers=hidden` opens it so.",
    )
    address.keep(state.ANSWERS, "hidden" if hidden else "")
    return hidden


# --- numbers to change ----------------------------------------------------------------------------------------------


def current(key: Key[str]) -> Numbers:
    """The numbers in force: as changed in this session, else as the address says, else the lesson's own."""
    return state.numbers_of(address.now(key))


def edit(step: Step) -> None:
    """Editors for what the reader can change in this step; what they change is in force at once, and in the address."""
    with st.expander(
        "Change the numbers: everything is worked out anew at once", icon=":material/edit:", expanded=True
    ):
        if "scale" in step.edits:
            _scale()
        for which in step.edits:
            if which in TABLES:
                _editor(*TABLES[which])
        if set(step.edits) & set(TABLES):
            st.button("The lesson's own numbers", on_click=_reset, icon=":material/restart_alt:", key="reset")


def _editor(key: Key[str], title: str, rows: Sequence[str]) -> None:
    """A table of numbers. An editor keeps its own changes, so it is given the same numbers as long as it is on the screen."""
    widget = f"{key.name}_editor_{session.get(state.EDITORS)}"
    if widget not in st.session_state:
        session.put(state.EDITED, session.get(state.EDITED) | {key.name: current(key)})
    columns = [f"input {i}" for i in INPUTS]
    st.caption(title)
    config = st.column_config.NumberColumn(
        min_value=-state.LARGEST, max_value=state.LARGEST, step=0.01, format="plain", width="small"
    )
    edited = st.data_editor(
        pd.DataFrame(session.get(state.EDITED)[key.name], index=list(rows), columns=columns, dtype=float),
        key=widget,
        alt=title,
        column_config=dict.fromkeys(columns, config),
        width="content",
    )
    numbers = [[0.0 if math.isnan(x) else x for x in row] for row in edited.to_numpy()]
    address.keep(key, state.text_of(numbers))


def _scale() -> None:
    label = "How large are the text weights? (At 100 % they are as large as those of vision.)"
    names = {scale: percent(float(scale)) for scale in state.SCALES}
    address.choose(st.segmented_control, label, state.SCALE, names, required=True)


def _reset() -> None:
    session.put(state.EDITORS, session.get(state.EDITORS) + 1)
    for key, *_ in TABLES.values():
        address.keep(key, key.default)


# --- answers --------------------------------------------------------------------------------------------------------


def ask(exercise: Exercise, step: int, hidden: bool) -> bool:
    """Put the question; True once the answer was given, also for other numbers since then, or asked for."""
    with st.container(border=True, key="exercise"):
        st.markdown(f"**Exercise.** {exercise.question}")
        verdict = st.container()  # above the field: there it is in view on a low screen
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            given = st.number_input(
                "Your answer",
                value=None,
                step=0.01,
                format="%g",
                key=f"answer_{step}",
                placeholder="a number",
                width=190,
                persist_state="page",
            )
            shown = not hidden and st.toggle("Show the answer", key=f"show_{step}", persist_state="page")
        right = given is not None and exercise.right(given)
        solved = session.get(state.SOLVED)
        if right:
            solved = {**solved, step: given}
            session.put(state.SOLVED, solved)
            verdict.success(f"Right! {exercise.why}", icon=":material/check_circle:")
        elif given is not None and solved.get(step) == given:
            verdict.info("The numbers have changed: with these the answer is another one.", icon=":material/replay:")
        elif given is not None:
            verdict.warning("Not quite. Look again, or try another number.", icon=":material/replay:")
        if shown and not right:
            verdict.info(exercise.why, icon=":material/lightbulb:")
        _collect(exercise, step, given, hidden)
    return shown or step in solved


def _collect(exercise: Exercise, step: int, given: float | None, hidden: bool) -> None:
    """In a class: hand this answer in; or, in the instructor's view, what was handed in."""
    code = address.now(state.CLASS)
    address.keep(state.CLASS, code)
    if code and not hidden and given is not None:
        classes.give(code, step, session.owner(), given)
        st.caption("Your answer has been handed in, without a name.")
    elif code and hidden:
        st.fragment(_class, run_every=LOOK)(code, exercise, step)
    elif hidden:
        st.button(
            "Collect the answers of a class",
            icon=":material/groups:",
            key="collect",
            type="tertiary",
            on_click=_begin_class,
            help="Makes a link to hand on. Answers that are given there are counted here: no names, nothing is stored.",
        )


def _class(code: str, exercise: Exercise, step: int) -> None:
    """How many gave which answer, as they come in; which is right is told once the answers are no longer kept back."""
    counts = classes.given(code, step)
    many = sum(number for _, number in counts)
    st.caption(
        f"{many} {'answer' if many == 1 else 'answers'} so far. The class opens this page with `class={code}` in place of "
        "`answers=hidden` in its address."
    )
    shown = session.get(state.TOLD_CLASS)
    rows = [(f"{value:g}", count, shown and exercise.right(value)) for value, count in counts[:ROWS]]
    if rows:
        st.html(tally.bars(rows, many))
    st.toggle("Say which is right", key=state.TOLD_CLASS.name)


def _begin_class() -> None:
    session.put(state.CLASS, secrets.token_hex(2))


# --- the game -------------------------------------------------------------------------------------------------------


def play(lesson: Lesson, hidden: bool) -> bool:
    """Choose the weights that go; True once the answer is revealed, with how the guesses did."""
    small = lesson.small
    numbers = (small.weights, small.tokens)
    if session.get(state.GUESSED_AT) != numbers:  # other numbers: another game
        session.put(state.GUESSED_AT, numbers)
        session.put(state.GUESSES, frozenset())
        session.put(state.REVEALED, False)
    chosen = session.get(state.GUESSES)
    left = len(small.gone) - len(chosen)
    with st.container(border=True, key="game"):
        now = f"{left} to choose." if left else "Ready. Click one again to change it."
        st.markdown(f"**Which six go?** {'Click them.' if left == len(small.gone) else now}")
        _row("", [f"input {i}  \nbusy {number(busy)}" for i, busy in zip(INPUTS, small.s_in, strict=True)])
        for i, busy in enumerate(small.s_out):
            cells = _row(f"output {OUTPUTS[i]}  \nbusy {number(busy)}", [""] * len(INPUTS))
            for j, cell in enumerate(cells):
                on, said = (i, j) in chosen, number(small.weights[i][j])
                cell.button(  # always of one type: another would be another button to the browser, without the focus
                    f"~~{said}~~" if on else said,
                    key=f"guess_{i}_{j}",
                    width="stretch",
                    on_click=_guess,
                    args=((i, j),),
                    disabled=not left and not on,
                    help=f"{name((i, j))}: from input {INPUTS[j]} to output {OUTPUTS[i]}",
                )
        if hidden:
            st.caption("The answer is kept back: switch *Hide the answers* off, at the top, to reveal it.")
        else:
            st.button(
                "Reveal",
                key="reveal",
                type="primary",
                disabled=bool(left),
                on_click=_reveal,
                icon=":material/visibility:",
            )
    if hidden or not session.get(state.REVEALED):
        return False
    say, icon = (st.success, ":material/emoji_events:") if chosen == small.gone else (st.info, ":material/rule:")
    say(guess.verdict(lesson, chosen), icon=icon)
    st.html(matrices.html(guess.revealed(lesson, chosen)))
    return True


def _row(head: str, texts: Sequence[str]) -> list[DeltaGenerator]:
    """A row of the game: its name, and a place of fixed width for each input."""
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", wrap=False):
        with st.container(width=78):
            st.caption(head)
        cells = [st.container(width=66) for _ in texts]
    for cell, text in zip(cells, texts, strict=True):
        if text:
            cell.caption(text, text_alignment="center")
    return cells


def _guess(cell: Cell) -> None:
    session.put(state.GUESSES, session.get(state.GUESSES) ^ {cell})
    session.put(state.REVEALED, False)


def _reveal() -> None:
    session.put(state.REVEALED, True)
