"""The slider as a row of steps: where masks nest, all sparsities at once; else only the one that was solved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from multiflow_core.experiments.run import Run

from . import runs
from .store import Progress

if TYPE_CHECKING:
    from multiflow_core import PrunableLayer


def place(key: Run, progress: Progress | None = None) -> Run | Run:
    """What decides all steps: the order where masks nest, else the single run."""
    return key.order if runs.order(key.order, progress).nested else key


def number(key: Run) -> int:
    """The slider's place among the steps."""
    return round(100 * key.sparsity) if runs.order(key.order).nested else 0


def count(key: Run) -> int:
    """How many steps there are."""
    from multiflow_core.analysis.histograms import STEPS

    return STEPS if runs.order(key.order).nested else 1


def lifetimes(key: Run, layers: Sequence[PrunableLayer], steps: int, report: Progress) -> list[np.ndarray]:
    """How many of the steps every weight of some layers survives, (size,) each; of a single one, whether it does."""
    from multiflow_core.analysis.histograms import lifetimes

    if steps > 1:
        return lifetimes(runs.order(key.order), layers, steps, report)
    kept = runs.masks(key)
    return [kept[layer.name].flatten().numpy().astype(np.uint8) for layer in layers]
