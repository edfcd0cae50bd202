"""All methods against one another, from the result file."""

from __future__ import annotations

import shlex

import streamlit as st

from app import state
from app.engine import checkpoints, data_sets, runs
from app.facts import comparison, measured
from app.look.words import percent
from app.parts import address, measure_panel, ui
from app.state import Run

SHOWN = ("multiflow", "reflow", "sparsegpt", "chita++", "wanda", "omp", "random")  # the strongest, and the plainest
ABOUT_LINES = (
    "One line a method: what the pruned model still can do on unseen scenes **without any training after pruning**. Thick: the "
    "method in the sidebar. Bars at the marks: lowest and highest of several seeds, where chance is involved."
)
ABOUT_INTERVALS = " They also span the middle 95 % of what as many pictures give, drawn anew from those measured on."
ABOUT_BOARD = "The same for all methods and sparsities, best first at the slider's place. Bold: the best of a column."
ABOUT_DENSITY = (
    "How much of each modality a method keeps at this sparsity. Dotted: the share that it keeps of the whole model. Dots far "
    "apart mean that one modality pays for the other."
)
ABOUT_OVERLAP = (
    "Of the weights that either of two methods keeps, the share that both keep (IoU). Methods that cut the same number of "
    "weights can cut quite different ones."
)
ABOUT_COSTS = (
    "What it took to make one mask at 63 %, each method in a process of its own on the machine that wrote the file: "
    "processor time, calibration and gradients included. The slow methods ran with fewer steps than in their "
    "papers; the file says how many."
)
ABOUT_ABLATION = (
    "A method is a *criterion* (which weights of a layer go first) and an *allocation* (how many go in each layer). Every "
    "combination was measured: MULTIFLOW is flow × per modality, OMP is magnitude × global."
)


def show(settings: Run) -> None:
    st.title("Compare: which method keeps more?")
    titles = runs.all_titles()
    data = comparison.load(settings.model, settings.data, titles)
    if data is None:
        _nothing_yet(settings)
        return
    titles = measured.task_titles()
    task = address.switch("Task", state.TASK, {task: titles[task] for task in data.dense})
    chosen, sparsity = settings.method, settings.sparsity
    with st.container(key="wrap_compare"):
        left, right = st.columns(2, gap="large")
    with left:
        about = ABOUT_LINES + ABOUT_INTERVALS * data.sure
        ui.chart(comparison.lines(data, task, _shown(data, chosen), chosen, sparsity), "lines", about)
        if grid := comparison.ablation(data, task, sparsity):
            ui.chart(grid, "ablation", ABOUT_ABLATION)
    with right:
        ui.chart(comparison.leaderboard(data, task, chosen, sparsity), "leaderboard", ABOUT_BOARD)
    _shares_and_costs(data, chosen, sparsity)
    if grid := comparison.overlap(data, chosen, sparsity):  # as many columns as rows: it needs the width
        ui.chart(grid, "overlap", ABOUT_OVERLAP)
    if measure_panel.possible(settings):
        measure_panel.show(settings)
    at = data.nearest(sparsity)
    if abs(at - sparsity) > 0.005:
        ui.note(f"Measured at {percent(at)}, the measured sparsity nearest to {percent(sparsity)}.")


def _nothing_yet(settings: Run) -> None:
    """What to do where nothing was measured."""
    what = f"{ui.verbatim(checkpoints.title(settings.model))} on {ui.verbatim(data_sets.title(settings.data))}"
    if measure_panel.possible(settings):
        st.info(f"Nothing has been measured for {what} yet. It can be measured from here.", icon=":material/info:")
        measure_panel.show(settings)
    else:
        st.info(f"Nothing has been measured for {what} yet. This command writes the file that this page reads:")
        st.code(_command(settings), language=None, wrap_lines=True)


def _command(settings: Run) -> str:
    """What measures all methods on a model and a data set, on the command line."""
    address, data = checkpoints.address_of(settings.model), data_sets.source(settings.data)
    said = ["python", "-m", "multiflow_core", "evaluate", address, "--methods", "all", "--ablation"]
    if data:
        said += ["--data", data, "--calibrate-on", data]
    if data or address != settings.model:
        said += ["--out", str(checkpoints.result_file(settings.model, settings.data))]
    return shlex.join(said)


def _shown(data: comparison.Comparison, chosen: str) -> list[str]:
    """The methods with a line: those that the reader picked, and the sidebar's."""
    with st.popover("Methods in the chart", icon=":material/checklist:"):
        picked = st.pills(
            "Methods",
            data.methods,
            selection_mode="multi",
            default=[m for m in SHOWN if m in data.methods],
            key=state.LINES.name,
            format_func=lambda name: ui.verbatim(data.title(name)),
            label_visibility="collapsed",
        )
    return [m for m in data.methods if m in picked or m == chosen]


def _shares_and_costs(data: comparison.Comparison, chosen: str, sparsity: float) -> None:
    dots, costs = comparison.densities(data, chosen, sparsity), comparison.costs(data, chosen)
    with st.container(key="wrap_costs"):
        left, right = st.columns(2, gap="large")
    if dots:
        with left:
            ui.chart(dots, "densities", ABOUT_DENSITY)
    if costs:
        with right:
            ui.chart(costs[0], "seconds", ABOUT_COSTS)
            ui.chart(costs[1], "memory", ABOUT_COSTS)


ui.page(show)
