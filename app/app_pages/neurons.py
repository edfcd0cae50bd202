"""The saliency lens: one layer's weights between the neurons that they connect."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from app import state
from app.charts.lens import VIEWS, Lens
from app.engine import runs
from app.facts import neurons, one_weight
from app.facts.window import LEAST, Window, around
from app.look.words import percent, unbroken
from app.parts import address, selection, session, ui
from app.state import Run

ABOUT = (
    "One weight matrix of the model: every **row** is an output neuron, every **column** an input neuron, every **cell** a "
    "block of weights (or one weight, once you have zoomed in). The bars are the neurons' **saliencies**: on top, how much "
    "signal each input sends into the layer; at the left, how much each output gathers. Where a cell holds several neurons, "
    "the bar is the strongest. A **cross** marks neurons that have lost every weight: they are dead.\n\n"
)
ABOUT_VIEW = {
    "magnitude": "Colour: the mean of |w| in each cell.",
    "signal": "Colour: the mean of |w| · a, the weight times the activation norm of its input: how much signal passes through "
    "it. Its averages over a column and over a row are the two saliencies.",
    "score": "Colour: the mean score by which the method ranks weights, on a scale of powers of ten. The lowest go first.",
    "critical": "Colour: the sparsity at which a weight goes, on average over the cell. The slider does not move it.",
    "mask": "Colour: the share of each cell's weights that is pruned where the slider stands.",
    "disagreement": "Colour: which method keeps more of the cell's weights at the same sparsity of the whole model. Pale: they "
    "keep as many (not always the same ones: point at a cell to see how many are in dispute).",
}
ABOUT_TOP = (
    "The neurons with the highest saliency, and how many of their weights are left where the slider stands. "
    "Click one to zoom to it."
)


def show(settings: Run) -> None:
    st.title("Which neurons carry the signal")
    key = settings
    with ui.working() as progress:
        order = runs.order(key.order, progress)
    with ui.controls("neurons"), st.container(key="wrap_neurons"):
        left, right = st.columns([4, 7], gap="medium", vertical_alignment="bottom")
        with left:
            layer = selection.layer(order.layers)
        with right:
            view = _view()
    rival = None
    way = st.container(key="wrap_way")
    if view == "disagreement":
        with way:
            way, right = st.columns([8, 3], gap="medium", vertical_alignment="center")
        with right, ui.controls("rival"):
            rival = _rival(key)
    window, weight = _window((settings.model, layer.name), layer.matrix), selection.weight(layer)
    drawn = view not in ("score", "critical") or ui.ordered(order)
    with ui.working() as progress:
        look = neurons.look(key, layer, progress)
        other = neurons.kept(rival, layer, progress) if rival else None
    if drawn:
        names = (runs.title(key), runs.title(rival) if rival else "")
        lens = look.lens(view, window, weight, names, other)
        with way:
            _way(window, layer.matrix, names[0], lens.single)
        ui.chart(lens, "lens", ABOUT + ABOUT_VIEW[view], partial(_clicked, lens, window))
    if not look.data.calibrated:
        st.caption("This layer never ran during calibration: its saliencies are means of |w| alone.")
    if weight:
        _card(look, *weight)
    with st.container(key="wrap_top"):
        for side, place in zip(("input", "output"), st.columns(2, gap="medium"), strict=True):
            with place:
                ui.chart(look.top(side), f"top_{side}", ABOUT_TOP, partial(_to_neuron, side, layer.matrix))


def _view() -> str:
    """What the cells show."""
    names = {name: view.title for name, view in VIEWS.items()}
    return address.switch("The cells show", state.VIEW, names, label_visibility="visible", width="stretch")


def _rival(key: Run) -> Run:
    """The run to compare with: another method at the same sparsity."""
    others = {m.name: m for m in runs.methods() if m.name != key.method or key.allocation != state.OWN}
    usual = runs.rival(key)
    names = {name: f"against {m.title}{' · slow' if runs.slow(m) else ''}" for name, m in others.items()}
    chosen = address.choose(
        st.selectbox, "Compared with", state.OTHER, names, usual.method if usual else "", label_visibility="collapsed"
    )
    return replace(key, method=chosen, allocation=state.OWN)


# --- the window ---------------------------------------------------------------------------------------------------


def _window(owner: tuple[str, str], shape: tuple[int, int]) -> Window:
    """The part of the matrix that is looked at: all of it when another layer has been chosen."""
    if session.get(state.WINDOW_OF) not in (None, owner):
        session.put(state.WINDOW, state.WINDOW.default)
    session.put(state.WINDOW_OF, owner)
    asked = address.now(state.WINDOW)
    window = Window.read(asked, shape)
    if window is None:
        if address.fresh(state.WINDOW):
            rows, columns = shape
            address.refuse(
                f"The address asks for the window {asked}, but this layer has {rows} rows and {columns} columns: showing "
                "the whole layer."
            )
        window = Window.whole(shape)
    _zoom(window, shape)
    address.keep(state.WINDOW, session.get(state.WINDOW))
    return window


def _zoom(window: Window, shape: tuple[int, int]) -> None:
    """Look at a part of the layer."""
    whole = window == Window.whole(shape)
    session.put(state.WINDOW, state.WINDOW.default if whole else str(window))


def _way(window: Window, shape: tuple[int, int], method: str, single: bool) -> None:
    """Where one is in the matrix, and the ways back."""
    steps = window.trail(shape)
    with st.container(key="steps", horizontal=True, vertical_alignment="center", gap="xsmall"):
        for n, step in enumerate(steps[:-1]):
            name = "Whole layer" if n == 0 else _said(step)
            st.button(
                name, key=f"way_{n}", type="tertiary", icon=":material/zoom_out:", on_click=_zoom, args=(step, shape)
            )
        here = "the whole layer" if len(steps) == 1 else f"**{_said(window)}**"
        hint = "click a weight to see its numbers" if single else "click a cell to zoom in"
        st.caption(f"{method} · {here} · {hint}")


def _said(window: Window) -> str:
    """A window in words."""
    rows, columns = window.spans
    return f"outputs {rows[0]}–{rows[-1]}, inputs {columns[0]}–{columns[-1]}"


def _clicked(lens: Lens, window: Window, data: list[float]) -> None:
    """A cell was clicked: go deeper, or choose the weight that it is."""
    place = lens.place(int(data[0]))
    if lens.single:
        selection.choose_weight(*place)
    else:
        session.put(state.WINDOW, str(window.zoomed(*place)))


def _to_neuron(side: str, shape: tuple[int, int], index: int) -> None:
    """A neuron was clicked: look at its weights."""
    rows, columns = Window.whole(shape).spans
    near = (
        Window(rows, around(columns, index, LEAST[1]))
        if side == "input"
        else Window(around(rows, index, LEAST[0]), columns)
    )
    _zoom(near, shape)


# --- one weight ---------------------------------------------------------------------------------------------------


def _card(look: neurons.Look, row: int, column: int) -> None:
    """The chosen weight in numbers."""
    with st.container(key="weight_card", border=True, gap="small"):
        fate = "kept" if look.mask[row, column] else "pruned"
        gone = one_weight.gone(look.key, look.layer.name, row, column)
        when = f"; gone from {gone} on" if gone else ""
        st.markdown(
            f"## Weight ({row}, {column}) is {fate} at {unbroken(percent(look.key.sparsity))} sparsity{unbroken(when)}"
        )
        with st.container(horizontal=True, gap="medium"):
            for name, place, kind in look.places(row, column):
                above = f"above {percent(place.share)} of {kind}"
                st.metric(name, f"{place.value:.3g}", above, delta_color="off", delta_arrow="off")
        st.page_link("app_pages/why.py", label="Why this weight?", icon=":material/help_center:")


ui.page(show)
