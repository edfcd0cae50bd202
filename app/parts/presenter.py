"""For the room: stories in one click, presenter mode, and a link that restores exactly what is on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from multiflow_core.experiments.run import Run

from .. import state
from ..engine import runs
from ..facts import comparison
from ..facts.stories import Story, stories, told
from ..look.words import percent
from . import address, selection

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

STRIDE = 0.05  # of the sparsity, in presenter mode
STARTED = "presenting_started"
_TO_THE_TOP = "<script>document.querySelector('[data-testid=\"stMain\"]').scrollTo(0, 0)</script>"


def presenting() -> bool:
    """Whether this session shows pages without controls; the address says so and keeps saying so."""
    address.take(state.PRESENT, ("", "1"))
    on = st.session_state[state.PRESENT.name]
    address.keep(state.PRESENT, on)
    return bool(on)


def story_buttons(settings: Run, place: str) -> None:
    """One button a story of the model; none where nothing was measured."""
    found = _stories(settings.model)
    if not found:
        return
    now = told(found, settings)
    with st.container(horizontal=True, gap="xsmall", key=f"stories_{place}"):
        for n, story in enumerate(found):
            st.button(
                story.name, icon=story.icon, key=f"story_{place}_{n}", on_click=_tell, args=(story,),
                type="primary" if story == now else "secondary",
            )  # fmt: skip


def told_now(settings: Run) -> Story | None:
    """The story whose settings these are."""
    return told(_stories(settings.model), settings)


def banner(settings: Run, shown: bool) -> None:
    """What there is to see, while the settings are those of a story whose button, or a link to it, was pressed."""
    story = told_now(settings)
    if state.TOLD not in st.session_state:
        st.session_state[state.TOLD] = settings if st.query_params.get(state.STORY.name) else None
    on = story is not None and st.session_state[state.TOLD] == settings
    address.keep(state.STORY, "1" if on else "")
    if on and shown:
        with st.container(key="story"):
            st.info(story.words, title=story.name, icon=story.icon)


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
        method = runs.title(Run(settings.model, settings.method, settings.allocation))
        st.markdown(f"**{method} at {percent(settings.sparsity)}**", width="content")
        story_buttons(settings, "bar")
        st.button(
            "Leave presenter mode", icon=":material/close_fullscreen:", key="leave", on_click=_present, args=("",),
            shortcut="Escape",
        )  # fmt: skip
    if st.session_state.pop(STARTED, False):
        st.html(_TO_THE_TOP, unsafe_allow_javascript=True)


def share() -> None:
    """Presenter mode, and the address of the page as it is now."""
    with st.container(horizontal=True, gap="xsmall", key="share"):
        st.button(
            "Present", icon=":material/open_in_full:", key="start_presenting", on_click=_present, args=("1",),
            help="This page without controls, for a projector",
        )  # fmt: skip
        with st.popover("Link", icon=":material/link:", help="A link that shows your colleague exactly this"):
            st.markdown("**This page, exactly as it is now**")
            st.code(link({}), language=None, wrap_lines=True)
            if st.session_state.get(state.OWN_PICTURES):
                st.caption("Your own pictures stay with you: others see a scene of Flatland in their place.")
            st.markdown("**The same without controls**")
            st.code(link({state.PRESENT.name: "1"}), language=None, wrap_lines=True)


def link(more: dict[str, str]) -> str:
    """The address of the page with all that it needs to look the same."""
    there = {key: value for key, value in st.query_params.items() if key != state.PRESENT.name}
    return with_parameters(st.context.url or "", there | more)


def with_parameters(url: str, parameters: dict[str, str]) -> str:
    """An address with these parameters and no others.

    >>> with_parameters("http://127.0.0.1:8501/retrieval?x=1", {"q": "a red car"})
    'http://127.0.0.1:8501/retrieval?q=a+red+car'
    """
    return urlunsplit(urlsplit(url)._replace(query=urlencode(parameters), fragment=""))


def _stories(model: str) -> tuple[Story, ...]:
    return stories(model, comparison.load(model, runs.all_titles()))


def _tell(story: Story) -> None:
    st.session_state[state.METHOD.name] = story.settings.method
    st.session_state[state.ALLOCATION.name] = story.settings.allocation
    st.session_state[state.SPARSITY.name] = story.settings.sparsity
    st.session_state[state.TOLD] = story.settings


def _present(value: str) -> None:
    st.session_state[state.PRESENT.name] = value
    st.session_state[STARTED] = bool(value)
