"""One prunable weight matrix, and the weights that linear layers have."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

MODALITIES = ("vision", "text", "fusion", "unknown")
# how a weight lies in memory: as nn.Linear has it, as GPT-2's Conv1D has it, and the same for many experts in one tensor
OUT_IN, IN_OUT, EXPERTS_OUT_IN, EXPERTS_IN_OUT = "out in", "in out", "expert out in", "expert in out"


@dataclass(frozen=True)
class PrunableLayer:
    """One prunable weight matrix.

    >>> layer = PrunableLayer("fc1.weight", (8, 4), "vision", block="vision 0", role="fc1", reads="image")
    >>> layer.size
    32

    Attributes:
        name: the parameter's name in the model, also its key in masks and statistics.
        shape: (out, in), or as `stored` says.
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
    stored: str = OUT_IN

    @property
    def size(self) -> int:
        """The number of weights."""
        return math.prod(self.shape)

    @property
    def experts(self) -> int:
        """How many matrices it consists of: 1, but for experts in one tensor."""
        return self.shape[0] if len(self.shape) == 3 else 1

    @property
    def inputs(self) -> int:
        """The number of inputs, of all experts together.

        >>> PrunableLayer("experts.down_proj", (2, 8, 4), stored=EXPERTS_OUT_IN).inputs
        8
        """
        return self.experts * self.shape[-2 if self.stored.endswith(IN_OUT) else -1]

    @property
    def matrix(self) -> tuple[int, int]:
        """Rows and columns of the layer as one matrix, (out, in): see `rows`."""
        columns = self.inputs // self.experts
        return self.size // columns if columns else 0, columns

    def place(self, row: int, column: int) -> int:
        """Where a weight of that matrix lies in the flat tensor.

        >>> layer = PrunableLayer("c_fc.weight", (3, 2), stored=IN_OUT)
        >>> [layer.place(row, column) for row in range(2) for column in range(3)]
        [0, 2, 4, 1, 3, 5]
        """
        rows, columns = self.matrix
        if not self.stored.endswith(IN_OUT):
            return row * columns + column
        out = rows // self.experts
        return (row // out * columns + column) * out + row % out

    def matrices(self, tensor: Tensor) -> Tensor:
        """A tensor of this shape as (experts, out, in), a view.

        >>> from torch import arange
        >>> PrunableLayer("c_fc.weight", (1, 2), stored=IN_OUT).matrices(arange(2).view(1, 2)).tolist()
        [[[0], [1]]]
        """
        turned = tensor.mT if self.stored.endswith(IN_OUT) else tensor
        return turned if turned.ndim == 3 else turned[None]

    def rows(self, tensor: Tensor) -> Tensor:
        """The same as one matrix, (experts x out, in): all rows that read the same kind of thing, one below the other."""
        return self.matrices(tensor).flatten(0, 1)

    def stored_like(self, rows: Tensor) -> Tensor:
        """The reverse of `rows`: a tensor of this shape.

        >>> from torch import arange, equal
        >>> layer, tensor = PrunableLayer("experts.up_proj", (2, 3, 4), stored=EXPERTS_IN_OUT), arange(24).view(2, 3, 4)
        >>> layer.rows(tensor).shape, equal(layer.stored_like(layer.rows(tensor)), tensor)
        (torch.Size([8, 3]), True)
        """
        matrices = rows.unflatten(0, (self.experts, -1))
        return (matrices.mT if self.stored.endswith(IN_OUT) else matrices).reshape(self.shape)

    @property
    def part(self) -> str:
        """The block that it belongs to; where it belongs to none, itself."""
        return self.block or self.name

    @property
    def title(self) -> str:
        """What people call it."""
        return f"{self.block} {self.role}"


def linear_weights(model: nn.Module) -> dict[str, nn.Parameter]:
    """{parameter name: weight} of everything linear, each Parameter once, embeddings' twins left out.

    That is the weight of every nn.Linear and of GPT-2's Conv1D, the packed queries, keys and values of nn.MultiheadAttention,
    and experts that are stacked in one tensor.
    """
    embeddings = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding | nn.EmbeddingBag)}
    linear = {id(weight) for module in model.modules() for weight, _ in _linear(module)} - embeddings
    return {name: parameter for name, parameter in model.named_parameters() if id(parameter) in linear}


def storages(model: nn.Module) -> dict[int, str]:
    """{id of a weight of `linear_weights`: how it is stored}, but for those that are stored like nn.Linear's."""
    found = (pair for module in model.modules() for pair in _linear(module))
    return {id(weight): stored for weight, stored in found if stored != OUT_IN}


def _linear(module: nn.Module) -> Iterator[tuple[nn.Parameter, str]]:
    """The linear weights that a module has of its own, and how they are stored."""
    own = module._parameters
    if isinstance(module, nn.Linear):
        yield from _matrices(own.get("weight"), OUT_IN)
    elif type(module).__name__ == "Conv1D" and hasattr(module, "nf"):
        yield from _matrices(own.get("weight"), IN_OUT)
    elif isinstance(module, nn.MultiheadAttention):
        for name in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
            yield from _matrices(own.get(name), OUT_IN)
    elif (stored := _experts(module)) is not None:
        yield from (
            (own[name], stored) for name in ("gate_up_proj", "up_proj", "down_proj") if own.get(name) is not None
        )


def _matrices(weight: nn.Parameter | None, stored: str) -> Iterator[tuple[nn.Parameter, str]]:
    if weight is not None and weight.ndim == 2:
        yield weight, stored


def _experts(module: nn.Module) -> str | None:
    """How a module stores its experts, told by the shapes of what leads up and what leads down; None: it has none."""
    own = module._parameters
    down, up = own.get("down_proj"), own.get("gate_up_proj")
    wide = 2 if up is not None else 1
    up = own.get("up_proj") if up is None else up
    if down is None or up is None or not down.ndim == up.ndim == 3:
        return None
    if wide == 1 and up.shape[1] == up.shape[2]:
        return {True: EXPERTS_IN_OUT, False: EXPERTS_OUT_IN}.get(getattr(module, "is_transposed", None))
    if up.shape[1:] == (wide * down.shape[2], down.shape[1]):
        return EXPERTS_OUT_IN
    return EXPERTS_IN_OUT if up.shape[1:] == (down.shape[2], wide * down.shape[1]) else None
