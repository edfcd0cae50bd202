"""The lab's words, each with what it means."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import streamlit as st

EVERYDAY = frozenset({"weight", "layer", "neuron", "pruned", "pruning", "loss", "IC"})  # what a reader knows by then


@cache
def text() -> str:
    """All of them, by the alphabet, as Markdown."""
    return Path(__file__).with_suffix(".md").read_text(encoding="utf-8")


@cache
def meanings() -> dict[str, str]:
    """{word: what it means}

    >>> meanings()["mask"].split(":")[0]
    'A table of yes and no in the shape of the weights'
    """
    entries = (line.removeprefix("**").split("**: ", 1) for line in text().splitlines() if line)
    return dict(entries)


@cache
def used(said: str) -> str:
    """The words of a text that are explained here, each with its meaning, as Markdown; "" where there is none.

    >>> used("Every cell is a weight; its **saliency** is high.").split(":")[0]
    '**saliency**'
    """
    plain = said.lower()
    found = [word for word in meanings() if word not in EVERYDAY and re.search(rf"\b{_either(word.lower())}\b", plain)]
    return "  \n".join(f"**{word}**: {meanings()[word]}" for word in found)


def _either(word: str) -> str:
    """A pattern of a word and its plural.

    >>> bool(re.fullmatch(_either("saliency"), "saliencies")), bool(re.fullmatch(_either("mask"), "masks"))
    (True, True)
    """
    return f"{re.escape(word[:-1])}(?:y|ies)" if word.endswith("y") else f"{re.escape(word)}s?"


def terms(*words: str) -> None:
    """A click away: what these words mean."""
    with st.popover("Words used here", icon=":material/menu_book:", type="tertiary"):
        st.markdown("\n\n".join(f"**{word}**: {meanings()[word]}" for word in words))
