"""Measure these methods on this data, from the page: what it takes, how far it is, what was found so far."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from .. import state
from ..engine import calibration, checkpoints, data_sets, measuring, permits, runs
from ..facts import gallery, measured
from ..look.words import percent
from ..state import Run
from . import session, ui

METHODS = ("multiflow", "omp", "localmp")
SPARSITIES = (0.3, 0.5, 0.63, 0.75, 0.9)
USUAL = (0.5, 0.63, 0.75)
PICTURES = 100
EVERY = 2.0  # seconds between two looks


def possible(settings: Run) -> bool:
    """Whether this can be measured from here: what is shipped was measured by its own command."""
    shipped = not settings.data and settings.model in checkpoints.models()
    return permits.here().may_measure and not shipped


def show(settings: Run) -> None:
    """Draw the panel: a form, or what is going on."""
    held = measuring.of(settings.model, settings.data)
    if held and held.running:
        _progress(settings.model, settings.data)
        return
    if held and held.problem:
        st.error(ui.verbatim(f"Measuring ended: {held.problem}"), icon=":material/error:")
        if held.other:
            st.button(
                "Measure into a new file",
                icon=":material/note_add:",
                key="measure_anew",
                on_click=_start,
                args=(held.plan, measuring.anew),
                help="The old file stays beside it.",
            )
    _form(settings)


def _form(settings: Run) -> None:
    with ui.working() as progress:
        exam = gallery.exam(settings.data, progress)
        able = measured.askable(runs.vlm(settings.model, progress), exam)
    if not able:
        st.info(
            f"{ui.verbatim(data_sets.title(settings.data))} has no captions, questions or classes that "
            f"{ui.verbatim(checkpoints.title(settings.model))} could be asked about.",
            icon=":material/info:",
        )
        return
    titles = runs.all_titles()
    with st.container(key="measure", border=True):
        st.markdown(f"**Measure on {ui.verbatim(data_sets.title(settings.data))}**")
        methods = st.multiselect(
            "Methods", list(titles), METHODS, format_func=titles.__getitem__, key=state.MEASURE_METHODS.name
        )
        with st.container(horizontal=True, gap="medium"):
            sparsities = st.pills(
                "Sparsities",
                SPARSITIES,
                selection_mode="multi",
                default=USUAL,
                format_func=percent,
                key=state.MEASURE_AT.name,
            )
            tasks = st.pills(
                "Tasks",
                list(able),
                selection_mode="multi",
                default=list(able),
                format_func=able.__getitem__,
                key=state.MEASURE_TASKS.name,
            )
            most = len(exam.items)
            pictures = st.number_input(
                "Pictures at most", 1, most, min(PICTURES, most), key=state.MEASURE_PICTURES.name, width=170
            )
        if not (methods and sparsities and tasks):
            st.caption("Choose at least one method, one sparsity and one task.")
            return
        with ui.working() as progress:
            pairs = calibration.sample(runs.work(settings.model, progress)).pairs
            plan = measuring.Plan(
                settings.model, settings.data, tuple(methods), tuple(sorted(sparsities)), tuple(tasks), pictures, pairs
            )
            minutes = plan.seconds(progress) / 60
        slow = [titles[name] for name in methods if runs.slow(runs.method(name))]
        more = f", and what {' and '.join(slow)} take{'s' * (len(slow) == 1)} besides" if slow else ""
        took = "less than a minute" if minutes < 1 else f"about {minutes:.0f} min"
        st.caption(
            f"{plan.total} models, {took} on two cores{more}. What the file holds already is not measured again."
        )
        st.button(
            "Measure", type="primary", icon=":material/play_arrow:", key="measure_start", on_click=_start, args=(plan,)
        )
        with st.expander("The command that does the same"):
            st.code(plan.command, language=None, wrap_lines=True)
    if problem := session.take(state.MEASURE_PROBLEM):
        st.error(ui.verbatim(problem), icon=":material/hourglass_top:")


def _start(plan: measuring.Plan, how: Callable[[measuring.Plan], object] = measuring.start) -> None:
    try:
        how(plan)
    except (measuring.Busy, OSError) as problem:
        session.put(state.MEASURE_PROBLEM, str(problem))


@st.fragment(run_every=EVERY)
def _progress(model: str, data: str) -> None:
    held = measuring.of(model, data)
    if held is None or not held.running:
        st.rerun()
    left = held.left
    about = (
        ""
        if left is None
        else f", about {max(1, round(left / 60))} min left"
        if left >= 60
        else ", less than a minute left"
    )
    with st.container(key="measuring", border=True):
        st.progress(held.done / held.plan.total, f"{held.done} of {held.plan.total} models measured{about}")
        if held.lines:
            st.code("\n".join(held.lines[-8:]), language=None)
        st.button(
            "Stop", icon=":material/stop:", key="measure_stop", on_click=held.stop, help="What was measured is kept."
        )
