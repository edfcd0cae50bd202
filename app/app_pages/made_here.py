"""The runs and measurements made in this lab: open, compare, rename, delete, take away."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import sha256

import streamlit as st

from app import state
from app.engine import checkpoints, data_sets, measuring, permits, runs
from app.engine.journal import LONGEST, Entry
from app.facts import made_here, two_runs
from app.facts.made_here import Measurement
from app.parts import notebook, open_data, open_model, run_pins, selection, session, ui
from app.state import Run

SHOWN = 20  # runs, before the reader asks for all
ABOUT = (
    "Every way of pruning that a page has shown here, with the **sparsity** it was last seen at. Give one a name, and it stays "
    "where it is while the slider moves on. **A** and **B** put two of them side by side on *Two runs*."
)
ABOUT_MEASURED = (
    "Files of figures that were measured: those of the built-in models came with the lab, others were written by *Compare* or "
    "by the command line."
)


def show(settings: Run) -> None:
    st.title("Made here: runs and measurements")
    held = notebook.read()
    _runs(settings, held.entries)
    _measurements(settings, held.names)


# --- runs -----------------------------------------------------------------------------------------------------------


def _runs(settings: Run, entries: tuple[Entry, ...]) -> None:
    many = f"{len(entries)} run{'s' * (len(entries) != 1)} looked at"
    ui.heading(many if entries else "No run has been looked at yet", ABOUT, "runs")
    now = f"The sidebar says {two_runs.name(settings)}."
    kept = "Kept on this machine." if notebook.lasting() else "Kept until you leave: this server serves others, too."
    st.caption(ui.verbatim(f"{now} {kept}"))
    if not entries:
        return
    models, data = open_model.models(), open_data.opened()
    _files("runs", made_here.listed(entries, models, data))
    pinned = [session.get(key) for key in (state.RUN_A, state.RUN_B)]
    if any(pinned):
        st.page_link("app_pages/two_runs.py", label="Compare A and B on Two runs", icon=":material/compare:")
    every = len(entries) <= SHOWN or st.toggle(f"All {len(entries)}", key="all_runs")
    for entry in entries if every else entries[:SHOWN]:
        ui.guarded(partial(_run, entry, settings, pinned))


def _run(entry: Entry, settings: Run, pinned: list[str]) -> None:
    run, key = Run.read(entry.run), _key(entry.run)
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small", key=f"run_{key}"):
        name = two_runs.name(run) if run.method in runs.all_titles() else str(run)
        figures = made_here.measured_there(run, open_model.models(), open_data.opened())
        parts = (checkpoints.title(run.model), data_sets.title(run.data), made_here.when(entry.seen), figures)
        where = " · ".join(part for part in parts if part)
        first, more = (entry.name, f"{name} · ") if entry.name else (name, "")
        st.markdown(f"**{ui.verbatim(first)}**  \n:small[{ui.verbatim(more + where)}]", width="stretch")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            _open(run, key, settings)
            for letter, place, held in zip("AB", (state.RUN_A, state.RUN_B), pinned, strict=True):
                st.button(
                    letter,
                    key=f"as_{letter}_{key}",
                    type="primary" if held == entry.run else "secondary",
                    help=f"Make it {letter} of Two runs",
                    on_click=session.put,
                    args=(place, entry.run),
                )
            with st.popover("More", icon=":material/more_horiz:", key=f"more_{key}"):
                _rename(
                    entry.name, f"name_{key}", lambda name: notebook.change(lambda held: held.named(entry.run, name))
                )
                st.button(
                    "Delete from the list",
                    icon=":material/delete:",
                    key=f"forget_{key}",
                    on_click=notebook.change,
                    args=(lambda held: held.without(entry.run),),
                )


def _open(run: Run, key: str, settings: Run) -> None:
    """Make it the sidebar's; first its model and its data, where this session has not opened them."""
    known_data = not run.data or run.data in open_data.opened()
    if run.model not in open_model.models():
        st.button("Open its model", key=f"open_run_{key}", on_click=open_model.ask_for, args=(run.model,))
    elif not known_data:
        st.button("Open its data", key=f"open_run_{key}", on_click=open_data.ask_for, args=(run.data,))
    else:
        on = run_pins.text_of(settings) == str(run)
        st.button(
            "In use" if on else "Open",
            key=f"open_run_{key}",
            disabled=on,
            icon=":material/check:" if on else ":material/input:",
            on_click=_into_sidebar,
            args=(run,),
        )


def _into_sidebar(run: Run) -> None:
    _look_at(run.model, run.data or state.DATA.default)
    selection.choose_run(run)


def _look_at(model: str, data: str) -> None:
    session.put(state.MODEL, model)
    session.put(state.DATA, data)


# --- measurements ---------------------------------------------------------------------------------------------------


def _measurements(settings: Run, names: dict[str, str]) -> None:
    others = permits.here().local
    found = made_here.measurements(open_model.models(), open_data.opened(), others)
    ui.heading(f"{len(found)} measurement{'s' * (len(found) != 1)}", ABOUT_MEASURED, "measurements")
    if not found:
        st.page_link("app_pages/compare.py", label="Measure on Compare", icon=":material/leaderboard:")
    if problem := session.take(state.MEASURE_PROBLEM):
        st.error(ui.verbatim(problem), icon=":material/error:")
    for one in found:
        ui.guarded(partial(_measurement, one, settings, names.get(str(one.file), "")))


def _measurement(one: Measurement, settings: Run, name: str) -> None:
    key = _key(str(one.file))
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small", key=f"measured_{key}"):
        own = f"{one.model} on {one.data}"
        scenes = f"{one.results.head.get('scenes', '?')} pictures"
        methods = len(one.results.methods)
        said = f"{len(one.results.runs)} pruned models of {methods} method{'s' * (methods != 1)}, {scenes}"
        came = "came with the lab" if one.shipped else made_here.when(one.written)
        small = " · ".join([*([own] if name else []), said, came])
        st.markdown(f"**{ui.verbatim(name or own)}**  \n:small[{ui.verbatim(small)}]", width="stretch")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            if one.of is None:
                st.caption("Open its model and data at the left to look at it.", width="content")
            elif one.file == checkpoints.result_file(settings.model, settings.data):
                st.page_link("app_pages/compare.py", label="Compare", icon=":material/leaderboard:")
            else:
                st.button("Open", icon=":material/input:", key=f"look_{key}", on_click=_look_at, args=one.of)
            with st.popover("More", icon=":material/more_horiz:", key=f"about_measured_{key}"):
                _files(f"measured_{key}", made_here.figures(one.results), one)
                if permits.here().local:
                    file = str(one.file)
                    _rename(name, f"called_{key}", lambda said: notebook.change(lambda held: held.called(file, said)))
                    if not one.shipped:
                        _delete(one, key)


def _delete(one: Measurement, key: str) -> None:
    held = one.of and measuring.of(open_model.models()[one.of[0]], open_data.opened()[one.of[1]])
    if held and held.running:
        st.caption("It is being measured; stop that on Compare first.")
        return
    st.button(
        "Delete the file",
        icon=":material/delete:",
        key=f"delete_{key}",
        help="Its figures are gone then; measuring again gives the same ones.",
        on_click=_unlink,
        args=(one,),
    )


def _unlink(one: Measurement) -> None:
    try:
        one.file.unlink(missing_ok=True)
    except OSError as problem:
        session.put(state.MEASURE_PROBLEM, ui.sentence(problem))


# --- both -----------------------------------------------------------------------------------------------------------


def _files(key: str, table: made_here.Table, one: Measurement | None = None) -> None:
    """What can be taken away: the file itself, where there is one, and its table."""
    stem = one.file.stem if one else key
    whole = one.file.read_bytes if one else partial(made_here.as_json, table)
    with st.container(horizontal=True, gap="small"):
        for kind, made in (("CSV", partial(ui.csv, table)), ("JSON", whole)):
            st.download_button(
                kind,
                made,
                f"{stem}.{kind.lower()}",
                icon=":material/download:",
                key=f"{kind}_{key}",
                on_click="ignore",
                help="As a table" if kind == "CSV" else "The whole file" if one else "The same rows as JSON",
            )


def _rename(name: str, key: str, how: Callable[[str], None]) -> None:
    st.text_input(
        "Name",
        name,
        max_chars=LONGEST,
        key=key,
        placeholder="what you call it",
        on_change=lambda: how(session.typed(key)),
    )


def _key(text: str) -> str:
    """A short name of something, of which the browser makes a class."""
    return sha256(text.encode()).hexdigest()[:10]


ui.page(show)
