"""Two pruned models side by side: what each cuts, how far they agree, and what each still finds and says."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import NamedTuple

import streamlit as st

from app import state
from app.engine import runs, shipped
from app.engine.store import Progress
from app.facts import gallery, rankings, truth, two_runs
from app.markup import cards
from app.parts import ahead, picture_picker, run_pins, text_field, ui
from app.state import SMALLER, TUNED, Run

TOP = 6
FIRST = 4  # of the dense model's, that are ranked before all the others have been looked at
VERDICTS = {True: "is right", False: "is wrong", None: "says what nobody can check"}
SIDES = {"A": "own", "B": "rival"}  # the colour of each run
ABOUT_DIFFERENCE = (
    "Every cell is one weight matrix. Its number is the share of its weights that **A** keeps minus the share that **B** "
    "keeps, in percentage points. Blue-green: A keeps more there. Brown: B keeps more. Full colour: 30 points, in every picture."
)
ABOUT_OVERLAP = (
    "Of the weights that either run keeps, the share that both keep (IoU), block by block. Grey: what two masks of these "
    "densities would share if they knew nothing of one another."
)
ABOUT_FOUND = (
    "Both models rank the same {n} pictures for the query. ✓ marks those of which it is true. ▲ 3: three places further up "
    "than under A."
)
ABOUT_SAID = "Both models describe the same picture. Words struck through are false of it."


class Asked(NamedTuple):
    """What a part of the page asks of a run."""

    about: Hashable
    ask: Callable[[Run, Progress], object]


def show(settings: Run) -> None:
    st.title("Two runs, side by side")
    a, b = run_pins.show(settings)
    with ui.working() as progress:
        for key in (a, b):
            runs.order(key.order, progress)
    cut = st.container()  # filled in last: what each finds takes the models less time than the masks' overlap
    asked: list[Asked | None] = []
    if a.data == b.data:
        asked = [_found(a, b), _said(a, b)]
    else:
        st.info(
            "The two runs are about different data, so what they find and say is not compared.", icon=":material/info:"
        )
    with cut:
        _cut(a, b)
    if found := [one for one in asked if one]:
        _fetch(settings, (a, b), found)


def _cut(a: Run, b: Run) -> None:
    """What each cuts, and how far they agree."""
    if SMALLER in (a.form, b.form):
        st.info("A smaller model has other matrices, so only what they do can be compared.", icon=":material/info:")
        return
    if not two_runs.same_layers(a, b):
        st.info("The two runs prune different models, so only what they do can be compared.", icon=":material/info:")
        return
    with ui.working() as progress:
        grid, shared = two_runs.difference(a, b, progress), two_runs.overlap(a, b, progress)
    with st.container(key="wrap_pairs"):
        left, right = st.columns([7, 5], gap="large")
    with left:
        ui.chart(grid, "difference", ABOUT_DIFFERENCE)
    with right:
        ui.chart(shared, "shared", ABOUT_OVERLAP)


def _fetch(settings: Run, both: Sequence[Run], asked: Sequence[Asked]) -> None:
    """Of the runs that move with the slider, what the page is likely to show next."""
    moving = [key for key in both if key.sparsity == settings.sparsity and runs.order(key).nested]

    def ask(at: Run, told: Progress) -> None:
        for key in filter(shipped.there, (run.at(at.sparsity) for run in moving)):
            with runs.passing(key):
                for one in asked:
                    one.ask(key, told)

    ahead.fetch(settings, (*moving, *(one.about for one in asked)), ask)


def _found(a: Run, b: Run) -> Asked | None:
    """The same query in both models."""
    if not all(shipped.can(key, "retrieval") for key in (a, b)):
        return None
    with ui.working() as progress:
        pools = [gallery.gallery(key.model, key.data, progress) for key in (a, b)]
    first, hint = pools[0].examples[0] if a.form == TUNED else "", "a red car at night"
    with ui.asked("query"), text_field.field(state.QUERY, "Query", hint, ":material/search:", (), first):
        again = text_field.reranked(a.model, b.model)
    queries = {}
    for model in dict.fromkeys((a.model, b.model)):
        vlm = runs.vlm(model)
        who = "The model" if a.model == b.model else vlm.name
        queries[model] = text_field.checked(state.QUERY, vlm, who=who)
        if not queries[model].usable:
            return None
    query = queries[a.model].text
    pictures = min((pool.pictures for pool in pools), key=len)

    def ask(key: Run, told: Progress) -> list[float]:
        return gallery.text_ranking(key, queries[key.model].text, again, told)[: len(pictures)]

    def fetch(key: Run, told: Progress) -> None:
        gallery.text_scores(key.unpruned, queries[key.model].text, told)  # see _first
        ask(key, told)

    places = _Beside((a, b), pictures, truth.of(query, pictures))
    with ui.working() as progress:
        for near in _first((a, b), query, pictures, progress):
            places.fill(near, FIRST)
        both = [ask(key, progress) for key in (a, b)]
    places.say(query, places.fill(both))
    return Asked((query, again), fetch)


class _Beside:
    """The places of the finding and of both rankings, which may be filled more than once."""

    def __init__(self, keys: tuple[Run, Run], pictures: Sequence[gallery.Picture], known: truth.Truth):
        self.keys, self.pictures, self.known = keys, pictures, known
        self.heading = st.container()
        with st.container(key="wrap_found"):
            self.places = [column.empty() for column in st.columns(2, gap="medium")]

    def fill(self, scores: Sequence[Sequence[float]], so_far: int = 0) -> rankings.Rankings:
        """Both rankings, or A's alone; of no more than `so_far` pictures where only these were looked at."""
        found = rankings.of_pictures((*scores, scores[0])[:2], self.pictures, self.known, so_far or TOP)
        note = rankings.so_far(so_far) if so_far else f"best of {found.total}"
        sides = zip(self.places, self.keys, found.hits.values(), SIDES.items(), strict=True)
        for place, key, hits, (letter, side) in [*sides][: len(scores)]:
            head = cards.heading(f"{letter} · {two_runs.name(key)}", note, side)
            place.html(head + cards.picture_grid(hits, side, moves=letter == "B" and not so_far))
        return found

    def say(self, query: str, found: rankings.Rankings) -> None:
        """The finding."""
        first, second = (sum(hit.true for hit in hits) for hits in found.hits.values())
        finding = (
            f"“{query}”: of {sought}, A puts {first} and B puts {second} among the first {TOP}"
            if (sought := found.sought())
            else f"“{query}”: what each run finds"
        )
        with self.heading:
            ui.heading(finding, ABOUT_FOUND.format(n=found.total), "found")


def _first(
    keys: tuple[Run, Run], query: str, pictures: Sequence[gallery.Picture], progress: Progress
) -> Iterator[list[list[float]]]:
    """How A, then both rank the dense model's first pictures, which is there sooner; nothing where it is no gain."""
    dense = keys[0].unpruned
    if keys[0].model != keys[1].model or not gallery.at_hand(dense, progress):
        return
    if all(gallery.at_hand(key, progress) for key in keys):
        return
    first = rankings.best(gallery.text_scores(dense, query, progress), FIRST)
    near = []
    for key in keys:
        near.append(gallery.first_scores(key, query, first, len(pictures), progress))
        yield near


def _said(a: Run, b: Run) -> Asked | None:
    """What both say about the chosen picture."""
    if not all(shipped.can(key, "captioning") for key in (a, b)):
        return None
    with ui.asked("scene"):
        picture = picture_picker.taken(a.data)
    with ui.working() as progress:
        said = {letter: _judged(key, picture, progress) for letter, key in (("A", a), ("B", b))}
    verdicts = " and ".join(f"{letter} {VERDICTS[one.true]}" for letter, one in said.items())
    if all(one.true is None for one in said.values()):
        verdicts = "what A and B say"
    ui.heading(f"{picture.title}: {verdicts}", ABOUT_SAID, "said")
    with st.container(key="wrap_said"):
        left, right = st.columns([3, 7], gap="medium")
        left.html(cards.picture(picture.shown(), picture.title))
        for (letter, side), key in zip(SIDES.items(), (a, b), strict=True):
            right.html(cards.caption_card(f"{letter} · {two_runs.name(key)} says", said[letter], side))
        with right:
            picture_picker.written(picture)
            ui.loud(truth.strange(runs.vlm(a.model), picture.scene is not None))
    return Asked(picture.id, lambda key, told: gallery.caption(key, picture, told))


def _judged(key: Run, picture: gallery.Picture, progress: Progress) -> cards.Said:
    taught = truth.at_home(runs.vlm(key.model, progress))
    return truth.judged(gallery.caption(key, picture, progress), picture, taught)


ui.page(show)
