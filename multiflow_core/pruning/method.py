"""What a pruner is. Adding one = one file in `methods/` that calls `register`; everything else finds it.

>>> [method.name for method in methods() if not method.needs]
['l2', 'lamp', 'localmp', 'omp', 'random']
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..calibration.evidence import EVIDENCE
from ..support.registry import Registry, unknown_name


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


def from_zero(default: float, doc: str) -> Option:
    """An option that is a number from 0 on."""
    return Option(default, doc, lambda x: _number(x) and x >= 0, "a number from 0 on")


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
        needs: names of evidence (`multiflow_core.calibration.evidence`): "statistics", "moments", "gradients", ...
        nested: a weight pruned at some sparsity stays pruned at every higher one.
        updates_weights: gives new values to the survivors.
        chance: draws random numbers, so that its results vary with the seed.
        options: {name: Option(default, doc)}, keyword arguments of `rank`.
        quick: options that are shorter than in the papers, with which a small model is pruned in seconds to minutes.
        passes: passes(settings, batches) -> how many batches go through the model for one mask; default: every one once.
        build: only for methods that are not criterion x allocation (iterative, weight-updating): a function
            of a `Request` that returns a `Solved` (see `solved_order`).
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
    quick: Mapping[str, Any] = field(default_factory=dict)
    passes: Callable[[Mapping[str, Any], int], int] = lambda settings, batches: batches
    latex: str = ""
    build: Callable[..., Any] | None = None

    def __post_init__(self):
        if self.build is None and (self.criterion is None or self.allocation is None):
            raise ValueError(f"method {self.name!r} needs a criterion and an allocation, or a build function")
        for need in self.needs:
            if need not in EVIDENCE:
                raise ValueError(
                    f"method {self.name!r} has unknown needs: {unknown_name('evidence', need, (e.name for e in EVIDENCE.all()))}"
                )

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The options with their defaults filled in; ValueError for one the method does not have or allow."""
        for name, value in given.items():
            if name not in self.options:
                raise unknown_name(f"option of method {self.name!r}", name, self.options)
            if not self.options[name].allows(value):
                raise ValueError(f"{name} of {self.title} must be {self.options[name].must_be}, not {value!r}")
        return {name: given.get(name, option.default) for name, option in self.options.items()}


METHODS: Registry[Method] = Registry("method", f"{__package__}.methods")
register, get = METHODS.register, METHODS.get


def methods() -> tuple[Method, ...]:
    """All pruners, by name, with what each needs.

    >>> [method.name for method in methods() if "statistics" in method.needs]
    ['alphapruning', 'ecoflap', 'multiflow', 'owl', 'ria', 'wanda']
    """
    return METHODS.all()
