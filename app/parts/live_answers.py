"""What the dense and the pruned model make of one picture, or of one query, on the first screen."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from multiflow_core.experiments.results import Results
from multiflow_core.experiments.run import Run
from multiflow_core.tasks.task import Task, tasks_of

from .. import state
from ..engine import runs
from ..facts import gallery, rankings, truth, two_runs, typed_text
from ..look.words import unbroken
from ..markup import cards
from . import address, ahead, picture_picker, session, ui

ASKED = ("captioning", "retrieval", "vqa")  # whichever a model can do first
SIDES = ("dense", "pruned", "rival")
TOP = 4


@dataclass(frozen=True)
class Live:
    """A place for answers: what is asked, and about which picture, if it is about one."""

    place: DeltaGenerator
    task: str
    picture: gallery.Picture | None


@dataclass(frozen=True)
class Answers:
    """What was answered, as it is drawn: words before it, a column or several, and a remark."""

    lead: str
    columns: tuple[str, ...]
    note: str


def tasks(model: str, results: Results | None) -> tuple[Task, ...]:
    """What a model can do, of what was measured of the dense one; where nothing was, of what can be tried here."""
    vlm = runs.vlm(model)
    if vlm.unreadable:
        return ()
    measured = {task.name for task in tasks_of(vlm) if results and results.dense_figure(task.name) is not None}
    return tuple(task for task in tasks_of(vlm) if task.name in (measured or ASKED))


def begin(settings: Run) -> Live | None:
    """Show what is asked, and leave room for the answers; None for a model that cannot be asked anything."""
    vlm = runs.vlm(settings.model)
    task = None if vlm.unreadable else next((task for task in ASKED if task in vlm.tasks), None)
    if task is None:
        return None
    with st.container(key="live"):
        if task == "retrieval":
            return Live(st.container(), task, None)
        left, right = st.columns([5, 19], gap="medium")
        with left:
            picture = _picture(settings)
        return Live(right.container(), task, picture)


def fill(live: Live, settings: Run, beside: Run | None, moving: bool) -> None:
    """Ask the dense model, the pruned one, and another one where there is one, and show what they say.

    While the slider is `moving` nobody is asked: what is at hand is shown, else what was said last, with the sparsity at which
    it was said. Once it stands, the neighbours are asked in spare time.
    """
    asked = [settings.unpruned, *([settings] if settings.sparsity else []), beside]
    named = {run: two_runs.name(run) if run.method else "The dense model" for run in asked if run}
    about = (settings.model, settings.data, live.task, live.picture and live.picture.id)
    with live.place:
        if not moving or (live.picture and gallery.said(named, live.picture)):
            ask = {"captioning": _captions, "retrieval": _found, "vqa": _answers}[live.task]
            session.put(state.ANSWERED, (about, ask(settings, named, live.picture)))
        last, answers = session.get(state.ANSWERED) or (None, None)
        if answers and last == about:
            _draw(answers)
    if live.task == "captioning" and not moving:
        ahead.fetch(settings, live.picture.id, lambda key, told: gallery.caption(key, live.picture, told))


def _draw(answers: Answers) -> None:
    if answers.lead:
        st.markdown(unbroken(answers.lead))
    for place, html in zip(st.columns(len(answers.columns), gap="medium"), answers.columns, strict=True):
        place.html(html)
    ui.note(answers.note)


def _picture(settings: Run) -> gallery.Picture:
    """The picture that the other pages ask about, and another one by a click."""
    number = min(address.now(state.SCENE), gallery.last(settings.data))
    address.keep(state.SCENE, number)
    picture = picture_picker.chosen(settings.data, number)
    with st.container(key="picture"):
        st.html(cards.picture(picture.shown(), f"{picture.title}, the picture asked about", square=True))
    picture_picker.another(settings.data)
    return picture


def _text(key: state.Key[str]) -> str:
    """What was typed on another page, or what the address says."""
    text = address.now(key) or ""
    address.keep(key, text)
    return text


def _captions(settings: Run, named: dict[Run, str], picture: gallery.Picture) -> Answers:
    taught = truth.at_home(runs.vlm(settings.model))
    with ui.working() as progress:
        dense, *others = (truth.judged(gallery.caption(run, picture, progress), picture, taught) for run in named)
    # where nothing makes sense, every word differs, and no mark helps
    said = [dense, *(truth.marked(dense, one)[1] if one.understood else one for one in others)]
    html = [cards.caption_card(f"{name} says", *one) for name, *one in zip(named.values(), said, SIDES, strict=False)]
    html.append(cards.legend(judged=any(one.true is not None for one in said)))
    return Answers("", ("".join(html),), truth.strange(runs.vlm(settings.model), picture.scene is not None))


def _answers(settings: Run, named: dict[Run, str], picture: gallery.Picture) -> Answers:
    question = _text(state.QUESTION)
    right, _ = truth.right_answer(question, picture)
    with ui.working() as progress:
        said = [gallery.answer(run, picture, question, progress) for run in named]
    replies = [truth.replied(answer, right, question, picture) for answer in said]
    html = [
        cards.answer_card(f"{name} answers", *one) for name, *one in zip(named.values(), replies, SIDES, strict=False)
    ]
    strange = truth.strange(runs.vlm(settings.model), picture.scene is not None)
    return Answers(f"**{ui.verbatim(question)}**", ("".join(html),), strange)


def _found(settings: Run, named: dict[Run, str], _: None) -> Answers | None:
    """A query, and the first pictures that each model finds."""
    query = typed_text.check(_text(state.QUERY), runs.vlm(settings.model))
    if not query.usable:
        return None
    with ui.working() as progress:
        pool = gallery.gallery(settings.model, settings.data, progress)
        again = int(state.RERANK.default) if gallery.matches(settings.model, progress) else 0  # as Retrieval does
        scores = [gallery.text_ranking(run, query.text, again, progress) for run in named]
    known = truth.of(query.text, pool.pictures)
    columns = []
    for name, side, own in zip(named.values(), SIDES, scores, strict=False):
        found = rankings.of_pictures([scores[0], own], pool.pictures, known, TOP)
        grid = cards.picture_grid(found.hits["pruned"], side, moves=side != "dense")
        columns.append(cards.heading(name, "", side) + grid)
    lead = f"Asked for **“{ui.verbatim(query.text)}”** among {len(pool.pictures)} pictures, the nearest first:"
    return Answers(lead, tuple(columns), truth.strange(runs.vlm(settings.model), pool.flat))
