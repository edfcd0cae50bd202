"""The zero-shot benchmark on Flatland: fixed unseen scenes with captions and questions, and a VLM's figures on them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image

from ..data import flatland
from ..data.flatland import Question, Scene
from ..data.flatland.draw import LARGEST, SMALLEST, render
from ..data.flatland.questions import all_types
from ..models.vlm import VLM
from ..tasks import captioning, retrieval, vqa

RESOLUTION = 96
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Benchmark:
    """Scenes whose descriptions are pairwise different, each with one full caption; questions about the first of them.

    >>> bench = flatland_benchmark("test", 20)
    >>> len(bench.captions), len(set(bench.captions))
    (20, 20)
    """

    split: str
    scenes: tuple[Scene, ...]
    captions: tuple[str, ...]
    asked: tuple[tuple[int, Question], ...]
    captioned: int

    def images(self, vlm: VLM) -> tuple[Image.Image, ...]:
        """A picture of every scene, as large as the VLM reads it."""
        return _drawn(self.scenes, drawing_size(vlm))

    def scores(self, vlm: VLM, tasks: tuple[str, ...] | None = None, progress: Progress | None = None) -> dict:
        """The figures of every task that the VLM can do, as {"retrieval": {...}, "captioning": {...}, "vqa": {...}}."""
        tasks = tuple(task for task in vlm.tasks if task in (tasks or vlm.tasks))
        found = {}
        for done, task in enumerate(tasks):
            if progress:
                progress(done / len(tasks), task)
            found[task] = getattr(self, f"_{task}")(vlm)
        return found

    def _retrieval(self, vlm: VLM) -> dict[str, float]:
        return retrieval.scores(vlm.embed_images(self.images(vlm)), vlm.embed_texts(self.captions))

    def _captioning(self, vlm: VLM) -> dict[str, float]:
        return captioning.scores(
            [caption.text for caption in vlm.caption(self.images(vlm)[: self.captioned])], self.scenes[: self.captioned]
        )

    def _vqa(self, vlm: VLM) -> dict[str, float]:
        questions = [question for _, question in self.asked]
        images = self.images(vlm)
        answers = vlm.answer([images[i] for i, _ in self.asked], [question.text for question in questions])
        return vqa.scores([answer.text for answer in answers], questions)


@lru_cache(maxsize=2)
def _drawn(scenes: tuple[Scene, ...], side: int) -> tuple[Image.Image, ...]:
    return tuple(render(scene, side) for scene in scenes)


@lru_cache(maxsize=4)
def flatland_benchmark(
    split: str = "test", scenes: int = 1000, captioned: int = 1000, asked: int = 1000, seed: int = 0
) -> Benchmark:
    """The benchmark of a split: retrieval among all `scenes`, captions of the first `captioned`, and one question of every
    type about the first `asked`."""
    chosen = tuple(scene for _, scene in flatland.distinct(split, scenes))
    rng = random.Random(f"benchmark {seed}")
    captions = tuple(flatland.caption(scene, rng, full=True) for scene in chosen)
    questions = tuple((i, q) for i, scene in enumerate(chosen[:asked]) for q in all_types(scene, rng))
    return Benchmark(split, chosen, captions, questions, captioned)


def drawing_size(vlm: VLM) -> int:
    """Pixels of the side at which a scene is drawn for a model: as it reads pictures, as far as they can be drawn.

    >>> from multiflow_core import load
    >>> drawing_size(load("flatland-blip"))
    96
    """
    vision = vlm.model.config.vision_config
    side = getattr(vision, "image_size", None)
    if side is None:  # SigLIP 2 reads so many patches, whatever the shape
        side = math.isqrt(vision.num_patches) * vision.patch_size
    return max(SMALLEST, min(LARGEST, side))


@lru_cache(maxsize=2)
def calibration_pairs(count: int = 512, seed: int = 0, side: int = RESOLUTION) -> tuple[tuple[Image.Image, str], ...]:
    """Image-text pairs from the end of the training list, for calibration; pictures of side x side pixels.

    >>> len(calibration_pairs(4))
    4
    """
    rng = random.Random(f"calibration {seed}")
    scenes = [flatland.scene("train", -1 - i - seed * count) for i in range(count)]
    return tuple((render(scene, side), flatland.caption(scene, rng, full=True)) for scene in scenes)
