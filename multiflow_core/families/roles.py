"""The prunable weights of a transformer block, as transformers names them: (module, role, what it reads)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..weights.layers import PrunableLayer

CLIP_BLOCK = (
    ("self_attn.q_proj", "query", None),
    ("self_attn.k_proj", "key", None),
    ("self_attn.v_proj", "value", None),
    ("self_attn.out_proj", "attn out", None),
    ("mlp.fc1", "fc1", None),
    ("mlp.fc2", "fc2", None),
)
BERT_BLOCK = (
    ("attention.self.query", "query", None),
    ("attention.self.key", "key", None),
    ("attention.self.value", "value", None),
    ("attention.output.dense", "attn out", None),
    ("intermediate.dense", "fc1", None),
    ("output.dense", "fc2", None),
)
CROSS_BLOCK = (
    *BERT_BLOCK,
    ("crossattention.self.query", "cross query", None),
    ("crossattention.self.key", "cross key", "image"),
    ("crossattention.self.value", "cross value", "image"),
    ("crossattention.output.dense", "cross out", None),
)


class Stage(NamedTuple):
    """A part of a block that a signal passes in two steps, neuron by neuron.

    `first` writes what `second` reads; `beside` are the other roles of the part. Of a `fused` first matrix, the last of so
    many equal parts is meant.
    """

    first: str
    second: str
    beside: tuple[str, ...] = ()
    fused: int = 1


# attention mixes tokens, not channels: channel j of the values is channel j of the output projection's input
STAGES = (
    Stage("fc1", "fc2"),
    Stage("value", "attn out", beside=("query", "key")),
    Stage("cross value", "cross out", beside=("cross query", "cross key")),
    Stage("qkv", "attn out", fused=3),
    # the names that transformers gives them, where no family does
    Stage("up_proj", "down_proj", beside=("gate_proj",)),
    Stage("linear_fc1", "linear_fc2"),
    Stage("v_proj", "o_proj", beside=("q_proj", "k_proj")),
    Stage("v_proj", "out_proj", beside=("q_proj", "k_proj")),
    Stage("qkv", "proj", fused=3),
)


@dataclass(frozen=True)
class Role:
    """A pattern of parameter names, with `{n}` for the block number if there is one, and what such a weight is.

    >>> role = Role("text.layer.{n}.fc1.weight", "text", "text", "fc1", "text")
    >>> role.layer("text.layer.11.fc1.weight", (8, 4)).block
    'text 11'
    """

    pattern: str
    modality: str
    block: str
    role: str
    reads: str

    def layer(self, name: str, shape: Sequence[int]) -> PrunableLayer | None:
        found = re.fullmatch(re.escape(self.pattern).replace(r"\{n\}", r"(\d+)"), name)
        if not found:
            return None
        block = " ".join([self.block, *found.groups()])
        return PrunableLayer(name, tuple(shape), self.modality, block, self.role, self.reads)


def roles(
    prefix: str, members: Iterable[tuple[str, str, str | None]], modality: str, block: str, reads: str
) -> tuple[Role, ...]:
    """The roles of all blocks under a prefix.

    >>> roles("text.layer.{n}", BERT_BLOCK, "text", "text", "text")[0].pattern
    'text.layer.{n}.attention.self.query.weight'
    """
    return tuple(
        Role(f"{prefix}.{module}.weight", modality, block, role, own or reads) for module, role, own in members
    )
