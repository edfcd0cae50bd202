"""Step 5: the score, the place times the size of the weight; and what a sparsity is. Which six go is left to step 8."""

from ..look.words import number, percent
from ..markup.matrices import Matrix
from .small_layers import SPARSITY, Lesson
from .step import Exercise, Formula, Step, board, name, without

ASKED = (2, 1)

TEXT = """
Now the weight itself. Multiply each place by the size of the weight that sits there. This is MULTIFLOW's **score**: a weight
matters if it is **large**, *and* if it links a busy input to a busy output. Because the three are multiplied, one that is close
to zero is enough to make the score small.

Weights go in the order of their scores, the lowest first. The share that has gone is called the **sparsity**: at a sparsity of
50\u00a0%, six of our twelve weights are zero. The pattern of what stays and what goes is called the **mask**.
"""


def pictures(lesson: Lesson, shown: bool) -> tuple[Matrix, ...]:
    small = lesson.small
    return (
        board("The weights", small.weights),
        board("The place, from step 4", small.meeting),
        board("The score: |weight| × place", without(small.score, ASKED, shown)),
    )


def exercise(lesson: Lesson) -> Exercise:
    small, (i, j) = lesson.small, ASKED
    size, place = abs(small.weights[i][j]), small.meeting[i][j]
    return Exercise(
        f"What is the score of the weight {name(ASKED)} (output {name(ASKED)[0]}, input {name(ASKED)[1]})?",
        small.score[i][j],
        f"|{number(small.weights[i][j])}| × {number(place)} = {number(size)} × {number(place)} = {number(small.score[i][j])}.",
    )


def moral(lesson: Lesson) -> str:
    first, second = sorted(lesson.small.cells, key=lambda c: lesson.small.order[c[0]][c[1]])[:2]
    told = f"{name(first)} goes first, then {name(second)}."
    return f"{told} Which six are gone at {percent(SPARSITY)} you will say yourself, in step 8."


STEP = Step(
    "The score",
    lambda lesson: TEXT,
    pictures,
    moral,
    Formula(
        r"S_{ij}=s^{\text{out}}_i\;|w_{ij}|\;s^{\text{in}}_j",
        "S<sub>ij</sub> = s<sup>out</sup><sub>i</sub> |w<sub>ij</sub>| s<sup>in</sup><sub>j</sub>",
        "S: the score of the weight w that leads from input j to output i",
    ),
    exercise,
    edits=("weights", "tokens"),
)
