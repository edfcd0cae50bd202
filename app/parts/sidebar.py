"""The shared sidebar: model, method, sparsity. Every setting is in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from multiflow_core.experiments.run import Run
from multiflow_core.tasks.task import tasks

from .. import state
from ..engine import calibration, checkpoints, runs
from ..engine.store import Progress
from ..facts import measured
from . import address, open_model, selection, ui

if TYPE_CHECKING:
    from multiflow_core.pruning.method import Method


def show() -> Run | None:
    """Draw the sidebar and return what it says; None when there is no model to show."""
    if not checkpoints.models():
        st.error(
            f"There is no checkpoint in {checkpoints.assets().name}/: train one, or put a folder with config.json there.",
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
            with st.container(key="sidebar_method"):
                method = _method(model)
                allocation = _allocation(method)
            with st.container(key="sidebar_sparsity"):
                sparsity = st.slider(
                    "Sparsity", 0.0, 1.0, state.SPARSITY.default, 0.01, format="percent", key=state.SPARSITY.name,
                    bind="query-params", help="The share of the prunable weights that are set to zero.",
                )  # fmt: skip
                with st.container(horizontal=True, gap="xsmall", key="presets"):
                    for preset in state.PRESETS:
                        st.button(
                            "Dense" if preset == 0 else f"{preset:.0%}", key=f"preset_{preset:.0%}".rstrip("%"),
                            on_click=selection.choose_sparsity, args=(preset,), help=_PRESET_HELP.get(preset),
                            type="primary" if abs(sparsity - preset) < 0.005 else "secondary",
                        )  # fmt: skip
    open_model.dialog()
    return Run(model, method, round(sparsity, 2), allocation)


_PRESET_HELP = {
    0.0: "Nothing pruned",
    0.63: "The paper's mildest setting",
    0.75: "The paper's middle setting",
    0.90: "The paper's hardest setting",
}


def _model() -> str:
    """The model, of the built-in ones and those opened in this session."""
    known = open_model.models()
    if state.CHOSEN in st.session_state:
        st.session_state[state.MODEL.name] = st.session_state.pop(state.CHOSEN)
    address.take(state.MODEL, known)
    named = _named(known)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="model_row"):
        st.markdown("Model", width="stretch")
        open_model.button()
    chosen = st.selectbox(
        "Model", list(known), key=state.MODEL.name, format_func=named.get, label_visibility="collapsed"
    )
    address.keep(state.MODEL, chosen)
    return known[chosen]


def _named(known: Mapping[str, str]) -> dict[str, str]:
    """Addresses with their names for people; two models of one name are told apart by where they lie."""
    titles = {name: checkpoints.title(model) for name, model in known.items()}
    twice = {title for title in titles.values() if list(titles.values()).count(title) > 1}
    return {name: name if title in twice else title for name, title in titles.items()}


def _method(model: str) -> str:
    """The pruner; those that take minutes say so."""
    pruners = {m.name: m for m in runs.methods()}
    address.take(state.METHOD, pruners)

    def said(name: str) -> str:
        return f"{pruners[name].title} · slow" if runs.slow(pruners[name]) else pruners[name].title

    asked = pruners[st.session_state[state.METHOD.name]]
    method = st.selectbox("Method", list(pruners), key=state.METHOD.name, format_func=said, help=asked.idea)
    address.keep(state.METHOD, method)
    notes = [_cost(model, pruners[method])] if runs.slow(pruners[method]) else []
    if pruners[method].needs and model not in checkpoints.models():
        with ui.working() as progress:
            pairs = runs.calibration_pairs(model, pruners[method], progress)
        bound = "" if pairs == calibration.MOST else ", as many as take about a minute"
        notes.append(f"{checkpoints.title(model)} is calibrated on {pairs} pairs of Flatland{bound}.")
    if notes:
        st.caption(ui.verbatim(" ".join(notes)))
    return method


def _cost(model: str, method: Method) -> str:
    results = measured.load(model)
    cost = results.seconds(method.name) if results else None
    took = f"took {cost:,.0f} s when it was measured" if cost else "can take minutes"
    return f"{method.title} needs {' and '.join(sorted(method.needs))}: one mask {took}."


def _allocation(method: str) -> str:
    """How the sparsity is shared out: the method's own way, or another one for any method with scores."""
    from multiflow_core.pruning.allocations import allocations

    chosen = runs.method(method)
    if chosen.allocation is None:
        address.keep(state.ALLOCATION, state.OWN)
        return state.OWN
    ways = {state.OWN: None} | {a.name: a for a in allocations() if a.name != chosen.allocation}
    address.take(state.ALLOCATION, ways)
    own = next(a.title for a in allocations() if a.name == chosen.allocation)
    allocation = st.selectbox(
        # the browser keeps the name of a choice, so that of the method's own must be the same for all methods
        f"Allocation · own: {own.lower()}", list(ways), key=state.ALLOCATION.name, persist_state="session",
        format_func=lambda name: "The method's own" if ways[name] is None else ways[name].title,
        help="How one sparsity becomes one for every layer. Any score combines with any allocation: that is the paper's ablation.",
    )  # fmt: skip
    address.keep(state.ALLOCATION, allocation)
    return allocation


def _check_address(progress: Progress) -> None:
    """On a session's first run, open the model of the address, and note what in the address cannot be used."""
    from multiflow_core.pruning.allocations import allocations

    if state.NOTICES not in st.session_state:
        problem = open_model.from_address(progress)
        choices = {
            state.METHOD: tuple(runs.all_titles()),
            state.ALLOCATION: (state.OWN, *(a.name for a in allocations())),
            state.VIEW: state.VIEWS,
            state.DIRECTION: state.DIRECTIONS,
            state.TASK: tuple(task.title for task in tasks()),  # as its widget writes it
        }
        st.session_state[state.NOTICES] = [problem] * bool(problem) + state.complaints(st.query_params, choices)


def notices(settings: Run) -> None:
    """Say what in the address could not be used, until the settings are changed."""
    if st.session_state.get(state.NOTICES):
        seen = st.session_state.setdefault(f"{state.NOTICES} at", settings)
        if seen != settings:
            st.session_state[state.NOTICES] = []
        for sentence in st.session_state[state.NOTICES]:
            st.warning(ui.verbatim(sentence), icon=":material/link_off:")
