"""AlphaPruning: blocks whose spectra have heavier tails keep more (Lu et al., NeurIPS 2024, arXiv 2410.10912)."""

from __future__ import annotations

import torch
from torch import Tensor

from ..allocations import Allocation, Known, Pace, between, by_block
from ..allocations import register as register_allocation
from ..method import Method, fraction, register

SPREAD = 0.3  # tau
_SLOW = 1e-3  # no layer stays whole to the end
LIGHTEST = 1e3  # a tail that falls at once: all singular values are the same


def tail(weight: Tensor) -> float:
    """Alpha, Hill's estimate of how fast the upper half of the spectrum of W W^T falls: 1 + k / sum ln(l_i / l_(n-k)).

    >>> round(tail(torch.diag(torch.tensor([1.0, 2.0, 4.0, 8.0]))), 4)          # 1 + 2 / (ln 4 + ln 16)
    1.4809
    """
    values = torch.linalg.svdvals(weight.float()).double().square().flip(0)
    values = values[values > values.max() * 1e-12]
    k = len(values) // 2
    if not k:
        return LIGHTEST
    total = float((values[-k:] / values[-k - 1]).log().sum())
    return min(LIGHTEST, 1 + k / max(total, 1e-30))


def paces(known: Known) -> list[Pace]:
    """Sparsities proportional to 1 - tau for the block with the heaviest tail, up to 1 + tau for the lightest (section 3.2).

    A block goes by the mean of its matrices' exponents.
    """
    found = []
    for weight, context in known():
        found.append((context.layer, sum(map(tail, weight)) / len(weight)))
        spread = context.options.get("spread", SPREAD)
    return [Pace(max(_SLOW, 1 - spread) + 2 * spread * place) for place in between(by_block(found, lambda layer: 1.0))]


register_allocation(
    Allocation(
        "alpha",
        "By spectra",
        "blocks whose spectra have heavier tails keep more, by a factor of up to 1.3 either way",
        group=lambda layer: "all",
        paces=paces,
    )
)
register(
    Method(
        name="alphapruning",
        title="AlphaPruning",
        paper="Lu et al., NeurIPS 2024, arXiv 2410.10912",
        formula="|w_ij| a_j in each layer, sparsity growing with alpha, l^-alpha the tail of the spectrum of W W'",
        latex=r"|w_{ij}|\,a_j\ \text{ in each layer, sparsity grows with the tail exponent of } WW^{\top}",
        idea=(
            "The spectrum of a well-trained matrix has a heavy tail, that of a random one has none. "
            "So blocks with light tails lose more, without any data; inside a layer Wanda's score decides."
        ),
        criterion="wanda",
        allocation="alpha",
        needs=frozenset({"statistics"}),
        options={"spread": fraction(SPREAD, "tau, how far from the target, as a share of it")},
    )
)
