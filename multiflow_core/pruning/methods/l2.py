"""L2: magnitude in units of its layer's norm, one global threshold."""

from ..method import Method, register

register(
    Method(
        name="l2",
        title="L2",
        paper="baseline in Farina et al., CVPR 2024, arXiv 2404.05621",
        formula="|w_ij| / ||W||_F, one cut through all layers",
        latex=r"\frac{|w_{ij}|}{\lVert W\rVert_F}\ \text{, one cut through all layers}",
        idea=(
            "Magnitudes are divided by the norm of their layer, so that layers of different scale can be compared. "
            "Large layers have a large norm for their number of weights alone, and lose more."
        ),
        criterion="l2",
        allocation="global",
    )
)
