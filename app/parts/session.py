"""What a session remembers under the keys of `state`; nothing else in the app names `st.session_state`."""

from __future__ import annotations

from typing import TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ..state.keys import Slot

T = TypeVar("T")


def has(slot: Slot) -> bool:
    """Whether anything was remembered, by the app or by a widget."""
    return slot.name in st.session_state


def get(slot: Slot[T]) -> T:
    """What was remembered, else the default."""
    return st.session_state.get(slot.name, slot.default)


def put(slot: Slot[T], value: T) -> None:
    """Remember a value; for a widget's key, before the widget is drawn."""
    st.session_state[slot.name] = value


def take(slot: Slot[T]) -> T:
    """What was remembered, and forget it."""
    return st.session_state.pop(slot.name, slot.default)


def typed(key: str) -> str:
    """What stands in a field whose key is made up on its page, such as one for every row of a list; "" where it is gone."""
    return st.session_state.get(key, "")


def owner() -> str:
    """A name for this session that no other has."""
    context = get_script_run_ctx()
    return context.session_id if context else ""
