"""Giving a pin masks, or a packed checkpoint, that were made elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from multiflow_core.experiments.run import Run

from .. import state
from ..engine import checkpoints, made_elsewhere, permits, runs
from ..engine.store import Progress
from . import session, ui

log = logging.getLogger("app")
KINDS = ["safetensors", "pt", "pth", "bin"]


def button(letter: str) -> None:
    """Draw the button that opens the dialog."""
    st.button(
        "Masks",
        icon=":material/upload_file:",
        key=f"masks_{letter}",
        on_click=session.put,
        args=(state.MASKS_FOR, letter),
        help="Masks or a packed checkpoint that were made elsewhere",
    )


def dialog(settings: Run, pin: Callable[[str, Run], None]) -> None:
    """Show the dialog if it is open; `pin(letter, run)` is told what was given."""
    if letter := session.get(state.MASKS_FOR):
        _dialog(letter, settings, pin)


@st.dialog("Masks made elsewhere", on_dismiss=lambda: session.put(state.MASKS_FOR, ""))
def _dialog(letter: str, settings: Run, pin: Callable[[str, Run], None]) -> None:
    model, may = ui.verbatim(checkpoints.title(settings.model)), permits.here()
    st.markdown(
        f"A file of masks for {model}, as this lab or the paper's authors write them, or a packed checkpoint: it becomes run "
        f"**{letter}**."
    )
    given = st.file_uploader(f"File, up to {may.archive} MB", type=KINDS, key="masks_file", max_upload_size=may.archive)
    with st.form("masks_form", border=False), st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input("Or a file or folder on this server", key=state.MASKS_NAME.name, max_chars=400, width="stretch")
        st.form_submit_button("Open", key="masks_typed", type="primary", on_click=_ask)
    typed = session.take(state.MASKS_ASKED)
    if given is None and not typed:
        return
    try:
        with ui.working() as progress:
            run = _run(settings, typed or given.name, None if typed else given.getvalue(), progress)
    except (OSError, ValueError) as problem:
        st.error(ui.verbatim(ui.sentence(problem)), icon=":material/folder_off:")
    except Exception:
        log.exception("unexpected error")
        st.error("What is in there cannot be read; the server's log says why.", icon=":material/folder_off:")
    else:
        pin(letter, run)
        session.put(state.MASKS_FOR, "")
        st.rerun()


def _ask() -> None:
    session.put(state.MASKS_ASKED, session.get(state.MASKS_NAME).strip())


def _run(settings: Run, name: str, data: bytes | None, progress: Progress) -> Run:
    """The run of an uploaded file, or of one on the server."""
    if data is None:
        if not permits.here().may_open(name):
            raise ValueError(permits.REFUSAL_OF_DATA)
        place = Path(name).expanduser()
        file = next(iter(sorted(place.glob("pruned.safetensors"))), place)
        if not file.is_file():
            raise ValueError(f"There is neither masks nor a packed checkpoint at {name}.")
        if file.stat().st_size > permits.here().archive << 20:
            raise ValueError(f"{name} is larger than {permits.here().archive} MB.")
        name, data = f"{place.name}.safetensors" if file != place else place.name, file.read_bytes()
    # its own weights in double precision: what would take more is of another model
    most = sum(8 * parameter.numel() for parameter in runs.vlm(settings.model, progress).model.parameters())
    return runs.given(settings.model, made_elsewhere.keep(name, data, most), settings.data, progress)
