"""OMP: one-shot magnitude pruning with one global threshold (Han et al., NeurIPS 2015)."""

from ..method import Method, register

register(
    Method(
        name="omp",
        title="OMP",
        paper="Han et al., NeurIPS 2015, arXiv 1506.02626",
        formula="|w_ij|, one cut through all layers",
        latex=r"|w_{ij}|\ \text{, one cut through all layers}",
        idea=(
            "The smallest weights go. One threshold for the whole model, so modalities with smaller weights lose more."
        ),
        criterion="magnitude",
        allocation="global",
    )
)
