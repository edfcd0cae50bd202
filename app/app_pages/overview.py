"""The story at a glance: what was pruned, where, and what is left of the model's abilities."""

from __future__ import annotations

import streamlit as st

from app import findings, ui
from app.charts.words import count, percent
from app.services import facts, results, runs
from app.state import Settings

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
    "Left to right: the blocks the signal passes through. Top to bottom: what the matrix does in its block."
)
EXTRA = {"text": " Cross-attention (*cross* …) reads the picture; BLIP counts it as text."}


def show(settings: Settings) -> None:
    st.title("What was pruned, and what is left")
    measured = results.load(settings.model)
    headline = st.container()
    with ui.working() as progress:
        now = facts.of(runs.RunKey.of(settings), progress)
        rival = runs.rival(runs.RunKey.of(settings))
        beside = facts.of(rival, progress) if rival else None
    with headline:
        _figures(runs.RunKey.of(settings), now, measured)
    alarm = findings.alarm(now, beside)
    if alarm:
        with st.container(key="alarm"):
            st.warning(alarm.why, title=alarm.headline, icon=":material/warning:")
    if measured:
        chosen = runs.measured_as(runs.RunKey.of(settings))
        titles = {m.name: m.title for m in runs.methods() if m.name in BESIDE} | {chosen: now.method}
        ui.chart(facts.abilities(measured, titles, chosen, settings.sparsity), "abilities", ABOUT_ABILITIES)
    _where(now, beside)


def _figures(key: runs.RunKey, now: facts.Facts, measured: results.Results | None) -> None:
    """The headline figures: weights, then one per measured task."""
    name = runs.measured_as(key)
    at = measured.nearest(name, key.sparsity) if measured else None
    known = [t for t in results.HEADLINE if at is not None and measured.at(name, t, at) is not None]
    with st.container(key="headline"):
        places = iter(st.columns(2 + len(known), gap="small"))
        next(places).metric(
            "Weights pruned", percent(now.pruned / now.total), f"{count(now.pruned)} of {count(now.total)}",
            delta_color="off", delta_arrow="off", border=True,
            help="Of the prunable weights: all matrices of encoders and decoders, not embeddings, norms and heads.",
        )  # fmt: skip
        next(places).metric(
            "Size on disk", percent(findings.storage(key.sparsity)), "same speed",
            delta_color="off", delta_arrow="off", border=True,
            help="Prunable weights in float16 plus one bit per weight for the mask. Scattered zeros save storage, not "
            "time: the processor multiplies by zero as slowly as by anything else.",
        )  # fmt: skip
        for task in known:
            title, _, unit = results.HEADLINE[task]
            next(places).metric(
                title, percent(measured.at(name, task, at)), f"dense {percent(measured.dense[task])}",
                delta_color="off", delta_arrow="off", border=True, help=f"{unit.capitalize()} on {measured.scenes:,} unseen "
                f"scenes, measured at {percent(at)} sparsity, without training after pruning.",
            )  # fmt: skip
    if at is not None and abs(at - key.sparsity) > 0.005:
        st.caption(
            f"Abilities were measured at {percent(at)}, the nearest measured sparsity to {percent(key.sparsity)}."
        )


def _where(now: facts.Facts, beside: facts.Facts | None) -> None:
    """Modality shares and one heatmap a modality, the smallest beside the shares."""
    shares = facts.shares(now, beside)
    about = ABOUT_SHARES + (f" Diamonds: {shares.rival} at the same total." if shares.rival else "")
    first, *others = sorted(facts.grids(now), key=lambda grid: len(grid.roles))
    with st.container(key="wrap_where"):
        left, right = st.columns([5, 7], gap="medium")
        with left:
            ui.chart(shares, "modalities", about)
            ui.chart(first, f"grid_{first.modality}", ABOUT_GRID + EXTRA.get(first.modality, ""))
        with right:
            for grid in others:
                ui.chart(grid, f"grid_{grid.modality}", ABOUT_GRID + EXTRA.get(grid.modality, ""))


ui.page(show)
