"""What a reader takes along of the run in the sidebar: files, and the lines that make them again."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import streamlit as st

from app.engine import checkpoints, runs, taking
from app.facts import measured
from app.look.words import count, percent
from app.parts import ui
from app.state import Run


class Kind(NamedTuple):
    """Something to take, in words."""

    name: str
    title: str
    icon: str
    about: str
    file: str


KINDS = (
    Kind(
        "report",
        "Report",
        ":material/article:",
        "One page of HTML: what was done and why, charts, tables, examples of both models, the manifest. It opens from disk "
        "without a network, in light and dark, and prints.",
        "report.html",
    ),
    Kind(
        "masks",
        "Masks",
        ":material/grid_on:",
        "One bit for every prunable weight, as safetensors: `mf.Masks.load` reads it.",
        "masks.safetensors",
    ),
    Kind(
        "checkpoint",
        "Checkpoint",
        ":material/inventory_2:",
        "An ordinary folder of transformers, zipped: `from_pretrained` of its own class opens it, and needs no lab. As large as "
        "the dense one, with zeros in it.",
        "checkpoint.zip",
    ),
    Kind(
        "packed",
        "Packed checkpoint",
        ":material/compress:",
        "The same with what is pruned left out: `mf.load` opens it, and so does *Open another model* at the left.",
        "packed.zip",
    ),
    Kind(
        "statistics",
        "Statistics",
        ":material/query_stats:",
        "What the method knew of the data: the activations of every layer. `--statistics` takes it in place of calibrating.",
        "statistics.safetensors",
    ),
)
LARGE = ("checkpoint", "packed")
ABOUT = (
    "Every file comes with a **manifest**: the model and the hash of its weights, method, options, data, seed, sparsity, and the "
    "versions that made it. A checkpoint has it inside. Tables and charts are taken away where they stand: *As a table* "
    "above every chart has CSV and HTML, the camera SVG."
)


def show(settings: Run) -> None:
    st.title("Take it away: files, and what makes them again")
    results = measured.load(settings.model, settings.data)
    with ui.working() as progress:
        found = taking.taken(settings, results, progress)
    masks = found.masks
    ui.heading(
        f"{checkpoints.title(settings.model)}, {percent(masks.sparsity)} pruned by {runs.title(settings)}",
        ABOUT,
        "taken",
    )
    st.caption(f"{count(masks.pruned)} of {count(masks.total)} prunable weights are zero.")
    stem = f"{checkpoints.title(settings.model)}-{settings.method}-{100 * settings.sparsity:.0f}"
    refused = LARGE if taking.too_large(settings) else ()
    with st.container(key="kinds"):
        for kind in KINDS:
            if kind.name in found.kinds:
                _offer(kind, settings, f"{stem}-{kind.file}", kind.name in refused, results)
        with st.container(border=True, key="take_manifest"):
            told = ":material/data_object: **Manifest**  \nWhat all of these are of, as JSON."
            _row(told, found.manifest.text(), f"{stem}-manifest.json")
    st.markdown("## The same again, without this page")
    st.caption("On the command line: everything above into a new folder.")
    st.code(found.manifest.command("export", "--out", "FOLDER"), language=None, wrap_lines=True)
    st.caption("In Python:")
    st.code(found.manifest.python(), language="python")
    with st.expander("The manifest"):
        st.code(found.manifest.text(), language="json", wrap_lines=True)


def _offer(kind: Kind, settings: Run, name: str, refused: bool, results: measured.Results | None) -> None:
    with st.container(border=True, key=f"take_{kind.name}"):
        if refused:
            st.markdown(f"{kind.icon} **{kind.title}**  \n{kind.about}")
            st.caption("Too large for a page to hand out: the command below writes it to disk.")
        else:
            made = partial(taking.file, settings, kind.name, results)
            _row(f"{kind.icon} **{kind.title}**  \n{kind.about}", made, name)


def _row(told: str, data, name: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", wrap=False, gap="medium"):
        st.markdown(told, width="stretch")
        st.download_button(
            "Take it",
            data,
            name,
            icon=":material/download:",
            key=f"taking_{name.rpartition('-')[2]}",
            on_click="ignore",
        )


ui.page(show)
