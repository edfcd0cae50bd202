"""Units that can go from a model of transformers so that an ordinary, smaller one is left: what its config can say.

Nothing is looked up by names of families. A field of the config is changed by one and the model built anew without any numbers in
it: what has become narrower is what the field decides. Hidden units of feed-forward blocks are said by nearly every config; heads
only where their width is a number of its own (`head_dim`), as in Llama, Qwen or Gemma: the classes of BLIP, CLIP, SigLIP and BERT
divide their hidden size by the number of heads, and fewer heads would only be wider ones.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import torch
from torch import nn

from ..weights.layers import OUT_IN, PrunableLayer
from ..weights.wrappers import unwrapped
from .layout import prunable_layers

NEURONS, HEADS = "neurons", "heads"
WIDTHS = ("intermediate_size", "ffn_dim", "encoder_ffn_dim", "decoder_ffn_dim", "d_ff", "mlp_dim", "n_inner")
DEPTH = "num_hidden_layers"
_HEADS, _GROUPS = "num_attention_heads", "num_key_value_heads"

Fields = dict[str, int]  # {path in the config, "vision_config.intermediate_size": how much of it a unit is}


@dataclass(frozen=True)
class Side:
    """A matrix that units are rows of, or columns: so many of them each."""

    layer: PrunableLayer
    each: int = 1


@dataclass(frozen=True)
class Part:
    """A part of a block whose units are written by some matrices, row by row, and read by one, column by column.

    Attributes:
        kind: "neurons", hidden units between two matrices of a feed-forward block, or "heads" of attention.
        units: how many there are. writers: the matrices that write them; of a gated block two. reader: the one that reads them.
        fields: what the config says of them, the same for every part of a tower.
    """

    kind: str
    units: int
    writers: tuple[Side, ...]
    reader: Side
    fields: tuple[tuple[str, int], ...]

    @property
    def tower(self) -> str:
        """What tells the parts that all have the same width."""
        return " ".join(path for path, _ in self.fields)

    @property
    def layers(self) -> tuple[PrunableLayer, ...]:
        """Its matrices."""
        return (*(side.layer for side in self.writers), self.reader.layer)


def units_of(
    model: nn.Module, layers: Sequence[PrunableLayer] | None = None, kinds: Sequence[str] = (NEURONS,)
) -> tuple[Part, ...]:
    """The parts of a model whose units its config can say the number of, in the model's order.

    >>> from multiflow_core import load
    >>> parts = units_of(load("flatland-blip").model)
    >>> len(parts), parts[0].units, parts[0].tower, [layer.title for layer in parts[0].layers]
    (14, 768, 'vision_config.intermediate_size', ['vision 0 fc1', 'vision 0 fc2'])

    Raises:
        ValueError: the model is none of transformers, or its config cannot say so of any.
    """
    model = unwrapped(model)
    if not hasattr(model, "config"):
        raise ValueError(f"{type(model).__name__} has no config that could say how many units it has")
    known = {layer.name: layer for layer in (prunable_layers(model) if layers is None else layers)}
    found = [
        part for kind in kinds for fields in _fields(model.config, kind) for part in _parts(model, known, kind, fields)
    ]
    if not found:
        raise ValueError(
            f"the config of {type(model).__name__} cannot say of any block how many {' or '.join(kinds)} it has: nothing can be "
            "taken out of it so that an ordinary model is left"
        )
    places = {name: place for place, name in enumerate(known)}
    return tuple(sorted(found, key=lambda part: places[part.reader.layer.name]))


@dataclass(frozen=True)
class Stack:
    """A list of blocks, one after the other, and the place in the config that says how many there are."""

    path: str
    count: int
    field: str

    def block(self, number: int) -> str:
        """The path of one of its blocks."""
        return f"{self.path}.{number}"


def stacks_of(model: nn.Module) -> tuple[Stack, ...]:
    """The lists of blocks whose length the config says of them alone.

    >>> from multiflow_core import load
    >>> stacks_of(load("flatland-blip").model)
    (Stack(path='vision_model.encoder.layers', count=6, field='vision_config.num_hidden_layers'),)

    Its text encoder and decoder are told their length by one number: nothing could go from one of them.
    """
    model = unwrapped(model)
    here, found = {name for name, _ in model.named_parameters()}, []
    for path, own in _configs(model.config):
        count = getattr(own, DEPTH, None)
        if not _whole(count) or count < 2:
            continue
        try:
            gone = here - {name for name, _ in blank(model, {path + DEPTH: count - 1}).named_parameters()}
        except ValueError:
            continue
        lists = {name.partition(f".{count - 1}.")[0] for name in gone}
        if len(lists) == 1:
            found.append(Stack(lists.pop(), count, path + DEPTH))
    return tuple(found)


def changed(config: Any, values: Mapping[str, int]) -> Any:
    """A copy of a config with other values in some places.

    >>> from transformers import CLIPConfig
    >>> changed(CLIPConfig(), {"text_config.intermediate_size": 8}).text_config.intermediate_size
    8
    """
    new = copy.deepcopy(config)
    for path, value in values.items():
        *inner, field = path.split(".")
        place = new
        for name in inner:
            place = getattr(place, name)
        setattr(place, field, value)
    return new


def value_of(config: Any, path: str) -> int:
    """What stands at a place of a config."""
    for name in path.split("."):
        config = getattr(config, name)
    return config


def blank(model: nn.Module, values: Mapping[str, int]) -> nn.Module:
    """The same kind of model by a changed config, without any numbers in it; ValueError where there is none."""
    try:
        with torch.device("meta"):
            return type(model)(changed(model.config, values))
    except Exception as error:  # whatever a class asks of its config
        said = str(error).partition("\n")[0]
        raise ValueError(f"{type(model).__name__} cannot be built with {dict(values)} ({said})") from None


def _configs(config: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every config inside a config, with the path to it."""
    yield path, config
    for name, inner in vars(config).items():
        if hasattr(inner, "model_type") and hasattr(inner, "to_dict"):
            yield from _configs(inner, f"{path}{name}.")


def _fields(config: Any, kind: str) -> Iterator[Fields]:
    for path, own in _configs(config):
        said = {name: value for name in (*WIDTHS, _HEADS, _GROUPS) if _whole(value := getattr(own, name, None))}
        if kind == NEURONS:
            yield from ({path + name: 1} for name in WIDTHS if said.get(name, 0) > 1)
        elif said.get(_HEADS, 0) > 1:
            groups = said.get(_GROUPS, said[_HEADS])
            if groups > 1 and said[_HEADS] % groups == 0:  # queries that share a key and a value go together
                yield {path + _HEADS: said[_HEADS] // groups} | ({path + _GROUPS: 1} if _GROUPS in said else {})


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _parts(model: nn.Module, known: Mapping[str, PrunableLayer], kind: str, fields: Fields) -> list[Part]:
    """What becomes narrower when the config says one unit less; nothing unless all of that can be cut."""
    narrower = {path: value_of(model.config, path) - each for path, each in fields.items()}
    try:
        shapes = {name: p.shape for name, p in blank(model, narrower).named_parameters()}
    except ValueError:
        return []
    first, each = next(iter(fields.items()))
    units = value_of(model.config, first) // each
    writers: dict[str, Side] = {}
    readers: dict[str, Side] = {}
    vectors = []
    for name, tensor in model.named_parameters():
        if shapes.get(name) == tensor.shape:
            continue
        less = [a - b for a, b in zip(tensor.shape, shapes.get(name, ()), strict=False)]
        if name in known and known[name].stored == OUT_IN and len(less) == 2 and sorted(less)[0] == 0:
            side = Side(known[name], max(less))
            (writers if less[0] else readers)[name] = side
            if side.each * units != tensor.shape[0 if less[0] else 1]:
                return []
        elif len(less) == 1 and name.endswith(".bias"):
            vectors.append(name)
        else:
            return []  # such as a norm over all hidden units, which is another one once some are gone
    if {name.removesuffix("bias") + "weight" for name in vectors} - writers.keys():
        return []
    groups: dict[str, list[Side]] = {name: [] for name in readers}
    for name, side in writers.items() if readers else ():
        groups[max(readers, key=lambda reader: _together(reader, name))].append(side)
    if not readers or not all(groups.values()):
        return []
    return [Part(kind, units, tuple(group), readers[name], tuple(fields.items())) for name, group in groups.items()]


def _together(a: str, b: str) -> int:
    """How many modules two parameters are both in.

    >>> _together("layers.1.fc1.weight", "layers.1.fc2.weight")
    2
    """
    pairs = zip(a.split("."), b.split("."), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
