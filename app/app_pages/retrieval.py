"""Search in both directions, dense beside pruned."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import cards, pictures, queries, rankings, state, ui
from app.charts.words import percent
from app.services import gallery, runs
from app.state import Settings

TOP = 8
ABOUT = (
    "Both models rank the same {n} unseen pictures by how well they fit the text. **1** is the best; the number under a "
    "picture is the cosine similarity of its embedding with the text's. A green frame and ✓ mean that the text is really "
    "true of the picture, which Flatland knows for certain. ▲ 3 on the pruned side: three places further up than in the "
    "dense ranking."
)
ABOUT_CAPTIONS = (
    "Both models rank the same {n} captions by how well they fit the picture. ✓ marks those that are true of it. ▲ 3 on the "
    "pruned side: three places further up than in the dense ranking."
)


def show(settings: Settings) -> None:
    st.title("Retrieval: what does each model find?")
    direction = st.segmented_control(
        "Direction", state.DIRECTIONS, default=state.DIRECTION.default, required=True, key=state.DIRECTION.name,
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    if direction == state.DIRECTIONS[0]:
        _find_pictures(settings)
    else:
        _find_captions(settings)


def _find_pictures(settings: Settings) -> None:
    st.text_input(
        "Query", state.QUERY.default, key=state.QUERY.name, bind="query-params",
        placeholder="for example: a red car at night", icon=":material/search:",
    )  # fmt: skip
    with st.container(horizontal=True, gap="xsmall", key="examples"):
        for n, example in enumerate(queries.EXAMPLES):
            st.button(example, key=f"example_{n}", on_click=_ask, args=(example,), type="secondary")
    with ui.working() as progress:
        dense = runs.vlm(settings.model, progress)
        if "retrieval" not in dense.tasks:
            st.info(f"{settings.model} has no retrieval heads, so there is nothing to search with.")
            return
        query = queries.check(st.session_state[state.QUERY.name], dense)
        for sentence in query.complaints:
            st.warning(sentence, icon=":material/info:")
        if not query.usable:
            return
        pool = gallery.gallery(progress)
        scores = [gallery.text_scores(key, query.text, progress) for key in keys(settings)]
    truth = queries.truth(query.text, pool.scenes)
    if not truth.understood and not query.complaints:
        st.caption(f"Flatland's grammar cannot check this wording ({truth.reason}), so no picture is marked as true.")
    found = rankings.compare(
        scores, pool.captions, truth.true, TOP, "pictures", truth.understood, lambda i: gallery.shown(pool.scenes[i])
    )
    _beside(settings, found, cards.picture_grid, ABOUT)


def _find_captions(settings: Settings) -> None:
    with ui.working() as progress:
        runs.vlm(settings.model, progress)
    with st.container(key="wrap_picture"):
        left, right = st.columns([3, 7], gap="medium")
        picture = pictures.choose("retrieval", left, right)
    if picture is None:
        return
    with ui.working() as progress:
        pool = gallery.gallery(progress)
        own = gallery.caption_of(picture.scene) if picture.scene else None
        extra = (own,) if own and own not in pool.captions else ()
        scores = [gallery.image_scores(key, picture, extra, progress) for key in keys(settings)]
    texts = pool.captions + extra
    true = queries.true_captions(texts, picture.scene)
    found = rankings.compare(scores, texts, true, TOP, "captions", picture.scene is not None)
    _beside(settings, found, cards.caption_list, ABOUT_CAPTIONS)


def keys(settings: Settings) -> tuple[runs.RunKey, runs.RunKey]:
    """The dense and the pruned run."""
    return runs.RunKey.dense(settings.model), runs.RunKey.of(settings)


def _beside(settings: Settings, found: rankings.Rankings, draw: Callable[..., str], about: str) -> None:
    """The finding, and the dense ranking beside the pruned one."""
    name = f"{runs.title(runs.RunKey.of(settings))} at {percent(settings.sparsity)}"
    ui.heading(found.finding(name), about.format(n=found.total), "ranking")
    with st.container(key="wrap_rankings"):
        for column, side in zip(st.columns(2, gap="medium"), ("dense", "pruned"), strict=True):
            head = cards.heading("Dense" if side == "dense" else name, found.note(side), side)
            with column, st.container(key=f"ranking_{side}"):
                st.html(head + draw(found.hits[side], side, moves=side == "pruned"))


def _ask(query: str) -> None:
    st.session_state[state.QUERY.name] = query


ui.page(show)
