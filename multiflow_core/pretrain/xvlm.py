"""X-VLM's objectives (Zeng et al., 2022) on whole images: contrast, matching with hard negatives, masked words."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from ..support.lanes import Figures, Loss
from .objectives import LARGEST_SCALE, Objectives, fold_texts, hide_words, reads, spread_like_mae


class XvlmObjectives(Objectives):
    """ITC + ITM + MLM on a vision encoder, a text encoder and a fusion encoder."""

    def __init__(self, model: nn.Module):
        super().__init__(model)
        spread_like_mae(model.vision_encoder)
        for layer in model.fusion_encoder.layer:
            fold_texts(layer.crossattention)

    def finished(self) -> nn.Module:
        """With the temperature that was learned; X-VLM keeps it as a parameter of the model."""
        self.model.temp.data.copy_((-self.log_scale.clamp(max=LARGEST_SCALE)).exp())
        return super().finished()

    def image_states(self, pixel_values: Tensor) -> Tensor:
        return self.model.image_states(pixel_values)

    def text_states(self, ids: Tensor) -> Tensor:
        return self.model.text_states(ids, reads(ids))

    def reading_layers(self) -> Sequence[nn.Module]:
        return self.model.fusion_encoder.layer

    def fused(self, image: Tensor, ids: Tensor) -> Tensor:
        return self.model.fuse(self.text_states(ids), reads(ids), image)

    def wording(self, batch: dict[str, Tensor]) -> list[Loss]:
        """BERT's masked words."""
        return [lambda ids=batch[name]: self.guess(ids.flatten(0, 1), None) for name in ("captions", "short")]

    def paper(self, image: Tensor, batch: dict[str, Tensor]) -> list[Loss]:
        true = [batch["captions"][:, 0], batch["short"][:, 0]]
        return [lambda ids=ids: self.guess(ids, image) for ids in true]

    def guess(self, ids: Tensor, image: Tensor | None) -> tuple[Tensor, Figures]:
        """Masked words from the rest of the text, and from the image where there is one."""
        shown, hidden = hide_words(ids)
        states = self.text_states(shown) if image is None else self.fused(image, shown)
        loss = F.cross_entropy(self.model.mlm_head(states[hidden]).float(), ids[hidden])
        return loss, {"mlm": loss}
