"""SigLIP and SigLIP 2 (Zhai et al., 2023; Tschannen et al., 2025): two towers, trained with a sigmoid loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from . import register
from .base import text_length
from .clip import EMBEDDING, PROJECTION, Clip
from .roles import Role

_PACKED = (
    "query, key and value packed in one tensor whose rows read two different inputs, the probe and the patches: "
    "there is no one activation norm per column"
)
_POOL = (("attention.out_proj", "attn out"), ("mlp.fc1", "fc1"), ("mlp.fc2", "fc2"))


class Siglip(Clip):
    """transformers' SiglipModel and Siglip2Model.

    The vision tower ends with a block that pools the patches by attention. Its MLP and output projection are pruned
    like any other; its query, key and value are packed and stay dense.
    """

    name = "siglip"
    architectures = ("SiglipModel", "Siglip2Model")
    roles = (
        *Clip.roles,
        *(Role(f"vision_model.head.{m}.weight", "vision", "vision pool", role, "image") for m, role in _POOL),
    )
    dense = (
        ("embedding", EMBEDDING),
        (r"head\.attention\.in_proj_weight", _PACKED),
        (r"head\.probe", "a learned input, not a weight"),
        (r"text_model\.head", PROJECTION),
    )

    def as_trained(self, tokenizer: Any, text: str) -> str:
        """In small letters, as all of SigLIP and SigLIP 2 was trained, unless the tokenizer says that it was not.

        The tokenizer of SigLIP 2 is Gemma's, which lowers nothing itself.
        """
        return text.lower() if tokenizer.init_kwargs.get("do_lower_case", True) else text

    def tokens(self, model: nn.Module, tokenizer: Any, texts: Sequence[str]) -> dict[str, Tensor]:
        """`input_ids` alone, padded to the model's length: SigLIP reads its padding, and embeds the last token."""
        encoded = tokenizer(
            list(texts),
            padding="max_length",
            truncation=True,
            max_length=text_length(model, tokenizer),
            return_tensors="pt",
        )
        return {"input_ids": encoded["input_ids"]}


register(Siglip())
