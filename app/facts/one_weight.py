"""One weight: its explanation, how every method judges it, what lies around it, and weights worth a look."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import torch

from multiflow_core import Masks, PrunableLayer
from multiflow_core.analysis import explain
from multiflow_core.analysis.explain import Explanation, Place, Spot
from multiflow_core.experiments.run import Run
from multiflow_core.pruning.exact_cut import STEPS
from multiflow_core.weights.wrappers import parameters_of

from .. import state
from ..charts.fates import Fates
from ..charts.neighbours import Neighbours
from ..charts.rulers import Ruler, Rulers
from ..engine import runs, slider
from ..engine.store import STORE, Progress
from ..look.words import count, ordinal, percent
from . import neurons, weight_reasons


def explanation(key: Run, name: str, row: int, column: int, progress: Progress | None = None) -> Explanation:
    """Every number behind the verdict on a weight; the saliencies also where the method does not look at them."""
    model, order = runs.vlm(key.model, progress).model, runs.order(key, progress)
    return explain.explain(
        order,
        model,
        name,
        row,
        column,
        key.sparsity,
        statistics=runs.statistics(key.model, key.data, progress),
        critical=critical(key.order, name, row, column, progress),
    )


@STORE.keep(4096)
def critical(key: Run, name: str, row: int, column: int, report: Progress) -> float:
    """The sparsity from which on an order prunes a weight; it does not depend on the slider, so it is kept."""
    return explain.critical_sparsity(runs.order(key), name, row, column)


def gone(key: Run, name: str, row: int, column: int) -> str:
    """The same in words; nothing where only the slider's own sparsity is solved."""
    if slider.count(key) == 1:
        return ""
    return weight_reasons.moment(critical(key.order, name, row, column), key.sparsity)


def place(key: Run, name: str) -> str:
    """A layer's block and role."""
    return next(layer.title for layer in runs.vlm(key.model).layers if layer.name == name)


def fixed(key: Run, name: str) -> str:
    """That a layer does not go by the slider; nothing where it does."""
    own = runs.order(key.order).fixed.get(name)
    if own is None:
        return ""
    stays = f"at {percent(own)}, together with those that are, too" if own else "to stay dense"
    return f"its layer is fixed {stays}, wherever the slider stands"


def turn(key: Run, why: Explanation) -> float | None:
    """The nearest step of the slider at which the verdict is the other one; None where there is none."""
    if why.layer.name in runs.order(key.order).fixed:
        return None
    last = STEPS - 1
    first_gone = math.ceil(round(last * why.critical, 9))
    step = first_gone if why.kept else first_gone - 1
    return step / last if 0 <= step <= last else None


def told(key: Run, why: Explanation) -> weight_reasons.Reasons:
    """The explanation in sentences."""
    by = runs.order(key.order).criterion
    reasons = weight_reasons.of(why, runs.title(key), by.formula, by.factors)
    own = fixed(key, why.layer.name)
    if not own:
        return reasons
    # the last sentence says where on the slider it goes
    headline = f"{'Kept' if why.kept else 'Pruned'}: {own}"
    return weight_reasons.Reasons(headline, reasons.sentences[:-1])


def rulers(key: Run, why: Explanation) -> Rulers:
    """Where the weight, its neurons and its score stand."""
    factors = runs.order(key.order).criterion.factors
    found = [Ruler("size |w|", why.magnitude.share, _among(why.magnitude), rivals=True, used="magnitude" in factors)]
    if why.s_in and why.s_out:
        for name, place, used in (
            (f"input {why.column}", why.s_in, {"input", "norm"} & set(factors)),
            (f"output {why.row}", why.s_out, {"output"} & set(factors)),
        ):
            found.append(
                Ruler(name, place.share, weight_reasons.standing(place, "busiest", "quietest"), used=bool(used))
            )
    score = f"{_among(why.score)}: {'kept' if why.kept else 'pruned'}"
    return Rulers((*found, Ruler("score", why.score.share, score, rivals=True)), why.cut / why.score.of, why.kept)


def _among(place: Place) -> str:
    """A place as a rank where there are few, as a share where there are many."""
    return (
        f"{ordinal(place.rank)} of {place.of}"
        if place.of < 1000
        else f"after {percent(place.share)} of {count(place.of)}"
    )


class Judgement(NamedTuple):
    """What one method says: its critical sparsity, or at least its verdict now, or else why neither is known."""

    method: str
    critical: float | None = None
    kept: bool | None = None
    note: str = ""


def judgements(key: Run, name: str, row: int, column: int, progress: Progress | None = None) -> tuple[Judgement, ...]:
    """Every method's verdict on a weight. Asked are those that take a moment; the others if they have done their work before."""
    keys = [replace(key, method=m.name, allocation=state.OWN) for m in runs.methods()]
    if key.allocation != state.OWN:
        keys.insert(0, key)
    return tuple(_judgement(k, name, row, column, progress) for k in keys)


def _asked(key: Run) -> bool:
    """Whether a method may be asked without a long wait."""
    return runs.ordered.holds(key.order) or (runs.small(key.model) and not runs.slow(runs.method(key.method)))


def _judgement(key: Run, name: str, row: int, column: int, progress: Progress | None) -> Judgement:
    method, title = runs.method(key.method), runs.title(key)
    if not method.nested and key.allocation == state.OWN:
        if not runs.masks.holds(key):
            return Judgement(title, note="solves every sparsity anew; not asked for this one yet")
        layer = next(layer for layer in runs.order(key.order).layers if layer.name == name)
        kept = bool(runs.masks(key)[name].reshape(-1)[layer.place(row, column)])
        return Judgement(title, kept=kept, note="solves every sparsity anew, so it has no critical one")
    if not _asked(key):
        return Judgement(title, note="takes a while; choose it at the left to have it asked")
    try:
        at = critical(key.order, name, row, column, progress)
    except ValueError as problem:
        return Judgement(title, note=str(problem))
    return Judgement(title, at, at > key.sparsity)


def fates(key: Run, judged: tuple[Judgement, ...]) -> Fates:
    """The judgements that have a critical sparsity, as a chart."""
    return Fates(tuple((j.method, j.critical) for j in judged if j.critical is not None), key.sparsity, runs.title(key))


def neighbours(key: Run, name: str, row: int, column: int) -> Neighbours:
    """The piece of the matrix around the weight."""
    near = explain.around(runs.order(key.order), runs.vlm(key.model).model, name, row, column, key.sparsity)
    return Neighbours(
        tuple(near.rows),
        tuple(near.columns),
        tuple(map(tuple, near.weights.tolist())),
        tuple(map(tuple, near.kept.tolist())),
        int((near.kept != near.kept_by_size).sum()),
        row,
        column,
    )


# --- weights worth a look -------------------------------------------------------------------------------------------


def opening(key: Run, layer: PrunableLayer) -> tuple[int, int]:
    """The weight of a layer to begin with: the smallest that is kept, (0, 0) where nothing is or masks do not nest."""
    if slider.count(key) == 1:  # to solve it may take minutes
        return 0, 0
    mask = torch.from_numpy(neurons.kept(key, layer))
    spot = explain.smallest_kept(_weights(key), Masks({layer.name: mask}))
    return (spot.row, spot.column) if spot else (0, 0)


def _weights(key: Run) -> dict[str, torch.Tensor]:
    """Every layer as one matrix."""
    parameters = parameters_of(runs.vlm(key.model).model)
    return {layer.name: layer.rows(parameters[layer.name].detach()) for layer in runs.order(key.order).layers}


def _masks(key: Run) -> Masks:
    """The masks of a run, of every layer as one matrix."""
    found = runs.masks(key)
    return Masks({layer.name: layer.rows(found[layer.name]) for layer in runs.order(key.order).layers})


def voters(key: Run) -> tuple[Run, ...]:
    """The methods whose masks are asked where they disagree: those that take a moment, but for chance."""
    keys = (replace(key, method=m.name, allocation=state.OWN) for m in runs.methods() if m.nested and not m.chance)
    return tuple(k for k in keys if _asked(k))


def _opinions(key: Run) -> Iterator[Masks]:
    """One method's masks after the other, none kept: at 200 M weights that would be a gigabyte."""
    for voter in voters(key):
        try:
            order = runs.order(voter.order)
            masks = order.masks(key.sparsity)
            yield Masks({layer.name: layer.rows(masks[layer.name]) for layer in order.layers})
        except ValueError:  # a method that cannot order this model has no vote
            continue


# {name: (its button, what that means, how it is found, when there is none)}
SURPRISES: dict[str, tuple[str, str, Callable[[Run], Spot | None], str]] = {
    "smallest": (
        "Smallest weight kept", "Of all weights of the model",
        lambda key: explain.smallest_kept(_weights(key), _masks(key)), "nothing is kept",
    ),
    "largest": (
        "Largest weight pruned", "Of all weights of the model",
        lambda key: explain.largest_pruned(_weights(key), _masks(key)), "nothing is pruned",
    ),
    "disputed": (
        "Most disputed weight", "As many methods as possible keep it, and as many prune it",
        lambda key: explain.most_disputed(_weights(key), _opinions(key)), "all methods agree",
    ),
}  # fmt: skip


@STORE.keep(64)
def surprise(name: str, key: Run, report: Progress) -> Spot | None:
    """A weight worth a look at this sparsity; always the same one."""
    report(0.5, "looking at every weight")
    return SURPRISES[name][2](key)


def why_not(name: str, key: Run) -> str:
    """What to say where there is no such weight."""
    return f"At {percent(key.sparsity)} {SURPRISES[name][3]}, so there is no such weight."
