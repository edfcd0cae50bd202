"""Training batches, each made from the number of its step alone: scenes that no other batch has, and what is said of them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor
from torch.utils.data import Dataset

from ..data import flatland
from ..data.flatland.draw import render
from .asking import questions
from .looking import patch_labels, picture_labels
from .placing import placed
from .reading import IMAGE_MEAN, IMAGE_SIZE, IMAGE_STD
from .recipe import Recipe

VOCABULARY = flatland.vocabulary()
PAD, CLS, SEP, DEC, MASK = (VOCABULARY[word] for word in ("[PAD]", "[CLS]", "[SEP]", "[DEC]", "[MASK]"))
CAPTION_LENGTHS = (18, 24)  # with [CLS] and [SEP]: scenes of up to two groups, and of three
SHORT_LENGTH = 12  # of short texts and questions
TEXTS = 3  # short texts a scene, each with one that is false by one fact
QUESTIONS = 4  # a scene
LEFT_OUT = 0.35  # of the scenes without two things alike
# how often a short text of each form
FORMS = {"kind": 1, "thing": 3, "two": 3, "relation": 4, "count": 4, "none": 1, "setting": 1}


class Batches(Dataset):
    """The batches of the steps from one on, for a loader that has them made ahead by another process."""

    def __init__(self, recipe: Recipe, first: int, end: int):
        self.recipe, self.first, self.end = recipe, first, end

    def __len__(self) -> int:
        return self.end - self.first

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        if number >= len(self):
            raise IndexError(number)
        return make_batch(self.recipe, self.first + number)


def make_batch(recipe: Recipe, step: int) -> dict[str, Tensor]:
    """Batch number `step`. Once there are texts, every fourth holds the scenes of three groups.

    Scenes in which everything is there once are left out now and then: counting takes more to learn than naming.
    """
    rng = random.Random(f"batch {recipe.seed} {step}")
    stage = recipe.stage(step)
    crowded = step % 4 == 3
    scenes: list[flatland.Scene] = []
    index = step * 1000
    while len(scenes) < recipe.batch:
        scene = flatland.scene("train", index)
        index += 1
        if max(map(len, scene.groups)) == 1 and rng.random() < LEFT_OUT:
            continue
        if stage == "looking" or (len(scene.groups) > 2) == crowded:
            scenes.append(scene)
    said = {} if stage == "looking" else _said(scenes, CAPTION_LENGTHS[crowded], rng)
    return said if stage == "wording" else {**_seen(scenes), **said}


def _seen(scenes: Sequence[flatland.Scene]) -> dict[str, Tensor]:
    """The pictures, and what each patch and the whole shows."""
    setting, number, pairs = zip(*map(picture_labels, scenes))
    labels = {"patches": [*map(patch_labels, scenes)], "setting": setting, "number": number, "pairs": pairs}
    pictures = pixels([render(scene, IMAGE_SIZE) for scene in scenes])
    return {"pixel_values": pictures, **{name: torch.tensor(values) for name, values in labels.items()}}


def _said(scenes: Sequence[flatland.Scene], length: int, rng: random.Random) -> dict[str, Tensor]:
    """Texts and questions, of a scene each: (scenes, texts, words). Of two texts, the second is false by one fact.

    `truths` says of every caption, and of every short text, whether it is true of each scene: (texts, scenes); and
    `captions wrong`, `short wrong` of every word whether it is what makes its text false; `captions placed`, `short placed`,
    `questions placed` what it is to tell of where things are.
    """
    captions, captions_wrong = _taught(_caption_pair(scene, length - 2, rng) for scene in scenes)
    short, short_wrong = _taught(_short_pair(scene, rng) for scene in scenes for _ in range(TEXTS))
    asked = [q for scene in scenes for q in questions(scene, QUESTIONS, SHORT_LENGTH - 2, rng)]
    true = flatland.truths([*captions[::2], *short], scenes)
    return {
        "captions": encode(captions, length).unflatten(0, (len(scenes), 2)),
        "captions wrong": places(captions_wrong, length),
        "short": encode(short, SHORT_LENGTH).unflatten(0, (len(scenes), 2 * TEXTS)),
        "short wrong": places(short_wrong, SHORT_LENGTH),
        "questions": encode([q.text for q in asked], SHORT_LENGTH).unflatten(0, (len(scenes), QUESTIONS)),
        "answers": torch.tensor([[DEC, VOCABULARY[q.answer], SEP] for q in asked]),
        "truths": torch.from_numpy(true),
        "captions placed": _placed(captions, scenes, length),
        "short placed": _placed(short, scenes, SHORT_LENGTH),
        "questions placed": _placed([q.text for q in asked], scenes, SHORT_LENGTH),
    }


def _placed(texts: Sequence[str], scenes: Sequence[flatland.Scene], length: int) -> Tensor:
    """(texts, length, 4), of as many texts of each scene after one another."""
    each = len(texts) // len(scenes)
    return torch.stack([placed(text, scenes[i // each], length) for i, text in enumerate(texts)])


def _taught(drawn: Iterable[tuple[str, str, range]]) -> tuple[list[str], list[range]]:
    """Texts in pairs, of which the second is false, and which words of each are wrong."""
    pairs = list(drawn)
    texts = [text for true, false, _ in pairs for text in (true, false)]
    return texts, [words for *_, wrong in pairs for words in (range(0), wrong)]


def _caption_pair(scene: flatland.Scene, words: int, rng: random.Random) -> tuple[str, str, range]:
    """A full caption, and one that may leave something out, with a mistake, and where that is."""
    true = flatland.caption(scene, rng, full=True)
    while True:
        base = true if rng.random() < 0.5 else flatland.caption(scene, rng)
        false = flatland.mistaken(base, scene, rng)
        if false and len(false.split()) <= words:
            return true, false, differing(base, false)


def _short_pair(scene: flatland.Scene, rng: random.Random) -> tuple[str, str, range]:
    while True:
        form = rng.choices([*FORMS], [*FORMS.values()])[0]
        true = flatland.FORMS[form](scene, rng)
        false = flatland.mistaken(true, scene, rng) if true else None
        if false and max(len(true.split()), len(false.split())) <= SHORT_LENGTH - 2:
            return true, false, differing(true, false)


def differing(true: str, false: str) -> range:
    """Which words of the second text are not those of the first; where one is left out, the one in its place.

    >>> differing("a red cat by day", "two red cats by day")
    range(0, 3)
    """
    had, has = true.split(), false.split()
    most = min(len(had), len(has))
    first = next((i for i in range(most) if had[i] != has[i]), most)
    alike = next((i for i in range(most - first) if had[-1 - i] != has[-1 - i]), most - first)
    return range(first, max(len(has) - alike, first + 1))


def places(words: Sequence[range], length: int) -> Tensor:
    """1 at the words of each text (texts, length) of token ids, of which the first is [CLS]."""
    marked = torch.zeros(len(words), length)
    for row, found in zip(marked, words):
        row[1 + found.start : 1 + found.stop] = 1.0
    return marked


def pixels(images: Sequence[Image]) -> Tensor:
    """Pictures as the image processor gives them: (batch, 3, size, size) float32, normalised."""
    raw = torch.from_numpy(np.stack([np.asarray(image) for image in images])).permute(0, 3, 1, 2).float() / 255
    return (raw - torch.tensor(IMAGE_MEAN).view(3, 1, 1)) / torch.tensor(IMAGE_STD).view(3, 1, 1)


def encode(texts: Sequence[str], length: int) -> Tensor:
    """Token ids (batch, length): [CLS] words [SEP], padded to one length (varying shapes are slow)."""
    rows = [[CLS, *(VOCABULARY[word] for word in text.split()), SEP] for text in texts]
    return torch.tensor([row + [PAD] * (length - len(row)) for row in rows])
