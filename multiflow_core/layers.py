"""What can be pruned in a model: its layout, a tuple of `PrunableLayer`."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

MODALITIES = ("vision", "text", "fusion", "unknown")

# Only for models no family knows, and only when there is no data to trace: words in the module's path.
_PATH_WORDS = (
    ("fusion", re.compile(r"fusion|cross|multi_?modal", re.I)),
    ("vision", re.compile(r"vision|visual|image|img|pixel", re.I)),
    ("text", re.compile(r"text|language|bert|gpt", re.I)),
)


@dataclass(frozen=True)
class PrunableLayer:
    """One prunable weight matrix.

    >>> layer = PrunableLayer("fc1.weight", (8, 4), "vision", block="vision 0", role="fc1", reads="image")
    >>> layer.size
    32

    Attributes:
        name: the parameter's name in the model, also its key in masks and statistics.
        shape: (out, in).
        modality: "vision", "text", "fusion" or "unknown".
        block: where it sits, e.g. "vision 3".
        role: what it does there, e.g. "qkv", "attn out", "fc1", "cross query".
        reads: what the tokens at its input are, "image", "text" or "any". Padded text tokens
            (attention_mask 0) are left out of the statistics of layers that read text; image patches never.
    """

    name: str
    shape: tuple[int, ...]
    modality: str = "unknown"
    block: str = ""
    role: str = ""
    reads: str = "any"

    @property
    def size(self) -> int:
        """The number of weights."""
        return math.prod(self.shape)


def prunable_layers(
    model: nn.Module, *, batch: Any = None, forward: Callable[[nn.Module, Any], Any] | None = None
) -> tuple[PrunableLayer, ...]:
    """The layout of a model: every weight that may be pruned, each exactly once, in the model's order.

    >>> model = nn.ModuleDict({"vision": nn.Linear(4, 3), "text": nn.Linear(5, 3)})
    >>> [(layer.name, layer.shape, layer.modality) for layer in prunable_layers(model)]
    [('vision.weight', (3, 4), 'vision'), ('text.weight', (3, 5), 'text')]

    Args:
        model: any module. A family that knows it decides (`multiflow_core.families`); otherwise every
            `nn.Linear` weight counts, except output heads tied to an embedding.
        batch: one batch of data. For a model no family knows, modalities are then *traced* (by changing
            the image and the text and watching whose inputs change) instead of guessed from path words. All
            layers of a block in which image and text meet count as fusion: its cross-attention's keys see the
            image alone, but what they compute goes nowhere else.
        forward: `forward(model, batch)` runs the model; default `model(**batch)`.

    Returns:
        A tuple of PrunableLayer. A weight registered at several places appears once, under its first name.
    """
    family = family_of(model)
    if family is not None:
        return tuple(family.layout(model))
    layers = tuple(_generic_layers(model))
    if batch is None:
        return layers
    from .trace import trace

    seen = trace(model, batch, forward)
    blocks = _blocks(layers)
    fusing = {blocks[name] for name, inputs in seen.items() if len(inputs) == 2 and name in blocks}
    return tuple(_traced(layer, seen.get(layer.name, frozenset()), blocks[layer.name] in fusing) for layer in layers)


def weight_of(model: nn.Module, name: str) -> Tensor:
    """A weight in float32 on the processor, wherever and however the model holds it: (out, in).

    >>> weight_of(nn.Linear(2, 1).half(), "weight").dtype
    torch.float32
    """
    return model.get_parameter(name).detach().float().cpu()


def family_of(model: nn.Module):
    """The family that knows this model, or None."""
    from . import families

    return families.family_of(model)


def linear_weights(model: nn.Module) -> dict[str, nn.Parameter]:
    """{parameter name: weight} of every nn.Linear, each Parameter once, embeddings' twins left out."""
    embeddings = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding | nn.EmbeddingBag)}
    linears = {id(m.weight) for m in model.modules() if isinstance(m, nn.Linear)}
    return {
        name: parameter
        for name, parameter in model.named_parameters()
        if id(parameter) in linears - embeddings and parameter.ndim == 2
    }


def _generic_layers(model: nn.Module) -> Iterator[PrunableLayer]:
    for name, weight in linear_weights(model).items():
        path = name.rpartition(".")[0] or name
        modality = _guessed_modality(path)
        reads = {"vision": "image", "text": "text"}.get(modality, "any")
        yield PrunableLayer(name, tuple(weight.shape), modality, _block(path), path.split(".")[-1], reads)


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


def _traced(layer: PrunableLayer, inputs: frozenset[str], in_fusion: bool) -> PrunableLayer:
    alone = {frozenset({"image"}): "vision", frozenset({"text"}): "text"}
    modality = "fusion" if len(inputs) == 2 or (in_fusion and inputs) else alone.get(inputs, "unknown")
    reads = "text" if "text" in inputs else "image" if inputs else "any"
    return replace(layer, modality=modality, reads=reads)
