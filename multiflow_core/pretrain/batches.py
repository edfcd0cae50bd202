"""Training batches: scenes that no other batch has, with captions, questions, and what every patch shows."""

from __future__ import annotations

import random

import numpy as np
import torch
from torch import Tensor

from ..data import flatland
from ..data.flatland.draw import render
from .reading import IMAGE_MEAN, IMAGE_SIZE, IMAGE_STD, PATCH
from .recipe import Recipe

VOCABULARY = flatland.vocabulary()
PAD, CLS, SEP, DEC, MASK = (VOCABULARY[word] for word in ("[PAD]", "[CLS]", "[SEP]", "[DEC]", "[MASK]"))
TEXT_LENGTHS = (18, 24)  # with [CLS] and [SEP]: scenes of up to two groups, and of three
QUESTION_LENGTH = 12
LABELS = {  # what a patch shows
    "kind": {kind: i for i, kind in enumerate(flatland.ALL_KINDS)},
    "color": {color: i for i, color in enumerate(flatland.COLORS)},
    "size": {size: i for i, size in enumerate(flatland.SIZES)},
}


def make_batch(recipe: Recipe, step: int) -> dict[str, Tensor]:
    """Batch number `step`: scenes that no other batch has. Every fourth batch holds the scenes of three groups."""
    rng = random.Random(f"batch {recipe.seed} {step}")
    crowded = step % 4 == 3
    scenes: list[flatland.Scene] = []
    index = step * 1000
    while len(scenes) < recipe.batch:
        scene = flatland.scene("train", index)
        index += 1
        if (len(scene.groups) > 2) == crowded:
            scenes.append(scene)
    questions = [flatland.ask(scene, rng) for scene in scenes]
    captions = [flatland.caption(scene, rng, full=rng.random() < 0.4) for scene in scenes]
    return {
        "pixel_values": pixels([render(scene, IMAGE_SIZE) for scene in scenes]),
        "input_ids": encode(captions, TEXT_LENGTHS[crowded]),
        "question_ids": encode([q.text for q in questions], QUESTION_LENGTH),
        "answer_ids": torch.tensor([[DEC, VOCABULARY[q.answer], SEP] for q in questions]),
        "patches": torch.tensor([patch_labels(scene) for scene in scenes]),
        "setting": torch.tensor([flatland.SETTINGS.index(scene.setting) for scene in scenes]),
    }


def pixels(images: list) -> Tensor:
    """Pictures as the image processor gives them: (batch, 3, size, size) float32, normalised."""
    raw = torch.from_numpy(np.stack([np.asarray(image) for image in images])).permute(0, 3, 1, 2).float() / 255
    return (raw - torch.tensor(IMAGE_MEAN).view(3, 1, 1)) / torch.tensor(IMAGE_STD).view(3, 1, 1)


def encode(texts: list[str], length: int) -> Tensor:
    """Token ids (batch, length): [CLS] words [SEP], padded to one length (varying shapes are slow)."""
    rows = [[CLS, *(VOCABULARY[word] for word in text.split()), SEP] for text in texts]
    return torch.tensor([row + [PAD] * (length - len(row)) for row in rows])


def patch_labels(scene: flatland.Scene) -> list[list[int]]:
    """For every patch, row by row, the (kind, color, size) of the thing at its centre; -1 where there is none."""
    side = IMAGE_SIZE // PATCH
    nothing = [-1] * len(LABELS)
    labels = []
    for row in range(side):
        for column in range(side):
            x, y = (column + 0.5) / side, (row + 0.5) / side
            there = [t for t in scene.things if max(abs(x - t.x), abs(y - t.y)) <= t.width / 2]
            labels.append([LABELS[part][getattr(there[0], part)] for part in LABELS] if there else nothing)
    return labels
