"""The story at a glance: what pruning is, what it saves and costs, what each model says; and below, where it was cut."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.charts.heatmap import SparsityGrid
from app.engine import runs
from app.facts import collapse, layer_sparsity, measured, two_runs, zeros
from app.facts.stories import Story
from app.look.words import count, percent, unbroken
from app.markup import changes
from app.parts import glossary, guide, live_answers, live_slider, selection, storyteller, ui, welcome
from app.state import METHOD, Run

LAYERS = "app_pages/layers.py"
BESIDE = ("multiflow", "omp", "random")  # all others are on Compare
ABOUT_ABILITIES = (
    "What the pruned model still can do on unseen scenes, **without any training after pruning**. Dashed: the dense model. "
    "Thick: the method in the sidebar; thin grey: the others. The dotted line is where the slider stands."
)
ABOUT_SHARES = (
    "How much of each modality is pruned. The dotted line is the target you asked for. A bar far beyond it means that this "
    "modality pays for the others: *modality collapse*."
)
ABOUT_GRID = (
    "Every cell is one weight matrix of the model, and its number the share of its weights that is pruned, in per cent. "
    "Left to right: the blocks the signal passes through. Top to bottom: what the matrix does in its block. **Click a cell to "
    "select its layer**; its frame stays, and every page that looks at one layer looks at it."
)
LEVELS = {
    "collapse": (st.warning, ":material/warning:"),
    "note": (st.info, ":material/info:"),
    "fine": (st.success, ":material/check_circle:"),
}
WORDS = ("pruned", "dense", "layer", "neuron", "dead neuron", "modality", "modality collapse", "attn out", "fc1, fc2")
ABOUT_SIZE = (
    "Prunable weights in float16 plus one bit per weight for the mask. Scattered zeros save storage, not time: the processor "
    "multiplies by zero as slowly as by anything else."
)
CROSS = " Cross-attention (*cross* …) reads the picture; BLIP counts it as text."


def show(settings: Run) -> None:
    st.title("What pruning saves, and what it costs")
    key = settings
    results = measured.load(settings.model, settings.data)
    lead, answers, headline, said = (st.container(key="lead"), *(st.container() for _ in range(3)))
    with ui.working() as progress:
        now = layer_sparsity.of(key, progress)
        rival = runs.rival(key)
        beside = layer_sparsity.of(rival, progress) if rival else None
        lead.markdown(f"{welcome.WHAT} {_state(key, now)}")
        with answers:
            live = live_answers.begin(settings)
        with headline:
            _figures(key, now, results, rival)
        dead = layer_sparsity.dead_neurons(key, progress)
        gone = zeros.of(key, progress)
        ui.note(zeros.told(gone, now.method, settings.sparsity))
        ui.note(two_runs.calibration_matters(key, progress))
    story = None if guide.touring() else storyteller.told_now(settings)
    losses = measured.losses(results, key, rival)
    verdict = collapse.verdict(now, beside, dead, losses, gone.before if gone else 0.0)
    with said:
        _alarm(verdict, story)
    with st.container(key="below"):
        _where(now, beside, verdict.detail)
        if results:
            chosen = runs.measured_as(key)
            titles = {m.name: m.title for m in runs.methods() if m.name in BESIDE} | {chosen: now.method}
            ui.chart(measured.abilities(results, titles, chosen, settings.sparsity), "abilities", ABOUT_ABILITIES)
    if live:  # last, so that nothing waits for it
        fails = verdict.level == "collapse" and rival and rival.method == METHOD.default
        live_answers.fill(live, settings, rival if fails else None, live_slider.moving())


def _state(key: Run, now: layer_sparsity.Facts) -> str:
    """What has been done to the model, in one sentence."""
    if not key.sparsity:
        return "Nothing is pruned yet: *Sparsity*, at the left, says how much is to go."
    gone = f"**{unbroken(percent(now.pruned / now.total))}** of its {count(now.total)} weights"
    return f"Here {gone} are gone, chosen by **{ui.verbatim(now.method)}**, once and without any training afterwards."


def _alarm(verdict: collapse.Verdict, story: Story | None) -> None:
    """The story that these settings tell, if they tell one; else what has collapsed, or that nothing has."""
    if story:
        with st.container(key="story"):
            LEVELS.get(verdict.level, LEVELS["note"])[0](
                ui.verbatim(story.words), title=ui.verbatim(story.headline), icon=story.icon
            )
    elif verdict.level in LEVELS:
        say, icon = LEVELS[verdict.level]
        with st.container(key="alarm"):
            say(unbroken(verdict.why), title=unbroken(verdict.headline), icon=icon)
    else:  # neither good nor bad
        with st.container(key="alarm", border=True):
            st.markdown(unbroken(f"**{verdict.headline}**  \n{verdict.why}"))


def _figures(key: Run, now: layer_sparsity.Facts, results: measured.Results | None, rival: Run | None) -> None:
    """What was saved, then what was lost, task by task, each beside the dense model."""
    other = rival if key.sparsity else None
    at, known = measured.figures(results, key, other)
    unknown = [
        task for task in live_answers.tasks(key.model, results) if task.title not in {found.title for found in known}
    ]
    with st.container(key="headline"):
        places = iter(st.columns(2 + len(known) + len(unknown), gap="small"))
        share = now.pruned / now.total
        with next(places), _card("weights"):
            st.metric(
                "Weights pruned",
                percent(share),
                f"{count(now.pruned)} of {count(now.total)}",
                delta_color="off",
                delta_arrow="off",
                help="Of the prunable weights: all matrices of encoders and decoders, not embeddings, norms and heads.",
            )
            st.html(changes.share(share, f"set to zero\n{count(now.total - now.pruned)} stay as they are"))
        size = changes.Change(collapse.storage(share), 1.0, "of the dense file\nsame speed", thrifty=True)
        with next(places), _card("size"):
            _metric("Size on disk", size, ABOUT_SIZE)
        for n, found in enumerate(known):
            mark = (runs.title(other), found.beside) if other and found.beside is not None else None
            change = changes.Change(found.value, found.dense, found.unit, mark, sure=found.sure)
            with next(places), _card(str(n)):
                _metric(found.title, change, _about(found, at))
        for task in unknown:
            with next(places), _card(task.name):
                st.metric(task.title, "–", "not measured", delta_color="off", delta_arrow="off")
                st.html(changes.without(task.unit))
    if other and any(found.beside is not None for found in known):
        name, idea = runs.title(other), runs.method(other.method).idea.split(". ")[0]
        st.html(changes.legend(f"{name}, with as many weights gone: {idea[:1].lower()}{idea[1:]}."))
    if now.fixed:
        ui.note(
            f"{len(now.fixed)} layers are fixed: {percent(key.sparsity)} is the share of the {count(now.free)} weights "
            "of the others."
        )
    if at is not None and abs(at - key.sparsity) > 0.005:
        ui.note(f"Abilities were measured at {percent(at)}, the nearest measured sparsity to {percent(key.sparsity)}.")


def _card(name: str) -> DeltaGenerator:
    return st.container(border=True, key=f"figure_{name}", height="stretch")


def _metric(title: str, change: changes.Change, about: str) -> None:
    """A figure with its change against the dense model: by sign, bar and colour."""
    colors = {"better": "inverse" if change.thrifty else "normal", "worse": "normal", "same": "off"}
    arrow = "auto" if change.points != "no change" else "off"
    st.metric(title, percent(change.now), change.points, colors[change.kind], delta_arrow=arrow, help=about)
    st.html(changes.bar(change))


def _about(found: measured.Figure, at: float) -> str:
    """What a figure is, how it was measured, and how sure it is where the file says so."""
    what = f"{found.unit[:1].upper()}{found.unit[1:]} on {found.scenes:,} unseen scenes, measured at {percent(at)} sparsity, "
    sure = f" 95 % interval: {percent(found.interval[0])} to {percent(found.interval[1])}." if found.interval else ""
    same = " The dense figure lies in it: the change may be chance." if not found.sure else ""
    return f"{what}without training after pruning.{sure}{same}"


def _where(now: layer_sparsity.Facts, beside: layer_sparsity.Facts | None, detail: str) -> None:
    """Modality shares and one heatmap a modality: the smallest beside the shares, those with many blocks below."""
    layers = [fact.layer for fact in now.layers]
    chosen = selection.chosen(layers)
    with st.container(horizontal=True, vertical_alignment="center", key="where"):
        st.markdown("## Where it was cut", width="stretch")
        glossary.terms(*WORDS)
    ui.note(detail)
    shares = layer_sparsity.shares(now, beside)
    about = ABOUT_SHARES + (f" Diamonds: {shares.rival} at the same total." if shares.rival else "")
    grids = sorted(
        layer_sparsity.grids(now, chosen.name if chosen else None), key=lambda grid: (grid.wide, len(grid.roles))
    )
    narrow = [grid for grid in grids if not grid.wide]
    with st.container(key="wrap_where"):
        left, right = st.columns([5, 7], gap="medium")
        with left:
            ui.chart(shares, "modalities", about)
        for n, grid in enumerate(narrow):
            with right if n or len(narrow) < len(grids) else left:
                _grid(grid)
    for grid in grids[len(narrow) :]:
        _grid(grid)
    with ui.controls("chosen"), st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Click a cell to select its layer, here and on every page that looks at one layer.", width="content")
        if chosen:
            st.page_link(
                LAYERS,
                label=ui.verbatim(selection.label(chosen)),
                icon=":material/layers:",
                help="All about this layer",
            )


def _grid(grid: SparsityGrid) -> None:
    about = ABOUT_GRID + (CROSS if grid.modality == "text" and "cross query" in grid.roles else "")
    ui.chart(grid, f"grid_{grid.modality}", about, pick=selection.choose)


ui.page(show)
