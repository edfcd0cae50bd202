"""One weight: why it is kept or pruned, when it goes, and what every other method says."""

from __future__ import annotations

import streamlit as st

from app import state
from app.engine import runs
from app.facts import one_weight
from app.look.words import percent, unbroken
from app.parts import selection, session, ui
from app.state import Run

ABOUT = (
    "A *weight* is one number in one of the model's matrices: it leads from one input neuron to one output neuron. Every "
    "sentence here is made from numbers of this very weight; the mask of the pruned model says the same."
)
ABOUT_RULERS = (
    "Each line runs from the lowest of all to the highest. **Size** and **score** compare the weight with those that it competes "
    "with; the shaded part of them is pruned. **Input** and **output** compare its two neurons with the layer's other neurons: "
    "*busy* neurons have large weights that carry strong signals. Pale: the method does not look at that."
)
ABOUT_FATES = (
    "The weight's *critical sparsity* under every method: each keeps it as far as the bar reaches, and prunes it from there on. "
    "Dotted: where the slider stands, so a bar that crosses it means *kept*."
)
ABOUT_NEIGHBOURS = (
    "The weights around this one (in the frame), rows are output neurons and columns input neurons. Darker: larger. Crossed "
    "out: pruned. Whole rows or columns that fare better than their shade suggests are busy neurons. Click a cell to ask about it."
)


def show(settings: Run) -> None:
    st.title("Why this weight?")
    key = settings
    with ui.working() as progress:
        order = runs.order(key.order, progress)
        with ui.controls("why"):
            _surprises(key, progress)
            weight = _weight(key, order)
        found = one_weight.explanation(key, *weight, progress) if order.nested else None
    if found:
        told = one_weight.told(key, found)
        where = f"Weight ({weight[1]}, {weight[2]}) of {one_weight.place(key, weight[0])}"
        st.caption(ui.verbatim(f"{where} under {runs.title(key)} at {percent(key.sparsity)}"))
        st.markdown(f"## {unbroken(told.headline)}", help=ABOUT)
        with ui.controls("turn"):
            _turn(one_weight.turn(key, found), "gone" if found.kept else "still there")
    with st.container(key="wrap_why"):
        left, right = st.columns(2, gap="large")
    with left:
        if ui.ordered(order):
            ui.chart(one_weight.rulers(key, found), "rulers", ABOUT_RULERS)
            st.markdown("\n".join(f"- {unbroken(sentence)}" for sentence in told.sentences))
    with right:
        others = st.container()
        if found:
            ui.chart(one_weight.neighbours(key, *weight), "neighbours", ABOUT_NEIGHBOURS, pick=_clicked)
    with others:  # last, because other methods may have to order the model first
        _others(key, weight)


def _turn(there: float | None, then: str) -> None:
    """A button that moves the slider to the other side of the weight's critical sparsity."""
    if there is not None:
        st.button(
            f"Move the slider to {percent(there)}, where it is {then}",
            icon=":material/swap_horiz:",
            key="turn",
            on_click=selection.choose_sparsity,
            args=(there,),
        )


def _surprises(key: Run, progress) -> None:
    """Buttons that jump to a weight worth a look; they come before the widgets that they change."""
    with st.container(horizontal=True, gap="xsmall", key="surprises", vertical_alignment="center"):
        st.markdown("**Surprise me**", width="content")
        for name, (label, hint, *_) in one_weight.SURPRISES.items():
            if st.button(label, key=f"surprise_{name}", icon=":material/my_location:", help=hint):
                spot = one_weight.surprise(name, key, progress)
                if spot is None:
                    st.info(one_weight.why_not(name, key), icon=":material/info:")
                else:
                    selection.choose(spot.name)
                    selection.choose_weight(spot.row, spot.column)


def _weight(key: Run, order) -> tuple[str, int, int]:
    """The chosen layer, output neuron and input neuron, from the address, a click, a button or the fields."""
    with st.container(key="wrap_weight"):
        wide, left, right = st.columns([6, 3, 3], gap="small")
        with wide:
            layer = selection.layer(order.layers)
        place = selection.weight(layer)
        if place is None:
            selection.choose_weight(*one_weight.opening(key, layer))
            place = selection.weight(layer)
        for column, slot, label, at, size in (
            (left, state.WEIGHT_ROW, "Output neuron (row)", place[0], layer.matrix[0]),
            (right, state.WEIGHT_COLUMN, "Input neuron (column)", place[1], layer.matrix[1]),
        ):
            session.put(slot, at)
            column.number_input(label, 0, size - 1, key=slot.name, on_change=_typed, help=f"From 0 to {size - 1}")
    return layer.name, *place


def _typed() -> None:
    selection.choose_weight(session.get(state.WEIGHT_ROW), session.get(state.WEIGHT_COLUMN))


def _clicked(cell: list[str]) -> None:
    selection.choose_weight(*state.place_of(cell[0]))


def _others(key: Run, weight: tuple[str, int, int]) -> None:
    """When each method prunes the weight, and what is known of those that have no bar."""
    with ui.working() as progress:
        judged = one_weight.judgements(key, *weight, progress)
    fates = one_weight.fates(key, judged)
    if fates.rows:
        ui.chart(fates, "fates", ABOUT_FATES)
        with ui.controls("methods"):
            st.page_link("app_pages/methods.py", label="What these methods do", icon=":material/menu_book:")
    told = [f"**{j.method}** {_verdict(j)}" for j in judged if j.critical is None]
    if told:
        with st.expander(f"{len(told)} methods without a bar"):
            st.markdown("\n".join(f"- {unbroken(line)}" for line in told))


def _verdict(judged: one_weight.Judgement) -> str:
    if judged.kept is None:
        return judged.note
    return f"{'keeps' if judged.kept else 'prunes'} it here; {judged.note}"


ui.page(show)
