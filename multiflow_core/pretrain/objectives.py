"""What every built-in checkpoint is trained for: looking at pictures, and telling which text is true of which picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..support.lanes import Figures, Loss
from .batches import MASK, PAD, SEP
from .looking import Looking
from .placing import Glimpse, Placing

LARGEST_SCALE = math.log(100)  # of the similarities before the softmax, as in CLIP
MASKED = 0.25  # share of the words that are to be guessed, as in X-VLM
LOOKING = 0.5  # weight of the looking once texts are there


class Objectives(nn.Module):
    """A model with all that training adds to it: temperatures, and heads that are thrown away.

    Sub-classes say how their model reads, and add the objectives of its paper.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model
        self.looking = Looking(model.config.vision_config.hidden_size)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        # of the similarities of short texts before the sigmoid, as in SigLIP
        self.truth_scale, self.truth_bias = nn.Parameter(torch.tensor(10.0)), nn.Parameter(torch.tensor(-3.0))
        self.doubt = nn.Linear(model.config.text_config.hidden_size, 1)
        self.placing = Placing(model.config.text_config.hidden_size)
        self.half_way = Glimpse(middle(self.reading_layers()))

    # --- what sub-classes know --------------------------------------------------------------------------------------

    def image_states(self, pixel_values: Tensor) -> Tensor:
        """(pictures, 1 + patches, width)"""
        raise NotImplementedError

    def text_states(self, ids: Tensor) -> Tensor:
        """(texts, words, width) of texts alone."""
        raise NotImplementedError

    def reading_layers(self) -> Sequence[nn.Module]:
        """The layers in which a text reads its picture."""
        raise NotImplementedError

    def fused(self, image: Tensor, ids: Tensor) -> Tensor:
        """(texts, words, width) of texts (texts, words) that read their pictures, as many of each after one another."""
        raise NotImplementedError

    def wording(self, batch: dict[str, Tensor]) -> list[Loss]:
        """The losses of sentences alone."""
        raise NotImplementedError

    def paper(self, image: Tensor, batch: dict[str, Tensor]) -> list[Loss]:
        """The losses of image and text that the model's paper has besides contrast and matching."""
        raise NotImplementedError

    # --- losses -----------------------------------------------------------------------------------------------------

    def losses(self, stage: str, image: Tensor | None, batch: dict[str, Tensor]) -> list[Loss]:
        """Those of a stage, each on its own; the largest come first."""
        if stage == "wording":
            return self.wording(batch)
        looking = [lambda: self.looking(image, batch)]
        if stage == "looking":
            return looking
        matching = [
            lambda: self.match(image, batch, "short"),
            lambda: self.match(image, batch, "captions"),
        ]
        return [
            lambda: self.contrast(image, batch),
            *matching,
            *self.paper(image, batch),
            lambda: self.look(image, batch),
        ]

    def look(self, image: Tensor, batch: dict[str, Tensor]) -> tuple[Tensor, Figures]:
        loss, figures = self.looking(image, batch)
        return LOOKING * loss, figures

    def contrast(self, image: Tensor, batch: dict[str, Tensor]) -> tuple[Tensor, Figures]:
        """Captions find their pictures and the other way round; short texts find those that they are true of.

        A text may be true of several pictures of the batch: `truths` is the target, not the diagonal.
        """
        image_side = F.normalize(self.model.vision_proj(image[:, 0]).float(), dim=-1)
        captions, short = batch["captions"][:, 0], batch["short"].flatten(0, 1)
        text_side = torch.cat([self.embed(captions), self.embed(short)])
        with torch.autocast(image.device.type, enabled=False):  # a third digit decides
            similarity, true = text_side @ image_side.T, batch["truths"]
        few = len(captions)
        likely = similarity * self.log_scale.clamp(max=LARGEST_SCALE).exp()
        itc = (found(likely[:few], true[:few]) + found(likely[:few].T, true[:few].T)) / 2
        asked = true[few:].any(1)
        typed = found(likely[few:][asked], true[few:][asked])
        truth = F.binary_cross_entropy_with_logits(similarity * self.truth_scale + self.truth_bias, true.float())
        first = true[few:][asked].gather(1, likely[few:][asked].argmax(1, keepdim=True))
        figures = {
            "itc": itc,
            "hits": (likely[:few].argmax(0) == torch.arange(few, device=image.device)).float().mean(),
        }
        figures |= {"typed": typed, "first": first.float().mean(), "truth": truth}
        return itc + typed + 4 * truth, figures

    def embed(self, ids: Tensor) -> Tensor:
        return F.normalize(self.model.text_proj(self.text_states(ids)[:, 0]).float(), dim=-1)

    def match(self, image: Tensor, batch: dict[str, Tensor], name: str) -> tuple[Tensor, Figures]:
        """Texts in pairs, of which the first is true and the second false by one fact.

        One bit a text teaches slowly to look where a word points: every word also tells whether it is the wrong one, as
        ELECTRA's (Clark et al., 2020) tell whether they were replaced, and where its thing is, as in X-VLM.
        """
        texts, wrong = batch[name].flatten(0, 1), batch[f"{name} wrong"]
        states = self.fused(image, texts)
        placed = self.placing(self.half_way.last, states, batch[f"{name} placed"])
        logits = self.model.itm_head(states[:, 0]).float()
        target = torch.tensor([1, 0], device=logits.device).repeat(len(logits) // 2)
        loss = F.cross_entropy(logits, target)
        doubts = self.doubt(states).squeeze(-1).float()
        doubt = F.binary_cross_entropy_with_logits(doubts, wrong, reads(texts).float(), reduction="sum") / len(texts)
        return loss + doubt + placed, {
            name: loss,
            f"{name} hits": (logits.argmax(1) == target).float().mean(),
            f"{name} doubt": doubt,
            f"{name} placed": placed,
        }

    def finished(self) -> nn.Module:
        """The trained model alone, in evaluation mode."""
        return self.model.eval()


def middle(layers: Sequence[nn.Module]) -> nn.Module:
    """The last layer of the first half."""
    return layers[(len(layers) - 1) // 2]


def found(likely: Tensor, true: Tensor) -> Tensor:
    """How unlikely, by a softmax over each row, the true ones are, the mean over all of a row's."""
    true = true.float()
    return (likely.logsumexp(1) - (likely * true).sum(1) / true.sum(1)).mean()


def hide_words(ids: Tensor) -> tuple[Tensor, Tensor]:
    """The ids with some words masked, and which; drawn by the texts themselves, never special tokens."""
    draw = torch.rand(ids.shape, generator=torch.Generator().manual_seed(int(ids.sum())))
    hidden = (draw < MASKED).to(ids.device) & (ids > SEP)
    return ids.masked_fill(hidden, MASK), hidden


def reads(ids: Tensor) -> Tensor:
    """The attention mask of ids: padding is not read."""
    return (ids != PAD).long()


def fold_texts(cross_attention: nn.Module) -> None:
    """Let several texts read one image: fewer images than texts are taken as one for as many texts each.

    Keys and values of an image are then worked out once, however many texts read it.
    """

    inner = cross_attention.forward

    def forward(states: Tensor, attention_mask: Tensor | None, encoder_hidden_states: Tensor, *rest, **kwargs) -> tuple:
        folded = states.reshape(len(encoder_hidden_states), -1, states.shape[-1])
        found, *others = inner(folded, attention_mask, encoder_hidden_states, *rest, **kwargs)
        return found.reshape(states.shape), *others

    cross_attention.forward = forward


def spread_like_mae(encoder: nn.Module) -> None:
    """Weights of a ViT as MAE and the first ViT begin them: uniform by Glorot's rule; patches as one matrix."""
    for module in encoder.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(module.weight.data.flatten(1))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
