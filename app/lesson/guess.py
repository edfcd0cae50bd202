"""Step 8: predict which weights go."""

from ..look.words import number
from ..markup.matrices import Matrix
from .small_layers import Cell, Lesson, Small
from .step import Step, board, name, product

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
    if found == size:
        return f"All of them: well done! Going by size alone finds {by_size} of {size}."
    return f"You found **{found} of {size}**; going by size alone finds {by_size}. {_worst(small, chosen)}"


def _worst(small: Small, chosen: frozenset[Cell]) -> str:
    """The wrong choice with the highest score, beside the lowest score that was missed."""
    wrong = max(chosen - small.gone, key=lambda c: small.score[c[0]][c[1]])
    missed = min(small.gone - chosen, key=lambda c: small.score[c[0]][c[1]])
    said = f"You chose {name(wrong)}, whose score is {product(small, wrong)}"
    return f"{said}, and not {name(missed)}, with {product(small, missed)}."


def moral(lesson: Lesson) -> str:
    gone = sorted(lesson.small.gone, key=lambda c: lesson.small.order[c[0]][c[1]])
    scores = ", ".join(f"{name((i, j))} ({number(lesson.small.score[i][j])})" for i, j in gone)
    return f"The six with the lowest scores go: {scores}."


STEP = Step("Your turn: which ones go?", lambda lesson: TEXT, pictures, moral, game=True)
