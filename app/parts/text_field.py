"""A text that the reader types or picks from examples. It is in the address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from .. import state
from ..facts import gallery, typed_text
from . import address, session, ui, way_back

if TYPE_CHECKING:
    from multiflow_core.models.vlm import VLM


def field(
    key: state.Key[str], label: str, hint: str, icon: str, examples: Iterable[str], first: str = ""
) -> DeltaGenerator:
    """Draw the field, and under it the examples, one click each; returns their row, for what else belongs there.

    `first` stands in it where nobody has typed, in place of the default.
    """
    _propose(key, first)
    st.text_input(label, key.default, **address.bound(key), placeholder=f"for example: {hint}", icon=icon)
    row = st.container(horizontal=True, gap="xsmall", key="examples")
    with row:
        way_back.remember(key)
    for n, example in enumerate(examples):
        row.button(example, key=f"example_{n}", on_click=_take, args=(key, example))
    return row


def reranked(*models: str) -> int:
    """How many of the nearest pictures the matching heads of these models look at again; none where one has no such head."""
    with ui.working() as progress:
        able = all(gallery.matches(model, progress) for model in models)
    if not able:
        address.leave(state.RERANK, "Nothing is ranked again: the model has no matching head.")
        return 0
    names = {k: "by embeddings" if k == "0" else f"the first {k} by the matching head" for k in state.RERANK.choices}
    how = address.choose(st.selectbox, "Rank", state.RERANK, names, label_visibility="collapsed", width=260)
    return int(how)


def _propose(key: state.Key[str], text: str) -> None:
    """Change the default for a text, or what was proposed before back into the default; whatever was typed stays."""
    proposed = dict(session.get(state.PROPOSED))
    before = proposed.pop(key.name, "")
    untouched = before or (key.default if key.name not in address.everything() else None)
    if bool(text) != bool(before) and address.now(key) == untouched:
        session.put(key, text or key.default)
    session.put(state.PROPOSED, {**proposed, key.name: before or text} if text else proposed)


def _take(key: state.Key[str], text: str) -> None:
    session.put(key, text)


def checked(
    key: state.Key[str], vlm: VLM, purpose: typed_text.Purpose = typed_text.SEARCH, who: str = "The model"
) -> typed_text.Query:
    """What was typed, as the model gets it, after one sentence for everything that is wrong with it."""
    query = typed_text.check(session.get(key), vlm, purpose, who)
    for sentence in query.complaints:
        st.warning(ui.verbatim(sentence), icon=":material/info:")
    return query
