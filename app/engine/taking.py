"""What can be taken away of a run, made when it is asked for, and how the same is made without a page."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from multiflow_core.experiments.results import Results
from multiflow_core.experiments.run import Run

from .. import state
from . import checkpoints, data_sets, runs
from .store import Progress

if TYPE_CHECKING:
    from multiflow_core.experiments.taking import Taken

MOST = 1 << 29  # bytes of weights that a page hands out


def taken(key: Run, results: Results | None = None, progress: Progress | None = None) -> Taken:
    """A run with all that there is to take, named as the command line names it."""
    from multiflow_core.experiments.manifest import Manifest, named
    from multiflow_core.experiments.taking import Taken

    vlm, order, masks = runs.vlm(key.model, progress), runs.order(key, progress), runs.masks(key, progress)
    run = named(key, str(checkpoints.address_of(key.model)), data_sets.source(key.data) if _sees(key) else "")
    return Taken(vlm, order, masks, Manifest.of(vlm, run, masks, _pairs(key)), results)


def file(key: Run, kind: str, results: Results | None = None) -> bytes:
    """One kind as the content of one file; a checkpoint is a zip. What failed leaves nothing on the disk."""
    with tempfile.TemporaryDirectory() as place:
        return taken(key, results).file(kind, Path(place)).read_bytes()


def too_large(key: Run) -> bool:
    """Whether the weights are more than a page should hand out: then the command writes them."""
    return 4 * sum(parameter.numel() for parameter in runs.vlm(key.model).model.parameters()) > MOST


def _sees(key: Run) -> bool:
    return bool(runs.method(key.method).needs | runs.budget_needs(key))


def _pairs(key: Run) -> int | None:
    """How many pairs the command has to ask for, where they are not those of the shipped statistics."""
    if not _sees(key):
        return None
    shipped = key.model in checkpoints.models() and key.data in ("", state.DATA.default)
    if shipped and not runs.slow_order(key):
        return None
    return runs.calibration_pairs(key.model, key.data, runs.method(key.method))
