"""What every built-in checkpoint is trained for: looking at patches, and telling which text belongs to which image."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data import flatland
from .batches import LABELS

LARGEST_SCALE = math.log(100)  # of the similarities before the softmax, as in CLIP


class Looking(nn.Module):
    """Linear heads that read off what each patch shows; used in training only."""

    def __init__(self, width: int):
        super().__init__()
        self.parts = nn.ModuleDict({part: nn.Linear(width, len(classes)) for part, classes in LABELS.items()})
        self.anything = nn.Linear(width, 1)
        self.setting = nn.Linear(width, len(flatland.SETTINGS))

    def forward(self, image: Tensor, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The loss, and the share of the patches with something on them whose kind is read off rightly."""
        shown = batch["patches"][..., 0] >= 0
        anything = self.anything(image[:, 1:]).squeeze(-1)
        loss = F.cross_entropy(self.setting(image[:, 0]), batch["setting"])
        loss = loss + F.binary_cross_entropy_with_logits(anything, shown.float())
        patches, labels = image[:, 1:][shown], batch["patches"][shown]
        for i, head in enumerate(self.parts.values()):
            loss = loss + F.cross_entropy(head(patches), labels[:, i])
        return loss, (self.parts["kind"](patches).argmax(-1) == labels[:, 0]).float().mean()


class Objectives(nn.Module):
    """A model with all that training adds to it: the temperature and the heads for looking.

    Sub-classes say how their model embeds, and add the objectives of its paper.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model
        self.looking = Looking(model.config.vision_config.hidden_size)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def forward(self, batch: dict[str, Tensor], speaks: bool, matches: bool) -> tuple[Tensor, dict[str, float]]:
        """Sum of the losses that are on, and the figures for the log."""
        image = self.image_states(batch["pixel_values"])
        looking, seen = self.looking(image, batch)
        if not speaks:
            return looking, {"look": looking.item(), "seen": seen.item()}
        loss, figures = self.speak(image, batch, matches)
        figures |= {"look": looking, "seen": seen}
        return loss + 0.5 * looking, {name: value.item() for name, value in figures.items()}

    def finished(self) -> nn.Module:
        """The trained model alone, in evaluation mode."""
        return self.model.eval()

    def image_states(self, pixel_values: Tensor) -> Tensor:
        raise NotImplementedError

    def speak(self, image: Tensor, batch: dict[str, Tensor], matches: bool) -> tuple[Tensor, dict[str, Tensor]]:
        """The losses of image and text together, and their figures; `matches`: with image-text matching."""
        raise NotImplementedError

    def contrast(self, image: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """Similarities (images, texts) of one batch from the states' first tokens, and the contrastive loss."""
        image_side = F.normalize(self.model.vision_proj(image[:, 0]), dim=-1)
        text_side = F.normalize(self.model.text_proj(text[:, 0]), dim=-1)
        similarity = image_side @ text_side.T * self.log_scale.clamp(max=LARGEST_SCALE).exp()
        target = torch.arange(len(text))
        return similarity, (F.cross_entropy(similarity, target) + F.cross_entropy(similarity.T, target)) / 2


def hits(similarity: Tensor) -> Tensor:
    """The share of images whose own text is the nearest of the batch."""
    return (similarity.argmax(1) == torch.arange(len(similarity))).float().mean()


def easily_mistaken(similarity: Tensor) -> Tensor:
    """For each image of the first half of a batch, the number of a wrong text, drawn by how well it fits."""
    likely = similarity.detach().softmax(1).fill_diagonal_(0)[: len(similarity) // 2] + 1e-6
    return torch.multinomial(likely, 1).squeeze(1)


def matching_loss(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Loss and hits of ITM logits whose first half are true pairs and whose second half are wrong ones."""
    half = len(logits) // 2
    target = torch.cat([torch.ones(half), torch.zeros(half)]).long()
    return F.cross_entropy(logits, target), (logits.argmax(1) == target).float().mean()
