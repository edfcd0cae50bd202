"""X-VLM (Zeng et al., ICML 2022): vision, text and fusion encoders; retrieval by embeddings and by matching."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..weights.masks import rebuilt
from . import register
from .base import Family, contrast, hard_negatives
from .clip import EMBEDDING, PROJECTION
from .roles import BERT_BLOCK, CLIP_BLOCK, CROSS_BLOCK, roles
from .xvlm_model import XvlmModel

# the decoder of answers reads what the fusion encoder made of question and picture
_ANSWERING = tuple((module, role, None) for module, role, _ in CROSS_BLOCK)


class Xvlm(Family):
    """This package's XvlmModel: the family with three modalities."""

    name = "xvlm"
    architectures = ("XvlmModel",)
    roles = (
        *roles("vision_encoder.encoder.layers.{n}", CLIP_BLOCK, "vision", "vision", "image"),
        *roles("text_encoder.encoder.layer.{n}", BERT_BLOCK, "text", "text", "text"),
        *roles("fusion_encoder.layer.{n}", CROSS_BLOCK, "fusion", "fusion", "text"),
        *roles("answer_decoder.layer.{n}", _ANSWERING, "fusion", "decoder", "text"),
    )
    eye = "vision_encoder"
    dense = (
        ("embedding", EMBEDDING),
        ("vision_proj|text_proj", PROJECTION),
        ("itm_head|mlm_head", "a head of a pre-training objective"),
    )

    def tasks(self, model: nn.Module) -> tuple[str, ...]:
        """Retrieval; what else it was fine-tuned for, its configuration says."""
        return ("retrieval", *(model.config.learnt or ()))

    def model_class(self, architectures: Sequence[str]) -> type:
        return XvlmModel

    def calibration_forward(self, model: nn.Module, batch: dict[str, Tensor]) -> None:
        """A pair; a question with its answer goes through the decoder of answers, too, and a text is said again by it."""
        ids, mask, image = batch["input_ids"], batch["attention_mask"], self.look(model, batch)
        seen = image[batch["picture_of"]] if "picture_of" in batch else image
        fused = model.fuse(model.text_states(ids, mask), mask, seen)
        if model.answer_decoder is not None:
            model.answer_words(batch.get("answer_ids", ids), batch.get("answer_mask", mask), fused, mask)

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
        """All three where there is a head for words, which writing starts from."""
        return ("retrieval",) if model.mlm_head is None else ("retrieval", "captioning", "vqa")

    def headed(self, model: nn.Module, processor: Any, task: str) -> tuple[nn.Module, dict[str, str]]:
        """As X-VLM is fine-tuned: captions are written by its own layers, which then see no later words; answers by a decoder
        that starts as a copy of the fusion layers."""
        if task in self.tasks(model):
            return model, {}
        model = rebuilt(model, {})
        model.config.learnt = [*(model.config.learnt or ()), task]
        text, tokenizer = model.config.text_config, processor.tokenizer
        text.bos_token_id, text.eos_token_id = tokenizer.cls_token_id, tokenizer.sep_token_id
        return model, model.with_answers() if task == "vqa" else {}

    def loss(self, model: nn.Module, task: str, batch: dict[str, Tensor]) -> Tensor:
        """X-VLM's losses on whole images: contrast and matching against the likeliest wrong texts and pictures; or next words."""
        ids, mask, image = batch["input_ids"], batch["attention_mask"], self.look(model, batch)
        if task == "captioning":
            return _said(model.next_words(ids[:, :-1], mask[:, :-1], image), ids, mask)
        text = model.text_states(ids, mask)
        if task == "vqa":
            answer, said = batch["answer_ids"], batch["answer_mask"]
            fused = model.fuse(text, mask, image[batch["picture_of"]])
            return _said(model.answer_words(answer[:, :-1], said[:, :-1], fused, mask), answer, said)
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

    def generate_caption(self, model: nn.Module, inputs: dict[str, Tensor], max_tokens: int) -> tuple[Tensor, Tensor]:
        image = model.image_states(inputs["pixel_values"])
        ids, sure, _ = _written(model, len(image), max_tokens, lambda said, mask: model.next_words(said, mask, image))
        return ids, sure

    def generate_answer(
        self, model: nn.Module, inputs: dict[str, Tensor], max_tokens: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        mask = inputs["attention_mask"]
        text = model.text_states(inputs["input_ids"], mask)
        fused = model.fuse(text, mask, model.image_states(inputs["pixel_values"]))
        return _written(model, len(text), max_tokens, lambda said, known: model.answer_words(said, known, fused, mask))


def _said(logits: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
    """How unlikely each word after the first is."""
    return F.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].masked_fill(mask[:, 1:] == 0, -100).flatten())


def _written(
    model: nn.Module, rows: int, most: int, following: Callable[[Tensor, Tensor], Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Greedy texts: ids without the first token, their probabilities, and the distribution of the first word.

    A text begins and ends as in training: with the first and the last token of BERT's.
    """
    text = model.config.text_config
    device = next(model.parameters()).device
    ids = torch.full((rows, 1), text.bos_token_id, device=device)
    chances, ended = [], torch.zeros(rows, dtype=torch.bool, device=device)
    for _ in range(most):
        chances.append(following(ids, torch.ones_like(ids))[:, -1].float().softmax(-1))
        word = chances[-1].argmax(-1).masked_fill(ended, text.pad_token_id)
        ids, ended = torch.cat([ids, word[:, None]], dim=1), ended | (word == text.eos_token_id)
        if ended.all():
            break
    said = ids[:, 1:]
    sure = torch.stack([row.gather(1, said[:, i, None])[:, 0] for i, row in enumerate(chances)], dim=1)
    return said, sure, chances[0]


register(Xvlm())
