"""CLIP (Radford et al., 2021): two towers, image-text retrieval by their embeddings."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from . import register
from .base import Family
from .roles import CLIP_BLOCK, roles

EMBEDDING = "an embedding"
PROJECTION = "a projection to the common space, not a weight of a block"


class Clip(Family):
    """transformers' CLIPModel."""

    name = "clip"
    architectures = ("CLIPModel",)
    roles = (
        *roles("text_model.encoder.layers.{n}", CLIP_BLOCK, "text", "text", "text"),
        *roles("vision_model.encoder.layers.{n}", CLIP_BLOCK, "vision", "vision", "image"),
    )
    dense = (("embedding", EMBEDDING), ("projection", PROJECTION))

    def tasks(self, model: nn.Module) -> tuple[str, ...]:
        return ("retrieval",)

    def learns(self, model: nn.Module) -> tuple[str, ...]:
        return ("retrieval",)

    def loss(self, model: nn.Module, task: str, batch: dict[str, Tensor]) -> Tensor:
        return self.objective(model, batch) if task == "retrieval" else super().loss(model, task, batch)

    def calibration_forward(self, model: nn.Module, batch: dict[str, Tensor]) -> None:
        model(**batch)

    def objective(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """The model's own contrastive loss inside the batch, at its own temperature."""
        return model(**batch, return_loss=True).loss

    def embed_images(self, model: nn.Module, images: dict[str, Tensor]) -> Tensor:
        return F.normalize(model.get_image_features(**images).pooler_output, dim=-1)

    def embed_texts(self, model: nn.Module, inputs: dict[str, Tensor]) -> Tensor:
        return F.normalize(model.get_text_features(**inputs).pooler_output, dim=-1)


register(Clip())
