"""How information flows through a block: its strongest neurons, dense beside pruned."""

from __future__ import annotations

import streamlit as st

from app import state
from app.engine import runs
from app.facts import flow
from app.parts import address, selection, ui
from app.state import Run

ABOUT = (
    "Left to right: the inputs of the first matrix, the hidden neurons it feeds, the outputs of the second matrix. The width of "
    "a link is its flow |w| × a: how large the weight is times how active its input was during calibration; MULTIFLOW's two "
    "saliencies are means of it. Both pictures show the same neurons, the strongest of the dense model, at the same scale: "
    "links that are faint on the dense side are those that are cut. All other neurons together are one node, drawn narrower."
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
    with ui.controls("flow"), st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        layer = selection.layer(order.layers)
        count = int(address.switch("Neurons at each place", state.STRONGEST, flow.COUNTS))
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
