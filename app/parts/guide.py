"""The guided tour on the presented window: which step it is, its words, and the way to the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import streamlit as st

from multiflow_core.experiments.run import Run

from .. import state
from ..engine import runs, tours
from ..facts import comparison
from ..look.words import unbroken
from . import address, link, session, ui

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

    from ..facts.tour import Step


@dataclass(frozen=True)
class Guide:
    """A tour at one of its steps, counted from 0."""

    steps: Sequence[Step]
    at: int
    code: str

    @property
    def step(self) -> Step:
        return self.steps[self.at]


def touring() -> bool:
    """Whether a tour is given in this session."""
    return bool(address.now(state.TOUR))


def possible(settings: Run) -> bool:
    """Whether there are figures to tell of the model."""
    found = comparison.load(settings.model, settings.data, runs.all_titles())
    return found is not None and state.METHOD.default in found.methods


def enter() -> None:
    """Set what the step shows that was just entered; before any widget is drawn."""
    step = session.take(state.ENTERED)
    if step is not None:
        for slot, value in step.all_choices():
            session.put(slot, value)


def here(settings: Run) -> Guide | None:
    """The tour that the address asks for, at its step; None where it asks for none, or there is none to give."""
    asked = address.now(state.TOUR)
    if not asked:
        return None
    from ..facts import tour  # needs PyTorch

    with ui.working() as progress:
        steps = tour.steps(settings.model, settings.data, tour.stamp(settings.model, settings.data), progress)
    if not steps:
        address.refuse("There is no tour of this model: nothing was measured of it.")
        leave()
        return None
    at = min(int(asked), len(steps)) - 1
    guide = Guide(steps, at, address.now(state.ROOM) or tours.new_code())
    address.keep(state.TOUR, str(at + 1))
    address.keep(state.ROOM, guide.code)
    if session.get(state.SHOWN) != (settings.model, settings.data, at):
        session.put(state.SHOWN, (settings.model, settings.data, at))
        session.put(state.ENTERED, guide.step)
        st.rerun()
    tours.tell(guide.code, steps, at)
    return guide


def turn(guide: Guide, pages: Mapping[str, StreamlitPage], now: StreamlitPage) -> None:
    """Go to the page of the step."""
    wanted = pages[guide.step.page]
    if wanted.title != now.title:
        st.switch_page(wanted, query_params={key.name: address.now(key) for key in (state.TOUR, state.ROOM)})


def panel(guide: Guide) -> None:
    """What the room reads above the page."""
    with st.container(key="tour"):
        st.title(unbroken(guide.step.headline))
        st.markdown(ui.verbatim(guide.step.words))
    alone = "".join(rule for key, rule in _ALONE.items() if key in guide.step.hides)
    st.html(f"<style>{_rule(guide.step.hides)}{alone}</style>")


def _rule(keys: Sequence[str]) -> str:
    """A rule that hides the containers with these keys.

    >>> _rule(("a", "b"))
    '[data-testid="stLayoutWrapper"]:has(>:is(.st-key-a,.st-key-b)){display:none}'
    """
    named = ",".join(f".st-key-{key}" for key in keys)
    return f'[data-testid="stLayoutWrapper"]:has(>:is({named})){{display:none}}' if keys else ""


_ALONE = {  # {what is hidden: what its neighbour does with the room}
    "ranking_pruned": '[data-testid="stColumn"]:has(.st-key-ranking_pruned){display:none}'
    "@media (min-width:1151px){.st-key-wrap_rankings .mf-grid{grid-template-columns:repeat(8,1fr)}}",
    "chart_leaderboard": '[data-testid="stColumn"]:has(.st-key-chart_leaderboard){display:none}',
}


def bar(guide: Guide) -> None:
    """Back, next, where we are, the window with the notes, and the way out. Arrow keys and those of a pointer work as well."""
    last = guide.at == len(guide.steps) - 1
    with st.container(key="presenter_bar", horizontal=True, gap="small", vertical_alignment="center"):
        for n, key in enumerate(("Left", "PageUp")):
            st.button(
                "Back",
                icon=":material/arrow_back:",
                key=f"tour_back_{n}",
                on_click=_go,
                args=(guide, guide.at - 1),
                disabled=guide.at == 0,
                shortcut=key,
            )
        st.markdown(f"**{guide.at + 1} of {len(guide.steps)}**", width="content")
        for n, key in enumerate(("Right", "PageDown")):
            st.button(
                "Next",
                icon=":material/arrow_forward:",
                icon_position="right",
                key=f"tour_next_{n}",
                on_click=_go,
                args=(guide, guide.at + 1),
                disabled=last,
                shortcut=key,
                type="primary",
            )
        notes = link.with_parameters(_root(st.context.url or ""), {state.NOTES.name: guide.code})
        st.link_button(
            "Notes",
            notes,
            icon=":material/speaker_notes:",
            key="tour_notes",
            help="What to say, in a window of your own: it follows this one",
        )
        st.button("Leave", icon=":material/close_fullscreen:", key="leave", on_click=leave, shortcut="Escape")


def begin() -> None:
    """Start the tour, from a callback."""
    address.keep(state.TOUR, "1")
    session.put(state.SHOWN, None)


def leave() -> None:
    """End it, and presenter mode with it; everything stays as it was shown last."""
    address.keep(state.TOUR, "")
    address.keep(state.ROOM, "")
    address.keep(state.PRESENT, "")
    session.put(state.SHOWN, None)


def _go(guide: Guide, to: int) -> None:
    if 0 <= to < len(guide.steps):
        address.keep(state.TOUR, str(to + 1))
        model, data, _ = session.get(state.SHOWN)
        session.put(state.SHOWN, (model, data, to))
        session.put(state.ENTERED, guide.steps[to])
        session.put(state.STARTED, True)


def _root(url: str) -> str:
    """The address of the first page.

    >>> _root("http://127.0.0.1:8501/lab/captioning?tour=1")
    'http://127.0.0.1:8501/lab/'
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rpartition("/")[0] + "/", query="", fragment=""))
