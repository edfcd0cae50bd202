"""The gallery: unseen Flatland scenes with captions, their embeddings, and what models say about them and own pictures."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from functools import lru_cache

import torch
from PIL.Image import Image
from torch import Tensor

from multiflow_core.data import dataset, flatland
from multiflow_core.data.flatland import Scene
from multiflow_core.data.flatland.draw import render
from multiflow_core.data.flatland.scene import Thing
from multiflow_core.experiments.run import Run
from multiflow_core.models.vlm import VLM, Answer, Caption

from ..engine.calibration import sample
from ..engine.runs import pruned, vlm, work
from ..engine.store import STORE, Progress

MOST, FEWEST = 160, 24
WORK = 1e12  # multiply-adds of a look at the whole gallery: a quarter of a minute on two cores, at every new sparsity
SHOWN, OWN = 256, 512  # pixels; the network sees pictures at its own size
STEP = 16  # pictures between two progress reports; larger batches are slower on a processor


@dataclass(frozen=True, eq=False)
class Gallery:
    """Scenes of the test split whose descriptions are pairwise different, with a picture and a caption each."""

    scenes: tuple[Scene, ...]
    images: tuple[Image, ...]
    captions: tuple[str, ...]


@STORE.keep(4)
def gallery(model: str, report: Progress) -> Gallery:
    """The showcase and the first scenes of the test split, drawn at the size that the model reads.

    Fewer of them for a model that takes its time.
    """
    side = vlm(model).side
    size = max(FEWEST, min(MOST, int(WORK / work(model))))
    staged = showcase()
    scenes = staged + tuple(scene for _, scene in flatland.distinct("test", size - len(staged)))
    images = []
    for done, scene in enumerate(scenes):
        if done % 10 == 0:
            report(done / size, "drawing the gallery")
        images += dataset.open().pictures([scene], side)
    return Gallery(scenes, tuple(images), tuple(map(caption_of, scenes)))


def showcase() -> tuple[Scene, ...]:
    """Two boats below clouds and what is easily mistaken for them: chance alone would hardly ever put them in a gallery.

    Scenes of the test split like all others: no model has been trained on them.
    """

    def scene(setting: str, boat: str, boat_size: str, cloud: str, cloud_size: str, *beside: str) -> Scene:
        things = [Thing("boat", boat, boat_size, 0.4167, 0.6667), Thing("cloud", cloud, cloud_size, 0.5, 0.25)]
        kind, color, y = beside or ("", "", 0)
        return Scene(setting, (*things, Thing(kind, color, "small", 0.8333, y)) if beside else tuple(things))

    return (
        scene("night", "red", "large", "white", "medium", "moon", "blue", 0.1667),
        scene("night", "red", "medium", "white", "medium", "lighthouse", "yellow", 0.75),
        scene("night", "white", "large", "red", "small", "lighthouse", "yellow", 0.75),
        scene("night", "blue", "large", "white", "medium", "lighthouse", "blue", 0.75),
        scene("day", "red", "large", "white", "small"),
        scene("sunset", "red", "medium", "white", "small", "star", "yellow", 0.1667),
    )


def caption_of(scene: Scene) -> str:
    """One full caption of a scene, always the same."""
    return flatland.caption(scene, random.Random(f"gallery {scene.key}"), full=True)


@STORE.keep(128, asks=True)
def image_embeddings(key: Run, report: Progress) -> Tensor:
    """The gallery's pictures as the model sees them, (pictures, width)."""
    model, pictures = pruned(key), gallery(key.model).images
    step = min(STEP, sample(work(key.model)).batch)
    parts = []
    for start in range(0, len(pictures), step):
        report(start / len(pictures), "looking at the gallery")
        parts.append(model.embed_images(pictures[start : start + step]))
    return torch.cat(parts)


@STORE.keep(128, asks=True)
def caption_embeddings(key: Run, report: Progress) -> Tensor:
    """The gallery's captions as the model reads them, (captions, width)."""
    report(0.2, "reading the captions")
    return pruned(key).embed_texts(gallery(key.model).captions)


# what is said of pictures is kept by their ids: a picture in a key would stay in memory with it
EMBEDDINGS, ANSWERS = STORE.room(4096, asks=True), STORE.room(4096, asks=True)


def own_embedding(key: Run, picture: Picture, progress: Progress | None = None) -> Tensor:
    """One picture from outside as the model sees it, (1, width)."""

    def make(report: Progress) -> Tensor:
        report(0.5, f"looking at {picture.title}")
        model = pruned(key)
        return model.embed_images([picture.seen_by(model)])

    return EMBEDDINGS.get((key, picture.id), make, progress)


def text_scores(
    key: Run, text: str, progress: Progress | None = None, own: tuple[Picture, ...] = (), scenes: bool = True
) -> list[float]:
    """How well each picture of the gallery, then each own one, fits a text: cosine similarities.

    Without `scenes` only the own pictures are searched.
    """

    def make(_: Progress) -> list[float]:
        seen = [image_embeddings(key)] if scenes else []
        seen += [own_embedding(key, picture) for picture in own]
        return (torch.cat(seen) @ pruned(key).embed_texts([text])[0]).tolist()

    return ANSWERS.get((key, "text", text, scenes, *(picture.id for picture in own)), make, progress)


def image_scores(key: Run, picture: Picture, extra: tuple[str, ...], progress: Progress | None = None) -> list[float]:
    """How well each caption of the gallery, and each extra one, fits a picture: cosine similarities."""

    def make(_: Progress) -> list[float]:
        texts = caption_embeddings(key)
        if extra:
            texts = torch.cat([texts, pruned(key).embed_texts(extra)])
        return (texts @ own_embedding(key, picture)[0]).tolist()

    return ANSWERS.get((key, "image", picture.id, extra), make, progress)


def caption(key: Run, picture: Picture, progress: Progress | None = None) -> Caption:
    """What the model says about a picture."""

    def make(report: Progress) -> Caption:
        model = pruned(key)
        report(0.95, "writing a caption")
        return model.caption([picture.seen_by(model)])[0]

    return ANSWERS.get((key, "caption", picture.id), make, progress)


def answer(key: Run, picture: Picture, question: str, progress: Progress | None = None) -> Answer:
    """What the model answers to a question about a picture."""

    def make(report: Progress) -> Answer:
        model = pruned(key)
        report(0.95, "looking for an answer")
        return model.answer([picture.seen_by(model)], [question])[0]

    return ANSWERS.get((key, "answer", picture.id, question), make, progress)


# --- pictures to look at --------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture to ask about: what the network gets, what the page shows, and its truth where it is known."""

    id: str
    image: Image
    shown: bytes
    title: str
    scene: Scene | None = None

    def seen_by(self, model: VLM) -> Image:
        """What a model gets: a scene is drawn at the size that it reads, an own picture stays as it is."""
        return dataset.open().pictures([self.scene], model.side)[0] if self.scene else self.image


def scene_picture(number: int) -> Picture:
    """Scene `number` of the test split."""
    scene = flatland.scene("test", number)
    return Picture(f"scene {number}", render(scene), shown(scene, 512), f"Scene {number}", scene)


def own_picture(name: str, image: Image, title: str) -> Picture:
    """A picture from outside, no larger than a page shows it; `name` tells its content from others."""
    image.thumbnail((OWN, OWN))
    return Picture(name, image, webp(image), title[:60])


@lru_cache(maxsize=2048)
def shown(scene: Scene, size: int = SHOWN) -> bytes:
    """The picture of a scene for the page, WebP."""
    return webp(render(scene, size))


def webp(image: Image) -> bytes:
    """A picture as a WebP file."""
    file = io.BytesIO()
    image.convert("RGB").save(file, "WEBP", quality=84, method=2)
    return file.getvalue()
