"""The sidebar's choice between a pruned model as it is and one that was fine-tuned afterwards, its zeros locked."""

from __future__ import annotations

import streamlit as st

from multiflow_core.experiments.run import Run

from .. import state
from ..engine import data_sets, recovered, runs
from ..look.words import listed, percent
from . import address, ui

NAMES = {"no": "As pruned", "yes": "Fine-tuned"}
ABOUT = (
    "**As pruned**: zero-shot, the weights that pruning left. **Fine-tuned**: these weights have then been taught the page's task "
    "on {data}, while all zeros stayed zero; so has the dense model beside it. That is how the paper measures pruning."
)


def switch(settings: Run) -> Run:
    """Draw the choice, where there is one, and return the run that a page shows."""
    data = recovered.data_of(settings.model)
    if not data:
        address.leave(state.TUNED, f"There is no fine-tuned {ui.verbatim(settings.model)}: showing it as pruned.")
        return settings
    about = ABOUT.format(data=data_sets.title(data))
    chosen = address.switch("After pruning", state.TUNED, NAMES, label_visibility="visible", help=about)
    if chosen == state.TUNED.default:
        return settings
    found = recovered.nearest(settings)
    if found is None:
        st.caption(f"Fine-tuned {_there(settings.model)}: this run is shown as pruned.")
        return settings
    shown = f"at {percent(found.sparsity)}" if found.sparsity else "dense"
    moved = "" if found.sparsity == settings.sparsity else f"Fine-tuned {_there(settings.model)}: shown {shown}. "
    st.caption(f"{moved}Pictures of {data_sets.title(data)}, which it has learnt.")
    return found


def _there(model: str) -> str:
    """What there is, as the end of a sentence."""
    known = recovered.methods(model)
    at = sorted({sparsity for method in known for sparsity in recovered.sparsities(model, method)})
    titles = runs.all_titles()
    return f"are {listed([titles.get(name, name) for name in known])} at {listed([percent(share) for share in at])}"
