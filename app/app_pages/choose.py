"""Choose for me: what must it keep, what may it cost; a method and a sparsity from what was measured."""

from __future__ import annotations

import streamlit as st

from app import state
from app.engine import checkpoints, data_sets, runs, shipped
from app.facts import benchmark, choosing, measured, speed
from app.look.words import listed, percent
from app.parts import measure_panel, selection, session, ui
from app.state import SMALLER, TUNED, Run

TIMES = {"any": None, "a minute": 60.0, "ten seconds": 10.0}
ABOUT = (
    "Only runs that were measured on this model and data are looked at, at the sparsities at which they were measured; nothing "
    "is guessed in between. Of those that keep enough of **every** chosen task and cost no more than they may, the one whose file "
    "is smallest is proposed, and of those the one whose worst task keeps most. The runner-up is the best of another method, or "
    "of another pattern. **Hidden units**: a smaller dense model, which computes faster; its speed is that of looking at the most "
    "pictures together, on the machine that Speed names. Zeros among weights make files smaller, and nothing faster. After "
    "fine-tuning, what a model keeps is of the dense one after the same, of several figures of a task the worst."
)


def show(settings: Run) -> None:
    st.title("Choose for me: what must it keep, and cost?")
    results = measured.load(settings.model, settings.data)
    where = f"{checkpoints.title(settings.model)} on {data_sets.title(settings.data)}"
    if results is None or not results.methods:
        st.info(
            f"Nothing has been measured of {ui.verbatim(where)}, so nothing can be proposed.", icon=":material/info:"
        )
        st.caption(f"The sidebar has {runs.title(settings)}, whose figures would be among the first to measure.")
        _measure(settings, asked=True)
        return
    timed = None if settings.data else speed.load(settings.model)  # it was measured on Flatland
    after = _tuned(settings)
    wish = _wish(results, costs=timed is not None, tuned=after is not None)
    if not wish.tasks:
        st.caption("Choose at least one task.")
        return
    titles = runs.all_titles()
    tuned = after if session.get(state.WISH_TUNED) else None
    choice = choosing.choose(results, wish, titles, timed and timed.speeds, tuned)
    _proposal(choice, wish, titles, settings)
    if left := choosing.unasked(timed and timed.speeds, wish.tasks):
        named = measured.task_titles()
        ui.note(
            f"Smaller models were not asked {listed([named[t] for t in left])}: they are proposed only without that."
        )
    ui.note(f"The sidebar now: {runs.title(settings)}, {percent(settings.sparsity)}. Measured: {where}.")
    _missing(choice, titles)
    _measure(settings, choosing.gap(results, choice))


def _wish(results: measured.Results, costs: bool, tuned: bool) -> choosing.Wish:
    """What the reader wishes; `costs`: whether speed and memory are known of some models, `tuned`: what they do when fine-tuned."""
    with st.container(border=True, key="wrap_wish"):
        left, right = st.columns(2, gap="medium")
        named = measured.task_titles()
        titles = {task: results.unit(task) for task in results.dense if results.dense_figure(task)}
        with left:
            tasks = st.pills(
                "It must do",
                list(titles),
                selection_mode="multi",
                default=list(titles),
                format_func=lambda task: f"{named[task]} · {titles[task]}",
                key=state.WISH_TASKS.name,
            )
            keep = _share("and keep of the dense model's figures at least", 50, 90, 1, state.WISH_KEEP)
        with right:
            storage = _share("The file may be, of the dense one, at most", 10, 100, 5, state.WISH_SIZE)
            faster, memory = 1.0, 1.0
            if costs:
                faster = st.slider("It must be so many times as fast", 1.0, 2.0, 1.0, 0.05, key=state.WISH_FASTER.name)
                memory = _share("It may take, of the dense one's memory, at most", 30, 100, 5, state.WISH_MEMORY)
            long = st.pills("Pruning may take", list(TIMES), default="any", key=state.WISH_TIME.name) or "any"
            if tuned:
                st.toggle("It is fine-tuned afterwards", key=state.WISH_TUNED.name)
    return choosing.Wish(keep, tuple(tasks), storage, TIMES[long], faster, memory)


def _share(label: str, least: int, start: int, step: int, slot: state.Slot[int]) -> float:
    """A slider of whole percents, written as everywhere; the share."""
    return st.slider(label, least, 100, start, step, "%d %%", key=slot.name) / 100


def _tuned(settings: Run) -> choosing.Part | None:
    """What was measured after fine-tuning; None where nothing was."""
    found = benchmark.load(settings.model, settings.data, benchmark.FINE_TUNED, runs.all_titles())
    return None if found.empty else found.part


def _proposal(choice: choosing.Choice, wish: choosing.Wish, titles: dict[str, str], settings: Run) -> None:
    best = choice.best
    if best is None:
        st.warning(
            "No measured run is small or quick enough. Allow more, or measure others below.", icon=":material/rule:"
        )
        return
    name = titles.get(best.method, best.method) + ("" if best.pattern == choosing.WEIGHTS else f", {_goes(best)},")
    if choice.fits:
        after = ", fine-tuned" if best.tuned else ""
        found = f"{name} at {percent(best.sparsity)}{after}: every task keeps at least {percent(best.least)}"
    else:
        near = f"{name} at {percent(best.sparsity)} comes nearest, with {percent(best.least)}"
        found = f"Nothing measured keeps {percent(wish.keep)}; {near}"
    ui.heading(found, ABOUT, "proposal")
    if choice.fits and not best.sure:
        ui.note("The lower end of a 95 % interval lies under what must be kept, or is not known: it may be chance.")
    table = choosing.table(choice, titles)
    shares = {column for column in table if column not in ("method", "what goes", "times as fast", "seconds")}
    table = {name: [round(100 * v) for v in values] if name in shares else values for name, values in table.items()}
    shown = {column: st.column_config.NumberColumn(format="%d %%") for column in shares}
    table["times as fast"] = ["not timed" if by is None else f"{by:.2f}" for by in table["times as fast"]]
    table["seconds"] = ["not timed" if took is None else f"{took:.0f} s" for took in table["seconds"]]
    shown["seconds"] = "one mask took"
    st.dataframe(table, column_config=shown, hide_index=True, key="proposals")
    if choice.second:
        st.caption("First the proposal, then the runner-up: the best of another method, or where something else goes.")
    st.button(
        "Make it the sidebar's choice",
        type="primary",
        icon=":material/input:",
        key="take_choice",
        on_click=_take,
        args=(best, settings),
    )


def _goes(offer: choosing.Offer) -> str:
    return choosing.GOES.get(offer.pattern, offer.pattern)


def _take(offer: choosing.Offer, settings: Run) -> None:
    """Of N:M patterns the sidebar knows the method and how many weights go."""
    selection.choose_run(Run(settings.model, offer.method, offer.sparsity, data=settings.data))
    form = SMALLER if offer.pattern == choosing.NEURONS else TUNED if offer.tuned else ""
    if form in shipped.forms(settings.model):
        session.put(state.FORM, form)


def _missing(choice: choosing.Choice, titles: dict[str, str]) -> None:
    """What nobody knows."""
    told = ["Scattered zeros make a model no faster and take no less memory: where that is wished, hidden units go"]
    if choice.unmeasured:
        told.append(f"not measured here: {', '.join(titles[name] for name in choice.unmeasured)}")
    if choice.untimed:
        told.append(f"left out, as nobody timed them: {', '.join(titles.get(name, name) for name in choice.untimed)}")
    st.caption(". ".join(part[:1].upper() + part[1:] for part in told) + ".")


def _measure(settings: Run, gap: choosing.Gap | None = None, asked: bool = False) -> None:
    """What lies between two measured sparsities, and how to measure what is missing: by a command, or here once it is asked for.

    To say how long it takes the panel has to look at the data.
    """
    if gap:
        name = runs.all_titles().get(gap.method, gap.method)
        ui.note(
            f"{name} fits at {percent(gap.low)} and was next measured at {percent(gap.high)}, where it does not: what it does in "
            "between is not known."
        )
    if measure_panel.possible(settings):
        if asked or st.toggle("Measure what is missing", key=state.WISH_MEASURE.name):
            measure_panel.show(settings)
    elif gap and not settings.data and settings.model in checkpoints.models():
        st.caption("This command measures it, and adds it to the file that this page reads:")
        said = f"python -m multiflow_core evaluate {settings.model} --methods {gap.method} --sparsities {gap.middle:g}"
        st.code(said, language=None, wrap_lines=True)
    else:
        st.page_link("app_pages/compare.py", label="How it is measured: Compare", icon=":material/leaderboard:")


ui.page(show)
