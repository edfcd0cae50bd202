"""What every page uses: a guard against tracebacks, progress that yields, and a chart with its explanation and table."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import streamlit as st

from .charts import Chart
from .look import palette
from .services.store import Progress
from .state import SETTINGS, Settings

T = TypeVar("T")
log = logging.getLogger("app")
PATIENCE = 0.25  # seconds before a progress bar appears
CONFIG = {"displaylogo": False, "displayModeBar": False, "responsive": True}


def guarded(show: Callable[[], T]) -> T | None:
    """Run a part of a page; an unexpected error becomes one sentence on the page and a traceback in the log.

    Streamlit's own stop and rerun exceptions derive from BaseException and pass through.
    """
    try:
        return show()
    except FileNotFoundError as problem:
        st.error(str(problem), icon=":material/folder_off:")
    except ValueError as problem:
        log.exception("bad value")
        st.error(f"This cannot be shown: {problem}", icon=":material/error:")
    except Exception:
        log.exception("unexpected error")
        st.error("Something went wrong here; the server's log says what.", icon=":material/error:")
    return None


def page(show: Callable[[Settings], None]) -> None:
    """Show a page with the settings of the sidebar, guarded."""
    settings = st.session_state.get(SETTINGS)
    if settings is not None:
        guarded(lambda: show(settings))


@contextmanager
def working() -> Iterator[Progress]:
    """A progress callback whose bar appears only when there is something to wait for, and goes away afterwards.

    Every call gives Streamlit the chance to interrupt, so a changed mind ends the wait.
    """
    place = st.empty()
    began = time.monotonic()

    def progress(fraction: float, message: str) -> None:
        if time.monotonic() - began > PATIENCE:
            place.progress(min(1.0, max(0.0, fraction)), text=f"{message[:1].upper()}{message[1:]} …")

    yield progress
    place.empty()


def chart(data: Chart, key: str, about: str) -> None:
    """A chart under a title that states its finding, with an explanation and a table twin one click away."""
    with st.container(key=f"chart_{key}", gap="xsmall"):
        with title_row(data.title(), key):
            explain(about, key)
            with st.popover("As a table", icon=":material/table:", type="tertiary", help="The same numbers as a table"):
                shares = {c: st.column_config.NumberColumn(format="percent") for c in shares_of(data.table())}
                st.dataframe(data.table(), column_config=shares, hide_index=True, key=f"table_{key}")
        st.plotly_chart(data.figure(palette()), theme=None, key=f"plot_{key}", config=CONFIG, alt=data.describe())


def heading(finding: str, about: str, key: str) -> None:
    """A finding as a heading, with an explanation one click away."""
    with st.container(key=f"title_{key}"), title_row(finding, key):
        explain(about, key)


@contextmanager
def title_row(title: str, key: str) -> Iterator[None]:
    """A line with a title at the left and whatever is put into it at the right."""
    with st.container(key=f"row_{key}", horizontal=True, vertical_alignment="center", wrap=False, gap="xsmall"):
        st.markdown(f"##### {title}", width="stretch")
        yield


def shares_of(table: dict[str, list]) -> list[str]:
    """The columns that hold fractions."""
    return [c for c, values in table.items() if values and all(isinstance(v, float) for v in values)]


def explain(about: str, key: str) -> None:
    """A popover that says what one is looking at."""
    with st.popover(
        "What am I looking at?",
        icon=":material/help:",
        type="tertiary",
        help="What am I looking at?",
        key=f"about_{key}",
    ):
        st.markdown(f"**What am I looking at?**\n\n{about}")
