"""Opening a model that is not built in: a folder, or a model of the hub; from a dialog, or because the address says so."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import streamlit as st

from multiflow_core.experiments.run import Run

from .. import state
from ..engine import checkpoints, disk, permits, runs
from ..engine.store import Progress
from . import address, session, ui

log = logging.getLogger("app")


class CannotOpen(ValueError):
    """A model that cannot be opened; the text is a sentence for the reader."""


def models() -> dict[str, str]:
    """{what the address says: what the model goes by} of the built-in models and of those opened in this session."""
    return {name: name for name in checkpoints.models()} | session.get(state.OPENED)


def from_address(progress: Progress) -> str | None:
    """Open what models the address asks for, its own and those of pinned runs; a sentence if its own cannot be opened."""
    asked = address.now(state.MODEL)
    problem = None
    for place in {asked, *_pinned()} - set(models()):
        try:
            opened = _open(place, progress)
        except CannotOpen as error:
            if place == asked:
                problem = f"The model of the address cannot be opened. {error} Showing {state.MODEL.default}."
                address.keep(state.MODEL, state.MODEL.default)
        else:
            if place == asked:
                session.put(state.CHOSEN, opened)
    return problem


def _pinned() -> Iterator[str]:
    """The models of the runs that the address pins. What is wrong with those is said by the page that shows them."""
    for key in (state.RUN_A, state.RUN_B):
        if pinned := address.now(key):
            yield Run.read(pinned).model


def button() -> None:
    """Draw the button that opens the dialog, and the dialog while it is open."""
    st.button(
        "Open another model",
        icon=":material/folder_open:",
        key="open_model",
        type="tertiary",
        on_click=_show,
        args=(True,),
        help="A folder or a model of the hub: what embeds pictures and texts, or writes about pictures",
    )


def dialog() -> None:
    """Show the dialog if it is open. Outside the sidebar, and before the page: a slow page would hold it up."""
    if session.get(state.DIALOG):
        _dialog()


@st.dialog("Open another model", on_dismiss=lambda: _show(False))
def _dialog() -> None:
    with st.form("open_form", border=False), st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Folder or hub name",
            key=state.OPEN_NAME.name,
            max_chars=400,
            placeholder="/models/my-clip  or  owner/model",
            width="stretch",
        )
        st.form_submit_button("Open", on_click=_ask_typed, key="open_typed", type="primary")
    st.caption(
        "A folder that `save_pretrained` wrote: BLIP, CLIP, SigLIP, X-VLM, or another model of transformers that embeds pictures "
        "and texts (AltCLIP, ALIGN) or writes about pictures (LLaVA, Qwen-VL, SmolVLM, PaliGemma); or a file of "
        "weights, beside its config.json or as the authors of BLIP, X-VLM and OpenCLIP publish theirs. Weights are read from "
        "safetensors, or from a file that holds tensors only; no code of a checkpoint is ever run."
    )
    st.markdown("**From the hub**, downloaded once and then kept")
    with st.container(horizontal=True, gap="xsmall", key="hub_names"):
        for name, title in runs.hub_names().items():
            st.button(title, key=f"open_{name}", on_click=_ask, args=(name,), help=name)
    _kept_answers()
    asked = session.take(state.OPENING)  # whatever the reader does now, it is not asked for again
    if asked:
        try:
            with ui.working() as progress:
                session.put(state.CHOSEN, _open(asked, progress))
        except CannotOpen as problem:
            st.error(ui.verbatim(str(problem)), icon=":material/folder_off:")
        else:
            _show(False)
            st.rerun()


def _kept_answers() -> None:
    """How much of what models said is kept on disk, and the button that forgets it, for who runs the server."""
    kept = disk.here()
    if kept is not None and permits.here().local:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f"Answers kept on disk: {kept.size / 1e6:.1f} MB", width="content")
            st.button("Forget them", icon=":material/delete:", key="clear_disk", type="tertiary", on_click=kept.clear)


def _open(place: str, progress: Progress) -> str:
    """Open a model for this session and return its address; CannotOpen with a sentence."""
    if not permits.here().may_open(place):
        raise CannotOpen(permits.REFUSAL)
    try:
        model = runs.opened(place, progress)
    except (OSError, ValueError) as problem:
        raise CannotOpen(ui.sentence(problem)) from None
    except Exception:
        log.exception("unexpected error")
        raise CannotOpen("What is there cannot be loaded; the server's log says why.") from None
    opened = {checkpoints.address_of(model): model}
    session.put(state.OPENED, session.get(state.OPENED) | opened)
    return next(iter(opened))


def _show(on: bool) -> None:
    session.put(state.DIALOG, on)


def ask_for(place: str) -> None:
    """Open the dialog, and what lies there; from a callback."""
    _show(True)
    _ask(place)


def _ask(place: str) -> None:
    session.put(state.OPENING, place)


def _ask_typed() -> None:
    _ask(session.get(state.OPEN_NAME).strip())
