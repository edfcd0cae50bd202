"""Wanda: magnitude times input norm, compared inside each output row (Sun et al., ICLR 2024, arXiv 2306.11695)."""

from ..method import Method, register

register(
    Method(
        name="wanda",
        title="Wanda",
        paper="Sun et al., ICLR 2024, arXiv 2306.11695",
        formula="|w_ij| a_j, every output row at the target sparsity",
        latex=r"|w_{ij}|\,a_j\ \text{, every output row at the target sparsity}",
        idea=(
            "A weight contributes its size times that of its input, and competes with those of its own output only. "
            "All layers are scored with the dense model's activations, in one pass."
        ),
        criterion="wanda",
        allocation="row",
        needs=frozenset({"statistics"}),
    )
)
