"""Step 6: two modalities, and what one threshold for both does to the one with the smaller weights."""

from ..look.words import number, percent
from ..markup.matrices import Matrix
from .small_layers import SPARSITY, Cell, Lesson, TowerLayer
from .step import Exercise, Formula, Step, board

TEXT = """
A model that understands pictures and text has layers for each. Pictures and text are its **modalities**: here two *vision* layers
(the first is yours) and two *text* layers, 48 weights in all. Very often the weights of one modality are smaller on the whole.
They are no less needed: that part of the model simply works with smaller numbers.

We put the score aside for a moment, and first ask *how many* weights should go in each part. Suppose we prune half of the 48 by
size alone, with **one threshold** for everything: whatever is smaller goes, and of weights of just that size the first ones, until
24 are gone. What happens?
"""


def layer(it: TowerLayer, lesson: Lesson, which: str, shown: bool, ringed: frozenset[Cell] = frozenset()) -> Matrix:
    """A layer of the two towers, pruned by one of its masks if that is to be shown; all four are shaded alike."""
    flags = getattr(it, which)
    gone = frozenset((i, j) for i, row in enumerate(flags) for j, kept in enumerate(row) if shown and not kept)
    size = len(flags) * len(flags[0])
    largest = max(abs(weight) for other in lesson.towers.layers for row in other.weights for weight in row)
    caption = f"{it.name.capitalize()}{f': loses {len(gone)} of {size}' if shown else ''}"
    return board(caption, it.weights, gone=gone, ringed=ringed, darkest=largest)


def pictures(lesson: Lesson, shown: bool) -> tuple[Matrix, ...]:
    return tuple(layer(it, lesson, "globally", shown) for it in lesson.towers.layers)


def exercise(lesson: Lesson) -> Exercise:
    gone, size = lesson.towers.lost("text", "globally")
    half = sum(len(it.weights) * len(it.weights[0]) for it in lesson.towers.layers) // 2
    every = [pair for it in lesson.towers.layers for pair in _flat(it)]
    stays = min((abs(w) for w, kept in every if kept), default=0.0)
    equal = (
        " (of those just as large, the first are gone)" if any(abs(w) == stays for w, kept in every if not kept) else ""
    )
    return Exercise(
        f"How many of the {size} text weights go?",
        gone,
        f"Of all 48 weights the {half} smallest go. The smallest that stays is {number(stays)}{equal}, and {gone} text weights "
        "come before it.",
    )


def _flat(it: TowerLayer) -> list[tuple[float, bool]]:
    return [(w, k) for row, flags in zip(it.weights, it.globally, strict=True) for w, k in zip(row, flags, strict=True)]


def moral(lesson: Lesson) -> str:
    (vision, n), (text, m) = (lesson.towers.lost(modality, "globally") for modality in ("vision", "text"))
    told = f"Vision loses {vision} of {n} weights, text {text} of {m}."
    if abs(text / m - vision / n) < 0.2:
        return f"{told} With weights of like size one threshold is fair. Make the text weights smaller and look again."
    poor, share = ("Text", text / m) if text / m > vision / n else ("Vision", vision / n)
    return (
        f"{told} {poor} pays for the other: {percent(share)} of it is gone, though only {percent(SPARSITY)} was asked for. This is "
        "called **modality collapse**: such a model has all but lost one of its senses."
    )


STEP = Step(
    "One threshold for all",
    lambda lesson: TEXT,
    pictures,
    moral,
    Formula(
        r"\text{prune } w_{ij}\ \text{ if }\ |w_{ij}|\le t",
        "prune w<sub>ij</sub> if |w<sub>ij</sub>| ≤ t",
        "t: the threshold, one for all 48 weights; of weights just as large, only as many go as have to",
    ),
    exercise,
    edits=("scale",),
)
