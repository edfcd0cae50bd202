"""The shared sidebar: model, method, sparsity. Every setting is in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from multiflow_core.experiments.run import Run
from multiflow_core.tasks.task import tasks

from .. import state
from ..engine import calibration, checkpoints, data_sets, runs
from ..engine.store import Progress
from ..facts import measured
from ..look.words import percent
from . import address, after_pruning, fixed_layers, live_slider, open_data, open_model, selection, session, ui

if TYPE_CHECKING:
    from multiflow_core.pruning.method import Method


def show(live: bool = False, asks: bool = False) -> Run | None:
    """Draw the sidebar and return what it says; None when there is no model to show.

    On a page that is `live` it says what the slider shows while it is dragged, too; on one that `asks` models they may be in
    another form than pruned, and then `state.SETTINGS` is what the page shows.
    """
    if not checkpoints.models():
        st.error(
            f"There is no checkpoint in {ui.verbatim(checkpoints.assets().name)}/: train one, or put a folder with "
            "config.json there.",
            icon=":material/folder_off:",
        )
        return None
    with st.sidebar:
        place = st.container()
        with ui.working() as progress:
            runs.core(progress)
            _check_address(progress)
        with place:
            model = _model()
            data = _data()
            with st.container(key="sidebar_method"):
                method = _method(model, data)
                allocation = _allocation(method)
            with st.container(key="sidebar_sparsity"):
                sparsity = st.slider(
                    "Sparsity",
                    0.0,
                    1.0,
                    state.SPARSITY.default,
                    0.01,
                    format="percent",
                    **address.bound(state.SPARSITY),
                    help="The share of the prunable weights that are set to zero.",
                )
                with st.container(horizontal=True, gap="xsmall", key="presets"):
                    for preset in state.PRESETS:
                        st.button(
                            "Dense" if preset == 0 else percent(preset),
                            key=f"preset_{preset:.0%}".rstrip("%"),
                            on_click=selection.choose_sparsity,
                            args=(preset,),
                            help=_PRESET_HELP.get(preset),
                            type="primary" if abs(sparsity - preset) < 0.005 else "secondary",
                        )
                    live_slider.button(live)
                shown = live_slider.follow(sparsity, live)
                after = st.container()
                fixed = fixed_layers.show(model)
            run = Run(model, method, round(shown, 2), allocation, data=data, fixed=fixed)
            with after:
                session.put(state.SETTINGS, after_pruning.switch(run) if asks else run)
    open_model.dialog()
    open_data.dialog()
    return run


_PRESET_HELP = {
    0.0: "Nothing pruned",
    0.63: "The paper's mildest setting",
    0.75: "The paper's middle setting",
    0.90: "The paper's hardest setting",
}


def _model() -> str:
    """The model, of the built-in ones and those opened in this session."""
    known = open_model.models()
    if chosen := session.take(state.CHOSEN):
        session.put(state.MODEL, chosen)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="model_row"):
        st.markdown("Model", width="stretch")
        open_model.button()
    model = known[address.choose(st.selectbox, "Model", state.MODEL, _named(known), label_visibility="collapsed")]
    if model not in checkpoints.models():
        with ui.working() as progress:
            ui.note(runs.vlm(model, progress).held)
    return model


def _data() -> str:
    """The data set: Flatland, or one of those opened in this session."""
    known = open_data.opened()
    if chosen := session.take(state.DATA_CHOSEN):
        session.put(state.DATA, chosen)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="data_row"):
        st.markdown("Data", width="stretch")
        open_data.button()
    names = {name: data_sets.title(data) for name, data in known.items()}
    data = known[address.choose(st.selectbox, "Data", state.DATA, names, label_visibility="collapsed")]
    open_data.told(data)
    return data


def _named(known: Mapping[str, str]) -> dict[str, str]:
    """Addresses with their names for people; two models of one name are told apart by where they lie."""
    titles = {name: checkpoints.title(model) for name, model in known.items()}
    twice = {title for title in titles.values() if list(titles.values()).count(title) > 1}
    return {name: name if title in twice else title for name, title in titles.items()}


def _method(model: str, data: str) -> str:
    """The pruner; those that take minutes say so."""
    pruners = {m.name: m for m in runs.methods()}
    names = {name: f"{m.title} · slow" if runs.slow(m) else m.title for name, m in pruners.items()}
    asked = pruners.get(address.now(state.METHOD), pruners[state.METHOD.default])
    method = address.choose(st.selectbox, "Method", state.METHOD, names, help=asked.idea)
    notes = [_cost(model, data, pruners[method])] if runs.slow(pruners[method]) else []
    if pruners[method].needs and (data or model not in checkpoints.models()):
        notes.append(_pairs(model, data, pruners[method]))
    if notes:
        st.caption(ui.verbatim(" ".join(notes)))
    return method


def _pairs(model: str, data: str, method: Method) -> str:
    """What a model is calibrated on, and why on no more; or that it can be shown nothing."""
    with ui.working() as progress:
        if why := runs.unreadable(model, progress):
            return why
        pairs = runs.calibration_pairs(model, data, method, progress)
        asked = runs.calibration_sample(model, method, progress).pairs
    bound = ", all that it has to calibrate with" if pairs < asked else ", as many as take about a minute"
    why = "" if pairs == calibration.MOST else bound
    return f"{checkpoints.title(model)} is calibrated on {pairs} pairs of {data_sets.title(data)}{why}."


def _cost(model: str, data: str, method: Method) -> str:
    results = measured.load(model, data)
    cost = results.seconds(method.name) if results else None
    took = f"took {cost:,.0f} s when it was measured" if cost else "can take minutes"
    return f"{method.title} needs {' and '.join(sorted(method.needs))}: one mask {took}."


def _allocation(method: str) -> str:
    """How the sparsity is shared out: the method's own way, or another one for any method with scores."""
    chosen, ways = runs.method(method), runs.allocations()
    if chosen.allocation is None:
        address.leave(
            state.ALLOCATION, f"{chosen.title} has its own way to share the sparsity out: no allocation applies."
        )
        return state.OWN
    own = ways.pop(chosen.allocation)
    if address.now(state.ALLOCATION) == chosen.allocation:
        address.keep(state.ALLOCATION, state.OWN)
    return address.choose(
        st.selectbox,
        f"Allocation · own: {own.lower()}",
        state.ALLOCATION,
        ways,
        help="How one sparsity becomes one for every layer. Any score combines with any allocation: that is the paper's ablation.",
    )


def _check_address(progress: Progress) -> None:
    """On a session's first run, open the model of the address, and note what in the address cannot be used."""
    if session.get(state.NOTICES) is None:
        choices = {
            state.METHOD: runs.all_titles(),
            state.ALLOCATION: runs.allocations(),
            state.TASK: tuple(task.name for task in tasks()),
        }
        found = address.complaints(choices)
        problems = open_model.from_address(progress), open_data.from_address(progress)
        session.put(state.NOTICES, (*filter(None, problems), *found))


def notices(settings: Run) -> None:
    """Say what in the address could not be used, until the settings are changed."""
    if session.get(state.NOTICES):
        if not session.has(state.NOTICED):
            session.put(state.NOTICED, settings)
        if session.get(state.NOTICED) != settings:
            session.put(state.NOTICES, ())
        with st.container(key="notices"):
            for sentence in session.get(state.NOTICES):
                address.refuse(sentence)
