"""The theme in force, and the few style rules that Streamlit's theme cannot express."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st

from ..charts import DARK, LIGHT, Palette
from ..markup import matrices, miniatures


def palette() -> Palette:
    """The colours of the theme that the reader sees."""
    return DARK if getattr(st.context.theme, "type", None) == "dark" else LIGHT


def style(presenting: bool, touring: bool = False) -> None:
    """Rules for picture grids, captions and narrow windows; colours come in as variables of the theme."""
    p = palette()
    colors = {
        "dense": p.dense, "pruned": p.pruned, "own": p.versus[0], "rival": p.versus[1],
        "true": p.true, "false": p.false, "ink": p.ink, "muted": p.muted,
        "action": p.action, "line": p.line, "surface": p.surface, "background": p.background,
    }  # fmt: skip
    drawn = matrices.RULES + miniatures.RULES
    rules = _rules("theme") + drawn + (_rules("presenter") if presenting else "") + (_rules("tour") if touring else "")
    variables = "".join(f"--mf-{name}:{color};" for name, color in colors.items())
    st.html(f"<style>:root{{{variables}}}{rules}</style>")


@cache
def _rules(name: str) -> str:
    return Path(__file__).with_name(f"{name}.css").read_text(encoding="utf-8")
