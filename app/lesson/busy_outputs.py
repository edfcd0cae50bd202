"""Step 3: output saliency, the average of what arrives at an output."""

from ..look.words import number
from ..markup.matrices import Matrix
from .small_layers import INPUTS, OUTPUTS, Lesson
from .step import Exercise, Formula, Step, added, grid, without

ASKED = 1

TEXT = """
The same table, read **across**. The average of a row says how much arrives at an output, on the whole: its **output saliency**,
or how busy the output is.

So two averages of one table describe all the neurons of the layer: down for those that send, across for those that receive.
"""


def pictures(lesson: Lesson, shown: bool) -> tuple[Matrix, ...]:
    small = lesson.small
    across = ("average →", without(small.s_out, ASKED, shown))
    return (
        grid("What each link carries: |weight| × norm", small.carried, below=("average ↓", small.s_in), right=across),
    )


def exercise(lesson: Lesson) -> Exercise:
    answer = lesson.small.s_out[ASKED]
    return Exercise(
        f"How busy is output {OUTPUTS[ASKED]}?",
        answer,
        f"The average of its row: ({added(lesson.small.carried[ASKED])}) / {len(INPUTS)} = {number(answer)}.",
    )


def moral(lesson: Lesson) -> str:
    busy = lesson.small.s_out
    most, least = OUTPUTS[busy.index(max(busy))], OUTPUTS[busy.index(min(busy))]
    return (
        "All outputs are equally busy here."
        if most == least
        else f"Output {most} is the busiest, output {least} the quietest."
    )


STEP = Step(
    "Busy outputs",
    lambda lesson: TEXT,
    pictures,
    moral,
    Formula(
        r"s^{\text{out}}_i=\frac{1}{4}\sum_{j}|w_{ij}|\,a_j",
        "s<sup>out</sup><sub>i</sub> = average over the inputs j of |w<sub>ij</sub>| a<sub>j</sub>",
        "the same letters as before; this time the average runs over the inputs",
    ),
    exercise,
    edits=("weights",),
)
