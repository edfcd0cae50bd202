"""ECoFLaP: from coarse to fine, blocks to which the loss reacts keep more (Sung et al., ICLR 2024, arXiv 2310.02998)."""

from __future__ import annotations

from ..allocations import Allocation, Known, Pace
from ..allocations import register as register_allocation
from ..method import Method, fraction, register

SPREAD = 0.1  # how far above the target any block may be


def paces(known: Known) -> list[Pace]:
    """No block loses more than the target and `SPREAD`; what is left to keep is shared out by the blocks' scores (section 3.2)."""
    sizes: dict[str, int] = {}
    scores: dict[str, float] = {}
    layers = []
    for _, context in known():
        layer = context.layer
        layers.append(layer.part)
        sizes[layers[-1]] = sizes.get(layers[-1], 0) + layer.size
        scores[layers[-1]] = context.evidence["sensitivity"]
        spread = context.options.get("spread", SPREAD)
    density = {block: score / sizes[block] for block, score in scores.items()}
    mean = sum(scores.values()) / sum(sizes.values())
    return [Pace(lead=spread * (1 - density[block] / mean) if mean else 0.0) for block in layers]


register_allocation(
    Allocation(
        "ecoflap",
        "By sensitivity",
        "blocks whose shaking changes the loss more keep more, none above the target and 10 points",
        group=lambda layer: "all",
        paces=paces,
        needs=frozenset({"sensitivity"}),
    )
)
register(
    Method(
        name="ecoflap",
        title="ECoFLaP",
        paper="Sung et al., ICLR 2024, arXiv 2310.02998",
        formula="|w_ij| a_j in each layer, blocks by |L(W + e z) - L(W - e z)| / 2e",
        latex=r"|w_{ij}|\,a_j\ \text{ in each layer, blocks by } \frac{|L(W+\epsilon z)-L(W-\epsilon z)|}{2\epsilon}",
        idea=(
            "First, coarse: each block is shaken a little, and those to which the loss reacts keep more of their weights. "
            "Then, fine: inside a layer Wanda's score decides; no gradient is ever computed."
        ),
        criterion="wanda",
        allocation="ecoflap",
        needs=frozenset({"statistics", "sensitivity"}),
        chance=True,
        passes=lambda settings, batches: 12 * min(batches, 4),  # two a block, on 128 pairs at most
        options={"spread": fraction(SPREAD, "how far above the target any block may be")},
    )
)
