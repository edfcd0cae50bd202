"""Step 9: a small weight that stays, and a large one that goes."""

from ..look.words import number, ordinal, percent
from ..markup.matrices import Matrix
from .small_layers import Cell, Lesson
from .step import Exercise, Step, board, name, product

TEXT = """
Here is what all this is for. In the first table the six smallest weights are crossed out: that is pruning **by size alone**, the
simplest way there is. In the second table, those with the six lowest **scores**.
"""


def text(lesson: Lesson) -> str:
    small = lesson.small
    stays, goes = small.small_stays, small.large_goes
    if stays is None or goes is None:
        return f"{TEXT}\nWith your numbers both choose the same six. Make a quiet input quieter (step 1) and come back."
    if abs(small.weights[stays[0]][stays[1]]) == abs(small.weights[goes[0]][goes[1]]):
        return (
            f"{TEXT}\nWith your numbers the ringed ones are equally large, and {name(stays)} sits in the busier place."
        )
    return (
        f"{TEXT}\nThe ringed ones differ. **{name(stays)} is small**, but it links input {name(stays)[1]} to output "
        f"{name(stays)[0]}, where much passes: its score is {product(small, stays)}. So it **stays**.\n\n"
        f"**{name(goes)} is large**, but little passes where it sits: its score is {product(small, goes)}. So it **goes**."
    )


def _at(values: tuple, cell: Cell) -> str:
    return number(values[cell[0]][cell[1]])


def pictures(lesson: Lesson, shown: bool) -> tuple[Matrix, ...]:
    small = lesson.small
    ringed = frozenset(cell for cell in (small.small_stays, small.large_goes) if cell)
    smallest = frozenset((i, j) for i, j in small.cells if not small.by_size[i][j])
    scores = board("The scores, from step 5", small.score, ringed=ringed)
    order = board("The order in which they go, by score", tuple(tuple(map(float, row)) for row in small.order))
    both = (
        board("By size alone", small.weights, gone=smallest, ringed=ringed),
        board("By score", small.weights, gone=small.gone, ringed=ringed),
    )
    return (*both, scores, order) if shown else (*both, scores)


def exercise(lesson: Lesson) -> Exercise:
    """Of the weight that stays though small; where there is none, of the first."""
    small = lesson.small
    cell = small.small_stays or (0, 0)
    place = small.order[cell[0]][cell[1]]
    return Exercise(
        f"If we went on beyond half, the lowest score first: as which of the twelve would {name(cell)} go (1: the first)?",
        place,
        f"Its score, {_at(small.score, cell)}, is the {ordinal(place)} from below. So {name(cell)} goes when {place} of 12 go, at "
        f"a sparsity of {percent(place / 12)}. That is its **critical sparsity**, and every weight has one.",
    )


MORAL = """
One way to say why a small weight can survive: a weight is kept not for its size alone, but also for how busy both its ends are. A
small one between a busy input and a busy output would be missed more than a large one through which hardly anything flows.
"""


STEP = Step(
    "A small one stays, a large one goes",
    text,
    pictures,
    lambda lesson: MORAL,
    exercise=exercise,
    edits=("weights", "tokens"),
    cut=True,
)
