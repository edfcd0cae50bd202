"""The browser's Back returns to the text that was typed before."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from ..state.keys import Key


@cache
def _component() -> Callable[..., Any]:
    script = Path(__file__).with_suffix(".js").read_text()
    return st.components.v2.component("way_back", html="<span hidden></span>", js=script, isolate_styles=False)


def remember(key: Key[str]) -> None:
    """Each text of a key that stands in the address is a place to come back to."""
    _component()(key=f"{key.name}_way_back", data={"name": key.name}, height=1)
