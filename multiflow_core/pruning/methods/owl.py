"""OWL: blocks with more outliers keep more (Yin et al., ICML 2024, arXiv 2310.05175)."""

from __future__ import annotations

from torch import Tensor

from ..allocations import Allocation, Known, Pace, between, by_block
from ..allocations import register as register_allocation
from ..criteria import Context
from ..method import Method, fraction, positive, register

BEYOND, SPREAD = 5.0, 0.08  # M and lambda, as in the paper's experiments


def paces(known: Known) -> list[Pace]:
    """The outlier ratio D of a block: the share of |w_ij| a_j beyond M times their mean in the block (section 3.2).

    Sparsities lie in a band of 2 lambda around the target, the more outliers the lower, as the mean block at the target
    (section 3.3).
    """
    layers, sums = [], []
    for weight, context in known():
        layers.append(context.layer)
        sums.append(float(_worth(weight, context).double().mean()))
    means = by_block(zip(layers, sums, strict=True), lambda layer: layer.size)
    ratios = []
    for (weight, context), mean in zip(known(), means, strict=True):
        beyond = _worth(weight, context) > context.options.get("beyond", BEYOND) * mean
        ratios.append((context.layer, float(beyond.double().mean())))
        spread = context.options.get("spread", SPREAD)
    outliers = by_block(ratios, lambda layer: layer.size)
    blocks = {layer.part: place for layer, place in zip(layers, between(outliers), strict=True)}
    middle = sum(blocks.values()) / len(blocks)
    return [Pace(lead=2 * spread * (middle - blocks[layer.part])) for layer in layers]


def _worth(weight: Tensor, context: Context) -> Tensor:
    """|w_ij| a_j."""
    return weight.abs() * context.norms.view(len(weight), 1, -1)


register_allocation(
    Allocation(
        "owl",
        "By outliers",
        "blocks with more outliers among |w_ij| a_j keep more, in a band of 16 points",
        group=lambda layer: "all",
        paces=paces,
        needs=frozenset({"statistics"}),
    )
)
register(
    Method(
        name="owl",
        title="OWL",
        paper="Yin et al., ICML 2024, arXiv 2310.05175",
        formula="|w_ij| a_j in each layer, blocks with more |w_ij| a_j > M mean keep more",
        latex=r"|w_{ij}|\,a_j\ \text{ in each layer, blocks with more outliers keep more}",
        idea=(
            "Some blocks hold a few weights that count far more than the rest, and suffer most when pruned. "
            "Those keep up to 8 points more of their weights, others go as many points lower; inside a layer Wanda's score decides."
        ),
        criterion="wanda",
        allocation="owl",
        needs=frozenset({"statistics"}),
        options={
            "beyond": positive(BEYOND, "M, how many times the mean an outlier is"),
            "spread": fraction(SPREAD, "lambda, how far a block may be from the target"),
        },
    )
)
