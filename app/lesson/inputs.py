"""Step 1: what comes in, and how strong each input is."""

from ..look.words import number
from ..markup.matrices import Matrix
from ..markup.networks import Network
from .small_layers import INPUTS, PAIRS, Lesson
from .step import Exercise, Formula, Step, added, sketch, without

ASKED = 2

TEXT = """
A neural network is a chain of **layers**. This is one, as small as can be: **4 inputs** (1 to 4) send signals to **3 outputs**
(A, B, C); both are called **neurons**. Each input is linked to each output, and each of these 12 links has a **weight**: the number
that its signal is multiplied by. Large networks have hundreds of millions of weights.

**Pruning** sets some of the weights to zero: then only the others have to be stored, and where they are. Which ones would be missed
least? In ten short steps you work that out by hand, the way the method MULTIFLOW does.

First we listen. The network is shown two pairs of a picture and a text, and we write down what arrives at each input. (This is
called **calibration**.) A pair arrives in pieces, called **tokens**; here each pair has two, so the table has four rows.

How strong is an input, in one number? Take its column, square every number, add them up, divide by the number of pairs, and
take the square root. That is the input's **norm**. (By the number of pairs, not of rows: a pair of more tokens makes a larger
norm.)
"""


def pictures(lesson: Lesson, shown: bool) -> tuple[Matrix | Network, ...]:
    tokens = lesson.small.tokens
    rows = tuple(
        f"pair {1 + k * PAIRS // len(tokens)}, token {1 + k % (len(tokens) // PAIRS)}" for k in range(len(tokens))
    )
    layer = sketch("Your layer: thick lines are large weights", lesson.small.weights)
    edge = ("norm", without(lesson.small.norms, ASKED, shown))
    return (
        layer,
        Matrix("What arrives at the inputs", tokens, rows, tuple(f"input {i}" for i in INPUTS), below=edge),
    )


def exercise(lesson: Lesson) -> Exercise:
    squares = tuple(row[ASKED] ** 2 for row in lesson.small.tokens)
    answer = lesson.small.norms[ASKED]
    return Exercise(
        f"Work out the norm of input {INPUTS[ASKED]}, where the question mark is.",
        answer,
        f"The squares are {added(squares)} = {number(sum(squares))}. Divided by {PAIRS} pairs that is "
        f"{number(sum(squares) / PAIRS)}, and its square root is {number(answer)}.",
    )


def moral(lesson: Lesson) -> str:
    norms = lesson.small.norms
    loud, quiet = INPUTS[norms.index(max(norms))], INPUTS[norms.index(min(norms))]
    if loud == quiet:
        return "All inputs are equally strong. Change some numbers to make a difference."
    return (
        f"Input {loud} is the strongest, input {quiet} the weakest. Signs do not matter: −4 is as strong a signal as 4."
    )


STEP = Step(
    "What comes in",
    lambda lesson: TEXT,
    pictures,
    moral,
    Formula(
        r"a_j=\sqrt{\frac{1}{n}\sum_{\text{tokens}}x_j^2}",
        "a<sub>j</sub> = √( (sum over all tokens of x<sub>j</sub>²) / n )",
        "a: the norm, j: which input, x: the numbers of its column, n: the number of pairs",
    ),
    exercise,
    edits=("tokens",),
)
