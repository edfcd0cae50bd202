"""The sparsity slider moves charts while it is dragged, and by itself while it plays: on pages that only look things up.

Streamlit tells of a slider when it is let go. What is on screen meanwhile is the page at the value under the finger; the slider's
own value, and with it the address, stay as they were until then.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from .. import state
from . import session


@cache
def _component() -> Callable[..., Any]:
    script = Path(__file__).with_suffix(".js").read_text()
    return st.components.v2.component("live_slider", html="<span hidden></span>", js=script, isolate_styles=False)


def follow(sparsity: float, live: bool) -> float:
    """The sparsity to show: the slider's, or, on a page that is `live`, the one under the finger that drags it."""
    held, under = session.get(state.DRAGGED) or (sparsity, sparsity)
    dragged = live and held == sparsity
    if not dragged and session.get(state.DRAGGED):
        session.put(state.DRAGGED, None)
    shown = under if dragged else sparsity
    playing = live and session.get(state.PLAYING)
    answer = session.get(state.DRAWN) + 1
    session.put(state.DRAWN, answer)
    _component()(
        key=state.LIVE.name,
        data={"live": live, "playing": playing, "sparsity": shown, "answer": answer},
        height=1,
        on_dragged_change=_drag,
        on_played_change=_step,
    )
    return shown


def moving() -> bool:
    """Whether the page is one of many that come and go: nothing that asks a model is worth beginning."""
    return session.get(state.PLAYING) or session.get(state.DRAGGED) is not None


def button(live: bool) -> None:
    """What lets the slider run from 0 to 95 %, or stops it."""
    if live:
        playing = session.get(state.PLAYING)
        st.button(
            "Stop" if playing else "Play",
            icon=":material/stop:" if playing else ":material/play_arrow:",
            key="play",
            on_click=_play,
            args=(not playing,),
            type="tertiary",
            help="Prune from 0 to 95 %, step by step",
        )


def _play(on: bool) -> None:
    session.put(state.PLAYING, on)
    if on:
        session.put(state.SPARSITY, 0.0)


def _drag() -> None:
    value = session.get(state.LIVE).dragged
    if isinstance(value, int | float) and 0 <= value <= 1:
        session.put(state.DRAGGED, (round(session.get(state.SPARSITY), 2), round(float(value), 2)))


def _step() -> None:
    """One step of the play, from the browser."""
    told = session.get(state.LIVE).played
    if session.get(state.PLAYING) and isinstance(told, dict) and 0 <= told.get("at", -1) <= 1:
        session.put(state.SPARSITY, round(float(told["at"]), 2))
        session.put(state.PLAYING, not told.get("over"))
