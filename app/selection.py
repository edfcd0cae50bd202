"""The layer that the reader looks at: chosen on one page, the same on every other, and in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from . import address, state

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


def choose(name: str) -> None:
    """Select a layer, from a callback: a click in a chart, a button."""
    st.session_state[state.LAYER.name] = name


def label(layer: PrunableLayer) -> str:
    """A layer's name for people.

    >>> from multiflow_core import PrunableLayer
    >>> label(PrunableLayer("encoder.3.fc1.weight", (768, 192), "vision", "vision 3", "fc1"))
    'vision 3 · fc1 (768 × 192)'
    """
    return f"{layer.block} · {layer.role} ({' × '.join(map(str, layer.shape))})"
