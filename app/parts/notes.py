"""The presenter's own window: what to say at the step that is shown, how long it takes, and what comes next."""

from __future__ import annotations

import time

import streamlit as st

from .. import state
from ..engine import tours
from . import address, ui

EVERY = 1.0  # seconds between two looks at where the tour is


def asked() -> str:
    """The code of the tour whose notes this window shows; nothing where it is a window like any other."""
    if code := address.now(state.NOTES):
        address.keep(state.NOTES, code)
    return code


def show(code: str) -> None:
    """The notes, for as long as the window is open."""
    _follow(code)


@st.fragment(run_every=EVERY)
def _follow(code: str) -> None:
    found = tours.given(code)
    if found is None:
        st.title("Notes")
        st.markdown(
            f"No tour is being given by the code **{ui.verbatim(code)}**. Start one with *Tour*, at the left of every page, and "
            "open its *Notes*: this window then follows it."
        )
        return
    step, now = found.steps[found.at], time.monotonic()
    planned = sum(one.seconds for one in found.steps)
    with st.container(key="notes"):
        left, middle, right = st.columns([2, 1, 1], vertical_alignment="bottom")
        left.markdown(f"Step **{found.at + 1}** of {len(found.steps)}")
        middle.metric(
            "This step", clock(now - found.since), f"of {clock(step.seconds)}", delta_color="off", delta_arrow="off"
        )
        right.metric("The tour", clock(now - found.began), f"of {clock(planned)}", delta_color="off", delta_arrow="off")
        st.progress(min(1.0, (now - found.since) / step.seconds))
        st.title(step.headline)
        with st.container(key="notes_words"):
            st.markdown(ui.verbatim(step.notes))
        st.caption("The room reads")
        st.markdown(ui.verbatim(step.words))
        after = found.steps[found.at + 1].headline if found.at + 1 < len(found.steps) else "the end"
        st.markdown(f"**Next:** {ui.verbatim(after)}")


def clock(seconds: float) -> str:
    """A time on a clock.

    >>> clock(7.9), clock(180)
    ('0:07', '3:00')
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
