"""One prunable weight matrix, and the weights that linear layers have."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import nn

MODALITIES = ("vision", "text", "fusion", "unknown")


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

    @property
    def title(self) -> str:
        """What people call it."""
        return f"{self.block} {self.role}"


def linear_weights(model: nn.Module) -> dict[str, nn.Parameter]:
    """{parameter name: weight} of every nn.Linear, each Parameter once, embeddings' twins left out."""
    embeddings = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding | nn.EmbeddingBag)}
    linears = {id(m.weight) for m in model.modules() if isinstance(m, nn.Linear)}
    return {
        name: parameter
        for name, parameter in model.named_parameters()
        if id(parameter) in linears - embeddings and parameter.ndim == 2
    }
