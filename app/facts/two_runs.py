"""Two pruned models side by side: which layers each cuts, and how far their masks agree."""

from __future__ import annotations

from multiflow_core.experiments.run import Run

from ..charts.difference import DifferenceGrid
from ..charts.dots import CHANCE, Dots
from ..engine import runs
from ..engine.store import STORE, Progress
from ..look.words import percent
from . import layer_sparsity
from .layer_sparsity import Facts


def name(key: Run) -> str:
    """What a run is called."""
    return f"{runs.title(key)} at {percent(key.sparsity)}"


def same_layers(a: Run, b: Run) -> bool:
    """Whether the two runs prune the same weights, so that layers and masks can be held against one another."""
    layouts = [[(layer.name, layer.shape) for layer in runs.order(key.order).layers] for key in (a, b)]
    return layouts[0] == layouts[1]


def difference(a: Run, b: Run, progress: Progress | None = None) -> DifferenceGrid:
    """The density of every layer in both runs."""
    both = [layer_sparsity.of(key, progress) for key in (a, b)]
    layers = [fact.layer for fact in both[0].layers]
    blocks, roles = (tuple(dict.fromkeys(getattr(layer, part) for layer in layers)) for part in ("block", "role"))
    return DifferenceGrid(
        (name(a), name(b)), blocks, roles, *(_grid(layer_sparsity, blocks, roles) for layer_sparsity in both)
    )


def _grid(found: Facts, blocks: tuple[str, ...], roles: tuple[str, ...]) -> tuple[tuple[float | None, ...], ...]:
    """Densities by role and block, several layers of one cell taken together."""
    size: dict[tuple[str, str], int] = {}
    kept: dict[tuple[str, str], int] = {}
    for fact in found.layers:
        cell = fact.layer.role, fact.layer.block
        size[cell] = size.get(cell, 0) + fact.layer.size
        kept[cell] = kept.get(cell, 0) + fact.layer.size - fact.pruned
    return tuple(tuple(kept[r, b] / size[r, b] if (r, b) in size else None for b in blocks) for r in roles)


def overlap(a: Run, b: Run, progress: Progress | None = None) -> Dots:
    """Of the weights that either run keeps, the share that both keep, block by block; and what chance would give."""

    def make(report: Progress) -> Dots:
        first, second = runs.masks(a), runs.masks(b)
        counts: dict[str, list[int]] = {}
        for done, layer in enumerate(runs.order(a.order).layers):
            report(done / len(first), "comparing masks")
            one, two = first[layer.name], second[layer.name]
            block = counts.setdefault(layer.block, [0, 0, 0, 0])
            for i, n in enumerate((int((one & two).sum()), int(one.sum()), int(two.sum()), layer.size)):
                block[i] += n
        return _dots(a, b, counts)

    return STORE.get("overlaps", (a, b), make, progress)


def _dots(a: Run, b: Run, counts: dict[str, list[int]]) -> Dots:
    both, one, two = (sum(count[i] for count in counts.values()) for i in range(3))
    whole = both / max(1, one + two - both)
    shared = tuple(n / (x + y - n) if x + y - n else None for n, x, y, _ in counts.values())
    chance = tuple(_by_chance(x / size, y / size) for _, x, y, size in counts.values())
    finding = f"{name(a)} and {name(b)} share {percent(whole)} of the weights that either keeps"
    series = (
        ("kept by both", tuple(None if s is None else 100 * s for s in shared)),
        (CHANCE, tuple(None if s is None else 100 * s for s in chance)),
    )
    return Dots(finding, "of the weights that either keeps", tuple(counts), series, " %", kind="block")


def _by_chance(one: float, two: float) -> float | None:
    """The overlap (IoU) of two masks of these densities that know nothing of one another.

    >>> round(_by_chance(0.5, 0.5), 3)
    0.333
    """
    either = one + two - one * two
    return one * two / either if either else None
