"""The two runs that a reader has pinned, in the address; by default what the sidebar says, and its rival."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from multiflow_core.experiments.run import Run

from .. import state
from ..engine import checkpoints, data_sets, runs, shipped
from ..facts import two_runs
from . import address, open_data, open_masks, open_model, session, ui


def show(settings: Run) -> tuple[Run, Run]:
    """Draw both pins with their buttons, and return the runs."""
    now = settings
    rival = _rival(now)
    pinned = _pinned(state.RUN_A, now), _pinned(state.RUN_B, rival)
    with ui.controls("pins"), st.container(key="wrap_pins"):
        places = (*st.columns(2, gap="medium"),)
        for place, letter, key, run in zip(places, "AB", (state.RUN_A, state.RUN_B), pinned, strict=True):
            with place, st.container(border=True, horizontal=True, vertical_alignment="center", key=f"pin_{letter}"):
                follows = "" if session.get(key) else " · follows the sidebar"
                name, model = ui.verbatim(two_runs.name(run)), ui.verbatim(checkpoints.title(run.model))
                st.markdown(f"**{letter}** · {name}  \n:small[{model}{follows}]", width="stretch")
                _buttons(letter, key, run, settings)
    open_masks.dialog(settings, _pin_to)
    return pinned


def _rival(now: Run) -> Run:
    """What a run is held against unasked; where its rival is not there in that form, the run as it was pruned."""
    found = runs.rival(now) or now
    return found if shipped.there(found) else replace(now, form="")


def _buttons(letter: str, key: state.Key[str], run: Run, settings: Run) -> None:
    """Hold a run while the sidebar moves on, let it go again, or put the sidebar's in its place."""
    if session.get(key):
        st.button("Let go", icon=":material/keep_off:", key=f"free_{letter}", on_click=_pin, args=(key, ""))
    else:
        held = text_of(run)
        st.button("Pin", icon=":material/keep:", key=f"hold_{letter}", on_click=_pin, args=(key, held))
    if run != settings:
        st.button(
            "Make it the sidebar's",
            icon=":material/input:",
            key=f"take_{letter}",
            on_click=_pin,
            args=(key, text_of(settings)),
            help="Pin the run that the sidebar says now",
        )
    open_masks.button(letter)


def text_of(settings: Run) -> str:
    """A run as the address has it."""
    return str(replace(settings, model=checkpoints.address_of(settings.model), data=data_sets.source(settings.data)))


def _pinned(key: state.Key[str], default: Run) -> Run:
    """What a key pins, else the default; a text that pins nothing is said so, once."""
    text = address.now(key)
    try:
        run = known(Run.read(text)) if text else default
    except state.BadValue as problem:
        address.refuse(f"{problem}: showing {two_runs.name(default)}.")
        text, run = "", default
    address.keep(key, text)
    return run


def known(asked: Run) -> Run:
    """The settings of a run as the address has it; BadValue if there is no such model, data set, method or allocation here."""
    models, data = open_model.models(), open_data.opened()
    shown = asked.data or state.DATA.default
    known = (
        ("model", asked.model, models),
        ("data set", shown, data),  # only what was opened, and so was allowed
        ("method", asked.method, tuple(runs.all_titles())),
        ("allocation", asked.allocation, tuple(runs.allocations())),
    )
    for kind, name, names in known[:2] if asked.given else known:
        if name not in names:
            raise state.BadValue(f"The address pins a run with the {kind} “{name[:24]}”, which is not known here")
    found = replace(asked, model=models[asked.model], data=data[shown])
    if asked.given:
        return _given(replace(found, allocation=state.OWN))
    if asked.allocation != state.OWN and runs.method(asked.method).allocation is None:
        raise state.BadValue(
            f"The address pins {runs.method(asked.method).title} with an allocation, but it has its own way"
        )
    if not shipped.there(found):
        raise state.BadValue("The address pins a model that does not come with the lab")
    return found


def _given(asked: Run) -> Run:
    """A run whose masks were made elsewhere; its sparsity is theirs."""
    try:
        with ui.working() as progress:
            return runs.given(asked.model, asked.form, asked.data, progress)
    except (OSError, ValueError) as problem:
        raise state.BadValue(f"The address pins masks. {ui.sentence(problem)}".rstrip(".")) from None


def _pin_to(letter: str, run: Run) -> None:
    _pin({"A": state.RUN_A, "B": state.RUN_B}[letter], text_of(run))


def _pin(key: state.Key[str], text: str) -> None:
    session.put(key, text)
