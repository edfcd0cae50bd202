"""What may go: layers that stay dense, or have a sparsity of their own, chosen by patterns."""

from __future__ import annotations

import streamlit as st

from multiflow_core.pruning.patterns import fixed_sparsity, read_fixed, write_fixed

from .. import state
from ..engine import runs
from . import address, session, ui

HELP = (
    "Layers that do not go by the slider: a modality, a block, a role or a parameter's name, with \\* and ?, and the sparsity "
    "that it has instead, as in `text=dense` or `vision 3=0.5, fc1=0.9`. Where several mean a layer, the last counts. The "
    "slider is then the share of the weights of all other layers."
)


def show(model: str) -> str:
    """Draw the field and a button a modality, and return what is fixed, as a run has it."""
    if not session.has(state.FIXED):
        session.put(state.FIXED, address.now(state.FIXED))
    typed = session.get(state.FIXED)
    label = f"What may go{' · some layers fixed' if typed else ''}"
    with st.expander(label, key=state.FIXING.name, on_change="rerun") as box:
        if box.open:  # only then is the model needed here
            st.text_input("Fixed layers", key=state.FIXED.name, placeholder="text=dense, vision 3=0.5", help=HELP)
            _modalities(model)
    if not box.open:
        session.put(state.FIXED, typed)  # what no field shows any more would be forgotten
    fixed = _checked(model, session.get(state.FIXED))
    address.keep(state.FIXED, session.get(state.FIXED), shown=bool(fixed))
    return fixed


def _modalities(model: str) -> None:
    """A button that keeps each modality dense, or lets it go again."""
    fixed = _read(session.get(state.FIXED))
    with ui.working() as progress:
        layers = runs.vlm(model, progress).layers
    with st.container(horizontal=True, gap="xsmall", key="keep"):
        for modality in dict.fromkeys(layer.modality for layer in layers):
            kept = fixed.get(modality) == 0
            st.button(
                f"Keep {modality}",
                key=f"keep_{modality}",
                on_click=_turn,
                args=(modality, not kept),
                type="primary" if kept else "secondary",
                help=f"All of {modality} stays dense",
            )


def _turn(modality: str, keep: bool) -> None:
    others = {pattern: own for pattern, own in _read(session.get(state.FIXED)).items() if pattern != modality}
    session.put(state.FIXED, write_fixed(others | ({modality: 0.0} if keep else {})))


def _read(text: str) -> dict[str, float]:
    try:
        return read_fixed(text)
    except ValueError:
        return {}


def _checked(model: str, text: str) -> str:
    """What is fixed, as `write_fixed` writes it; after a sentence, nothing where it cannot be."""
    if not text.strip():
        return ""
    try:
        fixed = read_fixed(text)
        with ui.working() as progress:
            layers = runs.vlm(model, progress).layers
        fixed_sparsity(layers, fixed)
    except ValueError as problem:
        st.warning(ui.verbatim(f"Nothing is fixed: {problem}."), icon=":material/lock_open:")
        return ""
    return write_fixed(fixed)
