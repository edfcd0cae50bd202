"""LocalMP: magnitude pruning layer by layer."""

from ..method import Method, register

register(
    Method(
        name="localmp",
        title="LocalMP",
        paper="Han et al., NeurIPS 2015, arXiv 1506.02626",
        formula="|w_ij|, every layer at the target sparsity",
        latex=r"|w_{ij}|\ \text{, every layer at the target sparsity}",
        idea=(
            "Small weights change the output least. "
            "Every layer loses the same share, so none collapses, however important it is."
        ),
        criterion="magnitude",
        allocation="uniform",
    )
)
