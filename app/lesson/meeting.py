"""Step 4: the outer product, where busy inputs meet busy outputs."""

from ..look.words import number
from ..markup.matrices import Matrix
from .small_layers import INPUTS, OUTPUTS, Lesson
from .step import Exercise, Formula, Step, grid, without

ASKED = (2, 1)

TEXT = """
What a link carries (step 2) knows only the input it comes from. But a link has two ends: the same amount is missed more where much
arrives than where next to nothing does. To see whether a link lies in a busy **place** or in a quiet one, multiply how busy its
output is by how busy its input is: the place is busy only if *both* ends are.

Doing that for all twelve links makes a whole table out of only seven numbers. (Books call it the *outer product*.) It says where
much traffic passes; the link's own weight comes in the next step.
"""


def pictures(lesson: Lesson, shown: bool) -> tuple[Matrix, ...]:
    small = lesson.small
    return (
        grid(
            "How busy each place is: its output × its input",
            without(small.meeting, ASKED, shown),
            below=("how busy", small.s_in),
            right=("how busy", small.s_out),
        ),
    )


def exercise(lesson: Lesson) -> Exercise:
    small, (i, j) = lesson.small, ASKED
    return Exercise(
        f"How busy is the place where output {OUTPUTS[i]} meets input {INPUTS[j]}?",
        small.meeting[i][j],
        f"{number(small.s_out[i])} × {number(small.s_in[j])} = {number(small.meeting[i][j])}.",
    )


def moral(lesson: Lesson) -> str:
    small = lesson.small
    best, worst = (pick(small.cells, key=lambda c: small.meeting[c[0]][c[1]]) for pick in (max, min))
    if small.meeting[best[0]][best[1]] == small.meeting[worst[0]][worst[1]]:
        return "All places are equally busy here."
    return (
        f"The busiest place is where output {OUTPUTS[best[0]]} meets input {INPUTS[best[1]]}, the quietest where output "
        f"{OUTPUTS[worst[0]]} meets input {INPUTS[worst[1]]}."
    )


STEP = Step(
    "Where busy meets busy",
    lambda lesson: TEXT,
    pictures,
    moral,
    Formula(
        r"s^{\text{out}}_i\cdot s^{\text{in}}_j",
        "s<sup>out</sup><sub>i</sub> · s<sup>in</sup><sub>j</sub>",
        "how busy output i is, times how busy input j is",
    ),
    exercise,
    edits=("weights",),
)
