"""The layout of a model: which weights may be pruned, each exactly once, and why the others are left dense."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from torch import nn

from ..families import family_of
from ..support.tables import table
from ..weights.layers import OUT_IN, PrunableLayer, linear_weights, storages
from ..weights.wrappers import check_plain, unwrapped
from .reasons import NEVER_RAN, held_back, reasons
from .streams import modalities_of
from .tracing import has_rows, trace

# Only for what neither a family nor a configuration knows, and only when there is no data to trace: words in the path.
_PATH_WORDS = (
    ("fusion", re.compile(r"fusion|cross|multi_?modal", re.I)),
    ("vision", re.compile(r"vision|visual|image|img|pixel", re.I)),
    ("text", re.compile(r"text|language|bert|gpt", re.I)),
)


class Calibrated(Protocol):
    """What is asked of statistics here: the layers that ran."""

    layers: tuple[PrunableLayer, ...]


def prunable_layers(
    model: nn.Module, *, batch: Any = None, forward: Callable[[nn.Module, Any], Any] | None = None
) -> tuple[PrunableLayer, ...]:
    """The layout of a model: every weight that may be pruned, each exactly once, in the model's order.

    >>> model = nn.ModuleDict({"vision": nn.Linear(4, 3), "text": nn.Linear(5, 3)})
    >>> [(layer.name, layer.shape, layer.modality) for layer in prunable_layers(model)]
    [('vision.weight', (3, 4), 'vision'), ('text.weight', (3, 5), 'text')]

    Args:
        model: any module. A family that knows its weights decides (`multiflow_core.families`). Of other models of
            transformers, all linear weights of blocks count; output heads, poolers, classifiers, routers and projections
            stay dense (`left_dense` says why). Of any other module every linear weight counts, except output heads tied to
            an embedding. A wrapper (DataParallel, torch.compile, peft) is looked into.
        batch: one batch of data. Where neither a family nor a sub-model's configuration says it, modalities are then
            *traced* (by changing the image and the text and watching whose inputs change) instead of guessed from path
            words. All layers of a block in which image and text meet count as fusion: its cross-attention's keys see
            the image alone, but what they compute goes nowhere else.
        forward: `forward(model, batch)` runs the model; default `model(**batch)`.

    Returns:
        A tuple of PrunableLayer. A weight registered at several places appears once, under its first name.

    Raises:
        ValueError: a linear layer's weight is not a parameter (torch.nn.utils.prune, weight_norm), or adapters that cannot
            be merged.
    """
    model = unwrapped(model)
    check_plain(model)
    family = family_of(model)
    if family is not None and not family.general:
        return Layers(family.layout(model))
    layers = Layers(_generic_layers(model))
    if batch is None:
        return layers
    known = modalities_of(model)
    if not has_rows(batch) and all(_of_part(layer.name, known) for layer in layers):
        return layers  # three passes over the whole batch would only say again what each layer reads
    seen = trace(model, batch, forward)
    blocks = _blocks(layers)
    fusing = {blocks[name] for name, inputs in seen.items() if len(inputs) == 2 and name in blocks}
    return Layers(
        _traced(layer, seen.get(layer.name, frozenset()), blocks[layer.name] in fusing, _of_part(layer.name, known))
        for layer in layers
    )


class Layers(tuple[PrunableLayer, ...]):
    """A layout, which a notebook shows as a table.

    >>> "fc1" in Layers([PrunableLayer("a.weight", (2, 3), "text", "text 0", "fc1")])._repr_html_()
    True
    """

    def _repr_html_(self) -> str:
        rows = [
            (one.name, one.modality, one.block, one.role, " × ".join(map(str, one.shape)), one.size) for one in self
        ]
        title = f"{len(self)} layers, {sum(one.size for one in self):,} prunable weights"
        return table(title, ("layer", "modality", "block", "role", "shape", "weights"), rows)


def left_dense(model: nn.Module, statistics: Calibrated | None = None) -> dict[str, str]:
    """{parameter name: why it is left dense} for every matrix outside the layout; with statistics, for what never ran, too.

    >>> left_dense(nn.ModuleDict({"words": nn.Embedding(5, 2), "fc": nn.Linear(2, 2)}))
    {'words.weight': 'an embedding'}

    Biases, norms and other vectors are never pruned and not listed. A tied weight is listed under each further name, with
    the name under which it counts.
    """
    model = unwrapped(model)
    layers = prunable_layers(model)
    family = family_of(model)
    if family is not None and not family.general:
        found = family.excluded(model)
    else:
        found = reasons(model, {layer.name for layer in layers}, held_back(model))
    ran = {layer.name for layer in (layers if statistics is None else statistics.layers)}
    return found | {layer.name: NEVER_RAN for layer in layers if layer.name not in ran}


def _generic_layers(model: nn.Module) -> Iterator[PrunableLayer]:
    known = modalities_of(model)
    layers = tuple(_layers_of(model, known))
    lists = {modality: _lists(layers, known, modality) for modality in set(known.values())}
    for layer in layers:
        place, _, number = layer.block.rpartition(" ")
        if lists.get(layer.modality) == {place} and _of_part(layer.name, known):
            layer = replace(layer, block=f"{layer.modality} {number}")
        yield layer


def _lists(layers: Sequence[PrunableLayer], known: Mapping[str, str], modality: str) -> set[str]:
    """The paths of the lists in which the blocks of a modality stand; of a single one, a block is called by the modality."""
    own = (layer for layer in layers if _of_part(layer.name, known) == modality)
    return {place for layer in own for place, _, number in [layer.block.rpartition(" ")] if number.isdigit() and place}


def _layers_of(model: nn.Module, known: Mapping[str, str]) -> Iterator[PrunableLayer]:
    """Every linear weight of blocks; a block goes by its path."""
    held, stored = held_back(model), storages(model)
    for name, weight in linear_weights(model).items():
        if name in held:
            continue
        path, _, own = name.rpartition(".")
        path = path or name
        modality = _of_part(name, known) or _guessed_modality(path)
        reads = {"vision": "image", "text": "text"}.get(modality, "any")
        role = path.split(".")[-1] if own == "weight" else own
        how = stored.get(id(weight), OUT_IN)
        yield PrunableLayer(name, tuple(weight.shape), modality, _block(path), role, reads, how)


def _of_part(name: str, known: Mapping[str, str]) -> str | None:
    """The modality of the sub-model that a parameter is in; None where no configuration says it."""
    return next((modality for path, modality in known.items() if not path or name.startswith(f"{path}.")), None)


def _guessed_modality(path: str) -> str:
    return next((modality for modality, words in _PATH_WORDS if words.search(path)), "unknown")


def _block(path: str) -> str:
    """The path up to its first number ("encoder.layers 3"), or the module that holds the layer."""
    numbered = re.match(r"(.*?)\.?\b(\d+)(?=\.|$)", path)
    if numbered:
        return f"{numbered[1]} {numbered[2]}".strip()
    return path.rpartition(".")[0] or path


def _blocks(layers: Sequence[PrunableLayer]) -> dict[str, str]:
    """{name: the innermost numbered module with at least two of the layers in it}, else the layer's own name.

    >>> names = ["0.blocks.3.key.weight", "0.blocks.3.mlp.0.weight", "0.pool.weight"]
    >>> list(_blocks([PrunableLayer(name, (1, 1)) for name in names]).values())
    ['0.blocks.3', '0.blocks.3', '0']
    """
    around = {layer.name: _numbered(layer.name) for layer in layers}
    held = Counter(module for modules in around.values() for module in modules)
    return {name: next((m for m in modules if held[m] > 1), name) for name, modules in around.items()}


def _numbered(name: str) -> list[str]:
    """The numbered modules around a parameter, innermost first."""
    parts = name.split(".")[:-1]
    return [".".join(parts[: i + 1]) for i in range(len(parts) - 1, -1, -1) if parts[i].isdigit()]


def _traced(layer: PrunableLayer, inputs: frozenset[str], in_fusion: bool, known: str | None) -> PrunableLayer:
    alone = {frozenset({"image"}): "vision", frozenset({"text"}): "text"}
    traced = "fusion" if len(inputs) == 2 or (in_fusion and inputs) else alone.get(inputs, "unknown")
    reads = "text" if "text" in inputs else "image" if inputs else "any"
    return replace(layer, modality=known or traced, reads=reads)
