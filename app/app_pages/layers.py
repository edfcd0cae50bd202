"""All layers side by side: which goes first, how each of them goes, and what is known of it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import state
from app.engine import runs, slider
from app.facts import layer_sparsity, layers
from app.look.words import count
from app.parts import selection, session, ui
from app.state import Run

ABOUT_BARS = (
    "One bar a layer, in the order in which the signal passes: its height is the share of the layer's weights that is pruned at "
    "the slider's place; dotted: what was asked of the whole model. The triangle marks the selected layer. **Click a bar to "
    "select its layer**: every page that looks at one layer then looks at that one.\n\nThe layer that is *emptied first* "
    "is the first to lose 90 % of its weights as the slider moves up."
)
ABOUT_CURVES = (
    "One line a layer: how much of it is pruned (upwards) when so much of the whole model is pruned (to the right). Dashed: a "
    "layer that goes exactly with the model; a line above it pays for the others. Thick: the selected layer. The dots on the "
    "dotted line are the layers at the slider's place: **click one to select it**."
)
ABOUT_TABLE = (
    "One row a layer, first the one that goes first. Click a heading to sort, **a cell to select its layer**.\n\n"
    "* *90 % (99 %) gone at*: the sparsity of the whole model at which the layer has lost so much, between the slider's steps "
    "interpolated.\n"
    "* *Dead neurons*: rows (outputs) and columns (inputs) of the matrix that have no weight left.\n"
    "* *Mean |w|*: mean size of the dense weights. *Activation*: root mean square of the norms of the layer's inputs "
    "over the calibration pairs.\n"
    "* *Score cut*: the highest score that is pruned in this layer. *|w| cut*: the size under which as many of its weights lie "
    "as are pruned. With MULTIFLOW that is what sets the layer's share."
)


SHOWN = 6  # matrices that are named for a reason


def show(settings: Run) -> None:
    st.title("Layers: which goes first?")
    key = settings
    with ui.working() as progress:
        now = layer_sparsity.of(key, progress)
        curve = slider.curve(key.order, progress)
    with ui.controls("layer"):
        layer = selection.layer(runs.order(key.order).layers)
    ui.chart(layers.bars(now, curve, layer.name), "layer_bars", ABOUT_BARS, pick=selection.choose)
    if ui.ordered(runs.order(key.order)):
        ui.chart(layers.lines(now, curve, layer.name), "layer_curves", ABOUT_CURVES, pick=selection.choose)
    first = "loses most" if curve is None else "goes first"
    ui.heading(f"All layers, first the one that {first}", ABOUT_TABLE, "layer_table")
    with ui.working() as progress:
        found = layers.profiles(key.order, progress)
        dead = slider.dead_neurons(key, progress)
    _table(
        layers.table(now, curve, found, dead),
        [now.layers[i].layer.name for i in layers.ranking(now, curve)],
        layer.name,
    )
    _left_dense(layers.left_dense(key.order))


def _left_dense(found: dict[str, tuple[str, ...]]) -> None:
    """What no method prunes, and why."""
    with st.expander(f"{count(sum(map(len, found.values())))} matrices are left dense"):
        for reason, names in found.items():
            shown = ", ".join(f"`{name}`" for name in names[:SHOWN])
            more = f" and {count(len(names) - SHOWN)} more" if len(names) > SHOWN else ""
            st.markdown(f"**{reason[0].upper()}{reason[1:]}**: {shown}{more}")
        st.caption("Biases, norms and other vectors are never pruned, either.")


def _table(table: dict[str, list], names: list[str], selected: str) -> None:
    """The table, with the selected layer's row marked; `names` are the layers of the rows."""
    marked = {"rows": [names.index(selected)], "columns": [], "cells": []}
    session.put(state.LAYER_TABLE, {"selection": marked})
    frame = pd.DataFrame(table)
    shares = [c for c in ("pruned now", "90 % gone at", "99 % gone at") if c in frame]
    frame[shares] *= 100
    config = st.column_config
    columns = dict.fromkeys(frame, config.NumberColumn(format="%.3g", width=84))
    columns |= dict.fromkeys(shares, config.NumberColumn(format="%.1f %%", width=86))
    columns |= dict.fromkeys(("weights", "dead neurons"), config.NumberColumn(format="localized"))
    columns |= {
        "layer": config.TextColumn(width=122),
        "modality": config.TextColumn(width=64),
        "pruned now": config.ProgressColumn(format="%.2f %%", min_value=0, max_value=100, width=124),
    }
    st.dataframe(
        frame,
        column_config=columns,
        hide_index=True,
        key=state.LAYER_TABLE.name,
        on_select=lambda: _clicked(names),
        selection_mode=["single-row", "single-cell"],
        alt="All layers, one row each",
    )


def _clicked(names: list[str]) -> None:
    """A click on a cell or at the head of a row."""
    chosen = session.get(state.LAYER_TABLE).selection
    rows = [row for row, _ in chosen.cells] or chosen.rows
    if rows:
        selection.choose(names[rows[0]])


ui.page(show)
