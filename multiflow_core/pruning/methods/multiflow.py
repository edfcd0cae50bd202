"""MULTIFLOW: information-flow scores, cut per modality (Farina et al., CVPR 2024, arXiv 2404.05621)."""

from ..method import Method, register

register(
    Method(
        name="multiflow",
        title="MULTIFLOW",
        paper="Farina et al., CVPR 2024, arXiv 2404.05621",
        formula="S_ij = s_out(i) * |w_ij| * s_in(j)",
        latex=r"S_{ij}=s^{\text{out}}_i\,|w_{ij}|\,s^{\text{in}}_j\ \text{, budgets per modality}",
        idea=(
            "A weight matters if it is large and connects neurons through which much signal flows. "
            "How many go in each layer is decided by magnitude, for every modality apart, "
            "so that no modality collapses."
        ),
        criterion="flow",
        allocation="multimodal",
        needs=frozenset({"statistics"}),
    )
)
