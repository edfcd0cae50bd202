"""The story at a glance: what was pruned, where, and what is left of the model's abilities."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.charts.heatmap import SparsityGrid
from app.engine import runs
from app.facts import collapse, layer_sparsity, measured, two_runs, zeros
from app.facts.stories import Story
from app.look.words import count, percent
from app.parts import selection, storyteller, ui
from app.state import Run

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
CROSS = " Cross-attention (*cross* …) reads the picture; BLIP counts it as text."


def show(settings: Run) -> None:
    st.title("What was pruned, and what is left")
    key = settings
    results = measured.load(settings.model, settings.data)
    headline = st.container()
    with ui.working() as progress:
        now = layer_sparsity.of(key, progress)
        rival = runs.rival(key)
        beside = layer_sparsity.of(rival, progress) if rival else None
        with headline:
            _figures(key, now, *measured.figures(results, key))
        dead = layer_sparsity.dead_neurons(key, progress)
        gone = zeros.of(key, progress)
        ui.note(zeros.told(gone, now.method, settings.sparsity))
        ui.note(two_runs.calibration_matters(key, progress))
    story = storyteller.told_now(settings)
    losses = measured.losses(results, key, rival)
    before = gone.before if gone else 0.0
    _alarm(collapse.verdict(now, beside, dead, losses, brief=story is not None, zeros=before), story)
    _where(now, beside)
    if results:
        chosen = runs.measured_as(key)
        titles = {m.name: m.title for m in runs.methods() if m.name in BESIDE} | {chosen: now.method}
        ui.chart(measured.abilities(results, titles, chosen, settings.sparsity), "abilities", ABOUT_ABILITIES)


def _alarm(verdict: collapse.Verdict, story: Story | None) -> None:
    """What has collapsed, or that nothing has; under the story that these settings tell, if they tell one."""
    say, icon = LEVELS[verdict.level]
    if story:
        with st.container(key="story"):
            say(
                f"{ui.verbatim(story.words)}\n\n**{verdict.headline}.** {verdict.why}",
                title=story.name,
                icon=story.icon,
            )
    else:
        with st.container(key="alarm"):
            say(verdict.why, title=verdict.headline, icon=icon)


def _figures(key: Run, now: layer_sparsity.Facts, at: float | None, known: Sequence[measured.Figure]) -> None:
    """The headline figures: weights, then one per measured task."""
    with st.container(key="headline"):
        places = iter(st.columns(2 + len(known), gap="small"))
        next(places).metric(
            "Weights pruned",
            percent(now.pruned / now.total),
            f"{count(now.pruned)} of {count(now.total)}",
            delta_color="off",
            delta_arrow="off",
            border=True,
            help="Of the prunable weights: all matrices of encoders and decoders, not embeddings, norms and heads.",
        )
        next(places).metric(
            "Size on disk",
            percent(collapse.storage(now.pruned / now.total)),
            "same speed",
            delta_color="off",
            delta_arrow="off",
            border=True,
            help="Prunable weights in float16 plus one bit per weight for the mask. Scattered zeros save storage, not "
            "time: the processor multiplies by zero as slowly as by anything else.",
        )
        for found in known:
            next(places).metric(
                found.title,
                percent(found.value),
                f"dense {percent(found.dense)}",
                delta_color="off",
                delta_arrow="off",
                border=True,
                help=_about(found, at),
            )
    if now.fixed:
        st.caption(
            f"{len(now.fixed)} layers are fixed: {percent(key.sparsity)} is the share of the {count(now.free)} weights "
            "of the others."
        )
    if at is not None and abs(at - key.sparsity) > 0.005:
        st.caption(
            f"Abilities were measured at {percent(at)}, the nearest measured sparsity to {percent(key.sparsity)}."
        )


def _about(found: measured.Figure, at: float) -> str:
    """What a figure is, how it was measured, and how sure it is where the file says so."""
    what = f"{found.unit[:1].upper()}{found.unit[1:]} on {found.scenes:,} unseen scenes, measured at {percent(at)} sparsity, "
    sure = f" 95 % interval: {percent(found.interval[0])} to {percent(found.interval[1])}." if found.interval else ""
    return f"{what}without training after pruning.{sure}"


def _where(now: layer_sparsity.Facts, beside: layer_sparsity.Facts | None) -> None:
    """Modality shares and one heatmap a modality: the smallest beside the shares, those with many blocks below."""
    layers = [fact.layer for fact in now.layers]
    chosen = selection.chosen(layers)
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
