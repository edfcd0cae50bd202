"""The guided tour: about three minutes for a room that has never heard of pruning, step by step, each with its page.

Every figure comes from the result file of the model, and pictures are chosen by asking it. A step whose figures do not exist
is left out, so the tour of one model may have a step more than that of another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from multiflow_core.experiments.run import Run

from .. import state
from ..engine import checkpoints, runs
from ..engine.store import STORE, Progress
from ..look.words import count, percent
from . import collapse, comparison, gallery, stories, truth, typed_text
from .comparison import Comparison

PLAIN = "omp"  # what most people would try: the smallest weights go
PICTURES = 24  # that are looked through for one that tells it
MORE = ("chart_ablation", "chart_leaderboard", "chart_overlap", "wrap_costs")  # of Compare, what takes longer to tell
BELOW = ("chart_ladder", "chart_first_words", "wrap_margins")  # of pages that ask, what is below the answers
GAP = 0.03  # points by which one choice has to keep more than another one, to be shown
WEIGHTS = (40, 80)  # of a layer that are shown one by one

T = TypeVar("T")
Choice = tuple[state.Slot[Any], Any]


@dataclass(frozen=True)
class Step:
    """One step: what the room sees and reads, and what only the presenter does.

    Attributes:
        page: its address. settings: the run of the sidebar. choices: what else is chosen there.
        headline, words: for the room. notes: for the presenter. seconds: about how long it takes.
        hides: keys of what is not shown of the page at this step.
    """

    page: str
    settings: Run
    choices: tuple[Choice, ...]
    headline: str
    words: str
    notes: str
    seconds: int
    hides: tuple[str, ...] = ()

    def all_choices(self) -> tuple[Choice, ...]:
        """Everything that has to be chosen to see it."""
        run = self.settings
        by_run = ((state.METHOD, run.method), (state.SPARSITY, run.sparsity), (state.ALLOCATION, run.allocation))
        return (*by_run, (state.FIXED, run.fixed), (state.FORM, state.FORM.default), *self.choices)


@dataclass(frozen=True)
class Subject:
    """What the models are asked all through a tour: a page that asks, and what is chosen there.

    `pruned`: keys of what belongs to the pruned model there, and `elsewhere`: of what another page shows besides it.
    """

    page: str
    choices: tuple[Choice, ...]
    pruned: tuple[str, ...]
    elsewhere: tuple[str, ...] = ()


def stamp(model: str, data: str) -> int:
    """Changes with the result file."""
    file = checkpoints.result_file(model, data)
    return file.stat().st_mtime_ns if file.is_file() else 0


@STORE.keep(16, asks=True)
def steps(model: str, data: str, stamp: int, report: Progress) -> tuple[Step, ...]:
    """The tour of a model on a data set, as far as there are figures for it; none where there are no figures at all."""
    figures = comparison.load(model, data, runs.all_titles())
    if figures is None or state.METHOD.default not in figures.methods:
        return ()
    return tuple(_steps(Tour(model, data, figures), report))


@dataclass(frozen=True)
class Tour:
    """What a tour is about."""

    model: str
    data: str
    figures: Comparison

    def run(self, sparsity: float, method: str = state.METHOD.default) -> Run:
        return Run(self.model, method, sparsity, data=self.data)

    def kept(self, method: str, sparsity: float) -> dict[str, float]:
        """{task: the share of the dense figure that a method keeps}"""
        means = {task: self.figures.mean(method, task, sparsity) for task in self.figures.dense}
        return {
            task: mean / dense
            for task, mean in means.items()
            if mean is not None and (dense := self.figures.dense[task])
        }

    def lead(self, one: str, other: str, sparsity: float) -> float:
        """How much more of the dense figures one method keeps than another one, on average over the tasks of both."""
        first, second = self.kept(one, sparsity), self.kept(other, sparsity)
        shared = first.keys() & second.keys()
        return sum(first[task] - second[task] for task in shared) / len(shared) if shared else 0.0

    def said(self, task: str, value: float | None) -> str:
        """A figure with what it is a share of."""
        return f"{self.figures.unit(task)} {percent(value)}"

    def all_said(self, method: str, sparsity: float) -> str:
        """All figures of a method in one clause."""
        known = ((task, self.figures.mean(method, task, sparsity)) for task in self.figures.dense)
        return ", ".join(self.said(task, value) for task, value in known if value is not None)


def _steps(tour: Tour, report: Progress) -> Iterator[Step]:
    told = {story.name: story for story in stories.stories(tour.run(0.0), tour.figures)}
    sweet, far = told.get("The sweet spot"), told.get("Too far")
    contrast = _contrast(tour)
    chosen = sweet.settings.sparsity if sweet else contrast or tour.figures.nearest(state.SPARSITY.default)
    last = far.settings.sparsity if far else None
    subject = _subject(tour, contrast or chosen, report)
    if subject:
        yield _dense(tour, subject)
    yield _pruning(tour, chosen)
    yield _saved(tour, chosen, bool(sweet))
    if contrast is not None and subject:
        yield _against(tour, contrast, subject)
    if last is not None and subject:
        yield _too_far(tour, last, subject, far.words)
    helper = last and _helper(tour, last)
    if helper:
        yield _recovery(tour, last, helper)


# --- what is shown --------------------------------------------------------------------------------------------------


def _contrast(tour: Tour) -> float | None:
    """Where plain magnitude falls farthest behind MULTIFLOW, of the sparsities at which that one has not lost a task."""
    own = state.METHOD.default
    good = [s for s in tour.figures.sparsities if min(tour.kept(own, s).values(), default=0) >= stories.LOST]
    leads = {s: tour.lead(own, PLAIN, s) for s in good}
    best = max(leads, key=leads.get, default=None)
    return best if best is not None and leads[best] >= GAP else None


def _helper(tour: Tour, sparsity: float) -> str | None:
    """The method that brings most back by giving new values to the weights that stay; None where none was measured."""
    found = [m for m in tour.figures.methods if m in runs.all_titles() and runs.method(m).updates_weights]
    leads = {method: tour.lead(method, state.METHOD.default, sparsity) for method in found}
    best = max(leads, key=leads.get, default=None)
    return best if best is not None and leads[best] >= GAP else None


def _subject(tour: Tour, sparsity: float, report: Progress) -> Subject | None:
    """What is asked, by what the model can do: a picture described, else pictures searched, else a question answered."""
    vlm = runs.vlm(tour.model)
    able = () if vlm.unreadable else vlm.tasks
    if "captioning" in able:
        number = _picture(tour, sparsity, report)
        pruned = ("caption_pruned", "title_captions", "chart_ladder")
        found = ("asked_query", "title_found", "wrap_found")
        return Subject("captioning", ((state.SCENE, number), (state.PICTURE, None)), pruned, found)
    if "retrieval" in able:
        text = _query(tour, sparsity, report)
        chosen = ((state.QUERY, text), (state.DIRECTION, state.DIRECTIONS[0]), (state.RERANK, "0"))
        return Subject("retrieval", chosen, ("ranking_pruned", "title_ranking", "wrap_margins"))
    return Subject("vqa", (), ("answer_pruned", "title_answers", "chart_ladder")) if "vqa" in able else None


def _three(tour: Tour, sparsity: float) -> tuple[Run, ...]:
    return Run.dense(tour.model, tour.data), tour.run(sparsity), tour.run(sparsity, PLAIN)


def _picture(tour: Tour, sparsity: float, report: Progress) -> int:
    """The first picture of which the dense model and MULTIFLOW say what is true, and plain magnitude does not; else the best.

    A large model takes its time over each, so there the usual one has to do.
    """
    usual = min(state.SCENE.default, gallery.last(tour.data))
    taught = truth.at_home(runs.vlm(tour.model))
    if not runs.small(tour.model) or tour.data or not taught:
        return usual
    places = (usual, *range(PICTURES))

    def tells(number: int, run: Run) -> bool:
        report(number / PICTURES, "looking for a picture that tells it")
        found = gallery.picture(tour.data, number)
        return bool(truth.judged(gallery.caption(run, found), found, taught).true)

    return _telling(places, tells, _three(tour, sparsity))


def _query(tour: Tour, sparsity: float, report: Progress) -> str:
    """The first query for which the dense model and MULTIFLOW find a true picture first, and plain magnitude does not."""
    pool = gallery.gallery(tour.model, tour.data)
    texts = typed_text.EXAMPLES if pool.flat else pool.examples
    if not runs.small(tour.model):
        return state.QUERY.default if pool.flat else texts[0]

    def tells(text: str, run: Run) -> bool:
        report(texts.index(text) / len(texts), "looking for a query that tells it")
        scores = gallery.text_scores(run, typed_text.plain(text, runs.vlm(tour.model)))
        return truth.of(text, pool.pictures).true[scores.index(max(scores))]

    return _telling(texts, tells, _three(tour, sparsity))


def _telling(choices: Sequence[T], tells: Callable[[T, Run], bool], three: Sequence[Run]) -> T:
    """The first with which the dense model and MULTIFLOW are right and plain magnitude is wrong; else what comes nearest."""
    best, points = choices[0], -1
    for choice in choices:
        worth = 0
        for run, wanted in zip(three, (True, True, False), strict=True):
            if tells(choice, run) is not wanted:
                break
            worth += 1
        if worth > points:
            best, points = choice, worth
        if points == len(three):
            break
    return best


# --- the steps ------------------------------------------------------------------------------------------------------

DOES = {
    "captioning": ("A model that looks and tells", "It describes a picture that it has never seen."),
    "retrieval": (
        "A model that looks and reads",
        "It finds the pictures that fit a text, among pictures that it has never seen.",
    ),
    "vqa": ("A model that looks and answers", "It answers questions about a picture that it has never seen."),
}


def _dense(tour: Tour, subject: Subject) -> Step:
    headline, does = DOES[subject.page]
    weights = sum(layer.size for layer in runs.vlm(tour.model).layers)
    known = ", ".join(tour.said(task, value) for task, value in tour.figures.dense.items())
    scenes = tour.figures.results.head.get("scenes")
    on = f"On {scenes:,} new pictures" if scenes else "On new pictures"
    return Step(
        subject.page,
        tour.run(0.0),
        subject.choices,
        headline,
        f"{does} {on}: {known}. All that it knows is in {count(weights)} numbers, its weights. With all of them it is called "
        "dense.",
        "Read aloud what the model says, and let the room check it against the picture. If there is time, let the room choose "
        "another picture: the model has seen none of them before.",
        25,
        subject.pruned,
    )


def _pruning(tour: Tour, sparsity: float) -> Step:
    layer = runs.vlm(tour.model).layers[0]
    rows, columns = (min(most, size) for most, size in zip(WEIGHTS, layer.matrix, strict=True))
    window = "" if (rows, columns) == tuple(layer.matrix) else f"0-{rows - 1},0-{columns - 1}"
    return Step(
        "neurons",
        tour.run(sparsity),
        (
            (state.LAYER, layer.name),
            (state.VIEW, "mask"),
            (state.WINDOW, window),
            (state.WINDOW_OF, (tour.model, layer.name)),
        ),
        "Pruning sets weights to zero",
        "Each cell is one weight of one layer; those in the colour at the top of the scale are zero from now on, so that the file "
        f"gets smaller. Of all weights {percent(sparsity)} go, once, and nothing is trained afterwards. MULTIFLOW decides which: a "
        "weight counts for its own size times how busy the two neurons are that it joins, which the bars show.",
        "The bars above and at the left say how much signal each neuron carries. MULTIFLOW keeps a weight that is large and joins "
        "two busy neurons, so more of them stay below a high bar. No task was needed to choose them: the same model then serves "
        "every task.",
        30,
        ("wrap_way", "row_lens", "wrap_top"),
    )


def _saved(tour: Tour, sparsity: float, sweet: bool) -> Step:
    saved = percent(1 - collapse.storage(sparsity))
    level = tour.kept(PLAIN, sparsity) and tour.lead(state.METHOD.default, PLAIN, sparsity) < GAP
    plain = (
        " Here even cutting the smallest weights keeps about as much: farther on it matters which go." if level else ""
    )
    left = (
        f"with {percent(stories.FULL)} or more of every ability kept" if sweet else "and what is left of its abilities"
    )
    return Step(
        "overview",
        tour.run(sparsity),
        (),
        f"What is saved: {saved} of the file, {left}",
        f"With {percent(sparsity)} of the weights gone: {tour.all_said(state.METHOD.default, sparsity)}. It is not faster: a "
        f"processor multiplies by zero as slowly as by anything else.{plain}",
        "Green stripes are what is saved, red ones what is lost, where it is enough to be seen. The upright mark is the dense "
        "model, the diamond what is left when the smallest weights go instead. Say it before somebody asks: zeros that lie "
        "anywhere save room, not time. The file holds what is left and one bit a weight that says where.",
        30,
        ("lead", "below"),
    )


def _against(tour: Tour, sparsity: float, subject: Subject) -> Step:
    own = state.METHOD.default
    kept, plain = tour.kept(own, sparsity), tour.kept(PLAIN, sparsity)
    task = max(kept.keys() & plain.keys(), key=lambda t: kept[t] - plain[t])
    one, other = (tour.figures.mean(method, task, sparsity) for method in (own, PLAIN))
    titles = [runs.method(name).title for name in (own, PLAIN)]
    return Step(
        "two-runs",
        tour.run(sparsity),
        (*subject.choices, (state.RUN_A, ""), (state.RUN_B, "")),
        "It matters which weights go",
        f"Now {percent(sparsity)} are gone, from both. A ({titles[0]}) has lost those through which little signal flows, B "
        f"({titles[1]}) simply the smallest: a small weight between two busy neurons may matter, and a large one between idle "
        f"neurons may not. On all new pictures: {tour.said(task, one)} for A, {percent(other)} for B, and "
        f"{percent(tour.figures.dense[task])} before pruning.",
        "The same picture, the same number of zeros. Read A first, then B. If one of them does well by luck, go by the "
        "figures: they are of all new pictures.",
        40,
        ("wrap_pairs", *subject.elsewhere),
    )


def _too_far(tour: Tour, sparsity: float, subject: Subject, words: str) -> Step:
    return Step(
        subject.page,
        tour.run(sparsity),
        subject.choices,
        f"Too far: {percent(sparsity)}",
        words,
        "Every method has its end, and here is that of MULTIFLOW, which only sets weights to zero. Say what breaks first and how "
        "it breaks: sentences keep their form longer than their truth. This is without any training afterwards; in practice a "
        "pruned model is trained once more for its task (Fine-tuned, in the sidebar of the pages that ask).",
        25,
        BELOW,
    )


def _recovery(tour: Tour, sparsity: float, helper: str) -> Step:
    title = runs.method(helper).title
    kept, own = tour.kept(helper, sparsity), tour.kept(state.METHOD.default, sparsity)
    task = max(kept.keys() & own.keys(), key=lambda t: kept[t] - own[t])
    mean = tour.figures.mean
    said = ", ".join(
        f"{tour.said(task, mean(helper, task, sparsity))} instead of {percent(mean(state.METHOD.default, task, sparsity))}"
        for task in kept
        if task in own
    )
    return Step(
        "compare",
        tour.run(sparsity, helper),
        ((state.TASK, task), (state.LINES, (state.METHOD.default, PLAIN))),
        "And back: the weights that stay make up for those that went",
        f"{title} takes as many weights, and gives new values to the others, worked out without any task{_took(tour, helper)}. At "
        f"{percent(sparsity)}, beside MULTIFLOW: {said}.",
        f"These figures were measured beforehand: {title} takes minutes, not a moment. The thick line is {title}, and the dotted "
        "one is where we are. Then stop, and ask the room what it would type: leave the tour with Esc, and open Retrieval.",
        30,
        MORE,
    )


def _took(tour: Tour, method: str) -> str:
    """What that costs, where it was measured."""
    seconds = tour.figures.results.seconds(method)
    return f", in {seconds:,.0f} s instead of a moment" if seconds and seconds > 10 else ""
