"""Keys that are kept in the address by hand: where a widget shows other names than its values, or there is no widget."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from ..state.keys import Key


def take(key: Key[str], choices: Collection[str], default: str | None = None) -> None:
    """Give a key its value before its widget is drawn: what the session has, else what the address asks for, else the default.

    A value that is none of the choices (any more: another model may have been opened) gives way to the default.
    """
    asked = st.session_state.get(key.name, st.query_params.get(key.name))
    if asked not in choices:
        asked = key.default if default is None else default
    if asked not in choices:
        asked = next(iter(choices))
    if st.session_state.get(key.name) != asked:
        st.session_state[key.name] = asked


def keep(key: Key[str], value: str) -> None:
    """Write a value into the address, unless it is the default."""
    if value == key.default:
        st.query_params.pop(key.name, None)
    elif st.query_params.get(key.name) != value:
        st.query_params[key.name] = value
