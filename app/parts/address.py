"""What an address says; nothing else in the app reads or writes `st.query_params`.

Numbers and texts are bound to the address by their widgets (`bound`). A choice is shown under other names than its values,
and Streamlit would write those names: it is kept by hand (`choose`), as is what has no widget (`now`, `keep`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import streamlit as st

from .. import state
from ..state.keys import Key
from . import session, ui

T = TypeVar("T")


def bound(key: Key[Any]) -> dict[str, str]:
    """What binds a widget to a key: it shows what the address says, and the address what it shows."""
    return {"key": key.name, "bind": "query-params"}


def now(key: Key[T]) -> T:
    """What the session has, else what the address asks for, else the default, to which a bad value gives way, too."""
    try:
        return session.get(key) if session.has(key) else key.read(st.query_params.get(key.name, str(key.default)))
    except state.BadValue:
        return key.default


def fresh(key: Key[str]) -> bool:
    """Whether the address asks for something that no page has looked at yet."""
    return key.name in st.query_params and not session.has(key)


def keep(key: Key[T], value: T, shown: bool = True) -> None:
    """Put a value into session and address; into the address only where it is shown, and not the default."""
    if not session.has(key) or session.get(key) != value:
        session.put(key, value)
    if value == key.default or not shown:
        st.query_params.pop(key.name, None)
    elif st.query_params.get(key.name) != str(value):
        st.query_params[key.name] = str(value)


def choose(
    widget: Callable[..., str], label: str, key: Key[str], names: Mapping[str, str], default: str = "", **how: Any
) -> str:
    """Draw a widget for a choice, {value: its name for people}, and return the value.

    One that is not among them (any more: another model may have been opened) gives way to the default; where the address
    asks for it, a sentence says so.
    """
    value = now(key)
    if value not in names:
        usual = next(name for name in (default, key.default, *names) if name in names)
        if fresh(key) and value != key.default:
            refuse(f"There is no {key.noun or key.name} {state.short(value)} here: showing {names[usual]}.")
        value = usual
    if not session.has(key) or session.get(key) != value:
        session.put(key, value)
    chosen = widget(label, list(names), key=key.name, format_func=names.__getitem__, persist_state="session", **how)
    keep(key, chosen)
    return chosen


def switch(label: str, key: Key[str], names: Mapping[str, str], **how: Any) -> str:
    """A choice of few, all in sight, without a label."""
    return choose(st.segmented_control, label, key, names, required=True, **{"label_visibility": "collapsed"} | how)


def leave(key: Key[str], why: str) -> None:
    """Do without a choice that does not apply here; a sentence says why where the address asks for it."""
    if fresh(key) and now(key) != key.default:
        refuse(why)
    st.query_params.pop(key.name, None)


def refuse(sentence: str) -> None:
    """Say that something in the address cannot be used."""
    st.warning(ui.verbatim(sentence), icon=":material/link_off:")


def complaints(choices: Mapping[Key[Any], Iterable[str]]) -> list[str]:
    """One sentence for every bad value; they are gone from the address then, so that no page complains again."""
    found = state.complaints(st.query_params, choices)
    for key in found:
        del st.query_params[key.name]
    return list(found.values())


def everything() -> dict[str, str]:
    """All that the address says."""
    return dict(st.query_params)
