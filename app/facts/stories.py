"""Stories for the room: settings that make a point, found in the measured runs of a model and told with their figures.

Nothing is asserted here that the result file does not hold; where it holds no such run, there is no such story.
"""

from __future__ import annotations

from dataclasses import dataclass

from multiflow_core.experiments.results import Measured
from multiflow_core.experiments.run import OWN, Run
from multiflow_core.tasks.task import TASKS

from ..engine import runs
from ..look.words import percent
from ..state.keys import METHOD
from .comparison import Comparison

FULL, LOST = 0.95, 0.5  # of the dense figure: from the one on a task is as good as kept, below the other it is lost
UNEVEN = 0.03  # a modality that loses so much more than the whole model pays for another one


@dataclass(frozen=True)
class Story:
    """A run with what there is to see, in two or three sentences: `name` on a button, `headline` above them."""

    name: str
    icon: str
    settings: Run
    words: str
    headline: str = ""

    def __post_init__(self) -> None:
        if not self.headline:
            object.__setattr__(self, "headline", self.name)


def stories(of: Run, data: Comparison | None) -> tuple[Story, ...]:
    """The stories that measured runs tell: what collapses, what is gained for nothing, what is too much."""
    if data is None or METHOD.default not in data.methods or not _able(data):
        return ()
    found = (_collapse(of, data), _sweet_spot(of, data), _too_far(of, data))
    return tuple(story for story in found if story)


def _able(data: Comparison) -> bool:
    """Whether the dense model surely can do something of every task: of one that cannot, nothing is kept or lost."""
    lows = (low[0] for task in data.dense if (low := data.results.dense_interval(task)))
    return all(low > 0 for low in lows)


def told(found: tuple[Story, ...], settings: Run) -> Story | None:
    """The story whose settings these are."""
    return next((story for story in found if story.settings == settings), None)


def _collapse(of: Run, data: Comparison) -> Story | None:
    """Where one cut through the whole model, which takes more from one modality, falls farthest behind MULTIFLOW."""
    task = next(iter(data.dense))

    def behind(measured: Measured) -> float:
        kept, left = (data.mean(name, task, measured.run.sparsity) for name in (METHOD.default, measured.run.name))
        return kept - left if kept is not None and left is not None else 0.0

    cut = [m for m in data.results.runs if m.modalities and _one_cut(m.run)]
    uneven = [m for m in cut if _gap(m) >= UNEVEN and behind(m) > 0]
    worst = max(uneven, key=behind, default=None)
    settings = worst and _settings(of, worst.run)
    if settings is None:
        return None
    shares, run = worst.modalities, worst.run
    poor, rich = max(shares, key=shares.get), min(shares, key=shares.get)
    known, name = TASKS.get(task), runs.title(settings)
    alike = runs.method(METHOD.default).criterion == run.criterion
    own = "MULTIFLOW's own share for each modality" if alike else "MULTIFLOW"
    even = next(
        (m.modalities[poor] for m in data.results.of(METHOD.default, run.sparsity) if poor in m.modalities), None
    )
    takes = f"takes {percent(even)} of {poor} and " if even is not None else ""
    words = (
        f"{name} takes {percent(shares[poor])} of {poor} and {percent(shares[rich])} of {rich}: with one cut through "
        f"everything {poor} pays for {rich}. {known.title} ({data.unit(task)}) falls from {percent(data.dense[task])} to "
        f"{percent(data.mean(run.name, task, run.sparsity))}. With the same {percent(run.sparsity)} gone, {own} "
        f"{takes}keeps {percent(data.mean(METHOD.default, task, run.sparsity))}."
    )
    headline = f"Modality collapse: {name} fails, since {poor} pays for {rich}"
    return Story("Modality collapse", ":material/trending_down:", settings, words, headline)


def _one_cut(run: Run) -> bool:
    """Whether all weights of a run were cut at one score: budgets made otherwise are uneven for reasons of their own."""
    known = run.method in runs.all_titles()
    return (runs.method(run.method).allocation if known and run.allocation == OWN else run.allocation) == "global"


def _gap(measured: Measured) -> float:
    return max(measured.modalities.values()) - measured.run.sparsity


def _settings(of: Run, run: Run) -> Run | None:
    """The sidebar's run for a measured one; None for a method or a combination that the sidebar does not have."""
    if run.fixed:
        return None
    if run.criterion == OWN:
        return _like(of, run.method, run.sparsity) if run.method in runs.all_titles() else None
    fits = [m for m in runs.methods() if m.build is None and m.criterion == run.criterion]
    exact = next((m for m in fits if m.allocation == run.allocation), None)
    if exact:
        return _like(of, exact.name, run.sparsity)
    known = fits and run.allocation in runs.allocations()
    return _like(of, fits[0].name, run.sparsity, run.allocation) if known else None


def _like(of: Run, method: str, sparsity: float, allocation: str = OWN) -> Run:
    """Another run of the same model and data set."""
    return Run(of.model, method, sparsity, allocation, data=of.data)


def _kept(data: Comparison, sparsity: float) -> dict[str, float]:
    """{task: the share of the dense figure that MULTIFLOW keeps}"""
    means = {task: data.mean(METHOD.default, task, sparsity) for task in data.dense}
    return {task: mean / data.dense[task] for task, mean in means.items() if mean is not None and data.dense[task]}


def _figures(data: Comparison, sparsity: float) -> str:
    """All tasks in one clause."""
    parts = []
    for task in data.dense:
        mean = data.mean(METHOD.default, task, sparsity)
        if mean is not None:
            parts.append(f"{inside(task)} {percent(mean)} (dense {percent(data.dense[task])})")
    return ", ".join(parts)


def inside(task: str) -> str:
    """The name of a task inside a sentence."""
    title = TASKS.get(task).title
    return title if title.isupper() else title.lower()


def _sweet_spot(of: Run, data: Comparison) -> Story | None:
    good = [s for s in data.sparsities if (kept := _kept(data, s)) and min(kept.values()) >= FULL]
    if not good:
        return None
    at = max(good)
    words = (
        f"With {percent(at)} of its weights gone, and no training afterwards, the model keeps at least {percent(FULL)} of "
        f"what it could do in every task: {_figures(data, at)}."
    )
    return Story("The sweet spot", ":material/check_circle:", _like(of, METHOD.default, at), words)


def _too_far(of: Run, data: Comparison) -> Story | None:
    lost = [s for s in data.sparsities if (kept := _kept(data, s)) and min(kept.values()) < LOST]
    if not lost:
        return None
    at = min(lost)
    kept = _kept(data, at)
    worst = min(kept, key=kept.get)
    words = (
        f"At {percent(at)} even MULTIFLOW breaks the model, {inside(worst)} first, as long as it is not trained any further: "
        f"{_figures(data, at)}."
    )
    return Story("Too far", ":material/dangerous:", _like(of, METHOD.default, at), words)
