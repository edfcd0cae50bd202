"""Go on with the shipped sweep from the page: how far it is, how long it still takes, start and stop."""

from __future__ import annotations

import streamlit as st

from .. import state
from ..engine import measuring, permits, sweeping
from . import session, ui

EVERY = 2.0  # seconds between two looks


def show() -> None:
    """Draw the panel: what is there, what is going on, and the command that does the same."""
    if not sweeping.file().is_file():
        return
    found, held = sweeping.status(), sweeping.held()
    if (found and found.running) or (held and held.running):
        _progress()
        return
    with st.container(key="sweep", border=True):
        st.markdown("**Measure the table**")
        if held and held.problem:
            st.error(ui.verbatim(f"The sweep ended: {held.problem}"), icon=":material/error:")
        st.caption(_far(found))
        if permits.here().may_measure:
            label = "Go on" if found and found.done < found.total else "Start"
            st.button(label, icon=":material/play_arrow:", key="sweep_start", on_click=_start)
        st.caption("The command that does the same, and says beforehand how long it will take with `--dry-run`:")
        st.code(sweeping.command(), language=None, wrap_lines=True)
    if problem := session.take(state.SWEEP_PROBLEM):
        st.error(ui.verbatim(problem), icon=":material/hourglass_top:")


def _far(found: sweeping.Status | None) -> str:
    if found is None:
        return "The shipped sweep has not been started on this machine. It goes on where it is stopped."
    rest = "" if found.done == found.total else f" What is missing takes {found.said}."
    return f"{found.done} of {found.total} cells are in its folder.{rest}"


def _start() -> None:
    try:
        sweeping.start()
    except (measuring.Busy, OSError) as problem:
        session.put(state.SWEEP_PROBLEM, str(problem))


@st.fragment(run_every=EVERY)
def _progress() -> None:
    found, held = sweeping.status(), sweeping.held()
    own = held is not None and held.running
    if not own and not (found and found.running):
        st.rerun()
    with st.container(key="sweeping", border=True):
        if found and found.total:
            left = f", {found.said}" if found.said else ""
            st.progress(found.done / found.total, ui.verbatim(f"{found.done} of {found.total} cells{left}"))
        else:
            st.progress(0.0, "Looking what is there …")
        if own and held.lines:
            st.code("\n".join(held.lines[-8:]), language=None)
        if own and permits.here().may_measure:
            about = "The cells that are there are kept."
            st.button("Stop", icon=":material/stop:", key="sweep_stop", on_click=held.stop, help=about)
