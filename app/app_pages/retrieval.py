"""Search in both directions, dense beside pruned."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import state
from app.engine import runs
from app.engine.store import Progress
from app.facts import climb, gallery, pace, rankings, truth, typed_text
from app.look.words import percent
from app.markup import cards
from app.parts import address, ahead, ladder_panel, picture_picker, session, text_field, ui
from app.state import TUNED, Run

TOP = 8
FIRST = 4  # of the dense model's, that the pruned one ranks before it has looked at all the others
ABOUT = (
    "Both models rank the same {n} pictures by how well they fit the text. **1** is the best; the number under a "
    "picture is the cosine similarity of its embedding with the text's; where the first are ranked again, as BLIP and X-VLM do, "
    "it is the probability that the matching head gives to both together. A green frame and ✓ mean that the text is {true}. "
    "▲ 3 on the pruned side: three places further up than in the dense ranking."
)
ABOUT_CAPTIONS = (
    "Both models rank the same {n} captions by how well they fit the picture. ✓ marks those that are {true}. ▲ 3 on the "
    "pruned side: three places further up than in the dense ranking."
)
FLAT = "really true of the picture, which Flatland knows for certain"
OWN = "the picture's own, as somebody wrote it; of others nobody knows whether they are true"
ABOUT_GAPS = (
    "The similarity of the best of each kind in both models, or its probability where the matching head has seen them: full "
    "bars for what should be found, hollow bars for what should not. The number beside a model is the lead of the one over the "
    "other. A small lead is a ranking that the next few per cent may turn over, even while it still looks right."
)
ABOUT_RANKS = (
    "Where the things that should be found stand in the rankings of ever sparser models: violet the best of them, grey each "
    "one. Higher is better; the dashed line ends the part of the ranking that is shown above. A dot is a sparsity that was "
    "tried: 0, 10, … 90 %, and by halving down to 1 % where the best first loses the first place or the shown part."
)


def show(settings: Run) -> None:
    st.title("Retrieval: what does each model find?")
    with ui.working() as progress:
        dense = runs.vlm(settings.model, progress)
    if not ui.able(dense, "retrieval", settings):
        return
    with ui.working() as progress:
        pool = gallery.gallery(settings.model, settings.data, progress)
    with ui.controls("direction"):
        direction = address.switch("Direction", state.DIRECTION, {name: name for name in state.DIRECTIONS})
    if direction == state.DIRECTIONS[0]:
        _find_pictures(settings, pool)
    else:
        _find_captions(settings, pool)


# --- text to image --------------------------------------------------------------------------------------------------


def _find_pictures(settings: Run, pool: gallery.Gallery) -> None:
    dense = runs.vlm(settings.model)
    with ui.asked("query"):
        examples = pool.examples if settings.data else typed_text.EXAMPLES
        first = pool.examples[0] if settings.form == TUNED else ""
        row = text_field.field(state.QUERY, "Query", "a red car at night", ":material/search:", examples, first)
        with row:
            searched = _searched(pool)
            again = text_field.reranked(settings.model)
    picture_picker.complaints()
    query = text_field.checked(state.QUERY, dense)
    if not query.usable:
        return
    own = picture_picker.own()

    def scores(key: Run, progress: Progress) -> list[float]:
        return gallery.text_ranking(key, query.text, again, progress, own, searched)

    pictures = pool.pictures if searched else ()
    known = truth.of(query.text, pictures)
    if not known.understood and not query.complaints and pool.flat:
        st.caption(
            f"Flatland's grammar cannot check this wording ({ui.verbatim(known.reason)}), so no picture is marked as true."
        )
    shown = (*pictures, *own)

    def compared(both: Sequence[Sequence[float]]) -> rankings.Rankings:
        return rankings.of_pictures(both, shown, replace(known, understood=known.understood and searched), TOP)

    places = _Beside(settings, cards.picture_grid)
    with ui.working() as progress:
        dense_scores = scores(settings.unpruned, progress)
        if searched and not own and not gallery.at_hand(settings, progress):
            first = rankings.best(dense_scores, FIRST)
            near = gallery.first_scores(settings, query.text, first, len(pictures), progress)
            places.fill(compared((dense_scores, near)), so_far=len(first))
        both = dense_scores, scores(settings, progress)
    places.fill(found := compared(both))
    places.say(found, ABOUT, pool.flat)
    with ui.working() as progress:
        ui.note(pace.sentence(settings, "retrieval", progress))
    if own:
        st.caption("Nobody has told the lab what your own pictures show, so they are ranked and never marked as true.")
    ui.loud(truth.strange(dense, flat=searched and pool.flat))
    _margins(
        settings,
        rankings.sought(both, tuple(map(gallery.about, shown)), known.true + (None,) * len(own), "picture", known.word),
        scores,
        both[0],
        (query.text, again, searched, *(picture.id for picture in own)),
    )


def _searched(pool: gallery.Gallery) -> bool:
    """Where own pictures are added to the gallery; returns whether the data set's are searched as well."""
    own = len(picture_picker.own())
    things = "scenes" if pool.flat else "pictures"
    label = f"Gallery: {len(pool.pictures)} {things}" + (f" + {own} of yours" if own else ", add yours")
    if own and session.get(state.ONLY_OWN):
        label = f"Gallery: {own} of yours"
    with st.popover(label, icon=":material/add_photo_alternate:", type="tertiary", key="gallery"):
        picture_picker.add("Your own pictures")
        return not (own and st.toggle("Search my pictures only", key=state.ONLY_OWN.name, persist_state="session"))


# --- image to text --------------------------------------------------------------------------------------------------


def _find_captions(settings: Run, pool: gallery.Gallery) -> None:
    if not pool.captions:
        st.info("These pictures have no texts: there is nothing to rank.", icon=":material/info:")
        return
    with st.container(key="wrap_picture"):
        left, right = st.columns([3, 7], gap="medium")
        picture = picture_picker.choose(settings.data, left, right)
    extra = tuple(text for text in gallery.texts_of(picture) if text not in pool.captions)

    def scores(key: Run, progress: Progress) -> list[float]:
        return gallery.image_scores(key, picture, extra, progress)

    with ui.working() as progress:
        both = [scores(key, progress) for key in keys(settings)]
    texts = pool.captions + extra
    true = truth.true_captions(texts, picture)
    word = "true" if picture.scene else truth.MATCHING
    found = rankings.compare(both, texts, true, TOP, "captions", any(true) or picture.scene is not None, word=word)
    places = _Beside(settings, cards.caption_list)
    places.fill(found)
    places.say(found, ABOUT_CAPTIONS, picture.scene is not None)
    ui.loud(truth.strange(runs.vlm(settings.model), picture.scene is not None))
    _margins(settings, rankings.sought(both, texts, true, "caption", word), scores, both[0], (picture.id, extra))


# --- both -----------------------------------------------------------------------------------------------------------


def keys(settings: Run) -> tuple[Run, Run]:
    """The dense and the pruned run."""
    return settings.unpruned, settings


class _Beside:
    """The places of the finding, of the dense ranking, and beside it of the pruned one, which may be filled more than once."""

    def __init__(self, settings: Run, draw: Callable[..., str]):
        self.name, self.draw = f"{runs.title(settings)} at {percent(settings.sparsity)}", draw
        self.dense = "Dense (fine-tuned)" if settings.form == TUNED else "Dense"
        self.heading = st.container()
        self.sides: dict[str, DeltaGenerator] = {}
        with st.container(key="wrap_rankings"):
            for column, side in zip(st.columns(2, gap="medium"), ("dense", "pruned"), strict=True):
                with column, st.container(key=f"ranking_{side}"):
                    self.sides[side] = st.empty()

    def fill(self, found: rankings.Rankings, so_far: int = 0) -> None:
        """Both rankings; the pruned one of no more than `so_far` of the dense model's first, where only these were looked at."""
        for side, place in self.sides.items():
            early = so_far and side == "pruned"
            note = rankings.so_far(so_far) if early else found.note(side)
            head = cards.heading(self.dense if side == "dense" else self.name, note, side)
            hits = found.hits[side][: so_far if early else None]
            place.html(head + self.draw(hits, side, moves=side == "pruned" and not early))

    def say(self, found: rankings.Rankings, about: str, flat: bool) -> None:
        """The finding."""
        with self.heading:
            ui.heading(found.finding(self.name), about.format(n=found.total, true=FLAT if flat else OWN), "ranking")


def _margins(
    settings: Run,
    sought: rankings.Sought | None,
    scores: Callable[[Run, Progress], list[float]],
    dense: list[float],
    about: Hashable,
) -> None:
    """By how much the rankings are right, where the scores are of one kind, and for how long."""
    key = settings
    ahead.fetch(key, about, scores)
    if sought is None:
        return
    gaps = sought.gaps(f"{runs.title(key)} at {percent(settings.sparsity)}")
    climbed = ladder_panel.wanted(settings, "rank", cheap=False)
    with st.container(key="wrap_margins"):
        left, right = st.columns([5, 7], gap="large") if climbed and gaps else (st.container(), st.container())
    if gaps:
        with left:
            ui.chart(gaps, "gaps", ABOUT_GAPS)
    if climbed:
        with right:
            ladder_panel.show(climb.ranks(key, scores, dense, sought, TOP, about), ABOUT_RANKS)


ui.page(show)
