"""RIA: relative importance and activations (Zhang et al., ICLR 2024, "Plug-and-Play", section 3.1)."""

from __future__ import annotations

import torch
from torch import Tensor

from .. import criteria
from ..method import Method, from_zero, register

POWER = 0.5


def ria(weight: Tensor, context: criteria.Context) -> Tensor:
    """(|w_ij| / sum over i of |w_ij| + |w_ij| / sum over j of |w_ij|) * a_j^power (section 3).

    >>> layer = criteria.PrunableLayer("w", (2, 2))
    >>> ria(torch.tensor([[3.0, 1.0], [1.0, -3.0]]), criteria.Context(layer, {"statistics": torch.tensor([1.0, 4.0])}))
    tensor([[1.5000, 1.0000],
            [0.5000, 3.0000]])

    A weight is measured against the others of its own input and of its own output, so that no neuron loses all.
    """
    sizes = weight.abs().double()
    inputs, outputs = (sizes.sum(side, keepdim=True).clamp(min=torch.finfo(torch.float64).tiny) for side in (0, 1))
    strength = context.norms.double() ** context.options.get("power", POWER)
    return criteria.narrowed(
        lambda rows: sizes[rows] * (1 / inputs + 1 / outputs[rows]) * strength,
        weight,
    )


criteria.register(
    criteria.Criterion(
        "ria",
        "Relative importance",
        "(|w_ij| / sum_i |w_ij| + |w_ij| / sum_j |w_ij|) a_j^0.5",
        ria,
        frozenset({"statistics"}),
        ("magnitude", "norm"),
    )
)
register(
    Method(
        name="ria",
        title="RIA",
        paper="Zhang et al., ICLR 2024",
        formula="(|w_ij| / sum_i |w_ij| + |w_ij| / sum_j |w_ij|) a_j^0.5, every layer at the target sparsity",
        latex=r"\left(\frac{|w_{ij}|}{\sum_i|w_{ij}|}+\frac{|w_{ij}|}{\sum_j|w_{ij}|}\right)a_j^{1/2}\ "
        r"\text{, every layer at the target sparsity}",
        idea=(
            "A weight counts by its share of its input's weights and of its output's, so that small neurons keep some. "
            "How strong the input is counts, too, but less than by Wanda."
        ),
        criterion="ria",
        allocation="uniform",
        needs=frozenset({"statistics"}),
        options={"power": from_zero(POWER, "of the input's norm")},
    )
)
