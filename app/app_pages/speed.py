"""What a pruned model saves: how fast it is on this machine, beside what it still can do."""

from __future__ import annotations

import streamlit as st

from app import state
from app.facts import measured, speed
from app.parts import address, speed_panel, ui
from app.state import Run

ABOUT_RACE = (
    "How many times as fast as the dense model each one is: the median of pairs that were timed one right after the other, "
    "with the quartiles. **Zeros** in dense matrices are multiplied like any other number: single weights and N:M patterns "
    "make files smaller, not computing faster (2:4 does on GPUs with sparse tensor cores). Fewer **hidden units**: those "
    "through which the least flows are gone, so that matrices are smaller; what stays was solved anew. *By error*: as many "
    "are gone, but those without which the next matrix errs least. *Blocks less*: whole blocks of the vision tower are gone, "
    "too, and those before them write what they wrote."
)
ABOUT_TRADE = (
    "Each dot is a model: to the right the faster ones, above those that still can do it. What models can do was measured "
    "on unseen scenes when the lab's figures were made; how fast they are, where the line below the charts says. Squares: "
    "hidden units chosen by Torch-Pruning, and left as they were, as it leaves them; it keeps as many in every block as the "
    "model that it stands beside."
)
ABOUT_TABLE = (
    "**Memory**: the weights and what they compute at most at once, counted by PyTorch's allocator while the most pictures "
    "are looked at. **File**: in half precision, packed where there are zeros. **Multiply-adds** are arithmetic, of "
    "prunable weights for one picture; everything else was measured."
)


def show(settings: Run) -> None:
    st.title("Speed: what does pruning save?")
    found = speed.load(settings.model)
    if found is None:
        st.info(
            "Nothing has been timed for this model yet: how fast it is depends on the machine, and can be measured from here.",
            icon=":material/info:",
        )
        speed_panel.show(settings)
        return
    titles = measured.task_titles()
    with ui.controls("speed"), st.container(horizontal=True, gap="medium"):
        task = address.switch("What is timed", state.TIMED, {name: speed.SHORT[name] for name in found.tasks})
        sizes = {str(size): f"{size} at a time" for size in found.batches}
        batch = int(address.switch("Pictures at a time", state.AT_A_TIME, sizes))
    with st.container(key="wrap_speed"):
        left, right = st.columns(2, gap="large")
    with left:
        ui.chart(speed.race(found, task, batch), "race", ABOUT_RACE)
    with right:
        if told := {name: titles[name] for name in found.asked}:
            asked = address.switch("What it still can do", state.TASK, told)
            ui.chart(speed.trade(found, task, batch, asked), "trade", ABOUT_TRADE)
    st.caption(ui.verbatim(found.where))
    ui.heading("What you save", ABOUT_TABLE, "saved")
    for sentence in speed.saved(found, task, batch):
        st.markdown(f"- {sentence}")
    st.dataframe(speed.table(found, task, batch), hide_index=True, key="speed_table")
    speed_panel.show(settings)


ui.page(show)
