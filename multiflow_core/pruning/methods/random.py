"""Random pruning: the floor every method must beat."""

from ..method import Method, register

register(
    Method(
        name="random",
        title="Random",
        paper="baseline",
        formula="u_ij ~ U(0, 1), one cut through all layers",
        latex=r"u_{ij}\sim U(0,1)\ \text{, one cut through all layers}",
        idea="Weights go by lot. What a method keeps beyond this is what its scores are worth.",
        criterion="random",
        allocation="global",
        chance=True,
    )
)
