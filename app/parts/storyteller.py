"""Stories in one click, told while their settings are in force."""

from __future__ import annotations

import streamlit as st

from multiflow_core.experiments.run import Run

from .. import state
from ..engine import runs
from ..engine.store import STORE
from ..facts import comparison, measured
from ..facts.stories import Story, stories, told
from . import address, selection, session, ui

_MADE = STORE.room(16)


def buttons(settings: Run, place: str) -> None:
    """One button a story of the model; none where nothing was measured."""
    found = _stories(settings)
    if not found:
        return
    now = told(found, settings)
    with st.container(horizontal=True, gap="xsmall", key=f"stories_{place}"):
        for n, story in enumerate(found):
            st.button(
                story.name,
                icon=story.icon,
                key=f"story_{place}_{n}",
                on_click=_tell,
                args=(story,),
                type="primary" if story == now else "secondary",
            )


def told_now(settings: Run) -> Story | None:
    """The story whose settings these are."""
    return told(_stories(settings), settings)


def banner(settings: Run, shown: bool) -> None:
    """What there is to see, while the settings are those of a story whose button, or a link to it, was pressed."""
    story = told_now(settings)
    if not session.has(state.TOLD):
        session.put(state.TOLD, settings if address.now(state.STORY) else None)
    on = story is not None and session.get(state.TOLD) == settings
    address.keep(state.STORY, "1" if on else "")
    if on and shown:
        with st.container(key="story"):
            st.info(ui.verbatim(story.words), title=ui.verbatim(story.headline), icon=story.icon)


def _stories(settings: Run) -> tuple[Story, ...]:
    """Those of the model and its data, whatever the sidebar says besides: told anew when the result file has changed."""
    model, data, titles = settings.model, settings.data, runs.all_titles()
    key = (model, data, measured.changed(model, data), tuple(titles))
    return _MADE.at_once(key, lambda: stories(settings, comparison.load(model, data, titles)))


def _tell(story: Story) -> None:
    selection.choose_run(story.settings)
    session.put(state.TOLD, story.settings)
