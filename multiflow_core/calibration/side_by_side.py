"""What reaches the layers of one block in the dense model and in a partly pruned one, batch by batch, side by side.

>>> from multiflow_core import prunable_layers
>>> dense, pruned = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
>>> found = Pairing(prunable_layers(dense)).over(dense, pruned, [{"input": torch.tensor([[3.0, 1.0]])}], lambda m, b: m(**b))
>>> found["weight"].products.tolist(), torch.equal(found["weight"].products, found["weight"].crossed)
([[[9.0, 3.0], [3.0, 1.0]]], True)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..weights.capture import Enough, LinearInputs, quiet
from ..weights.layers import PrunableLayer
from .evidence import Forward
from .passes import kept_tokens, products, weights_of
from .samples import Uses, uses_left


@dataclass
class Sums:
    """Of one layer, over all tokens that count: x x^T of the pruned model's inputs x, and d x^T, d the dense model's.

    (experts, in, in) each; one expert unless several lie in one tensor.
    """

    products: Tensor
    crossed: Tensor


class Pairing:
    """Sums for the layers of a block, from two passes over every batch, each of which ends with the last use of the block.

    Tokens that are padding are left out where a layer reads text, and all uses of a weight are added up. Where the two models do
    not read the same number of tokens (another expert was chosen), the pruned model's own stand for the dense one's.
    With a `constant`, every token has a last input more, which is 1: what a bias is multiplied with.
    Neither model is changed; as a pass may end early, give copies (`weights.masks.rebuilt`) of what others use as well.
    """

    def __init__(self, layers: Sequence[PrunableLayer], uses: Sequence[Uses] | None = None, constant: bool = False):
        self._layers, self._uses, self._constant = tuple(layers), uses, constant
        self._watched = {layer.name: layer for layer in layers}
        self.found: dict[str, Sums] = {}

    def over(
        self,
        dense: nn.Module,
        pruned: nn.Module,
        batches: Iterable[Any],
        forward: Forward,
        done: Callable = lambda: None,
        others: Iterable[Any] | None = None,
    ) -> dict[str, Sums]:
        """{parameter name: its sums}; `done()` is called after every batch. `others`: the batches as the pruned model has them."""
        both = zip(batches, batches if others is None else others, strict=True)
        for number, (batch, other) in enumerate(both):
            read: dict[tuple[str, int | None], list[Tensor]] = {}
            self._pass(dense, batch, number, forward, lambda key, x, read=read: read.setdefault(key, []).append(x))
            self._pass(pruned, other, number, forward, self._adder(read))
            done()
        for layer in self._layers:  # what the pruned model does not use any more: an expert that nothing is sent to
            if layer.name not in self.found:
                side = layer.inputs // layer.experts + self._constant
                self._add(layer.name, None, *torch.zeros(2, side, side))
        for name, sums in self.found.items():
            if not bool(torch.isfinite(sums.products).all() & torch.isfinite(sums.crossed).all()):
                raise ValueError(f"the activations at the input of {name} are not finite")
        return self.found

    def _pass(self, model: nn.Module, batch: Any, number: int, forward: Forward, take: Callable) -> None:
        left = uses_left(self._layers, self._uses[number]) if self._uses else 0
        rows = Rows(self._layers, batch, self._constant)

        def record(name: str, x: Tensor, expert: int | None = None) -> None:
            nonlocal left
            take((name, expert), rows(name, x, expert))
            left -= 1
            if left == 0:
                raise Enough

        try:
            with quiet(model), LinearInputs(weights_of(model, self._layers), record):
                forward(model, batch)
        except Enough:
            pass

    def _adder(self, read: dict[tuple[str, int | None], list[Tensor]]) -> Callable:
        """What adds to the sums; queries, keys and values read the same tensor, which is multiplied once."""
        last: tuple = (None, None, None)

        def add(key: tuple[str, int | None], x: Tensor) -> None:
            nonlocal last
            theirs = read.get(key) or [x]
            other = theirs.pop(0)
            other = x if other.shape != x.shape else other
            if last[0] is not x or last[1] is not other:
                last = x, other, (products(x, x), products(other, x))
            self._add(*key, *last[2])

        return add

    def _add(self, name: str, expert: int | None, products: Tensor, crossed: Tensor) -> None:
        layer, expert = self._watched[name], expert or 0
        if name not in self.found:
            shape = (layer.experts, *products.shape)
            self.found[name] = Sums(products.new_zeros(shape), products.new_zeros(shape))
        self.found[name].products[expert] += products
        self.found[name].crossed[expert] += crossed


class Rows:
    """The tokens that count of what a layer reads, (tokens, in): the same object for layers that read the same tensor.

    They are copies: a model may go on in place of what it has read.
    """

    def __init__(self, layers: Sequence[PrunableLayer], batch: Any, constant: bool = False):
        self._kept, self._constant = kept_tokens(tuple(layers), batch), constant
        self._last: tuple = (None, None, None, None)

    def __call__(self, name: str, x: Tensor, expert: int | None) -> Tensor:
        keep = self._kept(name, x, expert)
        known, version, masked, rows = self._last
        if known is not x or version != x._version or masked != (keep is not None):
            whole = x.detach()
            rows = whole.reshape(-1, x.shape[-1]).clone() if keep is None else whole[keep]
            rows = F.pad(rows, (0, 1), value=1.0) if self._constant else rows
            self._last = x, x._version, keep is not None, rows
        return rows
