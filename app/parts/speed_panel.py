"""Time this model on this machine, from the page: a button, what is going on, and the command that does the same."""

from __future__ import annotations

import time

import streamlit as st

from .. import state
from ..engine import measuring, permits, runs, speeding
from ..state import Run
from . import session, ui

USUAL = "multiflow"  # where the chosen method has no scores
EVERY = 2.0  # seconds between two looks


def show(settings: Run) -> None:
    """Draw the panel; nothing of it where visitors may not measure."""
    if not permits.here().may_measure:
        return
    chosen = runs.method(settings.method)
    held, plan = (
        speeding.of(settings.model),
        speeding.SpeedPlan(settings.model, chosen.name if chosen.nested else USUAL),
    )
    if held and held.running:
        _going_on(settings.model)
        return
    if held and held.problem:
        st.error(ui.verbatim(f"Measuring ended: {held.problem}"), icon=":material/error:")
    with st.container(key="measure_speed", border=True):
        ranked = (
            f"by {chosen.title}"
            if chosen.nested
            else f"by MULTIFLOW, as {chosen.title} has no scores to sum over a unit"
        )
        st.markdown(
            "**Measure on this machine.** The dense model, masks and smaller models take turns, 1 to 32 pictures at a time, some "
            f"minutes; weights and units are ranked {ranked}. What else the machine does makes times longer, and changes ratios "
            "little."
        )
        st.button("Measure", type="primary", icon=":material/speed:", key="speed_start", on_click=_start, args=(plan,))
        with st.expander("The command that does the same"):
            st.code(plan.command, language=None, wrap_lines=True)
    if problem := session.take(state.MEASURE_PROBLEM):
        st.error(ui.verbatim(problem), icon=":material/hourglass_top:")


def _start(plan: speeding.SpeedPlan) -> None:
    try:
        speeding.start(plan)
    except (measuring.Busy, OSError) as problem:
        session.put(state.MEASURE_PROBLEM, str(problem))


@st.fragment(run_every=EVERY)
def _going_on(model: str) -> None:
    held = speeding.of(model)
    if held is None or not held.running:
        st.rerun()
    with st.container(key="measuring_speed", border=True):
        st.markdown(
            f"Measuring since {time.monotonic() - held.began:.0f} seconds. It goes on while you look at other pages."
        )
        st.button("Stop", icon=":material/stop:", key="speed_stop", on_click=held.stop)
