"""Least squares on some of a matrix's columns: what it is best to write with them, and which are best to have."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

DAMPING = 0.01  # added to the diagonal, as a share of its mean


@dataclass(frozen=True)
class Regression:
    """min over W, b of the sum over tokens of |W x + b - y|^2, x what a matrix reads and y what it is to write; in float64.

    >>> x = torch.tensor([[1.0, 1.0, 1.0], [2.0, 2.0, 1.0], [4.0, 4.0, 1.0]])  # two inputs that are alike, and a constant
    >>> sums, first = x.T @ x, torch.tensor([True, False])
    >>> Regression.of(torch.tensor([[2.0, 1.0]]), torch.tensor([5.0]), sums, sums, 1e-9).on(first)
    (tensor([[3., 0.]]), tensor([5.]))

    Attributes:
        h: sum of x x^T (inputs, inputs), damped. y: of y x^T (outputs, inputs). With a bias, the last input is 1.
        bias: the bias as it was, None without one.
    """

    h: Tensor
    y: Tensor
    bias: Tensor | None

    @classmethod
    def of(
        cls,
        weight: Tensor,
        bias: Tensor | None,
        products: Tensor,
        crossed: Tensor | None,
        damping: float = DAMPING,
        wanted: Tensor | None = None,
    ) -> Regression:
        """What is to be written is what the matrix W0 and its bias wrote of what it should have read, or something else.

        Args:
            products: sum of x x^T, the last entry of x being 1. crossed: of t x^T, t what should have been read. Without a bias
                the constant is left out.
            wanted: sum of y x^T, in place of that of (W0 t + b0) x^T.
            damping: a share of the mean diagonal, added to that of both, so that W stays W0 where nothing has changed.
        """
        inputs = weight.shape[1]
        end = inputs if bias is None else inputs + 1
        held = (
            weight.double() if bias is None else torch.cat([weight, bias.detach().cpu()[:, None].float()], 1).double()
        )
        h = products[:end, :end].double()
        y = held @ crossed[:end, :end].double() if wanted is None else wanted[:, :end].double()
        extra = torch.full((end,), damping * (float(h.diagonal()[:inputs].mean()) or 1.0), dtype=h.dtype)
        extra[inputs:] = 1e-9 * float(h.diagonal()[-1])  # a bias is worth what it costs
        return cls(h + extra.diag(), y + held @ extra.diag(), bias)

    @property
    def inputs(self) -> int:
        """How many columns the matrix has."""
        return len(self.h) - (self.bias is not None)

    def on(self, columns: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """The best weights and bias on some columns, zero on the others; None: on all."""
        stay = torch.ones(len(self.h), dtype=torch.bool)
        if columns is not None:
            stay[: self.inputs] = columns
        factor = torch.linalg.cholesky(self.h[stay][:, stay])
        new = torch.zeros_like(self.y)
        new[:, stay] = torch.cholesky_solve(self.y[:, stay].T, factor).T
        return new[:, : self.inputs].float(), None if self.bias is None else new[:, self.inputs].to(self.bias.dtype)

    def best(self, count: int, each: int = 1) -> Tensor:
        """Which units it is best to have, so many of them, by backward elimination: bool (units,).

        One after the other that unit goes without which the others, solved anew, err least: by |w|^2 / [h^-1] of its column, as
        Optimal Brain Surgeon says of a weight (Hassibi & Stork, 1993) and ZipLM of a unit (Kurtic et al., 2023, arXiv 2302.04089).
        Takes as many steps as units go, each of the order of inputs squared: twice as many inputs take eight times as long.

        >>> h = torch.tensor([[2.0, 2.0, 0.0], [2.0, 2.1, 0.0], [0.0, 0.0, 1.0]]).double()  # the first two are nearly alike
        >>> Regression(h, torch.tensor([[4.0, 4.1, 0.9]]).double(), None).best(2)
        tensor([False,  True,  True])

        Args:
            count: how many stay. each: how many columns one unit is, next to each other.
        """
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(self.h))
        weight, units = self.y @ inverse, self.inputs // each
        stay = torch.ones(units, dtype=torch.bool)
        for _ in range(units - count):
            gone = int(_losses(weight, inverse, units, each).masked_fill(~stay, torch.inf).argmin())
            stay[gone] = False
            own = slice(gone * each, (gone + 1) * each)
            step = torch.linalg.solve(inverse[own, own], inverse[own])
            weight.addmm_(weight[:, own].clone(), step, alpha=-1)
            inverse.addmm_(inverse[:, own].clone(), step, alpha=-1)
            inverse[own, own] = torch.eye(each, dtype=inverse.dtype)  # gone for good, and never singular
        return stay


def _losses(weight: Tensor, inverse: Tensor, units: int, each: int) -> Tensor:
    """What the sum of squares grows by without each of the units."""
    if each == 1:
        return weight[:, :units].square().sum(0) / inverse.diagonal()[:units]
    there = units * each
    own = inverse[:there, :there].view(units, each, units, each).diagonal(dim1=0, dim2=2).permute(2, 0, 1)
    columns = weight[:, :there].view(-1, units, each).permute(1, 2, 0)
    return (columns * torch.linalg.solve(own, columns)).sum((1, 2))
