"""A page's ladder: whether it is shown, unasked where that takes seconds, on demand where it takes longer; and where.

It is climbed in spare time. The page is there at once; the ladder's own place looks every moment how far it has come.
"""

from __future__ import annotations

import streamlit as st

from multiflow_core.experiments.run import Run

from .. import state
from ..engine import runs, shipped
from ..engine.spare import SPARE, Wish
from ..facts import climb
from ..look.words import listed, percent
from . import address, session, ui

TICK = 0.7  # seconds between two looks
LABELS = {
    "answer": "At which sparsity does the answer flip?",
    "caption": "At which sparsity does the caption change?",
    "rank": "How does the rank fall with sparsity?",
}


def wanted(settings: Run, thing: str, cheap: bool) -> bool:
    """Whether to climb the ladder of a thing, `cheap` to ask for; draws the switch where it costs too much to be tried unasked."""
    if settings.form:
        there = shipped.sparsities(settings.model, settings.method, settings.form)
        st.caption(f"{LABELS[thing]} Such models are there at {listed([percent(at) for at in there])} alone.")
        return False
    with ui.working() as progress:
        order = runs.order(settings.order, progress)
    if not order.nested:
        st.caption(
            f"{LABELS[thing]} {order.method.title} solves every sparsity anew, minutes each, so this is shown only for "
            "methods that put all weights into one order."
        )
        return False
    if cheap and runs.small(settings.model):
        return True
    with ui.controls("ladder"):
        return st.toggle(
            LABELS[thing],
            state.LADDER.default,
            **address.bound(state.LADDER),
            help=f"Asks about {len(climb.RUNGS) + climb.HALVINGS} pruned models, which takes a while. You can go on meanwhile: "
            "what was found is kept.",
        )


def show(ladder: climb.Ladder, explanation: str) -> None:
    """Draw what was found of a ladder, and more as it is found."""
    left = _left(ladder)
    st.fragment(_show, run_every=TICK if left else None)(ladder, explanation, left)


def _show(ladder: climb.Ladder, explanation: str, left: bool) -> None:
    """In a place that runs on its own as long as something is `left` to climb."""
    if left != _left(ladder):
        st.rerun()  # the whole page, once: its place need not be looked at any more, or has to be again
    if chart := ladder.chart():
        ui.chart(chart, "ladder", explanation)
    if not ladder.complete:
        _progress(ladder, _wish(ladder))


def _progress(ladder: climb.Ladder, wish: Wish) -> None:
    """What is being asked, and the button that ends it, or goes on."""
    climbed = ladder.climbed
    with ui.controls("climbing"), st.container(horizontal=True, vertical_alignment="center", gap="small"):
        many = f"{len(climbed.found)} of at most {climbed.most} sparsities"
        if wish.stopped:
            st.caption(f"Stopped after {many}.", width="content")
            st.button(
                "Go on",
                key="climb_on",
                icon=":material/play_arrow:",
                type="tertiary",
                on_click=SPARE.resume,
                args=(wish,),
            )
        elif wish.over:
            st.caption(f"Ended by an error after {many}; the server's log says what it was.", width="content")
        else:
            said = wish.said or "in line behind what others asked for"
            st.progress(len(climbed.found) / climbed.most, ui.verbatim(f"{many}: {said} …"), width=420)
            st.button(
                "Stop", key="climb_stop", icon=":material/stop:", type="tertiary", on_click=SPARE.stop, args=(wish,)
            )


def _left(ladder: climb.Ladder) -> bool:
    """Whether more of it is being found."""
    return not ladder.complete and not _wish(ladder).over


def _wish(ladder: climb.Ladder) -> Wish:
    ladder.climbed.near = ladder.near
    return SPARE.want(session.owner(), ladder.climbed, ladder.climbed.steps)
