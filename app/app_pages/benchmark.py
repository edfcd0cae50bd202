"""The paper's experiment: its table, who wins and how surely, and what came of its claims."""

from __future__ import annotations

import streamlit as st

from app import state
from app.engine import checkpoints, data_sets, runs, sweeping
from app.facts import benchmark
from app.markup import league
from app.parts import address, sweep_panel, ui
from app.state import Run

NAMES = {"zero-shot": "Zero-shot", "fine-tuned": "Fine-tuned"}
ABOUT_TABLE = (
    "The layout of the paper: a row a method, a block a sparsity, a column a figure; in %, but for CIDEr. **Bold**: the best of "
    "a column; underlined: the second best; what reads alike is marked alike. The dense model stands on top and takes no part. "
    "±: deviation over seeds, where there are several. Rows go by mean rank. *TR@1*: a picture finds its text; *IR@1*: a text "
    "finds its picture, first among 1,000. *CIDEr* and *BLEU-4*: how near captions come to what was written. *VQA*: right answers."
)
ABOUT_WINS = (
    "In how many cells of the table a method is first. **Inside the noise**: several share the place, or the figure of one of the "
    "first two lies within the other's 95 % interval (bootstrap over pictures, widened to all seeds), so that other pictures "
    "could have turned them round."
)
ABOUT_RANKS = (
    "In every cell the best method has rank 1, and who is equal shares the mean of the places; here is the mean over all cells. "
    "Nemenyi's critical difference at 5 %: methods whose bars do not overlap are told apart; the band is that of the first "
    "(Demšar, JMLR 2006). It takes cells for independent, and those of one model are not: read it as an order, not as a proof."
)
ABOUT_RECOVERY = (
    "What a pruned model is able to on pictures held out from training, check by check of its fine-tuning with the mask "
    "locked. Dotted: the best check of the dense model, tuned alike."
)
ABOUT_CLAIMS = (
    "What the paper says, in our words, as something that a table can contradict; what the cells of this model say to it, "
    "flattering or not; and the cells themselves. Where the lab's small world cannot test a claim, that is said."
)


def show(settings: Run) -> None:
    st.title("Benchmark: prune once, transfer")
    with st.container(key="controls_benchmark", horizontal=True, gap="medium"):
        transfer = address.switch("Measured", state.TRANSFER, NAMES)
        who = address.switch("Methods", state.WHO, benchmark.WHO)
    data = benchmark.load(settings.model, settings.data, transfer, runs.all_titles(), who)
    if data.empty:
        _nothing_yet(settings, transfer)
    else:
        _measured(data, settings.method)
    sweep_panel.show()


def _nothing_yet(settings: Run, transfer: str) -> None:
    """What to do where nothing was measured."""
    what = f"{checkpoints.title(settings.model)} on {data_sets.title(settings.data)}"
    built_in = not settings.data and settings.model in checkpoints.models()
    how = f"`{sweeping.command()}`" if built_in else "`python -m multiflow_core sweep FILE`, with a file of your own"
    st.info(
        f"Nothing has been measured {transfer} of {ui.verbatim(what)} yet. This measures it, and goes on where it is "
        f"stopped: {how}. A sweep file names models, methods and data; `assets/sweeps/paper.toml` is one to begin with.",
        icon=":material/info:",
    )


def _measured(data: benchmark.Benchmark, chosen: str) -> None:
    if data.part.transfer == "zero-shot" and benchmark.load(*_other(data)).empty:
        st.caption(
            "The paper's claims are about models that are fine-tuned after pruning; of those no cell is measured here yet: "
            f"`{sweeping.command()} --only transfer=fine-tuned`"
        )
    table = benchmark.league(data, chosen)
    ui.heading(benchmark.finding(data), ABOUT_TABLE, "league")
    st.html(table.html())
    with st.container(key="under_league", horizontal=True, vertical_alignment="center"):
        st.caption(ui.verbatim(f"{benchmark.place(data, chosen)} {benchmark.source(data)}."))
        st.download_button(
            "CSV",
            ui.csv(table.table()),
            "benchmark.csv",
            icon=":material/download:",
            key="league_csv",
            on_click="ignore",
        )
    with st.container(key="wrap_wins"):
        left, right = st.columns(2, gap="large")
    if won := benchmark.wins_chart(data, chosen):
        with left:
            ui.chart(won, "wins", ABOUT_WINS)
    if ranked := benchmark.ranks_chart(data, chosen):
        with right:
            ui.chart(ranked, "ranks", ABOUT_RANKS)
            ui.note(benchmark.left_out(data))
    for i, chart in enumerate(benchmark.recoveries(data, chosen)):
        ui.chart(chart, f"recovery_{i}", ABOUT_RECOVERY)
    ui.heading("The paper's claims, one by one", ABOUT_CLAIMS, "claims")
    st.html(league.verdicts(benchmark.claims(data)))


def _other(data: benchmark.Benchmark) -> tuple[str, str, str, dict[str, str]]:
    """What the switch shows at its other end."""
    return data.part.model, "", "fine-tuned", data.titles


ui.page(show)
