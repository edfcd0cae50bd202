"""What every page uses: a guard against tracebacks, progress that yields, and a chart with its explanation and table."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd
import streamlit as st
from plotly.graph_objects import Figure
from streamlit.delta_generator import DeltaGenerator

from multiflow_core.experiments.run import TUNED, Run
from multiflow_core.tasks.task import TASKS, tasks_of

from ..charts import DARK, LIGHT, Chart
from ..engine import data_sets, shipped
from ..engine.runs import TooLong
from ..engine.store import STORE, Progress
from ..look.words import unbroken
from ..state.keys import FORM, SETTINGS
from . import glossary, plotly_chart, session
from .theme import palette

if TYPE_CHECKING:
    from multiflow_core import PruningOrder
    from multiflow_core.models.vlm import VLM
    from multiflow_core.pruning.solved_order import Solved

T = TypeVar("T")
log = logging.getLogger("app")
PATIENCE = 0.25  # seconds before a progress bar appears
CONFIG = {"displaylogo": False, "displayModeBar": False}
PAGES = Path(__file__).parents[1] / "app_pages"


def guarded(show: Callable[[], T]) -> T | None:
    """Run a part of a page; an unexpected error becomes one sentence on the page and a traceback in the log.

    Streamlit's own stop and rerun exceptions derive from BaseException and pass through.
    """
    try:
        return show()
    except FileNotFoundError as problem:
        st.error(verbatim(str(problem)), icon=":material/folder_off:")
    except TooLong as problem:
        st.info(verbatim(str(problem)), icon=":material/hourglass_disabled:")
    except ValueError as problem:
        log.exception("bad value")
        st.error(f"This cannot be shown: {verbatim(str(problem))}", icon=":material/error:")
    except Exception:
        log.exception("unexpected error")
        st.error("Something went wrong here; the server's log says what.", icon=":material/error:")
    return None


def sentence(problem: Exception) -> str:
    """An error as a sentence; the system's own come without one.

    >>> sentence(PermissionError(13, "Permission denied", "/photos")), sentence(ValueError("There is no such thing."))
    ('/photos cannot be read: permission denied.', 'There is no such thing.')
    """
    if isinstance(problem, OSError) and problem.strerror:
        return f"{problem.filename} cannot be read: {problem.strerror.lower()}."
    return str(problem)


_SPECIAL = re.compile(r"[\\`*_{}\[\]()<>#|~!:$&]|^[-+=]|^\d+(?=\.)")
# what the browser replaces in finished text, where a backslash is of no use: addresses, e-mails, emoji, icons, arrows
_FOUND = re.compile(r"(?<=:)(?=\S)|(?<=\bwww)(?=\.)|(?=@)|(?<=[-<>~])(?=[-=>])", re.IGNORECASE)
_JOINER = "\u2060"  # of no width, breaks no line


def verbatim(text: str) -> str:
    """Text that is not ours as Markdown that shows just this text: a name must not become a link, a picture, an icon, a list.

    >>> print(verbatim("![x](y) a_b"))
    \\!\\[x\\]\\(y\\) a\\_b
    """
    line = _FOUND.sub(_JOINER, " ".join(re.split(r"[^\S\u00a0]+", text)).strip(" "))
    return _SPECIAL.sub(lambda found: found[0] + "\\" if found[0].isdigit() else "\\" + found[0], unbroken(line))


def opened() -> None:
    """A page begins: whatever it needs stands in line as from now."""
    STORE.open()


def page(show: Callable[[Run], None]) -> None:
    """Show a page with the settings of the sidebar, guarded."""
    settings = session.get(SETTINGS)
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
            place.progress(min(1.0, max(0.0, fraction)), text=verbatim(f"{message[:1].upper()}{message[1:]} …"))

    try:
        yield progress
    except Exception:
        place.empty()
        raise
    place.empty()


def chart(data: Chart, key: str, about: str, pick: Callable[[Any], None] | None = None) -> None:
    """A chart under a title that states its finding; explanation, table twin and files are one click away.

    `pick` is called with the `customdata` of a point that the reader clicks, before the page runs again.
    """
    figure = _figure(data)
    with st.container(key=f"chart_{key}", gap="xsmall"):
        with title_row(data.title(), key):
            explain(about, key)
            _table(data, figure, key)
        plotly_chart.show(figure, f"plot_{key}", data.describe(), _config(key), pick)


def _figure(data: Chart) -> Figure:
    """A chart's figure; of one that was drawn before the same: Plotly takes 20 ms to look a figure over."""
    look = palette()
    try:
        return _drawn(data, look.name)
    except TypeError:  # it holds something that cannot be looked up
        return data.figure(look)


@lru_cache(maxsize=128)
def _drawn(data: Chart, look: str) -> Figure:
    return data.figure(DARK if look == DARK.name else LIGHT)


def _table(data: Chart, figure: Figure, key: str) -> None:
    """The table twin, and what can be taken away: CSV of the table, the chart as a page of its own."""
    with st.popover(
        "As a table", icon=":material/table:", type="tertiary", help="The same numbers as a table, and files"
    ):
        table = data.table()
        fractions = shares_of(table)
        shown = {c: [v and 100 * v for v in values] if c in fractions else values for c, values in table.items()}
        percents = {c: st.column_config.NumberColumn(format="%.4g %%") for c in fractions}
        with st.container(horizontal=True, gap="small"):
            for kind, made in (("CSV", partial(csv, table)), ("HTML", partial(_alone, data, figure, key))):
                st.download_button(
                    kind,
                    made,
                    f"{_file_name(key)}.{kind.lower()}",
                    icon=":material/download:",
                    key=f"{kind}_{key}",
                    on_click="ignore",
                    help="The table as a file"
                    if kind == "CSV"
                    else "The chart as a page of its own, which needs no network",
                )
            st.caption("SVG: the camera above the chart.")
        st.dataframe(shown, column_config=percents, hide_index=True, key=f"table_{key}")


def _alone(data: Chart, figure: Figure, key: str) -> str:
    """The chart as a page of its own, with its title."""
    title = escape(data.title())
    return figure.to_html(config=_config(key)).replace(
        "<body>", f'<body><h3 style="font-family:sans-serif">{title}</h3>', 1
    )


def csv(table: dict[str, list]) -> str:
    """A table as the text of a CSV file.

    >>> csv({"layer": ["fc1", "fc2"], "sparsity": [0.5, None]})
    'layer,sparsity\\nfc1,0.5\\nfc2,\\n'
    """
    return pd.DataFrame(table).to_csv(index=False)


def _file_name(key: str) -> str:
    """What a chart is called on the reader's disk: what it is about, and its key."""
    settings = session.get(SETTINGS)
    return key if settings is None else f"{settings.method}-{100 * settings.sparsity:.0f}-{key}"


def _config(name: str) -> dict[str, Any]:
    """Plotly's own buttons: none but the one that saves the chart as SVG, under the chart's name."""
    image = {"format": "svg", "filename": _file_name(name)}
    return CONFIG | {"displayModeBar": "hover", "modeBarButtons": [["toImage"]], "toImageButtonOptions": image}


def controls(key: str) -> DeltaGenerator:
    """A container for what a reader sets on a page; presenter mode leaves it out."""
    return st.container(key=f"controls_{key}")


def asked(key: str) -> DeltaGenerator:
    """A container for what a model is asked: a room sees it, large, and what is typed or chosen there."""
    return st.container(key=f"asked_{key}")


def able(vlm: VLM, task: str, settings: Run | None = None) -> bool:
    """Whether a model can do what a page is about, as it is or as the settings show it; if not, a sentence says what works."""
    wanted, possible = TASKS.get(task), tasks_of(vlm)
    if vlm.unreadable:
        st.info(verbatim(vlm.unreadable), icon=":material/info:")
        return False
    if wanted in possible or (settings and shipped.can(settings, task)):
        return True
    pages = " and ".join(known.title for known in possible if (PAGES / f"{known.name}.py").is_file())
    st.info(f"{verbatim(vlm.name)} has {wanted.lacks}. It can be tried under {pages}.", icon=":material/info:")
    if settings and task in shipped.learnt(settings.model) and shipped.nearest(settings, TUNED):
        st.markdown(f"Fine-tuned on {data_sets.title(shipped.taught(settings.model))}, it does this, too.")
        st.button("Show it fine-tuned", icon=":material/school:", on_click=session.put, args=(FORM, TUNED))
    return False


def ordered(order: PruningOrder | Solved) -> bool:
    """Whether single weights have a place in the order; where they have not, a sentence says so."""
    if not order.nested:
        st.info(
            f"{order.method.title} solves every sparsity anew, so no weight has a score or a place in an order. "
            "Choose a method with scores at the left: MULTIFLOW, OMP, Wanda, SNIP and others have them.",
            icon=":material/info:",
        )
    return order.nested


def note(sentence: str) -> None:
    """A remark in small letters, where there is one."""
    if sentence:
        st.caption(verbatim(sentence))


def loud(sentence: str) -> None:
    """A remark that nobody may miss, where there is one."""
    if sentence:
        with st.container(key="loud"):
            st.markdown(f":material/visibility_off: {verbatim(sentence)}")


def heading(finding: str, about: str, key: str) -> None:
    """A finding as a heading, with an explanation one click away."""
    with st.container(key=f"title_{key}"), title_row(finding, key):
        explain(about, key)


@contextmanager
def title_row(title: str, key: str) -> Iterator[None]:
    """A line with a title at the left and whatever is put into it at the right."""
    with st.container(key=f"row_{key}", horizontal=True, vertical_alignment="center", wrap=False, gap="xsmall"):
        st.markdown(f"## {verbatim(title)}", width="stretch")
        yield


def shares_of(table: dict[str, list]) -> list[str]:
    """The columns that hold fractions, and differences of them; some may not have been measured.

    >>> shares_of({"kept": [0.5, None], "by": [-0.1, 1.0], "seconds": [0.5, 258.0], "layers": [0, 1], "nothing": [None]})
    ['kept', 'by']
    """
    known = {c: [v for v in values if v is not None] for c, values in table.items()}
    return [c for c, held in known.items() if held and all(isinstance(v, float) and abs(v) <= 1 for v in held)]


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
        if words := glossary.used(about):
            st.caption(words)
