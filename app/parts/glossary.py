"""The lab's words, each with what it means."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st


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


def terms(*words: str) -> None:
    """A click away: what these words mean."""
    with st.popover("Words used here", icon=":material/menu_book:", type="tertiary"):
        st.markdown("\n\n".join(f"**{word}**: {meanings()[word]}" for word in words))
