"""What the reader looks at, and at which sparsity: chosen on one page, the same on every other, and in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from multiflow_core.experiments.run import Run

from .. import state
from . import address, session

if TYPE_CHECKING:
    from multiflow_core import PrunableLayer


def layer(layers: Sequence[PrunableLayer]) -> PrunableLayer:
    """Draw the select box and return the chosen layer; the first one where nothing was chosen yet."""
    named = {layer.name: layer for layer in layers}
    names = {layer.name: label(layer) for layer in layers}
    hint = "Type a part of the name to find a layer. Every page that looks at one layer looks at this one."
    return named[address.choose(st.selectbox, "Layer", state.LAYER, names, help=hint)]


def chosen(layers: Sequence[PrunableLayer]) -> PrunableLayer | None:
    """The chosen layer, for a page without a select box; None where nothing was chosen yet."""
    asked = address.now(state.LAYER)
    found = next((layer for layer in layers if layer.name == asked), None)
    if asked and not found and address.fresh(state.LAYER):
        address.refuse(f"There is no layer {state.short(asked)} here: showing none.")
    address.keep(state.LAYER, asked, shown=found is not None)
    return found


def choose(name: str) -> None:
    """Select a layer, from a callback: a click in a chart, a button."""
    session.put(state.LAYER, name)


def weight(layer: PrunableLayer) -> tuple[int, int] | None:
    """(row, column) of the chosen weight, None where none is chosen or this layer is too small to have it."""
    asked = address.now(state.WEIGHT)
    place = state.place_of(asked)
    inside = place and all(at < size for at, size in zip(place, layer.matrix, strict=True))
    if place and not inside and address.fresh(state.WEIGHT):
        rows, columns = layer.matrix
        address.refuse(
            f"The address asks for the weight ({place[0]}, {place[1]}), but this layer has rows 0 to {rows - 1} and "
            f"columns 0 to {columns - 1}."
        )
    address.keep(state.WEIGHT, asked, shown=bool(inside))
    return place if inside else None


def choose_weight(row: int, column: int) -> None:
    """Select a weight of the chosen layer, from a callback."""
    session.put(state.WEIGHT, f"{row},{column}")


def label(layer: PrunableLayer) -> str:
    """A layer's name for people.

    >>> from multiflow_core import PrunableLayer
    >>> label(PrunableLayer("encoder.3.fc1.weight", (768, 192), "vision", "vision 3", "fc1"))
    'vision 3 · fc1 (768 × 192)'
    """
    return f"{layer.block} · {layer.role} ({' × '.join(map(str, layer.shape))})"


def choose_sparsity(sparsity: float) -> None:
    """Move the slider; to be called before it is drawn."""
    session.put(state.SPARSITY, round(min(1.0, max(0.0, sparsity)), 2))


def choose_run(run: Run) -> None:
    """Make a run of the sidebar's model and data the sidebar's choice; to be called before it is drawn."""
    session.put(state.METHOD, run.method)
    session.put(state.ALLOCATION, run.allocation)
    session.put(state.SPARSITY, run.sparsity)
    session.put(state.FIXED, run.fixed)
    session.put(state.FORM, state.FORM.default)
