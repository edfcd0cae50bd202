"""LAMP: layer-adaptive magnitude (Lee et al., ICLR 2021, arXiv 2010.07611)."""

from ..method import Method, register

register(
    Method(
        name="lamp",
        title="LAMP",
        paper="Lee et al., ICLR 2021, arXiv 2010.07611",
        formula="w_u^2 / sum of all w_v^2 >= w_u^2 in its layer, one cut through all layers",
        latex=r"\frac{w_u^2}{\sum_{w_v^2\ge w_u^2} w_v^2}\ \text{, one cut through all layers}",
        idea=(
            "A weight counts by its share of what is left of its layer when everything smaller is gone. "
            "The largest of every layer scores 1 (equal ones share it), so that no layer is emptied before the others."
        ),
        criterion="lamp",
        allocation="global",
    )
)
