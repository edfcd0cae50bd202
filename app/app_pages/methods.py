"""A card for every pruner, and the lab's words."""

from __future__ import annotations

import re

import streamlit as st

from app.engine import runs
from app.facts import comparison, measured, method_cards, method_parts
from app.look.words import ordinal, percent, unbroken, wrapping
from app.parts import glossary, theme, ui
from app.state import Run

ABOUT = (
    "The squares are the lesson's four small layers of 3 × 4 weights, pruned by half by the method itself: filled where a weight "
    "is kept. The text weights are much smaller than those of vision here. For methods that need gradients the task is to "
    "make every output 1. **When it wins** is counted over all tasks and sparsities that were measured, without any training "
    "after pruning; equal figures share a rank."
)


def show(settings: Run) -> None:
    st.title("Methods: which weights to prune?")
    data = comparison.load(settings.model, settings.data, runs.all_titles())
    cards, words = st.tabs(["Methods", "Glossary"])
    with words:
        st.markdown(glossary.text())
    with cards:
        ui.heading(method_cards.finding(data, settings.sparsity), ABOUT, "methods")
        st.caption("The squares on each card: the lesson's four small layers, half pruned; filled is kept.")
        with st.container(key="wrap_methods"):
            left, right = st.columns(2, gap="medium")
        for n, method in enumerate(runs.methods()):
            with right if n % 2 else left:
                _card(method, data, settings)


def _card(method, data: comparison.Comparison | None, settings: Run) -> None:
    with st.container(border=True, key=f"card_{re.sub('[^a-z0-9]', '_', method.name)}"):
        chosen = " · chosen at the left" if method.name == settings.method else ""
        st.markdown(f"## {method.title}{chosen}")
        st.markdown(method.idea)
        if method.latex:
            st.latex(wrapping(method.latex))
        else:
            st.code(method.formula, language=None)
        with ui.working() as progress:
            drawn = method_cards.miniature(method.name, progress)
        st.html(drawn.html(theme.palette()))
        st.markdown("\n".join(f"- {unbroken(line)}" for line in _facts(method, data, settings)))
        if worth := method_parts.worth(measured.parts(settings.model), method.name, settings.sparsity):
            with st.expander("What each part is worth", icon=":material/extension:"):
                st.markdown(worth.table)
        st.caption(_linked(method.paper))


def _facts(method, data: comparison.Comparison | None, settings: Run) -> list[str]:
    """Needs, kind, cost and record, a line each."""
    kind = "masks nest" if method.nested else "solves every sparsity anew"
    after = (
        "gives new values to the weights that stay"
        if method.updates_weights
        else "leaves the weights that stay as they are"
    )
    lines = [
        f"**Needs** {method_cards.needs(method)}",
        f"**Kind** {kind}; {after}{'; draws lots' if method.chance else ''}",
    ]
    if spent := method_cards.cost(data, method.name):
        memory = "" if spent[1] is None else f" and {spent[1]:,.0f} MB beyond the model"
        lines.append(f"**Costs** {spent[0]:,.1f} s{memory} for one mask, as measured")
    record = method_cards.record(data, method.name, settings.sparsity) if data else None
    return [*lines, f"**When it wins** {_record(record)}"]


def _record(record: method_cards.Record | None) -> str:
    if record is None:
        return "not measured on this model"
    first = (
        f"first at {len(record.wins)} of {record.points} places"
        if record.wins
        else f"at none of {record.points} places"
    )
    titles = measured.task_titles()
    places: dict[str, list[str]] = {}
    for task, sparsity in record.wins:
        places.setdefault(titles[task], []).append(percent(sparsity))
    named = "; ".join(f"{task} at {', '.join(at)}" for task, at in places.items())
    where = f" ({named})" if named else ""
    now = ", ".join(f"{titles[task]} {percent(value)} ({ordinal(rank)})" for task, (rank, value) in record.now.items())
    told = f"{first}{where}; mean rank {record.mean:.1f} of {record.of}"
    return f"{told}. At {percent(record.at)}: {now}" if now else told


def _linked(paper: str) -> str:
    return re.sub(r"arXiv (\d{4}\.\d{5})", r"[arXiv \1](https://arxiv.org/abs/\1)", paper)


ui.page(show)
