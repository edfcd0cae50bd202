"""Opening data that is not built in: a folder or a file on the server, or an archive of one's own pictures."""

from __future__ import annotations

import logging

import streamlit as st

from multiflow_core.data import listing

from .. import state
from ..engine import archives, data_sets, permits
from ..engine.store import Progress
from . import address, session, ui

UNLEARNT = "{}: Flatland's harder neighbour, which the built-in models have not learnt before they are fine-tuned."
log = logging.getLogger("app")


class CannotRead(ValueError):
    """Data that cannot be used; the text is a sentence for the reader."""


def opened() -> dict[str, str]:
    """{what the address says: what the data set goes by} of those built in and of those opened in this session."""
    return {state.DATA.default: ""} | {name: name for name in data_sets.BUILT_IN} | session.get(state.DATA_OPENED)


def from_address(progress: Progress) -> str | None:
    """Open the data set that the address asks for; a sentence if that cannot be done."""
    asked = address.now(state.DATA)
    if asked in opened():
        return None
    try:
        session.put(state.DATA_CHOSEN, _open(asked, progress))
    except CannotRead as error:
        address.keep(state.DATA, state.DATA.default)
        return f"The data set of the address cannot be opened. {error} Showing Flatland."
    return None


def told(data: str) -> None:
    """Say how much there is of what in a data set that is not built in, and which rows of it cannot be used."""
    if not data:
        return
    if data in data_sets.BUILT_IN:
        st.caption(UNLEARNT.format(data_sets.title(data)))
        return
    with ui.working() as progress:
        held = data_sets.data_set(data, progress)
    bad, *which = list(listing.unusable(held)) or [""]
    said = [listing.counted(held.found), *([bad.removesuffix(":")] if bad else [])]
    reasons = "\n\n".join(ui.verbatim(line.strip()) for line in which)
    st.caption(ui.verbatim("; ".join(said) + "."), help=reasons or None)


def button() -> None:
    """Draw the button that opens the dialog."""
    st.button(
        "Open your data",
        icon=":material/photo_library:",
        key="open_data",
        type="tertiary",
        on_click=_show,
        args=(True,),
        help="Pictures with captions, questions or classes, in any usual form",
    )


def dialog() -> None:
    """Show the dialog if it is open. Outside the sidebar, and before the page: a slow page would hold it up."""
    if session.get(state.DATA_DIALOG):
        _dialog()


@st.dialog("Open your data", on_dismiss=lambda: _show(False))
def _dialog() -> None:
    with st.form("data_form", border=False), st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Folder or file on this server",
            key=state.DATA_NAME.name,
            max_chars=400,
            placeholder="/data/photos  or  /data/captions.csv",
            width="stretch",
        )
        st.form_submit_button("Open", on_click=_ask, key="data_typed", type="primary")
    st.caption(
        "A folder of pictures, with a captions file (CSV, TSV, JSON, JSONL) or a text file beside each; COCO, Karpathy, VQAv2 and "
        "GQA files; a folder per class; WebDataset shards. Broken pictures and bad rows are counted and left out."
    )
    may = permits.here()
    st.file_uploader(
        f"Or a zip of pictures with a captions file, up to {may.archive} MB",
        type=["zip"],
        key=state.DATA_ARCHIVE.name,
        max_upload_size=may.archive,
        on_change=_receive,
    )
    if refused := session.take(state.DATA_REFUSED):
        st.error(ui.verbatim(refused), icon=":material/folder_zip:")
    asked = session.take(state.DATA_ASKED)  # whatever the reader does now, it is not asked for again
    if asked:
        try:
            with ui.working() as progress:
                session.put(state.DATA_CHOSEN, _open(asked, progress))
        except CannotRead as problem:
            st.error(ui.verbatim(str(problem)), icon=":material/folder_off:")
        else:
            _show(False)
            st.rerun()


def _open(place: str, progress: Progress) -> str:
    """Open a data set for this session and return its address; CannotRead with a sentence."""
    try:
        archive = archives.place_of(place)
        if archive is None and not permits.here().may_open(place):
            raise CannotRead(permits.REFUSAL_OF_DATA)
        data = data_sets.data_of(str(archive or place))
        data_sets.data_set(data, progress)
    except (OSError, ValueError) as problem:
        raise CannotRead(ui.sentence(problem)) from None
    except Exception:
        log.exception("unexpected error")
        raise CannotRead("What is there cannot be read; the server's log says why.") from None
    known = place if archive else data_sets.address_of(data)
    session.put(state.DATA_OPENED, session.get(state.DATA_OPENED) | {known: data})
    return known


def _receive() -> None:
    """Keep the archive that was uploaded, and ask for it."""
    file = session.get(state.DATA_ARCHIVE)
    if file is None:
        return
    try:
        session.put(state.DATA_ASKED, archives.keep(file, permits.here().archive << 20))
    except (OSError, ValueError) as problem:
        session.put(state.DATA_REFUSED, f"{file.name}: {ui.sentence(problem)}")


def _show(on: bool) -> None:
    session.put(state.DATA_DIALOG, on)


def ask_for(place: str) -> None:
    """Open the dialog, and what lies there; from a callback."""
    _show(True)
    session.put(state.DATA_ASKED, place)


def _ask() -> None:
    session.put(state.DATA_ASKED, session.get(state.DATA_NAME).strip())
