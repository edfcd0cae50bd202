"""Models, statistics, orders and pruned models, each made once for all sessions. The dense model is never modified."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .. import state
from . import calibration, checkpoints
from .store import STORE, Progress

if TYPE_CHECKING:
    import numpy as np

    from multiflow_core import Masks, PruningOrder, Statistics
    from multiflow_core.models.vlm import VLM
    from multiflow_core.pruning.method import Method
    from multiflow_core.pruning.solved_order import Solved


class TooLong(ValueError):
    """A page would have to wait for too long; the text is a sentence with the figure."""


@dataclass(frozen=True)
class OrderKey:
    """What decides the order in which weights go; `allocation` replaces the method's own unless it is `state.OWN`."""

    model: str
    method: str
    allocation: str = state.OWN


@dataclass(frozen=True)
class RunKey:
    """One pruned model. The dense model is the run of no method.

    >>> RunKey("flatland-blip", "omp", 0.0) == RunKey.dense("flatland-blip")
    False

    `passing` says that the model is asked once and not needed again: what it says is kept, the model is not.
    """

    model: str
    method: str
    sparsity: float
    allocation: str = state.OWN
    passing: bool = field(default=False, compare=False)

    @property
    def order(self) -> OrderKey:
        return OrderKey(self.model, self.method, self.allocation)

    @classmethod
    def dense(cls, model: str) -> RunKey:
        return cls(model, "", 0.0)

    @classmethod
    def of(cls, settings: state.Settings) -> RunKey:
        """The run that the sidebar asks for."""
        return cls(settings.model, settings.method, settings.sparsity, settings.allocation)


# --- methods --------------------------------------------------------------------------------------------------------


def methods() -> tuple[Method, ...]:
    """The pruners of the registry, MULTIFLOW first, those that take a moment before those that take minutes."""
    import multiflow_core as mf

    return tuple(sorted(mf.methods(), key=lambda m: (m.name != state.METHOD.default, slow(m), m.title.lower())))


def slow(method: Method) -> bool:
    """Whether a method needs more than one pass of plain forwards."""
    return not method.needs <= {"statistics"} or method.build is not None


def all_titles() -> dict[str, str]:
    """The name for people of every pruner."""
    return {m.name: m.title for m in methods()}


def method(name: str) -> Method:
    """A pruner by name."""
    from multiflow_core.pruning.method import METHODS

    return METHODS.get(name)


def title(key: OrderKey | RunKey) -> str:
    """What an order is called: the method's title, with the allocation where it is not the method's own."""
    said = method(key.method).title
    if key.allocation == state.OWN:
        return said
    from multiflow_core.pruning.allocations import ALLOCATIONS

    return f"{said} ({ALLOCATIONS.get(key.allocation).title.lower()})"


def measured_as(key: OrderKey | RunKey) -> str:
    """The name of an order's runs in a result file."""
    return key.method if key.allocation == state.OWN else f"{method(key.method).criterion} x {key.allocation}"


def rival(key: RunKey) -> RunKey | None:
    """What to compare a run with at the same sparsity: the method's own allocation where another one replaces it, else
    global magnitude, and MULTIFLOW where that is the choice.
    """
    if key.allocation != state.OWN and not slow(method(key.method)):
        return RunKey(key.model, key.method, key.sparsity)
    wanted = "multiflow" if key.method == "omp" else "omp"
    known = any(m.name == wanted for m in methods())
    return RunKey(key.model, wanted, key.sparsity) if known else None


# --- what they make -------------------------------------------------------------------------------------------------


def opened(address: str, progress: Progress | None = None) -> str:
    """Open a model by built-in name, folder or hub name: what it goes by from then on.

    Raises:
        OSError, ValueError: there is no such model, or it cannot be loaded; the text is a sentence for the reader.
    """
    model = checkpoints.model_of(address)
    vlm(model, progress)
    return model


def vlm(model: str, progress: Progress | None = None) -> VLM:
    """The dense model, one for all sessions."""

    def make(report: Progress) -> VLM:
        report(0.1, "loading PyTorch")
        import torch

        import multiflow_core as mf

        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
        report(0.4, f"loading {checkpoints.title(model)}")
        device = os.environ.get("MULTIFLOW_DEVICE", "cpu")
        return mf.load(checkpoints.source(model), progress=report, device=device)

    return STORE.get("models", model, make, progress)


def work(model: str, progress: Progress | None = None) -> int:
    """What one image-text pair costs a model, in multiply-adds."""

    def make(report: Progress) -> int:
        report(0.5, f"trying {checkpoints.title(model)} on one pair")
        return calibration.work(vlm(model))

    return STORE.get("work", model, make, progress)


def statistics(model: str, progress: Progress | None = None) -> Statistics:
    """Activation statistics: those beside the checkpoint, else from as many pairs as take about a minute."""

    def make(report: Progress) -> Statistics:
        from multiflow_core.experiments.prepare import evidence_of

        return evidence_of("statistics", vlm(model), progress=report, sample=calibration.sample(work(model)))

    return STORE.get("statistics", model, make, progress)


def ready_statistics(model: str) -> Statistics | None:
    """Activation statistics where they are at hand: nothing is calibrated for them."""
    shipped = (vlm(model).folder / "statistics.safetensors").is_file()
    return statistics(model) if shipped or ("statistics", model) in STORE else None


def calibration_pairs(model: str, method: Method, progress: Progress | None = None) -> int:
    """How many image-text pairs a method sees, or will have seen, of a model."""
    if slow(method):
        return calibration.slow_sample(work(model, progress)).pairs
    if ("statistics", model) in STORE:
        return statistics(model).samples
    return calibration.sample(work(model, progress)).pairs


def order(key: OrderKey, progress: Progress | None = None) -> PruningOrder | Solved:
    """The order in which a method prunes a model."""

    def make(report: Progress) -> PruningOrder | Solved:
        import multiflow_core as mf

        dense, chosen = vlm(key.model), method(key.method)
        if slow(chosen):
            return _slow_order(key, chosen, report)
        stats = statistics(key.model) if "statistics" in chosen.needs else None
        allocation = chosen.allocation if key.allocation == state.OWN else key.allocation
        return mf.rank(dense.model, key.method, statistics=stats, allocation=allocation, progress=report)

    return STORE.get("orders", key, make, progress)


def _slow_order(key: OrderKey, chosen: Method, report: Progress) -> PruningOrder | Solved:
    from multiflow_core.experiments.prepare import order_of
    from multiflow_core.experiments.run import Run

    cost = work(key.model)
    if refusal := calibration.too_long(cost, chosen, checkpoints.title(key.model)):
        raise TooLong(refusal)
    blend = () if key.allocation == state.OWN else (chosen.criterion, key.allocation)
    return order_of(vlm(key.model), Run(key.method, 0.0, 0, *blend), report, calibration.slow_sample(cost))


def masks(key: RunKey, progress: Progress | None = None) -> Masks:
    """The masks of a run. For a method that is not nested this is where it does its work."""

    def make(report: Progress) -> Masks:
        return order(key.order).masks(key.sparsity, progress=report)

    return STORE.get("masks", key, make, progress)


def layer_counts(key: RunKey, progress: Progress | None = None) -> np.ndarray:
    """How many weights of every layer are pruned, in the order of the layout. A look-up where masks nest."""
    known = order(key.order, progress)
    if known.nested:
        return known.layer_counts(key.sparsity)
    import numpy as np

    shares = masks(key, progress).layer_sparsity()
    return np.array([round(shares[layer.name] * layer.size) for layer in known.layers])


def dead_neurons(key: RunKey, progress: Progress | None = None) -> np.ndarray:
    """How many outputs and inputs of every layer have no weight left: int64 (layers, 2). Where masks nest, a look-up."""
    known = order(key.order, progress)
    place = key.order if known.nested else key
    found = STORE.get("dead neurons", place, lambda report: known.dead_neurons(key.sparsity, progress=report), progress)
    return known.dead_neurons(key.sparsity) if known.nested else found


def pruned(key: RunKey, progress: Progress | None = None) -> VLM:
    """A pruned model, which shares all unpruned tensors with the dense one; for the dense key, the dense one itself."""
    if not key.method:
        return vlm(key.model, progress)
    passing = key.passing and ("pruned", key) not in STORE

    def make(report: Progress) -> VLM:
        known = order(key.order)
        kept = known.masks(key.sparsity, progress=report) if passing else masks(key)
        weights = known.weights(key.sparsity, progress=report) if known.updates_weights else None
        report(0.9, "removing weights")
        return vlm(key.model).prune(kept, weights)

    return STORE.get("passing" if passing else "pruned", key, make, progress)
