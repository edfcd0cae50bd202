"""Models, statistics, orders and pruned models, each made once for all sessions. The dense model is never modified."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import paths
from .store import STORE, Progress

if TYPE_CHECKING:
    from multiflow_core import PruningOrder, Statistics
    from multiflow_core.methods import Method
    from multiflow_core.vlm import VLM

CALIBRATION_PAIRS = 512


@dataclass(frozen=True)
class OrderKey:
    """What decides the order in which weights go."""

    model: str
    method: str


@dataclass(frozen=True)
class RunKey:
    """One pruned model. The dense model is the run of no method.

    >>> RunKey("flatland-blip", "omp", 0.0) == RunKey.dense("flatland-blip")
    False
    """

    model: str
    method: str
    sparsity: float

    @property
    def order(self) -> OrderKey:
        return OrderKey(self.model, self.method)

    @classmethod
    def dense(cls, model: str) -> RunKey:
        return cls(model, "", 0.0)


def methods() -> tuple[Method, ...]:
    """The pruners of the registry that the dashboard can run: those that need at most statistics, MULTIFLOW first."""
    import multiflow_core as mf

    ready = [m for m in mf.methods() if m.needs <= {"statistics"} and m.build is None]
    return tuple(sorted(ready, key=lambda m: m.name != "multiflow"))


def all_titles() -> dict[str, str]:
    """The name for people of every registered pruner, also of those too slow to run here."""
    import multiflow_core as mf

    return {m.name: m.title for m in mf.methods()}


def method(name: str) -> Method:
    """One of them, by name."""
    return next(m for m in methods() if m.name == name)


def rival(name: str) -> Method | None:
    """The method to compare a choice with: global magnitude, and MULTIFLOW when that is the choice."""
    wanted = "multiflow" if name == "omp" else "omp"
    return next((m for m in methods() if m.name == wanted), None)


def vlm(model: str, progress: Progress | None = None) -> VLM:
    """The dense model, one for all sessions."""

    def make(report: Progress) -> VLM:
        report(0.1, "loading PyTorch")
        import torch

        import multiflow_core as mf

        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
        report(0.4, f"loading {model}")
        return mf.load(paths.model_folder(model))

    return STORE.get("models", model, make, progress)


def statistics(model: str, progress: Progress | None = None) -> Statistics:
    """Activation statistics: those beside the checkpoint, else from a short calibration."""

    def make(report: Progress) -> Statistics:
        import multiflow_core as mf

        shipped = paths.model_folder(model) / "statistics.safetensors"
        if shipped.is_file():
            return mf.Statistics.load(shipped)
        from multiflow_core.benchmark import calibration_pairs

        dense = vlm(model)
        pairs = calibration_pairs(CALIBRATION_PAIRS)
        size = 32

        def told(_: float, message: str) -> None:
            nonlocal done
            done += size
            report(min(1.0, done / len(pairs)), message)

        done = 0
        return mf.calibrate(dense.model, dense.batches(pairs, size), progress=told)

    return STORE.get("statistics", model, make, progress)


def order(key: OrderKey, progress: Progress | None = None) -> PruningOrder:
    """The order in which a method prunes a model."""

    def make(report: Progress) -> PruningOrder:
        import multiflow_core as mf

        dense = vlm(key.model)
        report(0.5, f"ordering the weights of {key.model}")
        stats = statistics(key.model) if "statistics" in method(key.method).needs else None
        return mf.rank(dense.model, key.method, statistics=stats)

    return STORE.get("orders", key, make, progress)


def pruned(key: RunKey, progress: Progress | None = None) -> VLM:
    """A pruned model, which shares all unpruned tensors with the dense one; for the dense key, the dense one itself."""
    if not key.method:
        return vlm(key.model, progress)

    def make(report: Progress) -> VLM:
        masks = order(key.order).masks(key.sparsity)
        report(0.5, "removing weights")
        return vlm(key.model).prune(masks)

    return STORE.get("pruned", key, make, progress)
