"""Evidence: what a method may know of the data. A new kind is one file in this room and one registration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from ..support.registry import Registry
from ..support.threads import Progress
from ..weights.layers import PrunableLayer

Objective = Callable[[nn.Module, Any], Tensor]
Forward = Callable[[nn.Module, Any], Any]


@dataclass(frozen=True)
class Data:
    """Batches, and how they go through a model.

    Attributes:
        batches: an iterable of them, or a function that returns a fresh one; None where there are none.
        questions: the same of questions with their answers, for evidence that wants them.
        forward: `forward(model, batch)`; default: as the model's family calibrates.
        objective: `objective(model, batch)` -> scalar loss; default: the pre-training losses of the model's family.
        precision: of passes with gradients, "float32" or "bfloat16".
        seed: for objectives that draw random numbers.
        progress: called as progress(fraction, message).
    """

    batches: Any = None
    forward: Forward | None = None
    objective: Objective | None = None
    precision: str = "float32"
    seed: int = 0
    progress: Progress | None = None
    questions: Any = None


def _fits(who: str, value: Any, layers: Sequence[PrunableLayer]) -> None:
    """Nothing to object to."""


@dataclass(frozen=True)
class Evidence:
    """One kind of knowledge, and how it is come by.

    >>> EVIDENCE.get("statistics").title
    'activation statistics'

    Attributes:
        name: as methods and criteria name it in `needs`.
        title: for people. about: what it tells, as a clause.
        ask: what to pass to `rank`, for whoever has not.
        kind: the type of a value, by which `rank` recognises one.
        collect: collect(model, layers, data) -> value.
        of_layer: of_layer(value, layer) -> what a criterion is given; ValueError where the value does not fit the layer.
        check: check(who, value, layers); ValueError where the value is not enough.
        passes: what an image-text pair costs, in plain passes through the model.
        backward: whether a pass keeps its activations, so that batches have to be small.
        asks: whether it wants questions with their answers, too, where the data has some and the model answers.
        file: what a file of it beside a checkpoint is called, "" where none is kept; load: how it is read.
    """

    name: str
    title: str
    about: str
    ask: str
    kind: type
    collect: Callable[[nn.Module, tuple[PrunableLayer, ...] | None, Data], Any]
    of_layer: Callable[[Any, PrunableLayer], Any]
    check: Callable[[str, Any, Sequence[PrunableLayer]], None] = _fits
    passes: int = 1
    backward: bool = False
    asks: bool = False
    file: str = ""
    load: Callable[[Any], Any] | None = None


EVIDENCE: Registry[Evidence] = Registry("evidence", __package__)
register = EVIDENCE.register


def named(names: Sequence[str], most: int = 5) -> str:
    """A few names, and how many more there are.

    >>> named(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
