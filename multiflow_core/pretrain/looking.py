"""What pictures alone can teach: heads that read off what each patch and the whole picture show; thrown away afterwards."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ..data import flatland
from ..data.flatland.scene import GRID
from .reading import IMAGE_SIZE, PATCH

KIND = {kind: i for i, kind in enumerate(flatland.ALL_KINDS)}
COLOR = {color: i for i, color in enumerate(flatland.COLORS)}
SIZE = {size: i for i, size in enumerate(flatland.SIZES)}
MOST = 4  # things of a scene
OF_PATCH = {"kind": len(KIND), "color": len(COLOR), "size": len(SIZE), "x": GRID + 1, "y": GRID + 1, "alike": MOST}
SIDE = IMAGE_SIZE // PATCH
RARE = -4.0  # where the logits of what is seldom there begin


def patch_labels(scene: flatland.Scene) -> list[list[int]]:
    """For every patch, row by row, what is at its centre, in the order of `OF_PATCH`; -1 where there is none.

    A thing is told by kind, colour and size, by the grid lines that its centre lies on, and by how many more look like it.
    """
    labels = [[-1] * len(OF_PATCH) for _ in range(SIDE * SIDE)]
    for group in scene.groups:
        for t in group:
            place = round(t.x * GRID), round(t.y * GRID)
            seen = [KIND[t.kind], COLOR[t.color], SIZE[t.size], *place, len(group) - 1]
            for row in _covered(t.y, t.width):
                for column in _covered(t.x, t.width):
                    labels[row * SIDE + column] = seen
    return labels


def _covered(centre: float, width: float) -> list[int]:
    return [i for i in range(SIDE) if abs((i + 0.5) / SIDE - centre) <= width / 2]


def picture_labels(scene: flatland.Scene) -> tuple[int, int, list[int]]:
    """The setting, the number of things less one, and for every pair of kind and colour whether it is there."""
    pairs = [0] * (len(KIND) * len(COLOR))
    for t in scene.things:
        pairs[KIND[t.kind] * len(COLOR) + COLOR[t.color]] = 1
    return flatland.SETTINGS.index(scene.setting), len(scene.things) - 1, pairs


class Looking(nn.Module):
    """Linear heads on an image's states; used in training only."""

    def __init__(self, width: int):
        super().__init__()
        self.patch = nn.ModuleDict({part: nn.Linear(width, classes) for part, classes in OF_PATCH.items()})
        self.anything = nn.Linear(width, 1)
        self.setting = nn.Linear(width, len(flatland.SETTINGS))
        self.number = nn.Linear(width, MOST)
        self.pairs = nn.Linear(width, len(KIND) * len(COLOR))
        nn.init.constant_(self.pairs.bias, RARE)

    def forward(self, image: Tensor, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss, and what share of kinds, and of groups' numbers, is read off rightly where something is."""
        whole, patches = image[:, 0], image[:, 1:]
        shown = batch["patches"][..., 0] >= 0
        loss = F.cross_entropy(self.setting(whole).float(), batch["setting"])
        loss = loss + F.cross_entropy(self.number(whole).float(), batch["number"])
        there = batch["pairs"].float()
        loss = (
            loss + F.binary_cross_entropy_with_logits(self.pairs(whole).float(), there, reduction="sum") / there.sum()
        )
        anything = self.anything(patches).squeeze(-1).float()
        loss = loss + F.binary_cross_entropy_with_logits(anything, shown.float())
        right = {}
        for i, (part, head) in enumerate(self.patch.items()):
            logits, labels = head(patches[shown]).float(), batch["patches"][shown][:, i]
            loss = loss + F.cross_entropy(logits, labels)
            right[part] = (logits.argmax(-1) == labels).float().mean()
        return loss, {"look": loss, "seen": right["kind"], "alike": right["alike"]}
