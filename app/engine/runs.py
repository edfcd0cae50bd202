"""Models, statistics, orders and pruned models, each made once for all sessions. The dense model is never modified."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import multiflow_core as mf
from multiflow_core.experiments.run import OWN, SMALLER, TUNED, UNTAUGHT, Run
from multiflow_core.pruning.patterns import read_fixed
from multiflow_core.support.memory import machine_memory

from .. import state
from . import calibration, checkpoints, data_sets, made_elsewhere
from .lanes import all_cores
from .store import STORE, Progress

if TYPE_CHECKING:
    from multiflow_core import Masks, Order, Statistics
    from multiflow_core.experiments.prepare import Sample
    from multiflow_core.models.vlm import VLM
    from multiflow_core.pruning.method import Method


SMALL = 1 << 25  # prunable weights
_FORMS = {TUNED: "fine-tuned", UNTAUGHT: "before", SMALLER: "hidden units"}


class TooLong(ValueError):
    """A page would have to wait for too long; the text is a sentence with the figure."""


# --- methods --------------------------------------------------------------------------------------------------------


def methods() -> tuple[Method, ...]:
    """The pruners of the registry, MULTIFLOW first, those that take a moment before those that take minutes."""
    return tuple(sorted(mf.methods(), key=lambda m: (m.name != state.METHOD.default, slow(m), m.title.lower())))


def slow(method: Method) -> bool:
    """Whether a method needs more than one pass of plain forwards."""
    return not method.needs <= {"statistics"} or method.build is not None


def slow_order(key: Run) -> bool:
    """Whether it takes long to order the weights of a run."""
    return slow(method(key.method)) or not budget_needs(key) <= {"statistics"}


def budget_needs(key: Run) -> frozenset[str]:
    """What is to be known for the allocation that replaces a method's own."""
    if key.allocation == OWN:
        return frozenset()
    from multiflow_core.pruning.allocations import ALLOCATIONS

    return ALLOCATIONS.get(key.allocation).needs


def solved(key: Run) -> bool:
    """Whether a run's method solves every sparsity anew, which takes long."""
    return not key.given and not method(key.method).nested


def all_titles() -> dict[str, str]:
    """The name for people of every pruner."""
    return {m.name: m.title for m in methods()}


def method(name: str) -> Method:
    """A pruner by name."""
    from multiflow_core.pruning.method import METHODS

    return METHODS.get(name)


def allocations() -> dict[str, str]:
    """{name: name for people} of every way to share one sparsity out, the method's own first."""
    from multiflow_core.pruning.allocations import allocations

    # the browser keeps the name of a choice, so that of the method's own must be the same for all methods
    return {OWN: "The method's own"} | {way.name: way.title for way in allocations()}


def hub_names() -> dict[str, str]:
    """{hub name: name for people} of models to begin with."""
    from multiflow_core.families.hub import HUB_NAMES

    return HUB_NAMES


def title(key: Run) -> str:
    """What an order is called: the method's title, with the allocation where it is not the method's own."""
    if key.given:
        return made_elsewhere.title(key.form)
    said = method(key.method).title
    aside = [f"{part} at {100 * own:.0f} %" if own else f"{part} dense" for part, own in read_fixed(key.fixed).items()]
    if key.allocation != OWN:
        from multiflow_core.pruning.allocations import ALLOCATIONS

        aside.insert(0, ALLOCATIONS.get(key.allocation).title.lower())
    if key.form:
        aside.append(_FORMS[key.form])
    return f"{said} ({', '.join(aside)})" if aside else said


def dense_title(key: Run) -> str:
    """What the dense model is called beside a run.

    >>> dense_title(Run("m", "omp", 0.5)), dense_title(Run("m", "omp", 0.5, data="paperland", form=TUNED))
    ('The dense model', 'The dense model (fine-tuned)')
    """
    return "The dense model (fine-tuned)" if key.form == TUNED else "The dense model"


def measured_as(key: Run) -> str:
    """The name of an order's runs in a result file."""
    blend = key if key.allocation == OWN else replace(key, criterion=method(key.method).criterion)
    return blend.name


def rival(key: Run) -> Run | None:
    """What to compare a run with at the same sparsity: the method's own allocation where another one replaces it, else
    global magnitude, and MULTIFLOW where that is the choice.
    """
    if key.allocation != OWN and not slow(method(key.method)):
        return replace(key, allocation=OWN)
    wanted = "multiflow" if key.method == "omp" else "omp"
    known = any(m.name == wanted for m in methods())
    blind = known and method(wanted).needs and unreadable(key.model)
    return replace(key, method=wanted, allocation=OWN) if known and not blind else None


# --- what they make -------------------------------------------------------------------------------------------------


@STORE.keep(1)
def core(report: Progress) -> None:
    """Import the core on the worker, so that the session that needs it first stays interruptible meanwhile."""
    report(0.2, "starting PyTorch")
    assert mf.rank  # names of the core are loaded when they are first asked for


def opened(address: str, progress: Progress | None = None) -> str:
    """Open a model by built-in name, folder or hub name: what it goes by from then on.

    Raises:
        OSError, ValueError: there is no such model, or it cannot be loaded; the text is a sentence for the reader.
    """
    model = checkpoints.model_of(address)
    vlm(model, progress)
    return model


@STORE.keep(8, limit=machine_memory() // 8)
def vlm(model: str, report: Progress) -> VLM:
    """The dense model, one for all sessions."""
    report(0.1, "loading PyTorch")
    import torch  # noqa: F401  (before its threads are counted)

    all_cores()
    report(0.4, f"loading {checkpoints.title(model)}")
    device = os.environ.get("MULTIFLOW_DEVICE", "cpu")
    return mf.load(checkpoints.source(model), progress=report, device=device)


def unreadable(model: str, progress: Progress | None = None) -> str:
    """Why a model can be shown no picture and no text, as a sentence; "" where it can."""
    return vlm(model, progress).unreadable


def small(model: str) -> bool:
    """Whether yet another order, or another pruned model, takes a moment, and little memory."""
    return sum(layer.size for layer in vlm(model).layers) <= SMALL


@STORE.keep(64)
def work(model: str, report: Progress) -> int:
    """What one image-text pair costs a model, in multiply-adds."""
    report(0.5, f"trying {checkpoints.title(model)} on one pair")
    return calibration.work(vlm(model))


@STORE.keep(64, long=lambda model, data: bool(data) or model not in checkpoints.models())
def statistics(model: str, data: str, report: Progress) -> Statistics:
    """Activation statistics: those beside the checkpoint, else from as many pairs of the data as take about a minute."""
    from multiflow_core.experiments.prepare import evidence_of

    sample = calibration.sample(work(model))
    return evidence_of("statistics", vlm(model), progress=report, sample=sample, data=data_sets.source(data))


def ready_statistics(model: str, data: str) -> Statistics | None:
    """Activation statistics where they are at hand: nothing is calibrated for them."""
    shipped = not data and (vlm(model).folder / "statistics.safetensors").is_file()
    return statistics(model, data) if shipped or statistics.holds(model, data) else None


def calibration_pairs(model: str, data: str, method: Method, progress: Progress | None = None) -> int:
    """How many image-text pairs a method sees, or will have seen, of a model."""
    if not slow(method) and statistics.holds(model, data):
        return statistics(model, data).samples
    asked = calibration_sample(model, method, progress).pairs
    return pairs_there(model, data, asked, progress) if data else asked


def calibration_sample(model: str, method: Method, progress: Progress | None = None) -> Sample:
    """How many pairs a page calibrates a model with for a method, where there are so many."""
    return (calibration.slow_sample if slow(method) else calibration.sample)(work(model, progress))


@STORE.keep(64)
def pairs_there(model: str, data: str, most: int, report: Progress) -> int:
    """How many of so many pairs a data set has."""
    from multiflow_core.experiments.prepare import pairs_of

    report(0.5, f"looking for pairs in {data_sets.title(data)}")
    return pairs_of(vlm(model), data_sets.source(data), most)


def order(key: Run, progress: Progress | None = None) -> Order:
    """The order in which a method prunes a model; the run's sparsity does not matter."""
    if key.given:
        return given_order(key.model, key.form, progress)
    sees = method(key.method).needs or budget_needs(key) or _traced(key.model)
    data = key.order.data if sees else ""  # what sees no data is the same for all
    return ordered(replace(key.order, data=data), progress)


def given(model: str, form: str, data: str = "", progress: Progress | None = None) -> Run:
    """The run that masks from elsewhere stand for. OSError, ValueError, in a sentence, where they are gone, or of another model."""
    made_elsewhere.used(form)
    return Run(model, "", round(given_order(model, form, progress).sparsity, 6), data=data, form=form)


@STORE.keep(4)
def given_order(model: str, form: str, report: Progress) -> Order:
    """Masks that were made elsewhere as an order of one sparsity."""
    from multiflow_core.pruning.given import GivenOrder, read_given

    report(0.3, "reading masks")
    return GivenOrder(vlm(model).layers, *read_given(made_elsewhere.file_of(form)))


def _traced(model: str) -> bool:
    """Whether only data says which parts of a model run, as no family names its layers; and there is something to show it."""
    return vlm(model).family.general and not unreadable(model)


@STORE.keep(24, long=slow_order)
def ordered(key: Run, report: Progress) -> Order:
    """The same of a run without sparsity."""
    from multiflow_core.experiments.prepare import order_of

    chosen = method(key.method)
    if slow_order(key):
        cost = work(key.model)
        if refusal := calibration.too_long(cost, chosen, checkpoints.title(key.model)):
            raise TooLong(refusal)
        run = replace(key, data=data_sets.source(key.data))
        return order_of(vlm(key.model), run, report, calibration.slow_sample(cost))
    needed = "statistics" in chosen.needs | budget_needs(key) or _traced(key.model)
    stats = statistics(key.model, key.data) if needed else None
    allocation = chosen.allocation if key.allocation == OWN else key.allocation
    fixed = read_fixed(key.fixed)
    model = vlm(key.model).model
    return mf.rank(model, key.method, statistics=stats, allocation=allocation, fixed=fixed, progress=report)


@STORE.keep(8, long=solved)
def masks(key: Run, report: Progress) -> Masks:
    """The masks of a run. For a method that solves every sparsity anew this is where it does its work."""
    return order(key).masks(key.sparsity, progress=report)


_PASSING: set[Run] = set()


@contextmanager
def passing(key: Run) -> Iterator[None]:
    """Inside, the run's model is asked once and not needed again: what it says is kept, the model is not.

    Nobody may be there to see that the model's files have been written anew: then it is not asked, as its weights may be gone.
    """
    if checkpoints.model_of(checkpoints.address_of(key.model)) != key.model:
        raise ValueError(f"{checkpoints.title(key.model)} has been written anew: it is another model now")
    _PASSING.add(key)
    try:
        yield
    finally:
        _PASSING.discard(key)


def pruned(key: Run, progress: Progress | None = None) -> VLM:
    """A pruned model, which shares all unpruned tensors with the dense one; for the dense key, the dense one itself."""
    if not key.method and not key.given:
        return vlm(key.model, progress)
    made = passed if key in _PASSING and not stayed.holds(key) else stayed
    return made(key, progress)


@STORE.keep(4, long=lambda key: solved(key) and not small(key.model))
def stayed(key: Run, report: Progress) -> VLM:
    """A pruned model that is worth keeping, as are its masks."""
    return _pruned(key, masks(key), report)


@STORE.keep(1)
def passed(key: Run, report: Progress) -> VLM:
    """A pruned model that only a ladder asks."""
    return _pruned(key, order(key).masks(key.sparsity, progress=report), report)


def _pruned(key: Run, kept: Masks, report: Progress) -> VLM:
    known = order(key)
    weights = known.weights(key.sparsity, progress=report) if known.updates_weights else None
    report(0.9, "removing weights")
    return vlm(key.model).prune(kept, weights)
