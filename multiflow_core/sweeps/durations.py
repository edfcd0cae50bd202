"""How long cells will take: from those that are there, else from a guess that says that it is one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from ..pruning.method import METHODS
from .cell import Cell
from .store import Store

GUESSED = {"pruning": 20.0, "tuning": 240.0, "measuring": 10.0}  # seconds of a built-in model on one core
SOLVED = 120.0  # to prune by a method that solves every sparsity anew
START = 8.0  # seconds in which a worker comes to life


@dataclass(frozen=True)
class Estimate:
    """Seconds that are left, and how many of the cells they were known for or guessed for.

    >>> print(Estimate(8040, 40, 20)), print(Estimate(0, 0, 0)), print(Estimate(95, 0, 4))
    about 2 h 14 min: 40 cells by what others took, 20 by a guess
    nothing is missing
    about 2 min: all 4 cells by a guess
    (None, None, None)
    """

    seconds: float
    known: int
    guessed: int

    def __str__(self) -> str:
        if not self.known + self.guessed:
            return "nothing is missing"
        by = [f"{self.known} cells by what others took"] * bool(self.known)
        by += [f"{self.guessed if self.known else f'all {self.guessed} cells'} by a guess"] * bool(self.guessed)
        return f"about {spoken(self.seconds)}: {', '.join(by)}"


def spoken(seconds: float) -> str:
    """A duration in words.

    >>> spoken(30), spoken(600), spoken(8040)
    ('less than a minute', '10 min', '2 h 14 min')
    """
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def estimate(cells: Sequence[Cell], store: Store, workers: int) -> Estimate:
    """How long the cells that are missing will take so many workers."""
    there = [(cell, outcome) for cell in cells if (outcome := store.find(cell))]
    found = {cell.digest for cell, _ in there}
    took = [(cell, dict(outcome.seconds)) for cell, outcome in there]
    total, known, guessed = 0.0, 0, 0
    longest = 0.0
    for cell in (cell for cell in cells if cell.digest not in found):
        seconds, sure = _seconds(cell, took)
        total, longest = total + seconds, max(longest, seconds)
        known, guessed = known + sure, guessed + (not sure)
    return Estimate(max(total / workers, longest) + START * bool(total), known, guessed)


def _seconds(cell: Cell, took: Sequence[tuple[Cell, dict[str, float]]]) -> tuple[float, bool]:
    """How long a cell will take, and whether all of it is known from cells like it."""
    stages = [
        ("measuring", [_same_task_and_model, _same_task]),
        *([("pruning", [_same_method_and_model, _same_method])] if cell.run.method else []),
        *([("tuning", [_same_tuning_and_model, _same_tuning])] if cell.tuned else []),
    ]
    parts = [_stage(cell, stage, alike, took) for stage, alike in stages]
    return sum(seconds for seconds, _ in parts), all(sure for _, sure in parts)


def _stage(
    cell: Cell,
    stage: str,
    alike: Iterable[Callable[[Cell, Cell], bool]],
    took: Sequence[tuple[Cell, dict[str, float]]],
) -> tuple[float, bool]:
    for same in alike:
        if found := [seconds.get(stage, 0.0) for other, seconds in took if same(cell, other)]:
            return fmean(found), True
    slow = stage == "pruning" and not METHODS.get(cell.run.method).nested
    return SOLVED if slow else GUESSED[stage], False


def _same_task(a: Cell, b: Cell) -> bool:
    return a.task == b.task


def _same_task_and_model(a: Cell, b: Cell) -> bool:
    return (a.task, a.model) == (b.task, b.model)


def _same_method(a: Cell, b: Cell) -> bool:
    return (a.run.method, a.tuned) == (b.run.method, b.tuned)


def _same_method_and_model(a: Cell, b: Cell) -> bool:
    return _same_method(a, b) and a.model == b.model


def _same_tuning(a: Cell, b: Cell) -> bool:
    return b.tuned and a.task == b.task


def _same_tuning_and_model(a: Cell, b: Cell) -> bool:
    return _same_tuning(a, b) and a.model == b.model
