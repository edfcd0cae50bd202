"""The sidebar's choice of what pages that ask models show: weights as pruned, fine-tuned afterwards, or a smaller model."""

from __future__ import annotations

import streamlit as st

from multiflow_core.experiments.run import SMALLER, TUNED, Run

from .. import state
from ..engine import data_sets, runs, shipped
from ..look.words import listed, percent
from . import address, ui

NAMES = {"pruned": "Pruned", TUNED: "Fine-tuned", SMALLER: "Smaller"}
ABOUT = {
    "pruned": "**Pruned**: zero-shot, with what pruning left of the weights.",
    TUNED: "**Fine-tuned**: then taught the page's task on {data}, all zeros staying zero; so is the dense model beside it. "
    "That is how the paper measures pruning.",
    SMALLER: "**Smaller**: whole hidden units are gone instead of single weights, and what stays is solved anew: an ordinary "
    "dense model, which computes faster.",
}


def switch(settings: Run) -> Run:
    """Draw the choice, where there is one, and return the run that a page shows."""
    forms = shipped.forms(settings.model)
    if not forms:
        why = f"{ui.verbatim(settings.model)} does not come fine-tuned or smaller: showing it as pruned."
        address.leave(state.FORM, why)
        return settings
    names = {form: NAMES[form] for form in ("pruned", *forms)}
    about = "\n\n".join(ABOUT[form].format(data=data_sets.title(shipped.taught(settings.model))) for form in names)
    form = address.switch("After pruning", state.FORM, names, label_visibility="visible", help=about)
    if form == state.FORM.default:
        return settings
    found = shipped.nearest(settings, form)
    if found is None:
        st.caption(f"{NAMES[form]} {_there(settings.model, form)}: this run is shown as pruned.")
        return settings
    said = []
    if found.sparsity != settings.sparsity:
        shown = percent(found.sparsity) if found.sparsity else "the dense one"
        said.append(f"{NAMES[form]} {_there(settings.model, form)}: showing {shown}.")
    if form == TUNED:
        said.append(f"Pictures of {data_sets.title(found.data)}, which it has learnt.")
    if said:
        st.caption(" ".join(said))
    return found


def _there(model: str, form: str) -> str:
    """What there is, as the end of a sentence."""
    known = shipped.methods(model, form)
    at = sorted({sparsity for method in known for sparsity in shipped.sparsities(model, method, form)})
    titles = runs.all_titles()
    return f"are {listed([titles.get(name, name) for name in known])} at {listed([percent(share) for share in at])}"
