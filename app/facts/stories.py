"""Stories for the room: settings that make a point, found in the measured runs of a model and told with their figures.

Nothing is asserted here that the result file does not hold; where it holds no such run, there is no such story.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..engine import runs
from ..look.words import percent
from ..state.keys import METHOD, OWN, Settings
from .comparison import Comparison, Measured
from .results import HEADLINE

FULL, LOST = (
    0.95,
    0.5,
)  # shares of the dense figure: above the one a task is as good as kept, below the other it is lost
UNEVEN = 0.03  # a modality that loses so much more than the whole model pays for another one


@dataclass(frozen=True)
class Story:
    """Settings with what there is to see at them, in two or three sentences."""

    name: str
    icon: str
    settings: Settings
    words: str


def stories(model: str, data: Comparison | None) -> tuple[Story, ...]:
    """The stories that a model's measured runs tell: what collapses, what is gained for nothing, what is too much."""
    if data is None or METHOD.default not in data.methods:
        return ()
    found = (_collapse(model, data), _sweet_spot(model, data), _too_far(model, data))
    return tuple(story for story in found if story)


def told(found: tuple[Story, ...], settings: Settings) -> Story | None:
    """The story whose settings these are."""
    return next((story for story in found if story.settings == settings), None)


def _collapse(model: str, data: Comparison) -> Story | None:
    """Where a method that takes more from one modality falls farthest behind MULTIFLOW at the same sparsity."""
    task = next(iter(data.dense))

    def behind(run: Measured) -> float:
        kept = data.mean(data.of(METHOD.default, run.sparsity), task)
        return kept - run.figure[task] if kept is not None and task in run.figure else 0.0

    uneven = [run for run in data.runs if run.modalities and _gap(run) >= UNEVEN and behind(run) > 0]
    run = max(uneven, key=behind, default=None)
    settings = run and _settings(model, run)
    if settings is None:
        return None
    poor, rich = max(run.modalities, key=run.modalities.get), min(run.modalities, key=run.modalities.get)
    kept = data.mean(data.of(METHOD.default, run.sparsity), task)
    title, _, unit = HEADLINE[task]
    alike = run.blend and runs.method(METHOD.default).criterion == run.blend[0]
    same = "Under MULTIFLOW's own share for each modality" if alike else "Under MULTIFLOW"
    words = (
        f"{runs.title(runs.OrderKey(model, settings.method, settings.allocation))} takes {percent(run.modalities[poor])} of "
        f"{poor} and {percent(run.modalities[rich])} of {rich}: with one cut through everything {poor} pays for "
        f"{rich}. {title} ({unit}) falls from "
        f"{percent(data.dense[task])} to {percent(run.figure[task])}. {same} it stays at {percent(kept)} with the same "
        f"{percent(run.sparsity)} gone."
    )
    return Story("Modality collapse", ":material/trending_down:", settings, words)


def _gap(run: Measured) -> float:
    return max(run.modalities.values()) - run.sparsity


def _settings(model: str, run: Measured) -> Settings | None:
    """The sidebar's settings of a measured run; None for a combination that no method of the sidebar has."""
    if not run.blend:
        return Settings(model, run.method, run.sparsity)
    fits = [m for m in runs.methods() if m.build is None and m.criterion == run.blend[0]]
    exact = next((m for m in fits if m.allocation == run.blend[1]), None)
    if exact:
        return Settings(model, exact.name, run.sparsity)
    return Settings(model, fits[0].name, run.sparsity, run.blend[1]) if fits else None


def _kept(data: Comparison, sparsity: float) -> dict[str, float]:
    """{task: the share of the dense figure that MULTIFLOW keeps}"""
    means = {task: data.mean(data.of(METHOD.default, sparsity), task) for task in data.dense}
    return {task: mean / data.dense[task] for task, mean in means.items() if mean is not None and data.dense[task]}


def _figures(data: Comparison, sparsity: float) -> str:
    """All tasks in one clause."""
    parts = []
    for task in data.dense:
        mean = data.mean(data.of(METHOD.default, sparsity), task)
        if mean is not None:
            parts.append(f"{_inside(task)} {percent(mean)} (dense {percent(data.dense[task])})")
    return ", ".join(parts)


def _inside(task: str) -> str:
    """The name of a task inside a sentence."""
    title = HEADLINE[task][0]
    return title if title.isupper() else title.lower()


def _sweet_spot(model: str, data: Comparison) -> Story | None:
    good = [s for s in data.sparsities if (kept := _kept(data, s)) and min(kept.values()) >= FULL]
    if not good:
        return None
    at = max(good)
    words = (
        f"With {percent(at)} of its weights gone, and no training afterwards, the model keeps at least {percent(FULL)} of "
        f"what it could do in every task: {_figures(data, at)}."
    )
    return Story("The sweet spot", ":material/check_circle:", Settings(model, METHOD.default, at, OWN), words)


def _too_far(model: str, data: Comparison) -> Story | None:
    lost = [s for s in data.sparsities if (kept := _kept(data, s)) and min(kept.values()) < LOST]
    if not lost:
        return None
    at = min(lost)
    kept = _kept(data, at)
    worst = min(kept, key=kept.get)
    words = (
        f"At {percent(at)} even MULTIFLOW breaks the model, {_inside(worst)} first, as long as it is not trained any further: "
        f"{_figures(data, at)}."
    )
    return Story("Too far", ":material/dangerous:", Settings(model, METHOD.default, at, OWN), words)
