"""A page's ladder: whether it is shown, at once where that takes seconds, on demand where it takes longer; and where."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import streamlit as st

from multiflow_core.experiments.run import Run

from .. import state
from ..charts import Chart
from ..engine import runs
from ..engine.store import Progress
from ..facts import climb
from . import address, session, ui

LABELS = {
    "answer": "At which sparsity does the answer flip?",
    "caption": "At which sparsity does the caption change?",
    "rank": "How does the rank fall with sparsity?",
}


def wanted(settings: Run, thing: str, cheap: bool) -> bool:
    """Whether to climb the ladder of a thing, `cheap` to ask for; draws the switch where it costs too much to be tried unasked."""
    key = settings
    with ui.working() as progress:
        order = runs.order(key.order, progress)
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


def show(about: Hashable, made: Callable[[Progress], Chart], explanation: str) -> None:
    """Climb and draw what was found; `about` says what is climbed.

    A ladder about something else than the last one clears its place at once: no old chart stands beside new answers. One
    about the same leaves the chart where it is, so that it does not flicker under the slider.
    """
    other = session.get(state.CLIMBED) != about
    place = st.empty() if other else st.container()
    with ui.working() as progress:
        found = made(progress)
    session.put(state.CLIMBED, about)
    with place.container() if other else place:
        ui.chart(found, "ladder", explanation)
