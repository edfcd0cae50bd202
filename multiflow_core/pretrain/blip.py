"""BLIP's objectives (Li et al., 2022): contrast, matching with hard negatives, captioning; and question answering."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..families.blip import mask_question_padding
from ..families.blip_parts import BlipParts
from ..support.lanes import Figures, Loss
from .batches import DEC, PAD, VOCABULARY
from .objectives import Objectives, fold_texts, hide_words, middle, reads, spread_like_mae
from .placing import Glimpse, Placing


class BlipObjectives(Objectives):
    """ITC + ITM + LM + VQA on one vision encoder, one text encoder and one text decoder."""

    def __init__(self, model: BlipParts):
        super().__init__(model)
        self.guess = nn.Linear(model.config.text_config.hidden_size, len(VOCABULARY))
        self.telling = Placing(model.config.text_config.hidden_size)
        self.half_told = Glimpse(middle(model.text_decoder.bert.encoder.layer))
        spread_like_mae(model.vision_model)
        mask_question_padding(model)
        for layer in (*model.text_encoder.encoder.layer, *model.text_decoder.bert.encoder.layer):
            fold_texts(layer.crossattention)

    def image_states(self, pixel_values: Tensor) -> Tensor:
        return self.model.vision_model(pixel_values=pixel_values).last_hidden_state

    def text_states(self, ids: Tensor, image: Tensor | None = None) -> Tensor:
        """(texts, words, width); with images, as many texts of each after one another."""
        return self.model.text_encoder(
            input_ids=ids, attention_mask=reads(ids), encoder_hidden_states=image
        ).last_hidden_state

    def reading_layers(self) -> Sequence[nn.Module]:
        return self.model.text_encoder.encoder.layer

    def fused(self, image: Tensor, ids: Tensor) -> Tensor:
        return self.text_states(ids, image)

    def wording(self, batch: dict[str, Tensor]) -> list[Loss]:
        """BERT's masked words for the encoder, and the next word for the decoder."""
        captions, short = batch["captions"].flatten(0, 1), batch["short"].flatten(0, 1)
        return [lambda: self.describe(None, captions), lambda: self.fill_in(captions), lambda: self.fill_in(short)]

    def fill_in(self, ids: Tensor) -> tuple[Tensor, Figures]:
        shown, hidden = hide_words(ids)
        loss = F.cross_entropy(self.guess(self.text_states(shown)[hidden]).float(), ids[hidden])
        return loss, {"mlm": loss}

    def paper(self, image: Tensor, batch: dict[str, Tensor]) -> list[Loss]:
        return [
            lambda: self.answer(image, batch),
            lambda: self.describe(image, batch["captions"][:, 0], batch["captions placed"][::2]),
        ]

    def describe(self, image: Tensor | None, ids: Tensor, told: Tensor | None = None) -> tuple[Tensor, Figures]:
        """Each word from those before it; where it is known, words also tell where the things are."""
        ids = torch.cat([torch.full_like(ids[:, :1], DEC), ids[:, 1:]], dim=1)
        states = self.model.text_decoder.bert(
            input_ids=ids[:, :-1], attention_mask=reads(ids[:, :-1]), encoder_hidden_states=image, is_decoder=True
        ).last_hidden_state
        logits = self.model.text_decoder.cls(states)
        loss = F.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten(), ignore_index=PAD)
        if told is None:
            return loss, {"lm": loss}
        placed = self.telling(self.half_told.last, states, told[:, :-1])
        return loss + placed, {"lm": loss, "lm placed": placed}

    def answer(self, image: Tensor, batch: dict[str, Tensor]) -> tuple[Tensor, Figures]:
        question, answer = batch["questions"].flatten(0, 1), batch["answers"]
        states = self.text_states(question, image)
        placed = self.placing(self.half_way.last, states, batch["questions placed"])
        logits = self.model.text_decoder(
            input_ids=answer[:, :-1], encoder_hidden_states=states, encoder_attention_mask=reads(question)
        ).logits
        right = (logits[:, 0].argmax(-1) == answer[:, 1]).float().mean()
        loss = F.cross_entropy(logits.flatten(0, 1).float(), answer[:, 1:].flatten())
        return 2 * loss + placed, {"vqa": loss, "answers": right, "vqa placed": placed}
