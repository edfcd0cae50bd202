"""X-VLM (Zeng et al., ICML 2022): vision, text and fusion encoders; retrieval by embeddings and by matching."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import register
from .base import Family, contrast, hard_negatives
from .clip import EMBEDDING, PROJECTION
from .roles import BERT_BLOCK, CLIP_BLOCK, CROSS_BLOCK, roles
from .xvlm_model import XvlmModel


class Xvlm(Family):
    """This package's XvlmModel: the family with three modalities."""

    name = "xvlm"
    architectures = ("XvlmModel",)
    roles = (
        *roles("vision_encoder.encoder.layers.{n}", CLIP_BLOCK, "vision", "vision", "image"),
        *roles("text_encoder.encoder.layer.{n}", BERT_BLOCK, "text", "text", "text"),
        *roles("fusion_encoder.layer.{n}", CROSS_BLOCK, "fusion", "fusion", "text"),
    )
    eye = "vision_encoder"
    dense = (
        ("embedding", EMBEDDING),
        ("vision_proj|text_proj", PROJECTION),
        ("itm_head|mlm_head", "a head of a pre-training objective"),
    )

    def tasks(self, model: nn.Module) -> tuple[str, ...]:
        return ("retrieval",)

    def model_class(self, architectures: Sequence[str]) -> type:
        return XvlmModel

    def calibration_forward(self, model: nn.Module, batch: dict[str, Tensor]) -> None:
        mask = batch["attention_mask"]
        model.fuse(model.text_states(batch["input_ids"], mask), mask, self.look(model, batch))

    def look(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        return batch["image_states"] if "image_states" in batch else model.image_states(batch["pixel_values"])

    def objective(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """X-VLM's losses on whole images: ITC + ITM; matching against the next pair's text, nothing drawn by chance."""
        mask = batch["attention_mask"]
        image, text = model.image_states(batch["pixel_values"]), model.text_states(batch["input_ids"], mask)
        similarity = model.embed_images(image) @ model.embed_texts(text).T / model.temp
        target = torch.arange(len(text), device=text.device)
        itc = (F.cross_entropy(similarity, target) + F.cross_entropy(similarity.T, target)) / 2
        if len(text) > 1:  # a single pair has no negative
            image = torch.cat([image, image])
            text, mask = (torch.cat([x, x.roll(-1, 0)]) for x in (text, mask))
        matched = (torch.arange(len(text), device=text.device) < len(target)).long()
        return itc + F.cross_entropy(model.itm_head(model.fuse(text, mask, image)[:, 0]), matched)

    def learns(self, model: nn.Module) -> tuple[str, ...]:
        return ("retrieval",)

    def loss(self, model: nn.Module, task: str, batch: dict[str, Tensor]) -> Tensor:
        """X-VLM's losses on whole images: contrast, and matching against the likeliest wrong texts and pictures."""
        if task not in self.learns(model):
            return super().loss(model, task, batch)
        ids, mask, image = batch["input_ids"], batch["attention_mask"], self.look(model, batch)
        text = model.text_states(ids, mask)
        itc, similarity = contrast(model.embed_images(image), model.embed_texts(text), model.temp.clamp(0.001, 0.5))
        if len(ids) < 2:  # a single pair has no negative
            return itc
        other, picture = hard_negatives(similarity, ids)
        image = torch.cat([image, image, image[picture]])
        text, mask = (torch.cat([x, x[other], x]) for x in (text, mask))
        matched = (torch.arange(len(text), device=text.device) < len(ids)).long()
        return itc + F.cross_entropy(model.itm_head(model.fuse(text, mask, image)[:, 0]).float(), matched)

    def embed_images(self, model: nn.Module, images: dict[str, Tensor]) -> Tensor:
        return model.embed_images(model.image_states(images["pixel_values"]))

    def embed_texts(self, model: nn.Module, inputs: dict[str, Tensor]) -> Tensor:
        return model.embed_texts(model.text_states(**inputs))

    def match(self, model: nn.Module, images: dict[str, Tensor], inputs: dict[str, Tensor]) -> Tensor:
        fused = model.fuse(model.text_states(**inputs), inputs["attention_mask"], model.image_states(**images))
        return model.itm_head(fused[:, 0]).softmax(-1)[:, 1]


register(Xvlm())
