"""BLIP's objectives (Li et al., 2022): contrast, matching with hard negatives, captioning; and question answering."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..families.blip_parts import BlipParts
from .batches import DEC, PAD
from .objectives import Objectives, easily_mistaken, hits, matching_loss


class BlipObjectives(Objectives):
    """ITC + LM + VQA, later ITM, on one vision encoder, one text encoder and one text decoder."""

    def __init__(self, model: BlipParts):
        super().__init__(model)
        mask_question_padding(model)

    def image_states(self, pixel_values: Tensor) -> Tensor:
        return self.model.vision_model(pixel_values=pixel_values).last_hidden_state

    def speak(self, image: Tensor, batch: dict[str, Tensor], matches: bool) -> tuple[Tensor, dict[str, Tensor]]:
        ids = batch["input_ids"]
        text = self.model.text_encoder(input_ids=ids, attention_mask=(ids != PAD).long()).last_hidden_state
        similarity, itc = self.contrast(image, text)
        lm = self.describe(image, ids)
        vqa, right = self.answer(image, batch["question_ids"], batch["answer_ids"])
        loss = itc + lm + vqa
        figures = {"itc": itc, "lm": lm, "vqa": vqa, "answers": right, "hits": hits(similarity)}
        if matches:
            itm, sure = self.match(image, ids, easily_mistaken(similarity))
            loss = loss + 0.5 * itm
            figures |= {"itm": itm, "matched": sure}
        return loss, figures

    def describe(self, image: Tensor, ids: Tensor) -> Tensor:
        ids = torch.cat([torch.full_like(ids[:, :1], DEC), ids[:, 1:]], dim=1)
        logits = self.model.text_decoder(
            input_ids=ids[:, :-1], attention_mask=(ids[:, :-1] != PAD).long(), encoder_hidden_states=image
        ).logits
        return F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), ignore_index=PAD)

    def answer(self, image: Tensor, question: Tensor, answer: Tensor) -> tuple[Tensor, Tensor]:
        mask = (question != PAD).long()
        states = self.model.text_encoder(
            input_ids=question, attention_mask=mask, encoder_hidden_states=image
        ).last_hidden_state
        logits = self.model.text_decoder(
            input_ids=answer[:, :-1], encoder_hidden_states=states, encoder_attention_mask=mask
        ).logits
        right = (logits[:, 0].argmax(-1) == answer[:, 1]).float().mean()
        return F.cross_entropy(logits.flatten(0, 1), answer[:, 1:].flatten()), right

    def match(self, image: Tensor, ids: Tensor, wrong: Tensor) -> tuple[Tensor, Tensor]:
        """Half of the batch with its own captions, and with wrong ones."""
        half = len(wrong)
        texts = torch.cat([ids[:half], ids[wrong]])
        states = self.model.text_encoder(
            input_ids=texts, attention_mask=(texts != PAD).long(), encoder_hidden_states=image[:half].repeat(2, 1, 1)
        ).last_hidden_state
        return matching_loss(self.model.itm_head(states[:, 0]))


def mask_question_padding(model: BlipParts) -> None:
    """Let the decoder's cross-attention ignore padding in batches of questions.

    transformers 5.23 hands `encoder_attention_mask` to cross-attention under the other mask's name, where it is dropped.
    """

    def restore(module: nn.Module, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        return args, kwargs | {"encoder_attention_mask": kwargs.get("attention_mask")}

    for layer in model.text_decoder.bert.encoder.layer:
        layer.crossattention.self.register_forward_pre_hook(restore, with_kwargs=True)
