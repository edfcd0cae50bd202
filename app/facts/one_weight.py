"""One weight: its explanation, how every method judges it, what lies around it, and weights worth a look."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from multiflow_core.experiments.run import Run

from .. import state
from ..charts.fates import Fates
from ..charts.neighbours import Neighbours
from ..charts.rulers import Ruler, Rulers
from ..engine import runs
from ..engine.store import STORE, Progress
from ..look.words import count, ordinal, percent
from . import weight_reasons
from .neurons import STEPS

if TYPE_CHECKING:
    from multiflow_core.analysis.explain import Explanation, Place, Spot


def explanation(key: Run, name: str, row: int, column: int, progress: Progress | None = None) -> Explanation:
    """Every number behind the verdict on a weight; the saliencies also where the method does not look at them."""
    from multiflow_core.analysis.explain import explain

    model, order = runs.vlm(key.model, progress).model, runs.order(key.order, progress)
    return explain(
        order, model, name, row, column, key.sparsity, statistics=runs.statistics(key.model, progress),
        critical=critical(key.order, name, row, column, progress),
    )  # fmt: skip


def critical(key: Run, name: str, row: int, column: int, progress: Progress | None = None) -> float:
    """The sparsity from which on a method prunes a weight; it does not depend on the slider, so it is kept."""

    def make(_: Progress) -> float:
        from multiflow_core.analysis.explain import critical_sparsity

        return critical_sparsity(runs.order(key), name, row, column)

    return STORE.get("fates", (key, name, row, column), make, progress)


def place(key: Run, name: str) -> str:
    """A layer's block and role."""
    layer = next(layer for layer in runs.vlm(key.model).layers if layer.name == name)
    return f"{layer.block} {layer.role}"


def turn(why: Explanation) -> float | None:
    """The nearest step of the slider at which the verdict is the other one; None where there is none."""
    first_gone = math.ceil(round(STEPS * why.critical, 9))
    step = first_gone if why.kept else first_gone - 1
    return step / STEPS if 0 <= step <= STEPS else None


def told(key: Run, why: Explanation) -> weight_reasons.Reasons:
    """The explanation in sentences."""
    by = runs.order(key.order).criterion
    return weight_reasons.of(why, runs.title(key), by.formula, by.factors)


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


def quick(key: Run) -> bool:
    """Whether ordering the model by yet another method takes a moment, and little memory."""
    from multiflow_core.pruning.nested_order import SNAPSHOT_LIMIT

    return sum(layer.size for layer in runs.vlm(key.model).layers) <= SNAPSHOT_LIMIT


def judgements(key: Run, name: str, row: int, column: int, progress: Progress | None = None) -> tuple[Judgement, ...]:
    """Every method's verdict on a weight. Asked are those that take a moment; the others if they have done their work before."""
    keys = [Run(key.model, m.name, key.sparsity) for m in runs.methods()]
    if key.allocation != state.OWN:
        keys.insert(0, key)
    return tuple(_judgement(k, name, row, column, progress) for k in keys)


def _asked(key: Run) -> bool:
    """Whether a method may be asked without a long wait."""
    return ("orders", key.order) in STORE or (quick(key) and not runs.slow(runs.method(key.method)))


def _judgement(key: Run, name: str, row: int, column: int, progress: Progress | None) -> Judgement:
    method, title = runs.method(key.method), runs.title(key)
    if not method.nested and key.allocation == state.OWN:
        if ("masks", key) not in STORE:
            return Judgement(title, note="solves every sparsity anew; not asked for this one yet")
        kept = bool(runs.masks(key)[name][row, column])
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
    from multiflow_core.analysis.explain import around

    near = around(runs.order(key.order), runs.vlm(key.model).model, name, row, column, key.sparsity)
    return Neighbours(
        tuple(near.rows), tuple(near.columns), tuple(map(tuple, near.weights.tolist())),
        tuple(map(tuple, near.kept.tolist())), int((near.kept != near.kept_by_size).sum()), row, column,
    )  # fmt: skip


# --- weights worth a look -------------------------------------------------------------------------------------------


def opening(key: Run, name: str) -> tuple[int, int]:
    """The weight of a layer to begin with: the smallest that is kept, (0, 0) where nothing is or masks do not nest."""
    from multiflow_core import Masks
    from multiflow_core.analysis.explain import mask_of, smallest_kept

    order = runs.order(key.order)
    if not order.nested:
        return 0, 0
    spot = smallest_kept(_weights(key), Masks({name: mask_of(order, name, key.sparsity)}))
    return (spot.row, spot.column) if spot else (0, 0)


def _weights(key: Run) -> dict:
    return dict(runs.vlm(key.model).model.named_parameters(remove_duplicate=False))


def voters(key: Run) -> tuple[Run, ...]:
    """The methods whose masks are asked where they disagree: those that take a moment, but for chance."""
    keys = (Run(key.model, m.name, key.sparsity) for m in runs.methods() if m.nested and not m.chance)
    return tuple(k for k in keys if _asked(k))


def _smallest(key: Run) -> Spot | None:
    from multiflow_core.analysis.explain import smallest_kept

    return smallest_kept(_weights(key), runs.masks(key))


def _largest(key: Run) -> Spot | None:
    from multiflow_core.analysis.explain import largest_pruned

    return largest_pruned(_weights(key), runs.masks(key))


def _disputed(key: Run) -> Spot | None:
    from multiflow_core.analysis.explain import most_disputed

    return most_disputed(_weights(key), _opinions(key))


def _opinions(key: Run):
    """One method's masks after the other, none kept: at 200 M weights that would be a gigabyte."""
    for voter in voters(key):
        try:
            yield runs.order(voter.order).masks(key.sparsity)
        except ValueError:  # a method that cannot order this model has no vote
            continue


# name -> (what the button says, how to find it, what to say where there is none)
# {name: (its button, what that means, how it is found, when there is none)}
SURPRISES: dict[str, tuple[str, str, Callable[[Run], Spot | None], str]] = {
    "smallest": ("Smallest weight kept", "Of all weights of the model", _smallest, "nothing is kept"),
    "largest": ("Largest weight pruned", "Of all weights of the model", _largest, "nothing is pruned"),
    "disputed": (
        "Most disputed weight", "As many methods as possible keep it, and as many prune it", _disputed, "all methods agree",
    ),
}  # fmt: skip


def surprise(name: str, key: Run, progress: Progress | None = None) -> Spot | None:
    """A weight worth a look at this sparsity; always the same one."""

    def make(report: Progress) -> Spot | None:
        report(0.5, "looking at every weight")
        return SURPRISES[name][2](key)

    return STORE.get("spots", (name, key), make, progress)


def why_not(name: str, key: Run) -> str:
    """What to say where there is no such weight."""
    return f"At {percent(key.sparsity)} {SURPRISES[name][3]}, so there is no such weight."
