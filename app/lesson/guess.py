"""Step 8: predict which weights go."""

from ..charts.words import number
from ..matrices import Matrix
from ..services.lesson import Cell, Lesson
from .step import Step, board

TEXT = """
Back to your own layer, by itself: half of its twelve weights go. At the edges you see how busy every neuron is.

**Choose the six weights with the lowest scores.** You need not multiply: look for small weights, quiet inputs and quiet outputs,
and beware of large weights in quiet places.
"""


def pictures(lesson: Lesson, shown: bool) -> tuple[Matrix, ...]:
    small = lesson.small
    edges = dict(below=("how busy", small.s_in), right=("how busy", small.s_out))
    return (
        board("The scores", small.score, gone=small.gone) if shown else board("The weights", small.weights, **edges),
    )


def revealed(lesson: Lesson, chosen: frozenset[Cell]) -> Matrix:
    """The weights with what goes crossed out, and what was guessed marked as right or wrong."""
    signs = tuple((cell, "✓" if cell in lesson.small.gone else "✗") for cell in sorted(chosen))
    return board(
        "Crossed out: it goes. ✓ and ✗: your guesses", lesson.small.weights, gone=lesson.small.gone, signs=signs
    )


def verdict(lesson: Lesson, chosen: frozenset[Cell]) -> str:
    """The reader's score, beside that of going by size alone."""
    small = lesson.small
    found, size = len(chosen & small.gone), len(small.gone)
    by_size = sum(not small.by_size[i][j] for i, j in small.gone)
    praise = "All of them: well done!" if found == size else f"You found **{found} of {size}**."
    return f"{praise} Going by size alone finds {by_size} of {size}."


def moral(lesson: Lesson) -> str:
    gone = sorted(lesson.small.gone, key=lambda c: lesson.small.score[c[0]][c[1]])
    values = ", ".join(number(lesson.small.score[i][j]) for i, j in gone)
    return f"The six lowest scores are {values}."


STEP = Step("Your turn: which ones go?", lambda lesson: TEXT, pictures, moral, game=True)
