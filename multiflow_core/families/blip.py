"""BLIP (Li et al., 2022): retrieval, captioning and question answering, as one checkpoint or as transformers' classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle
from transformers import BlipForQuestionAnswering

from ..weights.layers import PrunableLayer
from . import register
from .base import Family, contrast, hard_negatives
from .blip_parts import BlipParts
from .clip import EMBEDDING, PROJECTION
from .roles import CROSS_BLOCK, roles

_VISION = (
    ("self_attn.qkv", "qkv", None),
    ("self_attn.projection", "attn out", None),
    ("mlp.fc1", "fc1", None),
    ("mlp.fc2", "fc2", None),
)
_TASK_OF = {
    "BlipForImageTextRetrieval": "retrieval",
    "BlipForConditionalGeneration": "captioning",
    "BlipForQuestionAnswering": "vqa",
}
TEMPERATURE = 0.07  # of the contrastive loss


class Blip(Family):
    """BlipParts, or one of transformers' BlipForImageTextRetrieval / ConditionalGeneration / QuestionAnswering.

    BLIP's convention has two modalities: cross-attention belongs to the text side, in whose blocks it sits.
    """

    name = "blip"
    architectures = ("BlipParts", *_TASK_OF)
    roles = (
        *roles("vision_model.encoder.layers.{n}", _VISION, "vision", "vision", "image"),
        *roles("text_encoder.encoder.layer.{n}", CROSS_BLOCK, "text", "text", "text"),
        *roles("text_decoder.bert.encoder.layer.{n}", CROSS_BLOCK, "text", "decoder", "text"),
    )
    eye = "vision_model"
    dense = (
        ("embedding", EMBEDDING),
        ("vision_proj|text_proj", PROJECTION),
        ("itm_head", "the head of a pre-training objective"),
        (r"text_decoder\.cls", "the head that names the next word; its last layer is tied to the word embeddings"),
    )

    def layout(self, model: nn.Module) -> tuple[PrunableLayer, ...]:
        layers = super().layout(model)
        if not isinstance(model, BlipForQuestionAnswering):
            return layers
        # its decoder reads the question's states, not the image's
        return tuple(replace(x, reads="text") if x.name.startswith("text_decoder") else x for x in layers)

    def tasks(self, model: nn.Module) -> tuple[str, ...]:
        if isinstance(model, BlipParts):
            # what answers is the decoder, which then reads states of the text instead of the picture's
            alike = model.config.text_config.hidden_size == model.config.vision_config.hidden_size
            return ("retrieval", "captioning", "vqa") if alike else ("retrieval", "captioning")
        return (_TASK_OF[type(model).__name__],)

    def model_class(self, architectures: Sequence[str]) -> type:
        """A folder that names all three task classes holds the parts of each: `BlipParts`."""
        parts = "BlipParts" in architectures or set(_TASK_OF) <= set(architectures)
        return BlipParts if parts else super().model_class(architectures)

    def calibration_forward(self, model: nn.Module, batch: dict[str, Tensor]) -> None:
        """The text encoder alone (contrastive), then with the image (matching), then the decoder (captioning).

        A question with its answer: the text encoder with the image, then the decoder, which reads the question's states.
        """
        ids, mask, image = batch["input_ids"], batch["attention_mask"], self.look(model, batch)
        if "answer_ids" in batch:
            seen = image[batch["picture_of"]]
            text = model.text_encoder(input_ids=ids, attention_mask=mask, encoder_hidden_states=seen)
            _said_again(model, text.last_hidden_state, mask, batch["answer_ids"], batch["answer_mask"])
            return
        text = None
        if hasattr(model, "text_encoder"):
            if hasattr(model, "text_proj"):
                model.text_encoder(input_ids=ids, attention_mask=mask)
            text = model.text_encoder(input_ids=ids, attention_mask=mask, encoder_hidden_states=image)
        if hasattr(model, "text_decoder"):
            if isinstance(model, BlipForQuestionAnswering):
                _said_again(model, text.last_hidden_state, mask, ids, mask)
                return
            model.text_decoder(input_ids=_begun(model, ids), attention_mask=mask, encoder_hidden_states=image)

    def look(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        if "image_states" in batch:
            return batch["image_states"]
        return model.vision_model(pixel_values=batch["pixel_values"]).last_hidden_state

    def objective(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """BLIP's three pre-training losses, those of them that the model has parts for: ITC + ITM + LM.

        Contrast inside the batch at temperature 0.07; matching against the captions of the next pair, so that nothing
        is drawn by chance; captioning word by word (of a question-answering model: saying the text again).
        """
        ids, mask = batch["input_ids"], batch["attention_mask"]
        image = model.vision_model(pixel_values=batch["pixel_values"]).last_hidden_state
        losses = []
        if hasattr(model, "text_proj"):
            losses += [_contrast(model, image, ids, mask), _matching(model, image, ids, mask)]
        if hasattr(model, "text_decoder"):
            seen = image
            if isinstance(model, BlipForQuestionAnswering):
                seen = model.text_encoder(
                    input_ids=ids, attention_mask=mask, encoder_hidden_states=image
                ).last_hidden_state
            losses.append(_captioning(model, seen, ids, mask))
        return torch.stack(losses).sum()

    def learns(self, model: nn.Module) -> tuple[str, ...]:
        return self.tasks(model)

    def loss(self, model: nn.Module, task: str, batch: dict[str, Tensor]) -> Tensor:
        """Retrieval: contrast, and matching against the likeliest wrong texts and pictures. Else the next word, or the answer."""
        if task not in self.tasks(model):
            return super().loss(model, task, batch)
        ids, mask, image = batch["input_ids"], batch["attention_mask"], self.look(model, batch)
        if task == "captioning":
            return _captioning(model, image, ids, mask)
        if task == "vqa":
            return _answering(model, image, batch)
        alike = [model.vision_proj(image[:, 0]), model.text_proj(_read(model, ids, mask)[:, 0])]
        itc, similarity = contrast(*(F.normalize(side.float(), dim=-1) for side in alike), TEMPERATURE)
        if len(ids) < 2:  # a single pair has no negative
            return itc
        text, picture = hard_negatives(similarity, ids)
        seen = torch.cat([image, image, image[picture]])
        ids, mask = (torch.cat([x, x[text], x]) for x in (ids, mask))
        matched = (torch.arange(len(ids), device=ids.device) < len(image)).long()
        return itc + F.cross_entropy(model.itm_head(_read(model, ids, mask, seen)[:, 0]).float(), matched)

    def embed_images(self, model: nn.Module, images: dict[str, Tensor]) -> Tensor:
        states = model.vision_model(**images).last_hidden_state
        return F.normalize(model.vision_proj(states[:, 0]), dim=-1)

    def embed_texts(self, model: nn.Module, inputs: dict[str, Tensor]) -> Tensor:
        states = model.text_encoder(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        return F.normalize(model.text_proj(states.last_hidden_state[:, 0]), dim=-1)

    def match(self, model: nn.Module, images: dict[str, Tensor], inputs: dict[str, Tensor]) -> Tensor | None:
        retriever = model.retriever if isinstance(model, BlipParts) else model
        return retriever(**images, **inputs, use_itm_head=True).itm_score.softmax(-1)[:, 1]

    def generate_caption(self, model: nn.Module, inputs: dict[str, Tensor], max_tokens: int) -> tuple[Tensor, Tensor]:
        captioner = model.captioner if isinstance(model, BlipParts) else model
        output = captioner.generate(**inputs, **_greedy(max_tokens))
        return output.sequences[:, 1:], _probabilities(output.scores, output.sequences[:, 1:])

    def generate_answer(
        self, model: nn.Module, inputs: dict[str, Tensor], max_tokens: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        answerer = model.answerer if isinstance(model, BlipParts) else model
        output = answerer.generate(**inputs, **_greedy(max_tokens))
        ids = output.sequences[:, 1:]
        return ids, _probabilities(output.scores, ids), output.scores[0].softmax(-1)


def _begun(model: nn.Module, ids: Tensor) -> Tensor:
    """Texts as the decoder is given them: they begin with a token of its own."""
    return torch.cat([torch.full_like(ids[:, :1], model.config.text_config.bos_token_id), ids[:, 1:]], dim=1)


def _said_again(model: nn.Module, states: Tensor, mask: Tensor, ids: Tensor, said: Tensor) -> None:
    """The decoder says texts, from the states of what was asked; both in groups of one length.

    The answer decoder of transformers 5.23 reads the padding of questions: it is given none.
    """
    lengths = torch.stack([mask.sum(1), said.sum(1)], dim=1)
    for pair in lengths.unique(dim=0):
        rows = (lengths == pair).all(1)
        asked, answered = pair.tolist()
        model.text_decoder(input_ids=_begun(model, ids)[rows, :answered], encoder_hidden_states=states[rows, :asked])


def _read(model: nn.Module, ids: Tensor, mask: Tensor, image: Tensor | None = None) -> Tensor:
    return model.text_encoder(input_ids=ids, attention_mask=mask, encoder_hidden_states=image).last_hidden_state


def _answering(model: nn.Module, image: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """Each word of an answer from those before it; the decoder reads what the text encoder made of question and picture."""
    mask, ids, said = batch["attention_mask"], batch["answer_ids"], batch["answer_mask"]
    states = _read(model, batch["input_ids"], mask, image[batch["picture_of"]])
    start = torch.full_like(ids[:, :1], model.config.text_config.bos_token_id)
    begun = torch.cat([start, ids[:, 1:-1]], dim=1)
    hooks = mask_question_padding(model)
    try:
        logits = model.text_decoder(
            input_ids=begun, attention_mask=said[:, :-1], encoder_hidden_states=states, encoder_attention_mask=mask
        ).logits
    finally:
        for hook in hooks:
            hook.remove()
    wanted = ids[:, 1:].masked_fill(said[:, 1:] == 0, -100)
    return F.cross_entropy(logits.flatten(0, 1).float(), wanted.flatten())


def mask_question_padding(model: nn.Module) -> list[RemovableHandle]:
    """Let the decoder's cross-attention ignore padding in batches of questions, until what is returned is removed.

    transformers 5.23 hands `encoder_attention_mask` to cross-attention under the other mask's name, where it is dropped.
    """

    def restore(module: nn.Module, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        return args, kwargs | {"encoder_attention_mask": kwargs.get("attention_mask")}

    layers = model.text_decoder.bert.encoder.layer
    return [x.crossattention.self.register_forward_pre_hook(restore, with_kwargs=True) for x in layers]


def _contrast(model: nn.Module, image: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
    text = model.text_encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    image_side = F.normalize(model.vision_proj(image[:, 0]), dim=-1)
    text_side = F.normalize(model.text_proj(text[:, 0]), dim=-1)
    similarity = image_side @ text_side.T / TEMPERATURE
    target = torch.arange(len(ids), device=ids.device)
    return (F.cross_entropy(similarity, target) + F.cross_entropy(similarity.T, target)) / 2


def _matching(model: nn.Module, image: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
    pairs = len(ids)
    if pairs > 1:  # a single pair has no negative
        image = torch.cat([image, image])
        ids, mask = (torch.cat([x, x.roll(-1, 0)]) for x in (ids, mask))
    states = model.text_encoder(input_ids=ids, attention_mask=mask, encoder_hidden_states=image).last_hidden_state
    matched = (torch.arange(len(ids), device=ids.device) < pairs).long()
    return F.cross_entropy(model.itm_head(states[:, 0]), matched)


def _captioning(model: nn.Module, seen: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
    start = torch.full_like(ids[:, :1], model.config.text_config.bos_token_id)
    said = torch.cat([start, ids[:, 1:-1]], dim=1)
    logits = model.text_decoder(input_ids=said, attention_mask=mask[:, :-1], encoder_hidden_states=seen).logits
    return F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].masked_fill(mask[:, 1:] == 0, -100).flatten())


def _greedy(max_tokens: int) -> dict[str, Any]:
    return dict(
        max_new_tokens=max_tokens, num_beams=1, do_sample=False, return_dict_in_generate=True, output_scores=True
    )


def _probabilities(scores: tuple[Tensor, ...], ids: Tensor) -> Tensor:
    """The probability that the model gave to each generated token, (batch, length)."""
    chosen = [step.softmax(-1).gather(1, ids[:, i : i + 1]) for i, step in enumerate(scores)]
    return torch.cat(chosen, dim=1)


register(Blip())
