"""What is shown while PyTorch starts: the story so far, from the result file alone."""

from __future__ import annotations

import streamlit as st

from .. import state
from ..facts import measured
from . import plotly_chart, ui

SHOWN = {"multiflow": "MULTIFLOW", "omp": "OMP", "random": "Random"}  # the registry is not there yet


def show() -> None:
    """The first thing on a fresh server; needs no torch."""
    st.title("What pruning does to a vision-language model")
    st.markdown(
        "MULTIFLOW sets most weights of a vision-language model to zero, once, without a task. This lab shows which "
        "weights go, and what the sparse model still finds and says beside the dense one."
    )
    found = measured.load(state.MODEL.default)
    if found is not None:
        names = {name: title for name, title in SHOWN.items() if name in found.names}
        if state.METHOD.default in names:
            curves = measured.abilities(found, names, state.METHOD.default, state.SPARSITY.default)
            plotly_chart.show(curves.figure(ui.palette()), "plot_welcome", curves.describe(), ui.CONFIG)
    st.caption("Starting PyTorch and loading the model, once per server …")
