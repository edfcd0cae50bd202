"""Models, statistics, orders and pruned models, each made once for all sessions. The dense model is never modified."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

import multiflow_core as mf
from multiflow_core.experiments.run import OWN, Run
from multiflow_core.pruning.order import Order

from .. import state
from . import calibration, checkpoints
from .store import STORE, Progress

if TYPE_CHECKING:
    from multiflow_core import Masks, Statistics
    from multiflow_core.models.vlm import VLM
    from multiflow_core.pruning.method import Method


class TooLong(ValueError):
    """A page would have to wait for too long; the text is a sentence with the figure."""


# --- methods --------------------------------------------------------------------------------------------------------


def methods() -> tuple[Method, ...]:
    """The pruners of the registry, MULTIFLOW first, those that take a moment before those that take minutes."""
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


def title(key: Run) -> str:
    """What an order is called: the method's title, with the allocation where it is not the method's own."""
    said = method(key.method).title
    if key.allocation == OWN:
        return said
    from multiflow_core.pruning.allocations import ALLOCATIONS

    return f"{said} ({ALLOCATIONS.get(key.allocation).title.lower()})"


def measured_as(key: Run) -> str:
    """The name of an order's runs in a result file."""
    return key.method if key.allocation == OWN else f"{method(key.method).criterion} x {key.allocation}"


def rival(key: Run) -> Run | None:
    """What to compare a run with at the same sparsity: the method's own allocation where another one replaces it, else
    global magnitude, and MULTIFLOW where that is the choice.
    """
    if key.allocation != OWN and not slow(method(key.method)):
        return Run(key.model, key.method, key.sparsity)
    wanted = "multiflow" if key.method == "omp" else "omp"
    known = any(m.name == wanted for m in methods())
    return Run(key.model, wanted, key.sparsity) if known else None


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


def order(key: Run, progress: Progress | None = None) -> Order:
    """The order in which a method prunes a model; the run's sparsity does not matter."""

    def make(report: Progress) -> Order:
        chosen = method(key.method)
        cost = work(key.model) if slow(chosen) else 0
        if refusal := slow(chosen) and calibration.too_long(cost, chosen, checkpoints.title(key.model)):
            raise TooLong(refusal)
        if not slow(chosen):
            stats = statistics(key.model) if "statistics" in chosen.needs else None
            allocation = chosen.allocation if key.allocation == OWN else key.allocation
            return mf.rank(vlm(key.model).model, key.method, statistics=stats, allocation=allocation, progress=report)
        from multiflow_core.experiments.prepare import order_of

        return order_of(vlm(key.model), key, report, calibration.slow_sample(cost))

    return STORE.get("orders", key.order, make, progress)


def masks(key: Run, progress: Progress | None = None) -> Masks:
    """The masks of a run. For a method that is not nested this is where it does its work."""

    def make(report: Progress) -> Masks:
        return order(key).masks(key.sparsity, progress=report)

    return STORE.get("masks", key, make, progress)


def layer_counts(key: Run, progress: Progress | None = None) -> np.ndarray:
    """How many weights of every layer are pruned, in the order of the layout. A look-up where masks nest."""
    known = order(key, progress)
    if known.nested:
        return known.layer_counts(key.sparsity)
    shares = masks(key, progress).layer_sparsity()
    return np.array([round(shares[layer.name] * layer.size) for layer in known.layers])


def dead_neurons(key: Run, progress: Progress | None = None) -> np.ndarray:
    """How many outputs and inputs of every layer have no weight left: int64 (layers, 2). Where masks nest, a look-up."""
    known = order(key, progress)
    place = key.order if known.nested else key
    found = STORE.get("dead neurons", place, lambda report: known.dead_neurons(key.sparsity, progress=report), progress)
    return known.dead_neurons(key.sparsity) if known.nested else found


_PASSING: set[Run] = set()


@contextmanager
def passing(key: Run) -> Iterator[None]:
    """Inside, the run's model is asked once and not needed again: what it says is kept, the model is not."""
    _PASSING.add(key)
    try:
        yield
    finally:
        _PASSING.discard(key)


def pruned(key: Run, progress: Progress | None = None) -> VLM:
    """A pruned model, which shares all unpruned tensors with the dense one; for the dense key, the dense one itself."""
    if not key.method:
        return vlm(key.model, progress)
    passing = key in _PASSING and ("pruned", key) not in STORE

    def make(report: Progress) -> VLM:
        known = order(key)
        kept = known.masks(key.sparsity, progress=report) if passing else masks(key)
        weights = known.weights(key.sparsity, progress=report) if known.updates_weights else None
        report(0.9, "removing weights")
        return vlm(key.model).prune(kept, weights)

    return STORE.get("passing" if passing else "pruned", key, make, progress)
