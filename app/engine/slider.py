"""The slider as a row of steps: where masks nest, all of them at once and by look-up; else only the one that was solved.

Who asks here need not know which of both it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from multiflow_core.experiments.run import Run
from multiflow_core.pruning.exact_cut import STEPS

from . import runs
from .store import STORE, Progress

if TYPE_CHECKING:
    from multiflow_core import PrunableLayer


def place(key: Run, progress: Progress | None = None) -> Run:
    """What decides all steps: the order where masks nest, else the single run."""
    return key.order if runs.order(key, progress).nested else key


def count(key: Run) -> int:
    """How many steps there are."""
    return STEPS if runs.order(key).nested else 1


def number(key: Run) -> int:
    """The slider's place among the steps."""
    return round((count(key) - 1) * key.sparsity)


def lifetimes(key: Run, layers: Sequence[PrunableLayer], steps: int, report: Progress) -> list[np.ndarray]:
    """How many of the steps every weight of some layers survives, (size,) each; of a single one, whether it does."""
    from multiflow_core.analysis.histograms import lifetimes

    if steps > 1:
        return lifetimes(runs.order(key), layers, steps, report)
    kept = runs.masks(key)
    return [kept[layer.name].flatten().numpy().astype(np.uint8) for layer in layers]


@STORE.keep(12)
def curve(key: Run, _: Progress) -> np.ndarray | None:
    """The sparsity of every layer at every step of an order: float64 (layers, steps); None where there is a single one."""
    known = runs.order(key)
    return known.curve() if known.nested else None


def layer_counts(key: Run, progress: Progress | None = None) -> np.ndarray:
    """How many weights of every layer are pruned where the slider stands: int64, in the order of the layout."""
    known = runs.order(key, progress)
    if known.nested:
        return known.layer_counts(key.sparsity)
    masks = runs.masks(key, progress)
    return np.array([layer.size - int(masks[layer.name].count_nonzero()) for layer in known.layers])


def dead_neurons(key: Run, progress: Progress | None = None) -> np.ndarray:
    """How many outputs and inputs of every layer have no weight left there: int64 (layers, 2)."""
    found = _dead_neurons(place(key, progress), progress)  # of an order this looks through all weights, once
    return runs.order(key).dead_neurons(key.sparsity) if count(key) > 1 else found


@STORE.keep(24)
def _dead_neurons(place: Run, report: Progress) -> np.ndarray:
    known = runs.order(place)
    if not known.nested:
        runs.masks(place)  # what is to be solved for it is long work
    return known.dead_neurons(place.sparsity, progress=report)
