"""Whatever embeds pictures and texts in one space, by transformers' own class with a method for either side."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import register
from .base import text_length
from .general import General, accepted

TEMPERATURE = 0.07  # of the contrastive loss, where the model has no own

_WORDS = ("input_ids", "attention_mask", "token_type_ids")  # of a batch what is no picture's

_SHORT = 77  # tokens, CLIP's own length


class TwoTowers(General):
    """Models with an embedding of either side, which compare them by their angle."""

    name = "two towers"

    def takes(self, kind: type) -> bool:
        return hasattr(kind, "get_image_features") and hasattr(kind, "get_text_features")

    def tasks(self, model: nn.Module) -> tuple[str, ...]:
        return ("retrieval",)

    def tokens(self, model: nn.Module, tokenizer: Any, texts: Sequence[str]) -> dict[str, Tensor]:
        """As the tokenizer writes them, with what the text tower takes of it.

        Short texts are padded to the model's length, as they were in training: AIMv2 reads a text without padding differently.
        """
        most = text_length(model, tokenizer)
        padding = "max_length" if most <= _SHORT else True
        held = tokenizer(list(texts), padding=padding, truncation=True, max_length=most, return_tensors="pt")
        return accepted(model, model.get_text_features, held)

    def learns(self, model: nn.Module) -> tuple[str, ...]:
        return ("retrieval",)

    def loss(self, model: nn.Module, task: str, batch: dict[str, Tensor]) -> Tensor:
        return self.objective(model, batch) if task == "retrieval" else super().loss(model, task, batch)

    def calibration_forward(self, model: nn.Module, batch: dict[str, Tensor]) -> None:
        model(**batch)

    def objective(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """The contrastive loss inside the batch: the model's own where it has one."""
        if "return_loss" in inspect.signature(model.forward).parameters:
            return model(**batch, return_loss=True).loss
        texts = self.embed_texts(model, batch)
        images = self.embed_images(model, {name: value for name, value in batch.items() if name not in _WORDS})
        similarity, target = images @ texts.T / TEMPERATURE, torch.arange(len(images), device=images.device)
        return (F.cross_entropy(similarity, target) + F.cross_entropy(similarity.T, target)) / 2

    def embed_images(self, model: nn.Module, images: dict[str, Tensor]) -> Tensor:
        return _unit(model.get_image_features(**accepted(model, model.get_image_features, images)))

    def embed_texts(self, model: nn.Module, inputs: dict[str, Tensor]) -> Tensor:
        return _unit(model.get_text_features(**accepted(model, model.get_text_features, inputs)))


def _unit(found: Any) -> Tensor:
    """Embeddings of length one: of what a tower returned the pooled output, and the first token's where there are many."""
    features = found if isinstance(found, Tensor) else found.pooler_output
    return F.normalize(features[:, 0] if features.ndim == 3 else features, dim=-1)


register(TwoTowers())
