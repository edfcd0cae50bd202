"""What the reader looks at, and at which sparsity: chosen on one page, the same on every other, and in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from .. import state
from . import address

if TYPE_CHECKING:
    from multiflow_core import PrunableLayer


def layer(layers: Sequence[PrunableLayer]) -> PrunableLayer:
    """Draw the select box and return the chosen layer; the first one where nothing was chosen yet."""
    named = {layer.name: layer for layer in layers}
    asked = st.query_params.get(state.LAYER.name)
    if asked and asked not in named and state.LAYER.name not in st.session_state:
        st.warning(
            f"The address asks for a layer “{asked[:60]}”, which this model does not have.", icon=":material/link_off:"
        )
    address.take(state.LAYER, named, layers[0].name)
    chosen = st.selectbox(
        "Layer", list(named), key=state.LAYER.name, format_func=lambda name: label(named[name]), persist_state="session",
        help="Type a part of the name to find a layer. Every page that looks at one layer looks at this one.",
    )  # fmt: skip
    address.keep(state.LAYER, chosen)
    return named[chosen]


def chosen(layers: Sequence[PrunableLayer]) -> PrunableLayer | None:
    """The chosen layer, for a page without a select box; None where nothing was chosen yet."""
    asked = st.session_state.get(state.LAYER.name, st.query_params.get(state.LAYER.name))
    found = next((layer for layer in layers if layer.name == asked), None)
    if found:
        choose(found.name)
        address.keep(state.LAYER, found.name)
    return found


def choose(name: str) -> None:
    """Select a layer, from a callback: a click in a chart, a button."""
    st.session_state[state.LAYER.name] = name


def weight(layer: PrunableLayer) -> tuple[int, int] | None:
    """(row, column) of the chosen weight, None where none is chosen or this layer is too small to have it."""
    new = state.WEIGHT.name not in st.session_state
    asked = st.session_state.get(state.WEIGHT.name, st.query_params.get(state.WEIGHT.name, state.WEIGHT.default))
    try:
        place = state.place_of(asked)
    except state.BadValue:  # the sidebar has said so
        asked, place = state.WEIGHT.default, None
    st.session_state[state.WEIGHT.name] = asked
    if place and not all(at < size for at, size in zip(place, layer.shape, strict=True)):
        if new:
            rows, columns = layer.shape
            st.warning(
                f"The address asks for the weight ({place[0]}, {place[1]}), but this layer has rows 0 to {rows - 1} and "
                f"columns 0 to {columns - 1}.", icon=":material/link_off:",
            )  # fmt: skip
        place = None
    address.keep(state.WEIGHT, f"{place[0]},{place[1]}" if place else state.WEIGHT.default)
    return place


def choose_weight(row: int, column: int) -> None:
    """Select a weight of the chosen layer, from a callback."""
    st.session_state[state.WEIGHT.name] = f"{row},{column}"


def label(layer: PrunableLayer) -> str:
    """A layer's name for people.

    >>> from multiflow_core import PrunableLayer
    >>> label(PrunableLayer("encoder.3.fc1.weight", (768, 192), "vision", "vision 3", "fc1"))
    'vision 3 · fc1 (768 × 192)'
    """
    return f"{layer.block} · {layer.role} ({' × '.join(map(str, layer.shape))})"


def choose_sparsity(sparsity: float) -> None:
    """Move the slider; to be called before it is drawn."""
    st.session_state[state.SPARSITY.name] = round(min(1.0, max(0.0, sparsity)), 2)
