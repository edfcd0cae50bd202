"""Choosing a picture: an example, a scene by its number, a random one, or one's own. Shared by all pages that need one."""

from __future__ import annotations

import random

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from . import cards, state, uploads
from .services import gallery

EXAMPLES = (5, 12, 27, 33, 48, 60)


def choose(page: str, area: DeltaGenerator, controls: DeltaGenerator) -> gallery.Picture | None:
    """The picture that the reader chose, shown in `area`; None after saying why a file cannot be used."""
    key = f"upload_{page}_{st.session_state.setdefault(state.UPLOADS, 0)}"
    with controls, st.container(key="scene_controls"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            number = st.number_input(
                "Scene", 0, state.LAST_SCENE, state.SCENE.default, 1, key=state.SCENE.name, bind="query-params",
                width=170, on_change=_forget_upload,
            )  # fmt: skip
            st.button("New random scene", icon=":material/casino:", on_click=_draw, key="random_scene", type="primary")
        _examples()
        file = st.file_uploader(
            "Or your own picture (PNG, JPEG or WebP, up to 5 MB)", type=list(uploads.TYPES), key=key, max_upload_size=5
        )
    picture = gallery.scene_picture(number)
    if file is not None:
        data = file.getvalue()
        try:
            image = uploads.read(data)
        except uploads.BadImage as problem:
            area.error(str(problem), icon=":material/broken_image:")
            return None
        shown = image.copy()
        shown.thumbnail((uploads.SHOWN, uploads.SHOWN))
        picture = gallery.Picture(uploads.identity(data), image, gallery.webp(shown), file.name[:60])
    with area, st.container(key="picture"):
        st.html(cards.picture(picture.shown, f"{picture.title}, the picture asked about"))
    return picture


def _examples() -> None:
    with st.container(key="scene_examples", horizontal=True, gap="xsmall"):
        for number in EXAMPLES:
            with st.container(width=66, gap="xxsmall"):
                st.html(cards.picture(gallery.shown(gallery.scene_picture(number).scene, 128), f"Scene {number}"))
                st.button(
                    str(number),
                    key=f"scene_{number}",
                    on_click=_take,
                    args=(number,),
                    width="stretch",
                    help="Take this scene",
                )


def _take(number: int) -> None:
    st.session_state[state.SCENE.name] = number
    _forget_upload()


def _draw() -> None:
    _take(random.randrange(1000))


def _forget_upload() -> None:
    st.session_state[state.UPLOADS] = st.session_state.get(state.UPLOADS, 0) + 1
