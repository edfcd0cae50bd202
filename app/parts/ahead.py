"""What the reader is likely to ask for next: the neighbours of the sparsity on screen, made in spare time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from functools import partial

from multiflow_core.experiments.run import Run

from .. import state
from ..engine import runs, shipped
from ..engine.spare import SPARE, Step
from ..engine.store import Progress
from . import session

STEPS = (1, -1, 2, -2, 5, -5, 3, -3, 4, -4, 10, -10)  # per cent from where the slider stands


def near(sparsity: float) -> list[float]:
    """The sparsities to fetch, the likeliest first.

    >>> near(0.98)[:3], near(0.63)[-2:]
    ([0.99, 0.97, 1.0], [0.75, 0.9])
    """
    steps = [round(sparsity + step / 100, 2) for step in STEPS]
    found = dict.fromkeys(s for s in (*steps, *state.PRESETS) if 0 < s <= 1 and s != sparsity)
    return list(found)


def fetch(settings: Run, about: Hashable, ask: Callable[[Run, Progress], object]) -> None:
    """Ask about the neighbours of a run what the page asked about the run itself, where that takes a moment each.

    Of what comes with the lab, these are all that there are.
    """
    if not runs.small(settings.model) or not runs.order(settings).nested:
        return

    def steps() -> Iterator[Step]:
        there = shipped.sparsities(settings.model, settings.method, settings.form) if settings.form else ()
        for sparsity in there or near(settings.sparsity):
            yield partial(_fetch, settings.at(sparsity), ask)

    SPARE.want(session.owner(), (settings, about), steps, first=False)


def _fetch(key: Run, ask: Callable[[Run, Progress], object], report: Progress) -> None:
    with runs.passing(key):
        ask(key, report)
