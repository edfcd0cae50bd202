"""The gallery: unseen Flatland scenes with captions, their embeddings, and what the models say about them."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from .runs import RunKey, pruned
from .store import STORE, Progress

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from multiflow_core.data.flatland import Scene
    from multiflow_core.vlm import Caption

SIZE = 160
SHOWN = 256  # pixels; the network sees pictures at its own size
STEP = 16  # pictures between two progress reports; larger batches are slower on a processor


@dataclass(frozen=True, eq=False)
class Gallery:
    """Scenes whose descriptions are pairwise different: `numbers[i]` is the place of scene i in the test split."""

    numbers: tuple[int, ...]
    scenes: tuple[Scene, ...]
    images: tuple[Image, ...]
    captions: tuple[str, ...]


def gallery(progress: Progress | None = None) -> Gallery:
    """The first scenes of the test split, drawn at the size that the built-in network sees."""

    def make(report: Progress) -> Gallery:
        from multiflow_core.benchmark import RESOLUTION
        from multiflow_core.data import flatland
        from multiflow_core.data.flatland.draw import render

        chosen = tuple(flatland.distinct("test", SIZE))
        images = []
        for done, (_, scene) in enumerate(chosen):
            if done % 10 == 0:
                report(done / SIZE, "drawing the gallery")
            images.append(render(scene, RESOLUTION))
        scenes = tuple(scene for _, scene in chosen)
        return Gallery(tuple(n for n, _ in chosen), scenes, tuple(images), tuple(map(caption_of, scenes)))

    return STORE.get("gallery", "test", make, progress)


def caption_of(scene: Scene) -> str:
    """One full caption of a scene, always the same."""
    from multiflow_core.data import flatland

    return flatland.caption(scene, random.Random(f"gallery {scene.key}"), full=True)


def image_embeddings(key: RunKey, progress: Progress | None = None) -> Tensor:
    """The gallery's pictures as the model sees them, (pictures, width)."""

    def make(report: Progress) -> Tensor:
        import torch

        model, pictures = pruned(key), gallery().images
        parts = []
        for start in range(0, len(pictures), STEP):
            report(start / len(pictures), "looking at the gallery")
            parts.append(model.embed_images(pictures[start : start + STEP]))
        return torch.cat(parts)

    return STORE.get("image embeddings", key, make, progress)


def caption_embeddings(key: RunKey, progress: Progress | None = None) -> Tensor:
    """The gallery's captions as the model reads them, (captions, width)."""

    def make(report: Progress) -> Tensor:
        report(0.2, "reading the captions")
        return pruned(key).embed_texts(gallery().captions)

    return STORE.get("caption embeddings", key, make, progress)


def text_scores(key: RunKey, text: str, progress: Progress | None = None) -> list[float]:
    """How well each picture of the gallery fits a text: cosine similarities."""

    def make(report: Progress) -> list[float]:
        images = image_embeddings(key)
        return (images @ pruned(key).embed_texts([text])[0]).tolist()

    return STORE.get("captions", (key, "text", text), make, progress)


def image_scores(
    key: RunKey, picture: Picture, extra: tuple[str, ...], progress: Progress | None = None
) -> list[float]:
    """How well each caption of the gallery, and each extra one, fits a picture: cosine similarities."""

    def make(report: Progress) -> list[float]:
        import torch

        model, texts = pruned(key), caption_embeddings(key)
        if extra:
            texts = torch.cat([texts, model.embed_texts(extra)])
        return (texts @ model.embed_images([picture.image])[0]).tolist()

    return STORE.get("captions", (key, "image", picture.id, extra), make, progress)


def caption(key: RunKey, picture: Picture, progress: Progress | None = None) -> Caption:
    """What the model says about a picture."""

    def make(report: Progress) -> Caption:
        report(0.3, "writing a caption")
        return pruned(key).caption([picture.image])[0]

    return STORE.get("captions", (key, "caption", picture.id), make, progress)


# --- pictures to look at --------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture to ask about: what the network gets, what the page shows, and its truth where it is known."""

    id: str
    image: Image
    shown: bytes
    title: str
    scene: Scene | None = None


def scene_picture(number: int) -> Picture:
    """Scene `number` of the test split."""
    from multiflow_core.benchmark import RESOLUTION
    from multiflow_core.data import flatland
    from multiflow_core.data.flatland.draw import render

    scene = flatland.scene("test", number)
    return Picture(f"scene {number}", render(scene, RESOLUTION), shown(scene, 512), f"Scene {number}", scene)


@lru_cache(maxsize=2048)
def shown(scene: Scene, size: int = SHOWN) -> bytes:
    """The picture of a scene for the page, WebP."""
    from multiflow_core.data.flatland.draw import render

    return webp(render(scene, size))


def webp(image: Image) -> bytes:
    """A picture as a WebP file."""
    file = io.BytesIO()
    image.convert("RGB").save(file, "WEBP", quality=84, method=2)
    return file.getvalue()
