"""Choosing a picture: an example, a scene by its number, a random one, or one's own. Shared by all pages that need one.

Own pictures stay in the session, so one that was added on a page can be asked about, and searched for, on every other.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from .. import state
from ..engine import permits
from ..facts import gallery, uploads
from ..markup import cards
from . import address, session, ui

EXAMPLES = (5, 12, 27, 33, 48, 60)  # scenes
FIRST = range(6)  # pictures of another data set
RANDOM = 999  # the highest number of a random picture
NEWEST = 6  # of them that can be chosen with a click
REFERENCES = 5  # texts of a picture


def choose(data: str, area: DeltaGenerator, controls: DeltaGenerator) -> gallery.Picture:
    """The picture of a data set, or the own one, that the reader chose, shown in `area`."""
    with controls, ui.asked("scene"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            number = scene(data, on_change=_take_scene)
            another(data, "primary")
        _examples(data, own())
        add("Or your own pictures")
    picture = chosen(data, number)
    with area, st.container(key="picture"):
        complaints()
        st.html(cards.picture(picture.shown(), f"{picture.title}, the picture asked about"))
    return picture


def chosen(data: str, number: int) -> gallery.Picture:
    """The own picture that is asked about, else that of the number."""
    asked = session.get(state.PICTURE)
    return next((p for p in own() if p.id == asked), None) or gallery.picture(data, number)


def another(data: str, type: str = "secondary") -> None:
    """A button that takes some other picture."""
    st.button(
        f"New random {'picture' if data else 'scene'}",
        icon=":material/casino:",
        on_click=_draw,
        args=(min(gallery.last(data), RANDOM),),
        key="random_scene",
        type=type,
    )


def taken(data: str) -> gallery.Picture:
    """A picture of the data set by its number, or one of some that are shown, the own ones among them."""
    with st.container(horizontal=True, vertical_alignment="top", gap="medium"):
        number = scene(data, on_change=_take_scene)
        _examples(data, own())
    return chosen(data, number)


def scene(data: str, on_change: Callable[[], None] | None = None) -> int:
    """Draw the field for the number of a scene, or of a picture of another data set."""
    last = gallery.last(data)
    if session.has(state.SCENE) and session.get(state.SCENE) > last:
        session.put(state.SCENE, last)
    return st.number_input(
        "Picture" if data else "Scene",
        0,
        last,
        min(last, state.SCENE.default),
        1,
        **address.bound(state.SCENE),
        width=170,
        on_change=on_change,
    )


def written(picture: gallery.Picture) -> None:
    """What people wrote about a picture of which no more is known."""
    if picture.scene is None and picture.texts:
        said = " · ".join(f"*{ui.verbatim(text)}*" for text in picture.texts[:REFERENCES])
        st.caption(f"What people wrote: {said}")


def _examples(data: str, own: tuple[gallery.Picture, ...]) -> None:
    """Some pictures and the newest own ones, one click each."""
    numbers = [number for number in (FIRST if data else EXAMPLES) if number <= gallery.last(data)]
    with st.container(key="scene_examples", horizontal=True, gap="xsmall"):
        for number in numbers:
            picture = gallery.picture(data, number)
            _thumbnail(picture.shown(128), str(number), picture.title, number)
        for place, picture in list(enumerate(own, start=1))[-NEWEST:]:
            _thumbnail(picture.shown(128), f"own {place}", picture.title, picture.id)


def _thumbnail(image: bytes, label: str, title: str, place: int | str) -> None:
    with st.container(width=72, gap="xxsmall", key=f"thumb_{place}"):  # the button reaches over the picture (look.py)
        st.html(cards.picture(image, title, square=True))
        st.button(
            label,
            key=f"scene_{place}",
            on_click=_take,
            args=(place,),
            width="stretch",
            help=f"Take this one: {ui.verbatim(title)}",
        )


def _take(place: int | str) -> None:
    """Choose a scene by its number or an own picture by its id."""
    session.put(state.PICTURE, place)
    if isinstance(place, int):
        session.put(state.SCENE, place)


def _take_scene() -> None:
    _take(session.get(state.SCENE))


def _draw(last: int) -> None:
    _take(random.randint(0, last))


# --- own pictures ---------------------------------------------------------------------------------------------------


def own() -> tuple[gallery.Picture, ...]:
    """The pictures that this session has added, oldest first."""
    return session.get(state.OWN_PICTURES)


def add(label: str) -> None:
    """Where own pictures are added, and removed again."""
    emptied, may = session.get(state.UPLOADS), permits.here()
    st.file_uploader(
        f"{label} ({uploads.NAMED}, up to {may.megabytes} MB each, up to {may.pictures} of them)",
        type=list(uploads.TYPES),
        accept_multiple_files=True,
        key=f"upload_{emptied}",
        max_upload_size=may.megabytes,
        on_change=_receive,
        args=(f"upload_{emptied}",),
    )
    if own():
        some = "your picture" if len(own()) == 1 else f"all {len(own())} own pictures"
        st.button(f"Remove {some}", icon=":material/delete:", on_click=_remove, key="remove_own", type="tertiary")


def complaints() -> None:
    """One sentence for every file of the last upload that could not be used."""
    for sentence in session.take(state.REFUSED):
        st.error(ui.verbatim(sentence), icon=":material/broken_image:")


def _receive(key: str) -> None:
    """Check what was uploaded, keep what can be used, and empty the uploader."""
    kept, may = {picture.id: picture for picture in own()}, permits.here()
    refused: list[str] = []
    for file in st.session_state[key]:
        data = file.getvalue()
        if uploads.identity(data) not in kept and len(kept) >= may.pictures:
            refused.append(
                f"{may.pictures} own pictures are as many as one session can hold: remove them to add others."
            )
            break
        try:
            picture = gallery.own_picture(uploads.identity(data), uploads.read(data, may.megabytes << 20), file.name)
        except uploads.BadImage as problem:
            refused.append(f"{file.name}: {problem}")
        else:
            kept[picture.id] = picture
            session.put(state.PICTURE, picture.id)
    session.put(state.OWN_PICTURES, tuple(kept.values()))
    session.put(state.REFUSED, tuple(refused))
    session.put(state.UPLOADS, session.get(state.UPLOADS) + 1)


def _remove() -> None:
    session.put(state.OWN_PICTURES, ())
