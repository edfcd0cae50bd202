"""Taking a run away: a folder with its masks, its checkpoint, its statistics and its report, written whole or not at all."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import torch

from ..models.format import FORMATS
from ..models.vlm import VLM
from ..pruning.order import Order
from ..support.atomic import whole
from ..support.threads import Progress
from ..weights.masks import Masks
from . import report
from .manifest import MANIFEST, Manifest
from .results import Results


@dataclass(frozen=True)
class Taken:
    """A run with all that can be taken of it.

    >>> import tempfile
    >>> import multiflow_core as mf
    >>> from multiflow_core.experiments.run import Run
    >>> vlm = mf.load("flatland-xvlm")
    >>> order = mf.rank(vlm.model, "omp")
    >>> taken = Taken(vlm, order, order.masks(0.5), Manifest.of(vlm, Run("flatland-xvlm", "omp", 0.5), order.masks(0.5)))
    >>> folder = taken.write(Path(tempfile.mkdtemp()) / "run", ["masks"])
    >>> sorted(file.name for file in folder.iterdir())
    ['manifest.json', 'masks.safetensors']
    """

    vlm: VLM
    order: Order
    masks: Masks
    manifest: Manifest
    results: Results | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """What there is to take."""
        return tuple(kind for kind in WRITERS if kind != "statistics" or self.order.statistics)

    def write(
        self,
        folder: str | os.PathLike,
        what: Collection[str] = (),
        dtype: torch.dtype | None = None,
        progress: Progress | None = None,
    ) -> Path:
        """Write these kinds, or all that there are, into a new folder, with a manifest.

        ValueError for a kind that nobody knows or that this run has not, and for a folder that holds something.
        """
        folder = Path(folder)
        if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
            raise ValueError(f"{folder} holds something already: give a new folder.")
        for kind in what:
            if kind not in self.kinds:
                raise ValueError(f"there is no {kind!r} of this run to take: there are {', '.join(self.kinds)}.")
        chosen = [kind for kind in self.kinds if not what or kind in what]
        with whole(folder) as place:
            place.mkdir()
            for done, kind in enumerate(chosen):
                if progress:
                    progress(done / len(chosen), f"writing {kind}")
                WRITERS[kind](self, place, dtype)
            self.manifest.save(place / MANIFEST)
        if progress:
            progress(1.0, "written")
        return folder

    def file(self, kind: str, folder: Path, dtype: torch.dtype | None = None) -> Path:
        """One kind as one file, in a folder that is somebody's to empty; a checkpoint is a zip."""
        written = WRITERS[kind](self, folder, dtype)
        if written.is_file():
            return written
        self.manifest.save(written / MANIFEST)
        packed = folder / f"{kind}.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as held:  # weights do not get smaller
            for file in sorted(written.rglob("*")):
                held.write(file, file.relative_to(folder))
        return packed


def _checkpoint(taken: Taken, folder: Path, dtype: torch.dtype | None, kind: str = "plain") -> Path:
    place = folder / ("checkpoint" if kind == "plain" else kind)
    weights = taken.order.weights(taken.manifest.run.sparsity)
    pruned = taken.vlm.prune(taken.masks, weights) if weights else taken.vlm  # what masks leave out is never written
    written = FORMATS.get(kind).write(pruned, taken.masks, place, dtype)
    taken.manifest.save(place / MANIFEST)
    return written


def _report(taken: Taken, folder: Path, dtype: torch.dtype | None) -> Path:
    return report.write(folder / "report.html", taken.vlm, taken.order, taken.masks, taken.manifest, taken.results)


WRITERS: dict[str, Callable[[Taken, Path, torch.dtype | None], Path]] = {
    "masks": lambda taken, folder, dtype: taken.masks.save(folder / "masks.safetensors"),
    "checkpoint": _checkpoint,
    "packed": lambda taken, folder, dtype: _checkpoint(taken, folder, dtype, "packed"),
    "statistics": lambda taken, folder, dtype: taken.order.statistics.save(folder / "statistics.safetensors"),
    "report": _report,
}
