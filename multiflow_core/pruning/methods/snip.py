"""SNIP: connection sensitivity (Lee et al., ICLR 2019, arXiv 1810.02340)."""

from ..method import Method, register

register(
    Method(
        name="snip",
        title="SNIP",
        paper="Lee et al., ICLR 2019, arXiv 1810.02340",
        formula="|mean g_ij * w_ij|, one cut through all layers",
        latex=r"\left|\,\overline{g_{ij}}\;w_{ij}\right|\ \text{, one cut through all layers}",
        idea=(
            "The gradient of the loss with respect to a weight's mask says how much removing it would change the loss. "
            "Gradients are averaged over all batches first, so that noise cancels; only then is the sign dropped."
        ),
        criterion="snip",
        allocation="global",
        needs=frozenset({"gradients"}),
    )
)
