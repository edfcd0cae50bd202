"""How information flows through a block: its strongest neurons, dense beside pruned."""

from __future__ import annotations

import streamlit as st

from app import state
from app.engine import runs
from app.facts import flow, layer_sparsity
from app.parts import address, selection, ui
from app.state import Run

ABOUT = (
    "Left to right: the inputs of the first matrix, the hidden neurons it feeds, the outputs of the second matrix. The width of "
    "a link is its flow |w| × a: how large the weight is times how active its input was during calibration; MULTIFLOW's two "
    "saliencies are means of it. Both pictures show the same neurons, the strongest of the dense model, at the same scale: "
    "links that are faint on the dense side are those that are cut. All other neurons together are one node, drawn narrower."
)
ABOUT_MAP = (
    "Every strip is a weight matrix of the model, and its coloured part the share of its weights that is left. Left to right: the "
    "blocks that the signal passes through. The lines between blocks are as wide as what is left of the block they come from; "
    "those from the picture's tower lead to the blocks of text that read it (cross-attention). **Click a strip to see the flow "
    "through it below**, and to select its layer on every page."
)
ABOUT_RETAINED = (
    "The share of the flow that is left as the slider goes from nothing to everything: solid along the links between the "
    "strongest neurons, dotted along all links of the two matrices. Grey: the other method. Activations are those of the dense "
    "model."
)


def show(settings: Run) -> None:
    st.title("Flow: which paths stay open?")
    key = settings
    with ui.working() as progress:
        order = runs.order(key.order, progress)
    above = st.container()
    with ui.controls("flow"), st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        layer = selection.layer(order.layers)
        count = int(address.switch("Neurons at each place", state.STRONGEST, flow.COUNTS))
    with ui.working() as progress:
        whole = layer_sparsity.of(key, progress)
    with above:
        ui.chart(layer_sparsity.model_map(whole, layer.name), "map", ABOUT_MAP, pick=selection.choose)
    part = flow.chain(key, layer)
    if part is None:
        st.info(
            f"{ui.verbatim(selection.label(layer))} has no partner here. A path needs two prunable matrices of a block of which "
            "the second reads what the first writes: fc1 and fc2, or value and attention output.",
            icon=":material/info:",
        )
        return
    rival = runs.rival(key)
    with ui.working() as progress:
        found = flow.paths(key, part, count, progress)
        beside = (rival, flow.paths(rival, part, count, progress)) if rival else None
    ui.heading(flow.finding(key, part, found, beside), ABOUT, "flow")
    with st.container(key="wrap_flow"):
        for place, picture in zip(st.columns(2, gap="medium"), flow.pictures(key, part, found), strict=True):
            with place:
                ui.chart(picture, "flow_pruned" if picture.pruned else "flow_dense", ABOUT)
    if lines := flow.retained(key, found, beside):
        ui.chart(lines, "retained", ABOUT_RETAINED)


ui.page(show)
