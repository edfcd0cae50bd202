"""The pruners. Adding one = one file in this folder that calls `register`; everything else finds it.

>>> [method.name for method in methods() if not method.needs]
['l2', 'lamp', 'localmp', 'omp', 'random']
"""

from __future__ import annotations

import importlib
import math
import numbers
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .._support import unknown_name

# statistics: of `calibrate`; moments: statistics of `second_moments`; gradients: an objective and batches
NEEDS = frozenset({"statistics", "moments", "gradients"})


class Option(NamedTuple):
    """A method's option: its default, what it does, and which values it may have, as a test and in words."""

    default: Any
    doc: str
    allows: Callable[[Any], bool] = lambda value: True
    must_be: str = ""


def whole(default: int, doc: str, least: int = 1) -> Option:
    """An option that is a whole number.

    >>> whole(60, "number of steps").must_be
    'a whole number from 1 on'
    """
    return Option(
        default, doc, lambda x: _number(x, numbers.Integral) and x >= least, f"a whole number from {least} on"
    )


def positive(default: float, doc: str) -> Option:
    """An option that is a number above 0."""
    return Option(default, doc, lambda x: _number(x) and x > 0, "a number above 0")


def fraction(default: float, doc: str) -> Option:
    """An option that is a number from 0 to 1."""
    return Option(default, doc, lambda x: _number(x) and 0 <= x <= 1, "a number from 0 to 1")


def choice(default: str, doc: str, *others: str) -> Option:
    """An option that is one of a few words."""
    words = (default, *others)
    return Option(default, doc, lambda x: x in words, " or ".join(words))


def _number(value: Any, kind: type = numbers.Real) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True)
class Method:
    """A pruner and what it needs.

    >>> get("multiflow").criterion, get("multiflow").allocation
    ('flow', 'multimodal')

    Attributes:
        name, title: for code and for people.
        paper: where it was published.
        formula: the score, one line. latex: the same, typeset; may be left out.
        idea: two sentences.
        criterion, allocation: names; a score-based method is one of each.
        needs: of "statistics", "moments", "gradients" (what each is: `NEEDS`).
        nested: a weight pruned at some sparsity stays pruned at every higher one.
        updates_weights: gives new values to the survivors.
        chance: draws random numbers, so that its results vary with the seed.
        options: {name: Option(default, doc)}, keyword arguments of `rank`.
        build: only for methods that are not criterion x allocation (iterative, weight-updating): a function
            of a `Request` that returns a `Solved` (see `multiflow_core.solved`).
    """

    name: str
    title: str
    paper: str
    formula: str
    idea: str
    criterion: str | None = None
    allocation: str | None = None
    needs: frozenset[str] = frozenset()
    nested: bool = True
    updates_weights: bool = False
    chance: bool = False
    options: Mapping[str, Option] = field(default_factory=dict)
    latex: str = ""
    build: Callable[..., Any] | None = None

    def __post_init__(self):
        if self.build is None and (self.criterion is None or self.allocation is None):
            raise ValueError(f"method {self.name!r} needs a criterion and an allocation, or a build function")
        if unknown := self.needs - NEEDS:
            raise ValueError(f"method {self.name!r} has unknown needs: {', '.join(sorted(unknown))}")

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The options with their defaults filled in; ValueError for one the method does not have or allow."""
        for name, value in given.items():
            if name not in self.options:
                raise unknown_name(f"option of method {self.name!r}", name, self.options)
            if not self.options[name].allows(value):
                raise ValueError(f"{name} of {self.title} must be {self.options[name].must_be}, not {value!r}")
        return {name: given.get(name, option.default) for name, option in self.options.items()}


_REGISTRY: dict[str, Method] = {}


def register(method: Method) -> Method:
    """Make a method available by name, from a file in this folder or from anywhere else."""
    _REGISTRY[method.name] = method
    return method


def get(method: str | Method) -> Method:
    """A method by name (ValueError listing the names if there is none); a Method is returned as it is."""
    if isinstance(method, Method):
        return method
    if method not in _REGISTRY:
        raise unknown_name("method", method, sorted(_REGISTRY))
    return _REGISTRY[method]


def methods() -> tuple[Method, ...]:
    """All pruners, by name, with what each needs.

    >>> [method.name for method in methods() if "statistics" in method.needs]
    ['multiflow', 'wanda']
    """
    return tuple(_REGISTRY[name] for name in sorted(_REGISTRY))


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
