"""What goes into one block of a model in every pass, kept so that the block can be run again without what comes before it.

>>> from multiflow_core import prunable_layers
>>> model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)))
>>> door = Door.of(prunable_layers(model)[1:])
>>> batches = [torch.ones(1, 2), torch.zeros(1, 2)]
>>> entered = door.entered(model, batches, lambda model, batch: model(batch))
>>> torch.equal(door.again(model, entered[1]), model(batches[1]))
True
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_map

from ..support.memory import available_memory
from ..weights.capture import Enough, LinearInputs, quiet
from ..weights.layers import PrunableLayer
from .evidence import Forward
from .passes import Layers, weights_of
from .samples import Uses, uses_left

ENTERED = "entered"  # the key of a batch under which the calls of its block lie
SHARE = 4  # of the free memory, one part in so many may be taken

Call = tuple[tuple, dict[str, Any]]


@dataclass(frozen=True)
class Door:
    """The module of a model that all uses of some layers lie in.

    Attributes:
        path: of the module. layers: the layers.
    """

    path: str
    layers: Layers

    @classmethod
    def of(cls, layers: Sequence[PrunableLayer]) -> Door:
        """The innermost module that holds all of them.

        >>> Door.of([PrunableLayer("layers.1.fc1.weight", (2, 2)), PrunableLayer("layers.1.fc2.weight", (2, 2))]).path
        'layers.1'
        """
        steps = zip(*(layer.name.split(".")[:-1] for layer in layers), strict=False)
        shared = takewhile(lambda step: len(set(step)) == 1, steps)
        return cls(".".join(step[0] for step in shared), tuple(layers))

    def entered(
        self, model: nn.Module, batches: Iterable[Any], forward: Forward, uses: Sequence[Uses] | None = None
    ) -> list[list[Call]] | None:
        """For every batch what the module is called with, each time; copies. A pass ends with the last use, where `uses` tell.

        None where the block cannot be run again by itself: it is the whole model, or is never called; the layers are used
        elsewhere as well; what it is called with depends on what it gave before; or there is not the memory to keep it.
        Hooks are set on the model meanwhile: it must not be in use elsewhere.
        """
        if not self.path:
            return None
        found, room, sure = [], (available_memory() or 0) // SHARE, False
        for number, batch in enumerate(batches):
            last = uses_left(self.layers, uses[number]) if uses else 0
            calls = self._calls(model, batch, forward, last)
            if not calls or (len(calls) > 1 and not (sure or self._independent(model, batch, forward, calls, last))):
                return None
            sure |= len(calls) > 1
            found.append(calls)
            room -= sum(tensor.nbytes for tensor in _tensors(calls))
            if room < 0:
                return None
        return found

    def again(self, model: nn.Module, calls: Sequence[Call]) -> Any:
        """Run the module for each of the calls; returns what the last one gives."""
        module, given = model.get_submodule(self.path), None
        for call in calls:
            args, kwargs = _copied(call)  # a block may write into what it is given
            given = module(*args, **kwargs)
        return given

    def _calls(self, model: nn.Module, batch: Any, forward: Forward, left: int, moved: bool = False) -> list[Call]:
        """What the module is called with; none if a layer is used outside. `moved`: with another output than its own."""
        calls: list[Call] = []
        inside = outside = 0

        def enter(module: nn.Module, args: tuple, kwargs: dict[str, Any]) -> None:
            nonlocal inside
            inside += 1
            calls.append(_copied((args, kwargs)))

        def leave(module: nn.Module, args: tuple, output: Any) -> Any:
            nonlocal inside
            inside -= 1
            return tree_map(_moved, output) if moved else None

        def used(name: str, *_: Any) -> None:
            nonlocal outside, left
            outside += not inside
            left -= 1
            if left == 0:
                raise Enough

        module = model.get_submodule(self.path)
        hooks = [module.register_forward_pre_hook(enter, with_kwargs=True), module.register_forward_hook(leave)]
        try:
            with suppress(Enough), quiet(model), LinearInputs(weights_of(model, self.layers), used):
                forward(model, batch)
        finally:
            for hook in hooks:
                hook.remove()
        return [] if outside else calls

    def _independent(self, model: nn.Module, batch: Any, forward: Forward, calls: list[Call], left: int) -> bool:
        """Whether the module would be called with the same if it gave something else."""
        others = self._calls(model, batch, forward, left, moved=True)
        pairs = zip(_tensors(calls), _tensors(others), strict=False)
        return len(others) == len(calls) and all(torch.equal(a, b) for a, b in pairs)


def with_calls(batch: Any, calls: Sequence[Call]) -> dict[str, Any]:
    """A batch that says what its block is called with, besides what it says itself."""
    return {**(batch if isinstance(batch, Mapping) else {}), ENTERED: calls}


def _tensors(calls: Sequence[Call]) -> list[Tensor]:
    return [leaf for leaf in tree_flatten(list(calls))[0] if isinstance(leaf, Tensor)]


def _copied(call: Call) -> Call:
    return tree_map(lambda leaf: leaf.detach().clone() if isinstance(leaf, Tensor) else copy.deepcopy(leaf), call)


def _moved(leaf: Any) -> Any:
    return leaf + 1 if isinstance(leaf, Tensor) and leaf.is_floating_point() else leaf
