"""What a worker does: one job, the cells of one order, or one cell that is tuned. Everything it is told comes with the job."""

from __future__ import annotations

import hashlib
import platform
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import torch
import transformers
from torch import Tensor

from ..data import dataset
from ..experiments.benchmark import measure
from ..experiments.prepare import order_of, sample_of
from ..models.vlm import VLM, load
from ..pruning.order import Order
from ..support.version import VERSION
from ..tasks.figures import intervals
from ..weights import packed_file
from ..weights.masks import Masks
from . import tuning
from .cell import Cell
from .plan import Known, Model
from .store import Outcome, Store

TUNING = "tuning"
_IDLE = (".md", ".png", ".jpg", ".jsonl")  # files beside a checkpoint that decide nothing


@dataclass(frozen=True)
class Job:
    """Work for one worker.

    Attributes:
        cells: of one model and one order, by sparsity; one that is tuned comes alone.
        keep: cells of the same order whose masks others will need.
        folder, token: of the sweep. Who sees it writes there; from all others the outcomes come back.
    """

    cells: tuple[Cell, ...]
    keep: tuple[Cell, ...] = ()
    folder: str = ""
    token: str = ""

    @property
    def tuned(self) -> bool:
        return any(cell.tuned for cell in self.cells)


def known() -> Known:
    """The world as it is here."""
    return Known(_known_model, lambda name: dataset.open(name).fingerprint, tuning.recipe_of, versions())


def versions() -> dict[str, str]:
    """Of what computes; builds of one version of torch count as one.

    >>> sorted(versions())
    ['multiflow_core', 'torch', 'transformers']
    """
    torch_is = torch.__version__.partition("+")[0]
    return {"multiflow_core": VERSION, "torch": torch_is, "transformers": transformers.__version__}


def work(job: Job) -> list[tuple[Cell, Outcome]]:
    """Do a job. ValueError where a worker would compute something else than was asked: another model, other versions."""
    first = (job.cells + job.keep)[0]
    if dict(first.versions) != versions():
        raise ValueError(f"this worker has {_told(versions())}, and the sweep was asked with {_told(first.versions)}")
    store = Store(job.folder)
    shared = store if job.folder and store.seen_here(job.token) else None
    with _threads(first.setting.threads):
        return _Bench(first, shared).do(job)


class _Bench:
    """A model on a worker's bench: dense, pruned, tuned, asked."""

    def __init__(self, first: Cell, store: Store | None):
        self.vlm, digits = _loaded(first.model, first.setting.device)
        if first.model_is and digits != first.model_is:
            raise ValueError(f"{first.model} is another model on this worker than where the sweep was started")
        self.store = store
        self._order: Order | None = None

    def do(self, job: Job) -> list[tuple[Cell, Outcome]]:
        for cell in job.keep:
            self.pruned(cell, keep=True)
        found = []
        for _, cells in groupby(job.cells, key=lambda cell: cell.run):
            for cell in cells:
                outcome = self.store.find(cell) if self.store else None
                if outcome is None:
                    outcome = self.outcome(cell)
                    if self.store:
                        self.store.keep(cell, outcome)
                found.append((cell, outcome))
        return found

    def outcome(self, cell: Cell) -> Outcome:
        began = time.perf_counter()
        masks, weights = self.pruned(cell) if cell.run.method else (None, None)
        vlm = self.vlm if masks is None else self.vlm.prune(masks, weights)
        pruned = time.perf_counter()
        trained = self.tuned(vlm, cell, masks) if cell.tuned else tuning.Trained(vlm)
        ready = time.perf_counter()
        scores, sure = _asked(trained.vlm, cell)
        done = time.perf_counter()
        took = {"pruning": pruned - began, "tuning": ready - pruned, "measuring": done - ready}
        return Outcome(
            scores,
            sure,
            None if masks is None else masks.sparsity,
            {} if masks is None else self._modalities(masks),
            trained.curve,
            trained.steps,
            {name: round(seconds, 2) for name, seconds in took.items()},
            _machine(cell),
        )

    def tuned(self, vlm: VLM, cell: Cell, masks: Masks | None) -> tuning.Trained:
        folder = self.store.folder / TUNING / cell.digest if self.store else None
        trained = tuning.tune(vlm, cell, masks, folder)
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
        return trained

    def pruned(self, cell: Cell, keep: bool = False) -> tuple[Masks, dict[str, Tensor] | None]:
        """Masks and new weights of a cell: those that were kept, else made."""
        file = self.store.masks_file(cell) if self.store else None
        if file and (found := _kept(file)):
            return found
        if self._order is None:
            sample = sample_of(cell.setting.pairs) if cell.setting.pairs else None
            self._order = order_of(self.vlm, cell.run.order, sample=sample)
        masks, weights = self._order.masks(cell.run.sparsity), self._order.weights(cell.run.sparsity)
        if file and keep:
            if weights:  # first: where there are masks, everything is there
                packed_file.write(_weights_file(file), weights, masks)
            masks.save(file)
        return masks, weights

    def _modalities(self, masks: Masks) -> dict[str, float]:
        gone, size = {}, {}
        for layer in self.vlm.layers:
            if layer.name in masks:
                mask = masks[layer.name]
                gone[layer.modality] = gone.get(layer.modality, 0) + int((~mask).sum())
                size[layer.modality] = size.get(layer.modality, 0) + mask.numel()
        return {modality: gone[modality] / size[modality] for modality in size}


def _weights_file(masks: Path) -> Path:
    return masks.with_suffix(".weights.safetensors")


def _kept(file: Path) -> tuple[Masks, dict[str, Tensor] | None] | None:
    try:
        masks = Masks.load(file)
        weights = _weights_file(file)
        return masks, packed_file.read(weights)[0] if weights.is_file() else None
    except (OSError, ValueError):  # not there, or damaged: made anew
        return None


def _asked(vlm: VLM, cell: Cell) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    asked = cell.setting
    exam = dataset.open(cell.data).exam(asked.split, asked.items, asked.captioned, asked.asked)
    found = measure(vlm, exam, [cell.task])
    if cell.task not in found:
        raise ValueError(f"{cell.data} asks {cell.model} nothing of {cell.task}")
    scores = found[cell.task]
    return {name: float(value) for name, value in scores.items()}, intervals(scores)


@lru_cache(maxsize=1)
def _loaded(address: str, device: str) -> tuple[VLM, str]:
    vlm = load(address, device=device)
    return vlm, digits_of(vlm.folder)


@lru_cache(maxsize=8)
def _known_model(address: str) -> Model:
    vlm = load(address)
    return Model(digits_of(vlm.folder), vlm.tasks, tuning.tunable(vlm))


def digits_of(place: Path | None) -> str:
    """Digits of all files of a checkpoint that may decide what is computed with it.

    >>> from ..models.vlm import ASSETS
    >>> len(digits_of(ASSETS / "flatland-blip"))
    16
    """
    if place is None:
        raise ValueError("only models that lie somewhere can be swept")
    files = [place, *sorted(place.parent.glob("*.json"))] if place.is_file() else sorted(place.iterdir())
    digest = hashlib.sha256()
    for file in files:
        if file.is_file() and file.suffix not in _IDLE:
            digest.update(f"{file.name}\n".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _machine(cell: Cell) -> str:
    return (
        f"{platform.machine()}, {cell.setting.device}, {cell.setting.threads} thread{'s' * (cell.setting.threads > 1)}"
    )


def _told(held) -> str:
    return ", ".join(f"{name} {version}" for name, version in held.items())


def jobs_of(cells: list[Cell], store: Store) -> tuple[list[Job], list[Job]]:
    """The jobs for cells of which nothing is known: those that can be done at once, and those that need their masks.

    Cells that are not tuned go together by their order, which is made once; masks that tuned ones need are kept by them.
    """
    token, folder = store.token(), str(store.folder.resolve())
    groups: dict[tuple, list[Cell]] = {}
    wanted: dict[tuple, dict[str, Cell]] = {}
    for cell in cells:
        order = (cell.model, cell.run.order, cell.setting)
        groups.setdefault(order, [])
        if not cell.tuned:
            groups[order].append(cell)
        elif cell.run.method and not store.masks_file(cell).is_file():
            wanted.setdefault(order, {})[cell.pruned_digest] = cell
    at_once = []
    for order, members in groups.items():
        keep = tuple(sorted(wanted.get(order, {}).values(), key=lambda cell: cell.run.sparsity))
        if members or keep:
            members.sort(key=lambda cell: (cell.run.sparsity, cell.task))
            at_once.append(Job(tuple(members), keep, folder, token))
    after = [Job((cell,), (), folder, token) for cell in cells if cell.tuned]
    return at_once, after


def needs(job: Job, others: list[Job]) -> Job | None:
    """The job that makes the masks of this one; None where they are there."""
    made = {cell.pruned_digest for cell in job.cells if cell.run.method}
    return next((other for other in others if made & {cell.pruned_digest for cell in other.keep}), None)


def pairwise_same(before: Outcome, now: Outcome) -> bool:
    """Whether two outcomes of a cell have the same figures, to the last bit."""
    return replace(before, seconds={}, on="").figures == replace(now, seconds={}, on="").figures
