"""Masks: which weights are kept. Combine them, compare them, apply them, save them at one bit per weight."""

from __future__ import annotations

import copy
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..support.files import read_safetensors, write_safetensors
from ..support.registry import unknown_name
from ..support.tables import Share, table
from .foreign import translated
from .saved import is_pickle, masks_in, read_pickle
from .wrappers import parameters_of, unwrapped

_FORMAT = "multiflow-masks"
_BITS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}  # as wide as a float of so many bytes


@dataclass(frozen=True)
class Bits:
    """A mask at one bit per weight.

    >>> Bits.of(torch.tensor([[True, False, True]])).mask()
    tensor([[ True, False,  True]])
    """

    packed: np.ndarray
    shape: tuple[int, ...]

    @classmethod
    def of(cls, mask: Tensor) -> Bits:
        return cls(np.packbits(mask.cpu().numpy()), tuple(mask.shape))

    def mask(self) -> Tensor:
        bits = np.unpackbits(self.packed, count=math.prod(self.shape))
        return torch.from_numpy(bits.view(np.bool_).reshape(self.shape))


class Masks(Mapping[str, Tensor]):
    """An immutable mapping {parameter name: bool tensor}, True where the weight is kept.

    >>> masks = Masks({"fc.weight": torch.tensor([[True, False], [True, True]])})
    >>> masks.sparsity
    0.25
    >>> (~masks).layer_sparsity()
    {'fc.weight': 0.75}

    `&` keeps what both keep, `|` what either keeps, `~` what was pruned. ValueError for tensors that are
    not bool, and for operands whose layers differ. Masks of large models are held as `Bits`, each unpacked when it is asked for.
    """

    def __init__(self, masks: Mapping[str, Tensor | Bits]):
        for name, mask in masks.items():
            if not isinstance(mask, Bits) and not (isinstance(mask, Tensor) and mask.dtype == torch.bool):
                raise ValueError(f"the mask of {name} must be a bool tensor")
        self._masks = dict(masks)
        self._pruned: dict[str, int] | None = None

    def __getitem__(self, name: str) -> Tensor:
        held = self._masks[name]
        return held.mask() if isinstance(held, Bits) else held

    def __iter__(self) -> Iterator[str]:
        return iter(self._masks)

    def __len__(self) -> int:
        return len(self._masks)

    def __repr__(self) -> str:
        return f"Masks({len(self)} layers, {self.total} weights, sparsity {self.sparsity:.4f})"

    def _repr_html_(self) -> str:
        """The layers in a notebook.

        >>> "75.0 %" in Masks({"fc": torch.tensor([[True, False], [False, False]])})._repr_html_()
        True
        """
        rows = [(name, self._size(name), Share(share)) for name, share in self.layer_sparsity().items()]
        title = f"{self.pruned:,} of {self.total:,} weights pruned ({self.sparsity:.2%})"
        return table(title, ("layer", "weights", "pruned"), rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return self.keys() == other.keys() and all(torch.equal(mask, other[name]) for name, mask in self.items())

    __hash__ = None

    @property
    def total(self) -> int:
        """The number of weights, kept or not."""
        return sum(map(self._size, self))

    def _size(self, name: str) -> int:
        return math.prod(self._masks[name].shape)

    @property
    def pruned(self) -> int:
        """The number of weights pruned."""
        return sum(self._pruned_counts().values())

    @property
    def sparsity(self) -> float:
        """The fraction pruned, 0..1 (0 for no layers at all)."""
        return self.pruned / self.total if self.total else 0.0

    def layer_sparsity(self) -> dict[str, float]:
        """The fraction pruned of every layer."""
        return {name: count / max(self._size(name), 1) for name, count in self._pruned_counts().items()}

    def dead_neurons(self) -> dict[str, tuple[int, int]]:
        """How many outputs (rows) and inputs (columns) of every layer are left without a single weight.

        >>> Masks({"w": torch.tensor([[True, False], [False, False]])}).dead_neurons()
        {'w': (1, 1)}
        """
        return {name: (int((~mask.any(-1)).sum()), int((~mask.any(-2)).sum())) for name, mask in self.items()}

    def _pruned_counts(self) -> dict[str, int]:
        if self._pruned is None:
            self._pruned = {name: mask.numel() - int(mask.count_nonzero()) for name, mask in self.items()}
        return self._pruned

    def __and__(self, other: Masks) -> Masks:
        return Masks({name: a & b for name, a, b in self._pairs(other)})

    def __or__(self, other: Masks) -> Masks:
        return Masks({name: a | b for name, a, b in self._pairs(other)})

    def __invert__(self) -> Masks:
        return Masks({name: ~mask for name, mask in self.items()})

    def iou(self, other: Masks) -> float:
        """Kept by both / kept by either, over all weights; 1.0 if neither keeps any.

        >>> a = Masks({"w": torch.tensor([True, True, False])})
        >>> b = Masks({"w": torch.tensor([False, True, True])})
        >>> round(a.iou(b), 3), {name: round(iou, 3) for name, iou in a.layer_iou(b).items()}
        (0.333, {'w': 0.333})
        """
        counts = [_overlap(a, b) for _, a, b in self._pairs(other)]
        return _ratio(sum(both for both, _ in counts), sum(either for _, either in counts))

    def layer_iou(self, other: Masks) -> dict[str, float]:
        """The same for every layer."""
        return {name: _ratio(*_overlap(a, b)) for name, a, b in self._pairs(other)}

    def _pairs(self, other: Masks) -> Iterator[tuple[str, Tensor, Tensor]]:
        if self.keys() != other.keys():
            other_than = next(iter(self.keys() ^ other.keys()))
            raise ValueError(
                f"masks of different layers cannot be combined or compared, and only one side has {other_than}: "
                "take `only` those that both have"
            )
        for name, mask in self.items():
            if mask.shape != other[name].shape:
                raise ValueError(f"the masks of {name} have different shapes")
            yield name, mask, other[name]

    def save(self, path: str | os.PathLike) -> Path:
        """Write one safetensors file, one bit per weight, atomically.

        >>> import tempfile
        >>> masks = Masks({"w": torch.rand(3, 5) > 0.5})
        >>> Masks.load(masks.save(Path(tempfile.mkdtemp()) / "masks.safetensors")) == masks
        True
        """
        bits = {name: held if isinstance(held, Bits) else Bits.of(held) for name, held in self._masks.items()}
        packed = {name: torch.from_numpy(held.packed) for name, held in bits.items()}
        shapes = json.dumps({name: list(held.shape) for name, held in bits.items()})
        return write_safetensors(path, packed, {"format": _FORMAT, "version": "1", "shapes": shapes})

    @classmethod
    def load(cls, path: str | os.PathLike) -> Masks:
        """Read what `save` wrote, or the masks of the paper's authors; ValueError when the file is something else, or damaged.

        Theirs are of torch.save, alone or among the weights of a checkpoint, as `NAME_pruning_mask`; names are those of the
        models here, whatever the model of the authors calls them.
        """
        if is_pickle(path):
            return cls._of_authors(path)
        packed, metadata = read_safetensors(path)
        if metadata.get("format") != _FORMAT:
            raise ValueError(f"{os.fspath(path)} holds no masks")
        shapes = _shapes(path, metadata.get("shapes", ""))
        for name in packed:
            if name not in shapes:
                raise ValueError(f"{os.fspath(path)} is damaged: it does not say which shape the mask of {name} has")
        return cls({name: _held(path, name, packed, shape) for name, shape in shapes.items()})

    @classmethod
    def _of_authors(cls, path: str | os.PathLike) -> Masks:
        found = translated(masks_in(read_pickle(path)))
        # theirs are of biases, too, of which nothing goes
        found = {name: mask for name, mask in found.items() if mask.ndim > 1 or not mask.all()}
        if not found:
            raise ValueError(f"{os.fspath(path)} holds no masks")
        return cls(found)

    def only(self, names: Iterable[str]) -> Masks:
        """The masks of these layers alone; names that have none here are left out.

        >>> Masks({"a": torch.tensor([True]), "b": torch.tensor([False])}).only(["b", "c"]).sparsity
        1.0
        """
        return Masks({name: self._masks[name] for name in names if name in self})

    def beside(self, other: Masks, names: Iterable[str]) -> Masks:
        """These masks and another's of other layers, in the order of the names.

        >>> list(Masks({"a": torch.tensor([True])}).beside(Masks({"b": torch.tensor([True])}), ["b", "a"]))
        ['b', 'a']
        """
        held = {**self._masks, **other._masks}
        return Masks({name: held[name] for name in names})

    def apply(self, model: nn.Module, weights: Mapping[str, Tensor] | None = None) -> nn.Module:
        """A new module with the pruned weights zero; everything else is shared with `model`, not copied.

        >>> dense = nn.Linear(2, 1)
        >>> pruned = Masks({"weight": torch.tensor([[True, False]])}).apply(dense)
        >>> pruned.weight[0, 1].item(), pruned.bias is dense.bias, bool((dense.weight == 0).any())
        (0.0, True, False)

        `model` is never modified, and none of its hooks are carried over. Masked weights are new Parameters
        of the same dtype, device and requires_grad; a weight used in several places stays one. Train the
        result only after copying it (`copy.deepcopy`): unpruned tensors are the dense model's own.

        Args:
            model: the dense model; of a wrapper (DataParallel, torch.compile, peft) the model inside is taken.
            weights: {parameter name: new weight} of a method that updates the survivors (`order.weights(sparsity)`).

        Raises:
            ValueError: a mask or weight whose name or shape does not fit, or two masks that contradict each other.
        """
        return rebuilt(unwrapped(model), self._masked(model, weights or {}))

    def _masked(self, model: nn.Module, weights: Mapping[str, Tensor]) -> dict[int, nn.Parameter]:
        """{id of a dense parameter: its masked version}."""
        for name in weights:
            if name not in self:
                raise unknown_name("mask", name, self)
        parameters = parameters_of(model)
        applied: dict[int, str] = {}
        new: dict[int, nn.Parameter] = {}
        for name, mask in self.items():
            if name not in parameters:
                raise unknown_name("parameter of the model", name, parameters)
            dense = parameters[name]
            if dense.shape != mask.shape:
                raise ValueError(f"the mask of {name} is {tuple(mask.shape)}, the weight {tuple(dense.shape)}")
            if id(dense) in applied and not torch.equal(self[applied[id(dense)]], mask):
                raise ValueError(f"{name} shares its weight with another layer that has a different mask")
            applied[id(dense)] = name
            values = weights.get(name, dense).detach().to(device=dense.device, dtype=dense.dtype)
            if values.shape != mask.shape:
                raise ValueError(f"the new weight of {name} is {tuple(values.shape)}, the mask {tuple(mask.shape)}")
            zeroed = _zeroed(values, mask.to(dense.device))
            new[id(dense)] = nn.Parameter(zeroed, requires_grad=dense.requires_grad)
        return new


def _zeroed(values: Tensor, keep: Tensor) -> Tensor:
    """A copy with zeros where nothing is kept.

    >>> _zeroed(torch.tensor([-1.0, float("inf"), 2.0]), torch.tensor([False, False, True])).tolist()
    [0.0, 0.0, 2.0]

    The product is that of the bits as whole numbers: of floats, -1.0 * 0 would leave -0.0, and inf * 0 nan. `masked_fill` gives
    the same ten times as slowly.
    """
    bits = values.view(_BITS[values.element_size()])
    return (bits * keep).view(values.dtype)


def zero_out(values: Tensor, keep: Tensor) -> None:
    """The same in place, +0.0 where nothing is kept."""
    values.view(_BITS[values.element_size()]).mul_(keep)


def rebuilt(model: nn.Module, replacements: Mapping[int, Tensor]) -> nn.Module:
    """A new module around the same tensors, but for {id of a tensor: the one to take instead}; without hooks."""
    memo: dict[int, Any] = {id(tensor): tensor for tensor in tensors_of(model)}
    memo.update(replacements)
    for module in model.modules():
        memo.update({id(v): type(v)() for k, v in vars(module).items() if "_hooks" in k and isinstance(v, dict)})
    copied = copy.deepcopy(model, memo)
    for module in copied.modules():
        # transformers collects hidden states by hooks: the copy has none, and must not believe that it has
        vars(module).pop("_output_capturing_hooks_installed", None)
    return copied


def tensors_of(model: nn.Module) -> Iterator[Tensor]:
    """Parameters, buffers and plain tensor attributes."""
    for module in model.modules():
        for owner in (module._parameters, module._buffers, vars(module)):
            yield from (value for value in owner.values() if isinstance(value, Tensor))


def _overlap(a: Tensor, b: Tensor) -> tuple[int, int]:
    both = int((a & b).count_nonzero())  # a sum of bools takes a hundred times as long
    return both, int(a.count_nonzero()) + int(b.count_nonzero()) - both


def _ratio(both: int, either: int) -> float:
    return both / either if either else 1.0


def _shapes(path: str | os.PathLike, text: str) -> dict[str, list[int]]:
    """{parameter name: shape}, as it is written in the file."""
    try:
        shapes = json.loads(text)
        right = isinstance(shapes, dict) and all(
            isinstance(shape, list) and all(type(side) is int and side >= 0 for side in shape)
            for shape in shapes.values()
        )
    except (ValueError, RecursionError):
        right = False
    if not right:
        raise ValueError(f"{os.fspath(path)} is damaged: it does not say which masks it holds")
    return shapes


def _held(path: str | os.PathLike, name: str, packed: Mapping[str, Tensor], shape: list[int]) -> Bits:
    size = math.prod(shape)
    if name not in packed or packed[name].dtype != torch.uint8 or packed[name].numel() != (size + 7) // 8:
        raise ValueError(f"{os.fspath(path)} is damaged: the mask of {name} is missing or has a wrong size")
    return Bits(packed[name].numpy(), tuple(shape))
