"""Two pruned models side by side: which layers each cuts, and how far their masks agree."""

from __future__ import annotations

from dataclasses import replace

from multiflow_core.experiments.run import Run

from ..charts.difference import DifferenceGrid
from ..charts.dots import CHANCE, Dots
from ..engine import data_sets, runs
from ..engine.store import STORE, Progress
from ..look.words import percent
from . import layer_sparsity
from .layer_sparsity import Cells, LayerFact

SAME = 0.98  # from here on two masks are as good as the same


def name(key: Run) -> str:
    """What a run is called."""
    return f"{runs.title(key)} at {percent(key.sparsity)}"


def same_layers(a: Run, b: Run) -> bool:
    """Whether the two runs prune the same weights, so that layers and masks can be held against one another."""
    layouts = [[(layer.name, layer.shape) for layer in runs.order(key).layers] for key in (a, b)]
    return layouts[0] == layouts[1]


def difference(a: Run, b: Run, progress: Progress | None = None) -> DifferenceGrid:
    """The density of every layer in both runs."""
    cells = [Cells(layer_sparsity.of(key, progress).layers) for key in (a, b)]
    return DifferenceGrid((name(a), name(b)), cells[0].blocks, cells[0].roles, *(one.table(_density) for one in cells))


def _density(cell: list[LayerFact]) -> float:
    """What is kept of several layers taken together."""
    size = sum(fact.layer.size for fact in cell)
    return (size - sum(fact.pruned for fact in cell)) / size


def calibration_matters(key: Run, progress: Progress | None = None) -> str:
    """How much the masks of a run differ from those that Flatland's pairs give; nothing where no data decides, or for long."""
    needs = runs.method(key.method).needs
    if not key.data or not needs or not runs.small(key.model) or runs.slow(runs.method(key.method)):
        return ""
    return _said(key, _shared(key, replace(key, data=""), progress))


def _said(key: Run, shared: float) -> str:
    """The sentence, with the share of weights kept by both.

    >>> _said(Run("blip", "wanda", 0.63, data="/photos@0123456789ab"), 0.913).split(":")[0]
    'Calibrated on photos instead of Flatland, Wanda keeps other weights'
    """
    which = "nearly the same" if shared > SAME else "other"
    return (
        f"Calibrated on {data_sets.title(key.data)} instead of Flatland, {runs.title(key)} keeps {which} weights: of those "
        f"that either keeps, both keep {percent(shared)}."
    )


@STORE.keep(256)
def _shared(a: Run, b: Run, report: Progress) -> float:
    """Of the weights that either run keeps, the share that both keep."""
    report(0.5, "comparing masks")
    return runs.masks(a).iou(runs.masks(b))


@STORE.keep(32)
def overlap(a: Run, b: Run, report: Progress) -> Dots:
    """Of the weights that either run keeps, the share that both keep, block by block; and what chance would give."""
    first, second = runs.masks(a), runs.masks(b)
    counts: dict[str, list[int]] = {}
    for done, layer in enumerate(runs.order(a).layers):
        report(done / len(first), "comparing masks")
        one, two = first[layer.name], second[layer.name]
        block = counts.setdefault(layer.block, [0, 0, 0, 0])
        kept = (int(mask.count_nonzero()) for mask in (one & two, one, two))
        for i, n in enumerate((*kept, layer.size)):
            block[i] += n
    return _dots(a, b, counts)


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
