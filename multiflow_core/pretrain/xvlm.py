"""X-VLM's objectives (Zeng et al., 2022) on whole images: contrast, matching with hard negatives, masked words."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .batches import MASK, PAD, SEP
from .objectives import LARGEST_SCALE, Objectives, easily_mistaken, hits, matching_loss

MASKED = 0.25  # share of the words that are to be guessed, as in X-VLM


class XvlmObjectives(Objectives):
    """ITC + MLM, later ITM, on a vision encoder, a text encoder and a fusion encoder."""

    def finished(self) -> nn.Module:
        """With the temperature that was learned; X-VLM keeps it as a parameter of the model."""
        self.model.temp.data.copy_((-self.log_scale.clamp(max=LARGEST_SCALE)).exp())
        return super().finished()

    def image_states(self, pixel_values: Tensor) -> Tensor:
        return self.model.image_states(pixel_values)

    def speak(self, image: Tensor, batch: dict[str, Tensor], matches: bool) -> tuple[Tensor, dict[str, Tensor]]:
        ids = batch["input_ids"]
        mask = (ids != PAD).long()
        text = self.model.text_states(ids, mask)
        similarity, itc = self.contrast(image, text)
        mlm = self.guess_words(image, ids, mask)
        loss, figures = itc + mlm, {"itc": itc, "mlm": mlm, "hits": hits(similarity)}
        if matches:
            half, wrong = len(ids) // 2, easily_mistaken(similarity)
            texts, masks = torch.cat([text[:half], text[wrong]]), torch.cat([mask[:half], mask[wrong]])
            fused = self.model.fuse(texts, masks, image[:half].repeat(2, 1, 1))
            itm, sure = matching_loss(self.model.itm_head(fused[:, 0]))
            loss = loss + 0.5 * itm
            figures |= {"itm": itm, "matched": sure}
        return loss, figures

    def guess_words(self, image: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
        """Masked words from the rest of the text and the image; the special tokens are never masked."""
        hidden = (torch.rand(ids.shape) < MASKED) & (ids > SEP)
        states = self.model.fuse(self.model.text_states(ids.masked_fill(hidden, MASK), mask), mask, image)
        return F.cross_entropy(self.model.mlm_head(states[hidden]), ids[hidden])
