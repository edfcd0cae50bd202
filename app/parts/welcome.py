"""What is shown while PyTorch starts: the story so far, from the result file alone."""

from __future__ import annotations

import streamlit as st

from .. import state
from ..facts import measured
from . import plotly_chart, ui

WHAT = (
    "**Pruning** sets most *weights* of a trained model, the numbers that it has learnt, to zero, so that it takes less room; "
    "it is worth it as long as the model can still do what it could."
)
SHOWN = {"multiflow": "MULTIFLOW", "omp": "OMP", "random": "Random"}  # the registry is not there yet


def show() -> None:
    """The first thing on a fresh server; needs no torch."""
    st.title("What pruning saves, and what it costs")
    st.markdown(f"{WHAT} This lab shows it live, on a model that looks at pictures and reads.")
    found = measured.load(state.MODEL.default)
    if found is not None:
        names = {name: title for name, title in SHOWN.items() if name in found.names}
        if state.METHOD.default in names:
            curves = measured.abilities(found, names, state.METHOD.default, state.SPARSITY.default)
            plotly_chart.show(curves.figure(ui.palette()), "plot_welcome", curves.describe(), ui.CONFIG)
    st.caption("Starting PyTorch and loading the model, once per server …")
