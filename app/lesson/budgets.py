"""Step 7: one threshold a modality, the budgets of the layers, and the scores inside them."""

from ..markup.matrices import Matrix
from .collapse import layer
from .small_layers import Cell, Lesson, TowerLayer
from .step import Exercise, Formula, Step

ASKED = "vision 2"

TEXT = """
MULTIFLOW gives **each modality a threshold of its own**, set so that each loses the half that was asked for. No modality pays for
the other any more.

How many of a layer's weights lie under its modality's threshold? That number is the layer's **budget**: so many have to go
there. Why not by score? A layer whose inputs are strong has high scores throughout: one cut through the scores of all layers would
spare it, and empty others. Size does not depend on the inputs.

*Which* ones go is decided by the score of step 5: in every layer the lowest scores go, until the budget is used up. (All four
layers are given the same inputs here.)
"""


def pictures(lesson: Lesson, shown: bool) -> tuple[Matrix, ...]:
    return tuple(
        layer(it, lesson, "multiflow", shown, spared(it) if shown else frozenset()) for it in lesson.towers.layers
    )


def spared(it: TowerLayer) -> frozenset[Cell]:
    """The weights that stay although the layer's budget, spent by size alone, would take them."""
    return frozenset(
        (i, j) for i, row in enumerate(it.multiflow) for j, kept in enumerate(row) if kept and not it.per_modality[i][j]
    )


def exercise(lesson: Lesson) -> Exercise:
    own = [it for it in lesson.towers.layers if it.modality == ASKED.split()[0]]
    size = sum(len(it.weights) * len(it.weights[0]) for it in own)
    counts = {it.name: it.lost(it.per_modality) for it in own}
    told = " and ".join(f"{count} in {name}" for name, count in counts.items())
    return Exercise(
        f"What is the budget of {ASKED}: how many of its weights have to go? (Line up all weights of vision by size: half of them "
        "lie under the threshold.)",
        counts[ASKED],
        f"Of the {size} weights of vision the {size // 2} smallest lie under its threshold: {told}.",
    )


def moral(lesson: Lesson) -> str:
    budgets = ", ".join(f"{it.name} loses {it.lost(it.multiflow)}" for it in lesson.towers.layers)
    swapped = sum(len(spared(it)) for it in lesson.towers.layers)
    told = f"The budgets: {budgets}. So vision and text lose half each, however small the text weights are."
    if swapped:
        told += (
            f" Within its budget each layer goes by score, which saves {swapped} small weights (ringed) that size alone would "
            "prune."
        )
    return told


STEP = Step(
    "A threshold for each modality",
    lambda lesson: TEXT,
    pictures,
    moral,
    Formula(
        r"\text{budget of a layer}=\#\{\,|w|\le t_m\,\}",
        "budget of a layer = how many of its |w| ≤ t<sub>m</sub>",
        "t: the threshold of modality m, which cuts it at the sparsity asked for",
    ),
    exercise,
    edits=("scale",),
)
