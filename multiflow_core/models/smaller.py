"""A model with fewer units: an ordinary one of its class, by a changed config, around what is left of the tensors."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor, nn

from ..weights.wrappers import unwrapped
from .units import Part, Stack, blank, value_of

Kept = Mapping[str, Tensor]  # {name of a part's reader: bool (units,)}


def widths(config, parts: Sequence[Part], kept: Kept) -> dict[str, int]:
    """{place in the config: what it says then}; ValueError where the parts of a tower keep different numbers of units."""
    found: dict[str, int] = {}
    for part in parts:
        if part.reader.layer.name not in kept:
            continue
        units = int(kept[part.reader.layer.name].sum())
        for path, each in part.fields:
            if found.setdefault(path, units * each) != units * each:
                raise ValueError(
                    f"every block that {path} is about keeps as many units: {found[path] // each} and {units}"
                )
    return {path: value for path, value in found.items() if value != value_of(config, path)}


def smaller(
    model: nn.Module,
    parts: Sequence[Part],
    kept: Kept,
    gone: Mapping[Stack, Collection[int]] = MappingProxyType({}),
) -> nn.Module:
    """The model without some of its units, and without some of its blocks. What is left whole is shared with it, not copied.

    >>> from multiflow_core import load
    >>> from multiflow_core.models.units import units_of
    >>> model = load("flatland-blip").model
    >>> parts = [part for part in units_of(model) if "vision" in part.tower]
    >>> half = {part.reader.layer.name: torch.arange(768) < 384 for part in parts}
    >>> small = smaller(model, tuple(parts), half)
    >>> small.config.vision_config.intermediate_size, small.vision_model.encoder.layers[0].mlp.fc1.weight.shape
    (384, torch.Size([384, 192]))

    Args:
        kept: which units stay, the same number in every part of a tower; parts that are not named keep all.
        gone: the numbers of blocks that go.
    """
    model = unwrapped(model)
    values = widths(model.config, parts, kept)
    new = blank(model, values | {stack.field: stack.count - len(numbers) for stack, numbers in gone.items()})
    cuts = _cuts(parts, kept)
    tensors = dict(model.named_parameters(remove_duplicate=False)) | dict(model.named_buffers(remove_duplicate=False))
    made: dict[int, Tensor] = {}  # a weight that is used in several places stays one
    for path, module in new.named_modules():
        for held in (module._parameters, module._buffers):
            for own in [name for name, tensor in held.items() if tensor is not None]:
                name = _was(f"{path}.{own}".lstrip("."), gone)
                dense = tensors[name]
                if id(dense) not in made:
                    made[id(dense)] = _cut(dense, cuts.get(name, ()))
                found, there = tuple(made[id(dense)].shape), tuple(held[own].shape)
                if found != there:
                    raise ValueError(f"{name} is {found} where the smaller model has {there}")
                held[own] = made[id(dense)]
    for name in ("generation_config", "held"):
        if name in vars(model):
            setattr(new, name, getattr(model, name))
    return new.train(model.training)


def _was(name: str, gone: Mapping[Stack, Collection[int]]) -> str:
    """What a tensor was called before blocks went.

    >>> _was("layers.1.fc1.weight", {Stack("layers", 4, "depth"): {0, 2}})
    'layers.3.fc1.weight'
    """
    for stack, numbers in gone.items():
        if name.startswith(f"{stack.path}."):
            number, _, rest = name.removeprefix(f"{stack.path}.").partition(".")
            left = [n for n in range(stack.count) if n not in numbers]
            return f"{stack.block(left[int(number)])}.{rest}"
    return name


def _cuts(parts: Sequence[Part], kept: Kept) -> dict[str, tuple[tuple[int, Tensor], ...]]:
    """{parameter: (side, which of its rows or columns stay)}"""
    found: dict[str, tuple[tuple[int, Tensor], ...]] = {}
    for part in parts:
        units = kept.get(part.reader.layer.name)
        if units is None:
            continue
        for side in part.writers:
            rows = units.repeat_interleave(side.each)
            found[side.layer.name] = (*found.get(side.layer.name, ()), (0, rows))
            found[bias_of(side.layer.name)] = ((0, rows),)
        reader = part.reader
        found[reader.layer.name] = (*found.get(reader.layer.name, ()), (1, units.repeat_interleave(reader.each)))
    return found


def bias_of(name: str) -> str:
    """The name of the bias beside a weight."""
    return f"{name.removesuffix('weight')}bias"


def _cut(dense: Tensor, cuts: tuple[tuple[int, Tensor], ...]) -> Tensor:
    if not cuts:
        return dense
    with torch.no_grad():
        for side, keep in cuts:
            dense = dense.index_select(side, keep.nonzero()[:, 0].to(dense.device))
    return nn.Parameter(dense, requires_grad=dense.requires_grad)
