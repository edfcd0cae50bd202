"""Step 10: the same table, cut out of a layer of the loaded model."""

from ..look.words import number, percent
from ..markup.matrices import Matrix
from .small_layers import Excerpt, Lesson
from .step import Step

TEXT = """
Now for a real layer of a trained model. It has too many weights to show, so here are three of its outputs and four of its
inputs: the busiest, the quietest, and some between. All numbers are its own, made in exactly the way you have just learned.
"""
SUMMARY = """
**That is the whole method.** Listen to the inputs (1), find the busy neurons (2, 3) and the busy places (4), and score each weight
by its size and its place (5). Give each modality a threshold of its own, which sets the layers' budgets (6, 7), and in each layer
let the lowest scores go (8, 9).
"""


def text(lesson: Lesson) -> str:
    it = lesson.real
    if it is None:
        return "The last step looks at a layer of the model that is loaded in the app: open it there, under *Learn*."
    return (
        f"{TEXT}\nAt a sparsity of {percent(it.sparsity)} for the whole model, the budget of this layer (step 7) is {it.gone:,} of "
        f"its {it.size:,} weights, {percent(it.gone / it.size)}. **{it.otherwise:,} small weights stay** that size alone would "
        "have pruned, and as many larger ones go instead."
    )


def pictures(lesson: Lesson, shown: bool) -> tuple[Matrix, ...]:
    it = lesson.real
    if it is None:
        return ()
    rows, columns = tuple(f"output {o}" for o in it.outputs), tuple(f"input {i}" for i in it.inputs)
    gone = frozenset((i, j) for i, row in enumerate(it.kept) for j, kept in enumerate(row) if not kept)
    return (
        Matrix("The weights", it.weights, rows, columns, gone=gone),
        Matrix("The places", it.meeting, rows, columns, below=("how busy", it.s_in), right=("how busy", it.s_out)),
        Matrix("The scores", it.score, rows, columns, gone=gone),
    )


def moral(lesson: Lesson) -> str:
    it = lesson.real
    if it is None:
        return SUMMARY
    found = _contrast(it) or "Move the slider at the left and choose another layer: which weights go first, which last?"
    return f"{found}\n\n{SUMMARY}"


def _contrast(it: Excerpt) -> str:
    """Two weights of the piece of which the smaller stays and the larger goes, the furthest apart, if there are any."""
    cells = [(i, j) for i in range(len(it.outputs)) for j in range(len(it.inputs))]
    stays = min((c for c in cells if it.kept[c[0]][c[1]]), key=lambda c: abs(it.weights[c[0]][c[1]]), default=None)
    goes = max((c for c in cells if not it.kept[c[0]][c[1]]), key=lambda c: abs(it.weights[c[0]][c[1]]), default=None)
    if stays is None or goes is None or abs(it.weights[stays[0]][stays[1]]) >= abs(it.weights[goes[0]][goes[1]]):
        return ""
    small, large = it.weights[stays[0]][stays[1]], it.weights[goes[0]][goes[1]]
    return (
        f"Even among these twelve: {number(small)} stays (output {it.outputs[stays[0]]}, input {it.inputs[stays[1]]}), while "
        f"{number(large)} goes (output {it.outputs[goes[0]]}, input {it.inputs[goes[1]]})."
    )


STEP = Step("A real layer", text, pictures, moral, real=True)
