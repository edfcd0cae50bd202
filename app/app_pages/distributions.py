"""How the sizes of weights, and their scores, are distributed, and where a method cuts through them."""

from __future__ import annotations

import streamlit as st

from app import state
from app.engine import runs
from app.facts import distributions
from app.parts import address, selection, ui
from app.state import Run

ABOUT_RIDGES = (
    "Every ridge shows how many weights are how large, on a logarithmic axis: left the small ones, right the large ones, each "
    "ridge as high as its own peak. **Plain** is what is kept, **hatched** what is cut. The upright line is the threshold, "
    "where one is shared. A method that cuts by |w| alone parts the ridge there; MULTIFLOW lets small weights "
    "on strong paths live and cuts larger ones on weak paths."
)
ABOUT_QUANTILES = (
    "All weights of a modality, sorted by size. **Dashed**: the one |w| under which the asked share of the *whole* model lies. "
    "Where it meets a modality's line is the share that it takes of it (circles): the modality with the smaller weights pays. "
    "A threshold of its own for every modality (diamonds, on the **dotted** line) takes the same of each: that is MULTIFLOW's "
    "prior. Below: how many points more, or less, than asked the common threshold takes."
)
ABOUT_SURVIVAL = (
    "Of the weights of each size, the share that is kept. A method that cuts by |w| alone makes a step, random pruning a flat "
    "line. A slope means that a weight's neighbours matter as well as its size. Dotted: the threshold on |w| that takes as "
    "many weights."
)


def show(settings: Run) -> None:
    st.title("Distributions: what is small, and what is cut?")
    key = settings
    with ui.working() as progress:
        order = runs.order(key.order, progress)
    with ui.controls("distributions"), st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        of = address.switch("Shown", state.OF, distributions.OF)
        per = address.switch("Ridges", state.PER, distributions.PER)
        block = selection.layer(order.layers).block if per == "layer" else ""
    if of == "magnitude" or ui.ordered(order):
        with ui.working() as progress:
            ridges = distributions.ridges(key, of, per, block, progress)
        ui.chart(ridges, "ridges", ABOUT_RIDGES)
    with ui.working() as progress:
        quantiles, survival = distributions.quantiles(key, progress), distributions.survival(key, progress)
    with st.container(key="wrap_sizes"):
        left, right = st.columns(2, gap="large")
        with left:
            ui.chart(quantiles, "quantiles", ABOUT_QUANTILES)
        with right:
            ui.chart(survival, "survival", ABOUT_SURVIVAL)


ui.page(show)
