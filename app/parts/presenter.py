"""Presenter mode: pages without controls, for a projector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from multiflow_core.experiments.run import Run

from .. import state
from ..engine import runs
from ..look.words import percent, unbroken
from . import address, guide, link, selection, session, storyteller

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

STRIDE = 0.05  # of the sparsity, in presenter mode
_TO_THE_TOP = "<script>document.querySelector('[data-testid=\"stMain\"]').scrollTo(0, 0)</script>"


def presenting() -> bool:
    """Whether this session shows pages without controls; the address says so and keeps saying so."""
    if on := address.now(state.PRESENT):
        address.keep(state.PRESENT, on)
    return bool(on) or guide.touring()


def bar(settings: Run, pages: Sequence[StreamlitPage], title: str) -> None:
    """The only controls of presenter mode: the pages before and after this one, the sparsity, the stories, and the way out."""
    at = next(i for i, page in enumerate(pages) if page.title == title)
    with st.container(key="presenter_bar", horizontal=True, gap="small", vertical_alignment="center"):
        for page, icon in ((pages[at - 1], "arrow_back"), (pages[(at + 1) % len(pages)], "arrow_forward")):
            st.page_link(page, label=page.title, icon=f":material/{icon}:")
        for sign, by in (("−", -STRIDE), ("+", STRIDE)):
            st.button(
                f"{sign} {percent(STRIDE)}",
                key=f"stride_{'down' if by < 0 else 'up'}",
                on_click=selection.choose_sparsity,
                args=(settings.sparsity + by,),
            )
        method = runs.title(settings)
        st.markdown(f"**{method} at {unbroken(percent(settings.sparsity))}**", width="content")
        storyteller.buttons(settings, "bar")
        st.button(
            "Leave presenter mode",
            icon=":material/close_fullscreen:",
            key="leave",
            on_click=_present,
            args=("",),
            shortcut="Escape",
        )


def to_the_top() -> None:
    """Begin at the top of the page, where another one has been entered."""
    if session.take(state.STARTED):
        st.html(_TO_THE_TOP, unsafe_allow_javascript=True)


def share(settings: Run) -> DeltaGenerator:
    """The tour, presenter mode, and the address of the page as it is now; returns where that stands."""
    with st.container(horizontal=True, gap="xsmall", key="share"):
        st.button(
            "Present",
            icon=":material/open_in_full:",
            key="start_presenting",
            on_click=_present,
            args=("1",),
            help="This page without controls, for a projector",
        )
        if guide.possible(settings):
            st.button(
                "Tour",
                icon=":material/tour:",
                key="start_tour",
                on_click=guide.begin,
                help="About three minutes for a room that has never heard of pruning, with notes for the presenter",
            )
        return link.button(guide.possible(settings))


def _present(value: str) -> None:
    address.keep(state.PRESENT, value)
    session.put(state.STARTED, bool(value))
