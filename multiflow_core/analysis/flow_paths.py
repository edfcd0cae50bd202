"""Information flow through a part of a block: its strongest neurons, the links between them, and what pruning leaves.

The flow along a link is |w_ij| a_j, the summand of MULTIFLOW's two saliencies (arXiv 2404.05621, section 4): how large the
weight is times how active its input was during calibration.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ..families.roles import STAGES
from ..weights.layers import PrunableLayer


@dataclass(frozen=True)
class Chain:
    """Two layers of a block of which the second reads, neuron by neuron, what the first writes.

    `rows` are the first layer's rows that the second one reads: of a fused query, key and value only the values.
    """

    first: PrunableLayer
    second: PrunableLayer
    rows: slice


def chain(layers: Sequence[PrunableLayer], selected: PrunableLayer) -> Chain | None:
    """The chain that a layer belongs to: fc1 to fc2 for those two, the values to the output for all of an attention.

    >>> layers = [PrunableLayer(role, shape, block="text 0", role=role)
    ...           for role, shape in (("query", (4, 4)), ("value", (4, 4)), ("attn out", (4, 4)), ("fc1", (8, 4)))]
    >>> found = chain(layers, layers[0])
    >>> found.first.role, found.second.role, chain(layers, layers[3])
    ('value', 'attn out', None)

    None where the block has no such two layers, or more than two, or their sizes do not fit; experts in one tensor are many.
    """
    around = [layer for layer in layers if layer.block == selected.block and layer.experts == 1]
    often = Counter(layer.role for layer in around)
    block = {layer.role: layer for layer in around if often[layer.role] == 1}
    for stage in STAGES:
        first, second = block.get(stage.first), block.get(stage.second)
        if selected.role in (stage.first, stage.second, *stage.beside) and first and second:
            (many, _), (_, width) = first.matrix, second.matrix
            if many == stage.fused * width:
                return Chain(first, second, slice(many - width, many))
    return None


@dataclass(frozen=True)
class Paths:
    """The strongest neurons of a chain and the flow between them.

    Attributes:
        inputs, hidden, outputs: the numbers of the neurons, strongest first.
        first: float64 (hidden + 1, inputs + 1, steps + 1): the flow from each input to each hidden neuron that step k has
            cut, as a share of all flow through the layer; the last row and column are all other neurons together, the
            last step is the whole flow.
        second: the same from hidden neurons to outputs, (outputs + 1, hidden + 1, steps + 1).
    """

    inputs: tuple[int, ...]
    hidden: tuple[int, ...]
    outputs: tuple[int, ...]
    first: np.ndarray
    second: np.ndarray

    def left(self, step: int) -> tuple[float, float]:
        """The shares of the flow that step k leaves: along the links between the strongest neurons, and along all links.

        Both are means over the two layers; 0 where there was no flow at all.
        """
        strong = [links[:-1, :-1].sum((0, 1)) for links in (self.first, self.second)]
        every = [links.sum((0, 1)) for links in (self.first, self.second)]
        return _left(strong, step), _left(every, step)


def _left(flows: Sequence[np.ndarray], step: int) -> float:
    return float(np.mean([1 - flow[step] / flow[-1] if flow[-1] else 0.0 for flow in flows]))


def link_flow(weight: Tensor, norms: Tensor) -> np.ndarray:
    """|w_ij| a_j as shares of the layer's whole flow: float64 (out, in), summing to 1 (all 0 where there is none).

    >>> import torch
    >>> link_flow(torch.tensor([[1.0, -2.0], [3.0, 0.0]]), torch.tensor([1.0, 2.0])).tolist()
    [[0.125, 0.5], [0.375, 0.0]]
    """
    flow = (weight.detach().double().cpu().abs() * norms.double()).numpy()
    return flow / (flow.sum() or 1.0)


def strongest(first: np.ndarray, second: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The strongest inputs, hidden neurons and outputs of a chain: indices, strongest first, ties by position.

    >>> first = np.array([[4.0, 1.0], [3.0, 0.0], [0.0, 9.0]])           # hidden x in
    >>> second = np.array([[1.0, 3.0, 0.0], [2.0, 1.0, 0.0]])            # out x hidden
    >>> [found.tolist() for found in strongest(first, second, 1)]
    [[0], [0], [1]]

    A hidden neuron is as strong as the product of the flow into it and the flow out of it; an input or output as the flow
    between it and the chosen hidden neurons.
    """
    hidden = _top(first.sum(1) * second.sum(0), count)
    return _top(first[hidden].sum(0), count), hidden, _top(second[:, hidden].sum(1), count)


def _top(strength: np.ndarray, count: int) -> np.ndarray:
    return np.argsort(-strength, kind="stable")[:count]


def pooled(flow: np.ndarray, lifetime: np.ndarray, rows: np.ndarray, columns: np.ndarray, steps: int) -> np.ndarray:
    """The flow between chosen neurons, and all others as one, that each step has cut.

    >>> flow, lifetime = np.array([[1.0, 2.0], [4.0, 8.0]]), np.array([[0, 1], [1, 0]])
    >>> pooled(flow, lifetime, np.array([1]), np.array([0, 1]), steps=1)[:, :, 0]
    array([[0., 8., 0.],
           [1., 0., 0.]])

    Args:
        flow: (out, in). lifetime: how many of `steps` ascending sparsities each weight survives, integers (out, in).
        rows, columns: the chosen neurons.

    Returns:
        float64 (rows + 1, columns + 1, steps + 1), see `Paths`.
    """
    shape = (len(rows) + 1, len(columns) + 1, steps + 1)
    row, column = (_numbered(size, chosen) for size, chosen in zip(flow.shape, (rows, columns), strict=True))
    cells = (row[:, None] * shape[1] + column) * shape[2] + lifetime
    found = np.bincount(cells.ravel(), weights=flow.ravel(), minlength=shape[0] * shape[1] * shape[2])
    return found.reshape(shape).cumsum(-1)


def _numbered(size: int, chosen: np.ndarray) -> np.ndarray:
    """The place of every neuron among the chosen ones; all others share the last place."""
    number = np.full(size, len(chosen), dtype=np.int64)
    number[chosen] = np.arange(len(chosen))
    return number


def paths(
    first: np.ndarray, second: np.ndarray, lifetimes: tuple[np.ndarray, np.ndarray], count: int, steps: int
) -> Paths:
    """The strongest neurons of a chain and what every step cuts between them.

    Args:
        first, second: the layers' `link_flow`; (hidden, in) and (out, hidden).
        lifetimes: how many of `steps` ascending sparsities the weights of either layer survive, of the same shapes.
        count: how many neurons to choose at each of the three places.

    >>> ones = np.full((2, 2), 0.25)
    >>> found = paths(ones, ones, (np.array([[0, 1], [1, 1]]), np.ones((2, 2), int)), count=2, steps=1)
    >>> found.left(0)
    (0.875, 0.875)
    """
    inputs, hidden, outputs = strongest(first, second, count)
    return Paths(
        tuple(inputs.tolist()),
        tuple(hidden.tolist()),
        tuple(outputs.tolist()),
        pooled(first, lifetimes[0], hidden, inputs, steps),
        pooled(second, lifetimes[1], outputs, hidden, steps),
    )
