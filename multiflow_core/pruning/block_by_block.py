"""The walk of methods that prune a model block by block, each on what the blocks before it, pruned, have left of the signal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Any

from torch import Tensor, nn

from ..calibration.doors import ENTERED, Door, with_calls
from ..calibration.evidence import Forward
from ..calibration.samples import Samples, check_used, siblings_of
from ..calibration.side_by_side import Pairing, Sums
from ..support.digits import digits
from ..support.memory import check_memory
from ..support.threads import Progress
from ..weights.layers import PrunableLayer
from ..weights.masks import rebuilt
from ..weights.wrappers import parameters_of, unwrapped
from .layer_by_layer import Prune, Pruned, prune_matrices
from .shelf import Shelf
from .solved_order import Request, Solution


@dataclass(frozen=True)
class Way:
    """Batches for the dense and for the pruned model, and how they go through either."""

    ours: Iterable[Any]
    others: Iterable[Any]
    forward: Forward


class Walk:
    """Goes through a model's blocks in the order of the signal, once for every sparsity that is asked for.

    What is solved is kept until the last block is: a walk that is ended on its way goes on with the next block, and ends with the
    same bits; with a folder (the option `kept`) in another process, too. Besides the model it holds the new weights, and the sums
    of one block. Those who solve matrices otherwise than by so many zeros each override `_pruned` and `_values`.

    Args:
        request: what `rank` was asked. samples: the batches that go through both models.
        pruned_inputs: whether a layer is solved on what the pruned model gives it, or on what the dense one does.
        whole_blocks: whether all matrices of a block are solved at once, or only those that read the same: then each makes up
            for what those before it in the block have lost, too.
    """

    _constant = False  # whether the sums have a row for a constant input, too: see `Pairing`

    def __init__(self, request: Request, samples: Samples, pruned_inputs: bool = True, whole_blocks: bool = False):
        self._request, self._samples, self._pruned_inputs = request, samples, pruned_inputs
        self._whole_blocks = whole_blocks or not pruned_inputs
        self._model = unwrapped(request.model)
        check_used(request.method.title, samples, request.layers)
        reads = {layer.name: layer for layer in samples.layers}
        self._layers = tuple(reads.get(layer.name, layer) for layer in request.layers)
        self._count, self._solved, self._looked = None, {}, None

    @cached_property
    def _dense(self) -> nn.Module:
        """A copy around the same tensors: passes end early, and others use the model at the same time."""
        return rebuilt(self._model, {})

    @cached_property
    def blocks(self) -> list[list[int]]:
        """The layers of each block, by number, the block first that is used first."""
        first = self._samples.order()
        blocks: dict[str, list[int]] = {}
        for i, layer in enumerate(self._layers):
            blocks.setdefault(layer.part, []).append(i)
        return sorted(blocks.values(), key=lambda block: min(first[self._layers[i].name] for i in block))

    @cached_property
    def _siblings(self) -> dict[str, str]:
        """{layer: the first of those that read the very same tensor}"""
        found: dict[str, str] = {}
        for batches in (self._samples.questions, self._samples.pairs):  # where they differ, pairs decide
            for batch in islice(batches, 1):
                found |= siblings_of(self._dense, self._layers, batch, self._samples.forward)
        return found

    def stages(self, block: Sequence[int]) -> list[list[int]]:
        """The layers of a block that are solved at once, in the order of their use."""
        if self._whole_blocks or len(block) == 1:
            return [list(block)]
        first, stages = self._samples.order(), {}
        for i in sorted(block, key=lambda i: first[self._layers[i].name]):
            name = self._layers[i].name
            stages.setdefault(self._siblings.get(name, name), []).append(i)
        return list(stages.values())

    def solve(self, counts: Sequence[int], prune: Prune, progress: Progress) -> Solution:
        """So many weights of every layer pruned."""
        counts = [int(count) for count in counts]
        if counts != self._count:
            self._count, self._solved, self._looked = counts, {}, None
        shelf = Shelf(folder := self._request.options.get("kept", ""), self._asked() if folder else "")
        for number, block in enumerate(self.blocks):
            if all(i in self._solved for i in block):
                continue
            found = shelf.get(number)
            if found is None:
                shelf.put(number, found := self._block(number, block, prune, progress))
            self._solved |= found
        shelf.clear()
        solved, self._solved, self._looked, self._count = self._solved, {}, None, None
        return Solution([solved[i][0] for i in range(len(counts))], [solved[i][1] for i in range(len(counts))])

    def _asked(self) -> str:
        """Digits that stand for the model, the samples, the options and the counts."""
        options = {name: value for name, value in self._request.options.items() if name != "kept"}
        weights = (tensor for _, tensor in sorted(self._model.state_dict().items()))
        layers = (layer.name for layer in self._layers)
        return digits(chain([options, self._count], layers, weights, self._samples))

    def _block(self, number: int, block: list[int], prune: Prune, progress: Progress) -> Mapping[int, Pruned]:
        """Every matrix of a block, stage by stage."""
        stages, title, blocks = self.stages(block), self._request.method.title, len(self.blocks)
        self._check_room([self._layers[i] for i in block])
        batches, done = len(self._samples.uses), 0
        steps = (batches + 1) * len(stages) + batches * (len(stages) > 1)

        def report() -> None:
            nonlocal done
            done += 1
            progress((number + done / steps) / blocks, f"{title}: block {number + 1} of {blocks}")

        found: dict[int, Pruned] = {}
        pruned = self._partly(found)
        way = Way(*self._batches(pruned), self._samples.forward)
        if len(stages) > 1:
            way = self._inside(block, way, pruned)
            for _ in range(batches):
                report()
        for stage in stages:
            found |= self._stage(stage, way, pruned, prune, report)
            pruned = self._partly(found)
        return found

    def _stage(
        self, stage: Sequence[int], way: Way, pruned: nn.Module, prune: Prune, report: Callable
    ) -> dict[int, Pruned]:
        """Matrices that are solved at once."""
        layers = [self._layers[i] for i in stage]
        pairing = Pairing(layers, self._samples.uses, self._constant)
        sums, found = pairing.over(self._dense, pruned, way.ours, way.forward, report, way.others), {}
        for i, layer in zip(stage, layers, strict=True):
            own = _solvable(sums.pop(layer.name))
            found[i] = self._pruned(i, layer, own, prune)
        report()
        return found

    def _pruned(self, i: int, layer: PrunableLayer, sums: Sums, prune: Prune) -> Pruned:
        """One matrix, from what it reads in either model."""
        weight = self._request.weights[i].to(sums.products.device)
        keep, new = prune_matrices(layer, weight, sums, self._count[i], prune)
        return keep, self._request.weights.like_dense(i, new)

    def _inside(self, block: Sequence[int], whole: Way, pruned: nn.Module) -> Way:
        """Only through a block, with what enters it in both models, where that can be; else all the way."""
        door, uses = Door.of([self._layers[i] for i in block]), self._samples.uses
        entered = [door.entered(self._dense, whole.ours, whole.forward, uses)]
        if entered[0]:
            entered.append(door.entered(pruned, whole.others, whole.forward, uses))
        if not all(entered):
            return whole
        both = ([with_calls(*pair) for pair in zip(whole.ours, calls, strict=True)] for calls in entered)
        return Way(*both, lambda model, batch: door.again(model, batch[ENTERED]))

    def _batches(self, pruned: nn.Module) -> tuple[Iterable[Any], Iterable[Any]]:
        """For the dense and the pruned model. Once all is solved that reads pictures, they are not looked at any more."""
        eye = self._samples.eye(self._model)
        left = (layer.name for i, layer in enumerate(self._layers) if i not in self._solved)
        if not eye or any(name.startswith(f"{eye}.") for name in left):
            return self._samples, self._samples
        if self._looked is None:
            self._looked = self._samples.looked(self._dense), self._samples.looked(pruned)
        return self._looked

    def _partly(self, more: Mapping[int, Pruned]) -> nn.Module:
        """What layers are solved on: the model with all blocks pruned that are solved so far, and more layers; or the dense one."""
        if not self._pruned_inputs:
            return self._dense
        parameters = parameters_of(self._model)
        new = {}
        for i, solved in (self._solved | dict(more)).items():
            for name, value in self._values(i, solved):
                dense = parameters[name]
                new[id(dense)] = nn.Parameter(value.to(dense.device), requires_grad=False)
        return rebuilt(self._model, new)

    def _values(self, i: int, solved: Pruned) -> Iterable[tuple[str, Tensor]]:
        """What a matrix that is solved gives new values: (parameter name, values)."""
        return [(self._layers[i].name, solved[1])]

    def _check_room(self, layers: Sequence[PrunableLayer]) -> None:
        # two sums each; while one is solved, in float64, about eight more of the largest
        sides = [(layer.inputs // layer.experts) ** 2 * layer.experts for layer in layers]
        what = f"{self._request.method.title} holds two matrices for every layer of {layers[0].part}"
        check_memory(4 * (2 * sum(sides) + 8 * max(sides)), what, "prune fewer layers")


def _solvable(sums: Sums) -> Sums:
    """Sums where there are numbers of 64 bits: Apple's GPUs have none."""
    return Sums(sums.products.cpu(), sums.crossed.cpu()) if sums.products.device.type == "mps" else sums
