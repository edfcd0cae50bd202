"""A layer's weights as least squares: so many of them zero, and the layer still writes what it should."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .exact_cut import keep_all_but

_NOTHING = 2.0**-60


@dataclass(frozen=True)
class LeastSquares:
    """min over W of sum over tokens of |W x - W0 t|^2, x what the layer reads, t what it should have read, in scaled columns.

    >>> problem = LeastSquares.of(torch.tensor([[2.0, 1.0]]), torch.tensor([[4.0, 3.6], [3.6, 4.0]]), damping=1e-9)
    >>> keep = torch.tensor([[False, True]])
    >>> problem.weights(problem.fitted(problem.start * keep, keep))  # the second takes over nine tenths of the first
    tensor([[0.0000, 2.8000]])

    Every input is divided by its root mean square, so that a weight's size is what it is worth: |w_ij| a_j, Wanda's score.
    A share of the mean diagonal is added to that of both matrices (damping), so that W stays W0 where nothing has changed.

    Attributes:
        products: X X^T, (in, in), its diagonal 1. wanted: W0 T X^T, (out, in). start: W0. scale: what each input was divided by.
        worth: how much a weight of each input counts, 1, but next to nothing where that is always zero.
    """

    products: Tensor
    wanted: Tensor
    start: Tensor
    scale: Tensor
    worth: Tensor

    @classmethod
    def of(cls, weight: Tensor, products: Tensor, crossed: Tensor | None = None, damping: float = 0.01) -> LeastSquares:
        """From W0 (out, in), the sum of x x^T, and that of t x^T; without the last a layer should write what it does now."""
        h = products.double()
        extra = damping * float(h.diagonal().mean())
        crossed = h if crossed is None else crossed.double()
        added = torch.eye(len(h), dtype=h.dtype, device=h.device) * (extra or 1.0)  # inputs that are always zero
        h, crossed = h + added, crossed + added
        worth = torch.where(products.diagonal() > 0, 1.0, _NOTHING)
        scale = h.diagonal().sqrt()
        weight = weight.to(h)
        parts = (h / scale / scale[:, None], weight @ crossed / scale, weight * scale, scale, worth)
        return cls(*(part.float() for part in parts))

    def weights(self, scaled: Tensor) -> Tensor:
        """Weights in the layer's own units."""
        return scaled / self.scale

    def error(self, scaled: Tensor) -> float:
        """The sum of squares, but for what no weights change."""
        return float((((scaled @ self.products) / 2 - self.wanted) * scaled).double().sum()) * 2

    def inverse(self, rho: float) -> Tensor:
        """(products + rho)^-1, computed in float64."""
        h = self.products.double()
        h = h + rho * torch.eye(len(h), dtype=h.dtype, device=h.device)
        return torch.cholesky_inverse(torch.linalg.cholesky(h)).float()

    def admm(self, count: int, steps: int = 30, rising: int = 15, keep: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Exactly `count` weights zero: (kept, bool (out, in); values), by the alternating direction method of multipliers.

        The share of pruned weights rises with the cube root over the first steps; then the mask stays and the values settle
        (Boza, 2024, arXiv 2401.02938, algorithm 2, rho = 1). With a mask that is given, only the values are looked for.
        """
        inverse, z, u = self.inverse(1.0), self.start, torch.zeros_like(self.start)
        rising, given = min(rising, steps), keep
        for step in range(1, steps + 1):
            v = (self.wanted + z - u) @ inverse + u
            if given is None and step <= rising:
                keep = largest(v.abs() * self.worth, round(count * (step / rising) ** (1 / 3)))
            z = v * keep
            u = v - z
        return keep, z

    def fitted(self, scaled: Tensor, keep: Tensor, steps: int = 50) -> Tensor:
        """The best values on a support, row by row, by conjugate gradients from some values on.

        The diagonal is 1, so that nothing is left to precondition (Meng et al., 2024, arXiv 2406.07831, algorithm 2).
        """
        rest = (self.wanted - scaled @ self.products) * keep
        way, left = rest, rest.square().sum(1, keepdim=True)
        for _ in range(steps):
            turned = way @ self.products
            length = left / (way * turned).sum(1, keepdim=True).clamp(min=torch.finfo(left.dtype).tiny)
            scaled = scaled + length * way
            rest = (rest - length * turned) * keep
            before, left = left, rest.square().sum(1, keepdim=True)
            way = rest + left / before.clamp(min=torch.finfo(left.dtype).tiny) * way
        return scaled


def largest(scores: Tensor, count: int) -> Tensor:
    """Where all but the `count` lowest scores are, equal ones by place: bool, of the same shape.

    >>> largest(torch.tensor([[3.0, 1.0], [1.0, 2.0]]), 2)
    tensor([[ True, False],
            [False,  True]])
    """
    if scores.device.type != "cpu":  # sorted there, and not brought here thirty times
        keep = torch.ones(scores.numel(), dtype=torch.bool, device=scores.device)
        keep[scores.reshape(-1).argsort(stable=True)[:count]] = False
        return keep.view(scores.shape)
    flat = np.ascontiguousarray(scores.reshape(-1).numpy())
    return torch.from_numpy(keep_all_but(flat, count)).view(scores.shape)
