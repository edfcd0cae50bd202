"""A link that restores exactly what is on the screen."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from .. import state
from . import address, session


def button(tour: bool) -> DeltaGenerator:
    """A button that shows the address of the page as it is now; returns the place to `fill` again when the page is done.

    `tour`: whether there is one, so that a link can start it.
    """
    with st.popover("Link", icon=":material/link:", help="A link that shows your colleague exactly this"):
        place = st.empty()
    fill(place, tour)
    return place


def fill(place: DeltaGenerator, tour: bool) -> None:
    """Write down what the address is by now."""
    with place.container():
        st.markdown("**This page, exactly as it is now**")
        st.code(to_here({}), language=None, wrap_lines=True)
        if session.get(state.OWN_PICTURES):
            st.caption("Your own pictures stay with you: others see a scene of Flatland in their place.")
        st.markdown("**The same without controls**")
        st.code(to_here({state.PRESENT.name: "1"}), language=None, wrap_lines=True)
        if tour:
            st.markdown("**The guided tour of this model**")
            st.code(to_here({state.TOUR.name: "1"}), language=None, wrap_lines=True)


def to_here(more: dict[str, str]) -> str:
    """The address of the page with all that it needs to look the same."""
    there = {key: value for key, value in address.everything().items() if key != state.PRESENT.name}
    return with_parameters(st.context.url or "", there | more)


def with_parameters(url: str, parameters: dict[str, str]) -> str:
    """An address with these parameters and no others.

    >>> with_parameters("http://127.0.0.1:8501/retrieval?x=1", {"q": "a red car"})
    'http://127.0.0.1:8501/retrieval?q=a+red+car'
    """
    return urlunsplit(urlsplit(url)._replace(query=urlencode(parameters), fragment=""))
