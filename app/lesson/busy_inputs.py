"""Step 2: input saliency, the average of what an input's links carry."""

from ..look.words import number
from ..markup.matrices import Matrix
from .small_layers import INPUTS, OUTPUTS, Lesson
from .step import Exercise, Formula, Step, added, grid, without

ASKED = 3

TEXT = """
A strong signal comes to nothing if the weights it meets are tiny. So we ask how much each link **carries**: the size of its weight
times the norm of its input. The sign is dropped: a weight of −5 is as large as one of 5. (The two bars in |−5| = 5 say just that.)

Now read the second table **downwards**. The average of a column says how much an input passes on, on the whole. It is called the
**input saliency**. *Saliency* means: how much something stands out. We shall also say how **busy** an input is.
"""


def pictures(lesson: Lesson, shown: bool) -> tuple[Matrix, ...]:
    small = lesson.small
    average = ("average ↓", without(small.s_in, ASKED, shown))
    return (
        grid("The weights", small.weights, below=("norm", small.norms)),
        grid("What each link carries: |weight| × norm", small.carried, below=average),
    )


def exercise(lesson: Lesson) -> Exercise:
    column = tuple(row[ASKED] for row in lesson.small.carried)
    return Exercise(
        f"How busy is input {INPUTS[ASKED]}? Work out the number at the question mark.",
        lesson.small.s_in[ASKED],
        f"The average of its column: ({added(column)}) / {len(OUTPUTS)} = {number(lesson.small.s_in[ASKED])}.",
    )


def moral(lesson: Lesson) -> str:
    busy, norms = lesson.small.s_in, lesson.small.norms
    most, least = INPUTS[busy.index(max(busy))], INPUTS[busy.index(min(busy))]
    if most == least:
        return "All inputs are equally busy here."
    told = f"Input {most} is the busiest, input {least} the quietest."
    large = max(lesson.small.cells, key=lambda c: (abs(lesson.small.weights[c[0]][c[1]]), -busy[c[1]]))
    if norms[large[1]] < max(norms):
        told += (
            f" A large weight alone does not make an input busy: the {number(lesson.small.weights[large[0]][large[1]])} below "
            f"input {INPUTS[large[1]]} meets a norm of only {number(norms[large[1]])}."
        )
    return told


STEP = Step(
    "Busy inputs",
    lambda lesson: TEXT,
    pictures,
    moral,
    Formula(
        r"s^{\text{in}}_j=\frac{1}{3}\sum_{i}|w_{ij}|\,a_j",
        "s<sup>in</sup><sub>j</sub> = average over the outputs i of |w<sub>ij</sub>| a<sub>j</sub>",
        "s: saliency, w: the weight from input j to output i, |w|: its size, a: the norm of the input",
    ),
    exercise,
    edits=("weights",),
)
