"""What a step of the lesson is made of. Pure: numbers in, words and matrices out; the page and the printed lesson draw it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..look.words import number
from ..markup.matrices import Matrix
from ..markup.networks import Network
from .small_layers import INPUTS, OUTPUTS, Cell, Lesson, Small


@dataclass(frozen=True)
class Formula:
    """A formula for the screen (LaTeX) and for paper (HTML, which needs no fonts and no network), and what its signs mean."""

    latex: str
    html: str
    signs: str


@dataclass(frozen=True)
class Exercise:
    """A question with a number for an answer, which is computed; `why` says how one gets there."""

    question: str
    answer: float
    why: str

    def right(self, given: float) -> bool:
        """Whether a given answer is right, to the digits that are shown."""
        return abs(given - self.answer) <= 0.005 * abs(self.answer) + 0.0051


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        title: a few words. text: what is explained, in Markdown with **bold** and *italics* only.
        pictures: the matrices, with or without the answer in them. moral: what to take along, once the answer is known.
        edits: which numbers the reader can change here: "tokens", "weights", "scale".
        game, real: the step has the guessing game, or looks at a layer of the loaded model.
        cut: it shows what goes from the beginning.
    """

    title: str
    text: Callable[[Lesson], str]
    pictures: Callable[[Lesson, bool], tuple[Matrix | Network, ...]]
    moral: Callable[[Lesson], str]
    formula: Formula | None = None
    exercise: Callable[[Lesson], Exercise] | None = None
    edits: tuple[str, ...] = ()
    game: bool = False
    real: bool = False
    cut: bool = False

    @property
    def towers(self) -> bool:
        """Whether it is about vision and text side by side, whose sizes can be changed, and not about the small layer."""
        return "scale" in self.edits


def name(cell: Cell) -> str:
    """A weight is called by its output and its input, like a square of a chess board.

    >>> name((1, 2))
    'B3'
    """
    return f"{OUTPUTS[cell[0]]}{INPUTS[cell[1]]}"


def product(small: Small, cell: Cell) -> str:
    """Size times place makes the score, written out; with more digits where it takes them to come out even."""
    i, j = cell
    size, place, score = number(abs(small.weights[i][j])), small.meeting[i][j], number(small.score[i][j])
    digits = next((d for d in range(3, 8) if number(float(size) * float(f"{place:.{d}g}")) == score), 7)
    return f"{size} × {number(place) if digits == 3 else f'{place:.{digits}g}'} = {score}"


def without(values: tuple, hidden: int | Cell, shown: bool) -> tuple:
    """Numbers, or rows of them, with a question mark in one place unless it is to be shown.

    >>> without((1.0, 2.0), 1, False), without(((1.0, 2.0),), (0, 0), False), without((1.0,), 0, True)
    ((1.0, None), ((None, 2.0),), (1.0,))
    """
    if shown:
        return values
    if isinstance(hidden, int):
        return tuple(None if k == hidden else v for k, v in enumerate(values))
    return tuple(without(row, hidden[1], i != hidden[0]) for i, row in enumerate(values))


def grid(caption: str, values: tuple, **more) -> Matrix:
    """A matrix of the small layer: outputs down, inputs across."""
    rows, columns = tuple(f"output {o}" for o in OUTPUTS), tuple(f"input {i}" for i in INPUTS)
    return Matrix(caption, values, rows, columns, **more)


def board(caption: str, values: tuple, **more) -> Matrix:
    """The same with bare letters and numbers, once the reader knows them."""
    return Matrix(caption, values, OUTPUTS, INPUTS, **more)


def sketch(caption: str, values: tuple, gone: frozenset[Cell] = frozenset()) -> Network:
    """The small layer as neurons and links."""
    return Network(caption, values, OUTPUTS, INPUTS, gone)


def reminder(step: Step, lesson: Lesson, shown: bool) -> tuple[Network, ...]:
    """The layer as neurons and links, for a step about it that does not draw it itself; with what goes, once that is known."""
    drawn = any(isinstance(it, Network) for it in step.pictures(lesson, shown))
    if drawn or step.towers or step.real:
        return ()
    gone = lesson.small.gone if step.cut or (step.game and shown) else frozenset()
    return (
        sketch("The layer, as lines: dotted ones go" if gone else "The layer, as lines", lesson.small.weights, gone),
    )


def added(values: tuple[float, ...]) -> str:
    """A sum, written out.

    >>> added((7.0, 3.0))
    '7 + 3'
    """
    return " + ".join(map(number, values))
