"""A Plotly figure on the page that changes in place.

Streamlit's own chart is torn down and built anew for every new figure: a white flash at every step of the slider.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import plotly
import plotly.io
import streamlit as st
from plotly.graph_objects import Figure
from starlette.responses import FileResponse
from starlette.routing import Route

LIBRARY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
HTML = '<div class="plot" role="figure"></div>'


def route() -> Route:
    """What the server needs besides: Plotly's library, from the package that also writes it into exported pages."""
    return Route(address(), lambda request: FileResponse(LIBRARY, headers={"Cache-Control": "max-age=86400"}))


def address() -> str:
    """Where the browser finds it, also behind a base path."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}/{LIBRARY.name}" if base else f"/{LIBRARY.name}"


@cache
def _component() -> Callable[..., Any]:
    script = Path(__file__).with_suffix(".js").read_text()
    return st.components.v2.component("plot", html=HTML, js=script, isolate_styles=False)


def show(figure: Figure, key: str, alt: str, config: dict[str, Any], pick: Callable[[Any], None] | None = None) -> None:
    """Draw `figure`. `pick` is called with the `customdata` of a point that the reader clicks, before the page runs again."""
    about = {"config": config, "alt": alt, "address": address()}
    packed = f'{json.dumps(about)[:-1]}, "figure": {plotly.io.to_json(figure, validate=False)}}}'
    events = {"on_picked_change": lambda: pick(st.session_state[key].picked)} if pick else {}
    _component()(key=key, data=packed.encode(), height=figure.layout.height or "content", **events)
