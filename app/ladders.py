"""Whether a page shows its ladder: at once where that takes seconds, on demand where it takes longer."""

from __future__ import annotations

import streamlit as st

from . import state, ui
from .services import ladder, runs
from .state import Settings

LABELS = {
    "answer": "At which sparsity does the answer flip?",
    "caption": "At which sparsity does the caption change?",
    "rank": "How does the rank fall with sparsity?",
}


def wanted(settings: Settings, thing: str, cheap: bool) -> bool:
    """Whether to climb the ladder of a thing, `cheap` to ask for; draws the switch where it costs too much to be tried unasked."""
    key = runs.RunKey.of(settings)
    with ui.working() as progress:
        order = runs.order(key.order, progress)
    if not order.nested:
        st.caption(
            f"{LABELS[thing]} {order.method.title} solves every sparsity anew, minutes each, so this is shown only for "
            "methods that put all weights into one order."
        )
        return False
    if cheap and ladder.cheap(settings.model):
        return True
    with ui.controls("ladder"):
        return st.toggle(
            LABELS[thing], state.LADDER.default, key=state.LADDER.name, bind="query-params",
            help=f"Asks about {len(ladder.RUNGS) + ladder.HALVINGS} pruned models, which takes a while. You can go on meanwhile: "
            "what was found is kept.",
        )  # fmt: skip
