"""The gallery: unseen pictures with their texts, their embeddings, and what models say about them and own pictures."""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

import torch
from PIL.Image import Image
from safetensors.torch import load, save
from torch import Tensor

from multiflow_core.data import dataset, flatland
from multiflow_core.data.dataset import DataSet, Exam, Question
from multiflow_core.data.flatland import Scene
from multiflow_core.data.flatland.scene import Thing
from multiflow_core.experiments.run import Run
from multiflow_core.models.vlm import VLM, Answer, Caption

from .. import state
from ..engine import checkpoints, disk
from ..engine.calibration import sample
from ..engine.data_sets import data_set
from ..engine.runs import vlm, work
from ..engine.shipped import asked
from ..engine.store import STORE, Progress, Room
from ..look.words import MATCHED

T = TypeVar("T")
_SEARCH = "retrieval"
_TENSOR = disk.Form(lambda tensor: save({"is": tensor.contiguous()}), lambda data: load(data)["is"])
MOST, FEWEST = 160, 24
WORK = 1e12  # multiply-adds of a look at the whole gallery: a quarter of a minute on two cores, at every new sparsity
SHOWN, OWN = 256, 512  # pixels; the network sees pictures at its own size
STEP = 16  # pictures between two progress reports; larger batches are slower on a processor


@dataclass(frozen=True)
class Picture:
    """A picture to ask about: an item of a data set, or one from outside; with its truth where that is known.

    Attributes:
        id: tells it from all others; nothing else is compared. number: of the item in its data set.
        item, data: what a data set draws or reads it from; an own picture has its `image` instead.
        texts: what people wrote about it. questions: what they asked and answered.
    """

    id: str
    title: str = field(compare=False)
    data: DataSet | None = field(default=None, compare=False)
    item: object = field(default=None, compare=False)
    image: Image | None = field(default=None, compare=False)
    number: int | None = field(default=None, compare=False)
    texts: tuple[str, ...] = field(default=(), compare=False)
    questions: tuple[Question, ...] = field(default=(), compare=False)

    @property
    def content(self) -> str:
        """What it shows, in a word, for what is kept of it on disk; of a data set's item, together with the data of the run."""
        return self.scene.to_json() if self.scene else self.id if self.data is None else f"item {self.number}"

    @property
    def scene(self) -> Scene | None:
        """The scene of Flatland that it shows, of which everything is known."""
        return self.item if isinstance(self.item, Scene) else None

    def seen_by(self, model: VLM) -> Image:
        """What a model gets: a scene is drawn at the size that it reads, a picture stays as it is."""
        return self.data.pictures([self.item], model.side)[0] if self.data else self.image

    def shown(self, size: int = OWN) -> bytes:
        """The picture for the page, WebP."""
        if self.scene:
            return _drawn(self.data, self.scene, size)
        return _reduced(self, size)


@dataclass(frozen=True, eq=False)
class Gallery:
    """Pictures of the test split with their texts.

    Attributes:
        images: what the model gets of them, in their order.
        owners: the places of the captions' pictures.
    """

    pictures: tuple[Picture, ...]
    images: tuple[Image, ...]
    captions: tuple[str, ...]
    owners: tuple[int, ...]

    @property
    def flat(self) -> bool:
        """Whether it shows Flatland, where everything can be checked."""
        return all(picture.scene for picture in self.pictures)

    @property
    def examples(self) -> tuple[str, ...]:
        """Texts to search for: those of a few pictures."""
        firsts = [self.captions[self.owners.index(i)] for i in sorted(set(self.owners))[:5]]
        return tuple(dict.fromkeys(firsts))


@STORE.keep(4)
def gallery(model: str, data: str, report: Progress) -> Gallery:
    """The first pictures of the test split; of Flatland after the showcase, one caption each.

    Fewer of them for a model that takes its time.
    """
    size = max(FEWEST, min(MOST, int(WORK / work(model))))
    report(0.1, "opening the gallery")
    if data:
        size = min(size, len(exam(data, report).items))
        pictures = tuple(picture(data, i) for i in range(size))
    else:
        staged = showcase()
        scenes = staged + tuple(scene for _, scene in flatland.distinct("test", size - len(staged)))
        pictures = tuple(_scene(scene, str(scene.key)) for scene in scenes)
    images = []
    for done, found in enumerate(pictures):
        if done % 10 == 0:
            report(done / size, "preparing the gallery")
        images.append(found.seen_by(vlm(model)))
    pairs = [(text, i) for i, found in enumerate(pictures) for text in texts_of(found)]
    return Gallery(pictures, tuple(images), tuple(text for text, _ in pairs), tuple(i for _, i in pairs))


@STORE.keep(4)
def exam(data: str, report: Progress) -> Exam:
    """What a data set asks: as much of its test split as pages can show."""
    return data_set(data, report).exam("test", ITEMS, ITEMS, ITEMS)


ITEMS = 1000  # of an own data set that pages can show


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


@lru_cache(maxsize=2048)
def caption_of(scene: Scene) -> str:
    """One full caption of a scene, always the same."""
    return flatland.caption(scene, random.Random(f"gallery {scene.key}"), full=True)


def texts_of(picture: Picture) -> tuple[str, ...]:
    """What is known to be on a picture, or what somebody wrote about it."""
    return (caption_of(picture.scene),) if picture.scene and not picture.texts else picture.texts


def about(picture: Picture) -> str:
    """What stands under a picture."""
    return next(iter(texts_of(picture)), picture.title)


@STORE.keep(128, asks=True)
def image_embeddings(key: Run, report: Progress) -> Tensor:
    """The gallery's pictures as the model sees them, (pictures, width)."""
    images = gallery(key.model, key.data).images

    def make() -> Tensor:
        return _seen(key, range(len(images)), report)

    return disk.kept(key, ("gallery", len(images)), _TENSOR, make, report)


@STORE.keep(128, asks=True)
def first_embeddings(key: Run, some: tuple[int, ...], report: Progress) -> Tensor:
    """The same of some of them, which is there sooner."""
    return _seen(key, some, report)


def _seen(key: Run, some: Sequence[int], report: Progress) -> Tensor:
    model, images = asked(key, _SEARCH), gallery(key.model, key.data).images
    step = min(STEP, sample(work(key.model)).batch)
    parts = []
    for start in range(0, len(some), step):
        report(start / len(some), "looking at the gallery")
        parts.append(model.embed_images([images[i] for i in some[start : start + step]]))
    return torch.cat(parts)


@STORE.keep(128, asks=True)
def caption_embeddings(key: Run, report: Progress) -> Tensor:
    """The gallery's captions as the model reads them, (captions, width)."""
    captions = gallery(key.model, key.data).captions

    def make() -> Tensor:
        report(0.2, "reading the captions")
        return asked(key, _SEARCH).embed_texts(captions)

    return disk.kept(key, ("captions", captions), _TENSOR, make, report)


# what is said of pictures is kept by their ids: a picture in a key would stay in memory with it
EMBEDDINGS, ANSWERS = STORE.room(4096, asks=True), STORE.room(4096, asks=True)
_ANSWER = disk.as_json(lambda said: Answer(said["text"], said["probability"], tuple(map(tuple, said["alternatives"]))))
_CAPTION = disk.as_json(lambda said: Caption(said["text"], tuple(said["words"]), tuple(said["probabilities"])))
_FIGURES = disk.as_json(list)


def own_embedding(key: Run, picture: Picture, progress: Progress | None = None) -> Tensor:
    """One picture from outside as the model sees it, (1, width)."""

    def make(report: Progress) -> Tensor:
        report(0.5, f"looking at {picture.title}")
        model = asked(key, _SEARCH)
        return model.embed_images([picture.seen_by(model)])

    return _asked(EMBEDDINGS, key, (picture.id,), ("picture", picture.content), _TENSOR, make, progress)


def _asked(
    room: Room[T],
    key: Run,
    name: tuple[Hashable, ...],
    content: tuple[Hashable, ...],
    form: disk.Form[T],
    make: Callable[[Progress], T],
    progress: Progress | None,
) -> T:
    """What a run's model makes of something: kept in memory by its name, on disk by its content."""

    def once(report: Progress) -> T:
        return disk.kept(key, content, form, lambda: make(report), report)

    return room.get((key, *name), once, progress)


def text_scores(
    key: Run, text: str, progress: Progress | None = None, own: tuple[Picture, ...] = (), scenes: bool = True
) -> list[float]:
    """How well each picture of the gallery, then each own one, fits a text: cosine similarities.

    Without `scenes` only the own pictures are searched.
    """

    pictures = gallery(key.model, key.data).pictures if scenes else ()

    def make(_: Progress) -> list[float]:
        seen = [image_embeddings(key)] if scenes else []
        seen += [own_embedding(key, picture) for picture in own]
        return (torch.cat(seen) @ asked(key, _SEARCH).embed_texts([text])[0]).tolist()

    name = ("text", text, scenes, *(picture.id for picture in own))
    content = ("text", text, len(pictures), *(picture.content for picture in own))
    return _asked(ANSWERS, key, name, content, _FIGURES, make, progress)


def first_scores(
    key: Run, text: str, some: tuple[int, ...], total: int, progress: Progress | None = None
) -> list[float]:
    """The same of some pictures, which is there sooner; of the others of so many in `total` minus infinity."""

    def make(_: Progress) -> list[float]:
        near = (first_embeddings(key, some) @ asked(key, _SEARCH).embed_texts([text])[0]).tolist()
        found = dict(zip(some, near, strict=True))
        return [found.get(i, -math.inf) for i in range(total)]

    return ANSWERS.get((key, "first", text, some, total), make, progress)


def at_hand(key: Run, progress: Progress | None = None) -> bool:
    """Whether a model has looked at the whole gallery already."""
    if image_embeddings.holds(key):
        return True
    return disk.holds(key, ("gallery", len(gallery(key.model, key.data, progress).images)), progress)


def text_ranking(
    key: Run, text: str, k: int, progress: Progress | None = None, own: tuple[Picture, ...] = (), scenes: bool = True
) -> list[float]:
    """The same, but the k nearest pictures are ranked by the matching head: `MATCHED` + the probability that they match."""
    nearest = text_scores(key, text, progress, own, scenes)
    if not k:
        return nearest
    pictures = (*(gallery(key.model, key.data).pictures if scenes else ()), *own)
    first = sorted(range(len(nearest)), key=lambda i: -nearest[i])[:k]

    def make(report: Progress) -> list[float]:
        report(0.5, f"looking again at the first {len(first)}")
        model = asked(key, _SEARCH)
        return model.match([pictures[i].seen_by(model) for i in first], [text] * len(first)).tolist()

    name = ("match", text, k, scenes, *(picture.id for picture in own))
    content = ("match", text, *(pictures[i].content for i in first))
    sure = _asked(ANSWERS, key, name, content, _FIGURES, make, progress)
    found = list(nearest)
    for i, probability in zip(first, sure, strict=True):
        found[i] = MATCHED + probability
    return found


@STORE.keep(8)
def matches(model: str, report: Progress) -> bool:
    """Whether a model has a head that says whether a text and a picture belong together."""
    report(0.5, f"asking {checkpoints.title(model)} whether it matches")
    dense = vlm(model)
    return dense.match([picture("", 0).seen_by(dense)], ["a"]) is not None


def image_scores(key: Run, picture: Picture, extra: tuple[str, ...], progress: Progress | None = None) -> list[float]:
    """How well each caption of the gallery, and each extra one, fits a picture: cosine similarities."""

    def make(_: Progress) -> list[float]:
        texts = caption_embeddings(key)
        if extra:
            texts = torch.cat([texts, asked(key, _SEARCH).embed_texts(extra)])
        return (texts @ own_embedding(key, picture)[0]).tolist()

    captions = gallery(key.model, key.data).captions
    content = ("image", picture.content, captions, extra)
    return _asked(ANSWERS, key, ("image", picture.id, extra), content, _FIGURES, make, progress)


def caption(key: Run, picture: Picture, progress: Progress | None = None) -> Caption:
    """What the model says about a picture."""

    def make(report: Progress) -> Caption:
        model = asked(key, "captioning")
        report(0.95, "writing a caption")
        return model.caption([picture.seen_by(model)])[0]

    return _asked(ANSWERS, key, ("caption", picture.id), ("caption", picture.content), _CAPTION, make, progress)


def said(keys: Iterable[Run], picture: Picture) -> bool:
    """Whether all these models have described a picture already, so that it costs nothing to hear it again."""
    return all((key, "caption", picture.id) in ANSWERS for key in keys)


def answer(key: Run, picture: Picture, question: str, progress: Progress | None = None) -> Answer:
    """What the model answers to a question about a picture."""

    def make(report: Progress) -> Answer:
        model = asked(key, "vqa")
        report(0.95, "looking for an answer")
        return model.answer([picture.seen_by(model)], [question])[0]

    content = ("answer", picture.content, question)
    return _asked(ANSWERS, key, ("answer", picture.id, question), content, _ANSWER, make, progress)


# --- pictures to look at --------------------------------------------------------------------------------------------


def picture(data: str, number: int, progress: Progress | None = None) -> Picture:
    """Picture `number` of a data set's test split, the last one where there are fewer."""
    if not data:
        return _scene(_numbered(number), str(number), number)
    held = exam(data, progress)
    number = min(number, len(held.items) - 1)
    asked = tuple(question for i, question in held.asked if i == number)
    return Picture(
        f"{data} {number}",
        f"Picture {number}",
        held.data,
        held.items[number],
        None,
        number,
        held.references(number),
        asked,
    )


@lru_cache(maxsize=256)
def _numbered(number: int) -> Scene:
    """Scene `number`, which takes milliseconds to draw anew."""
    return flatland.scene("test", number)


def last(data: str, progress: Progress | None = None) -> int:
    """The highest number of a picture."""
    return len(exam(data, progress).items) - 1 if data else state.LAST_SCENE


def _scene(scene: Scene, name: str, number: int | None = None) -> Picture:
    return Picture(f"scene {name}", f"Scene {name}", dataset.open(), scene, number=number)


def own_picture(name: str, image: Image, title: str) -> Picture:
    """A picture from outside, no larger than a page shows it; `name` tells its content from others."""
    image.thumbnail((OWN, OWN))
    return Picture(name, title[:60], image=image)


@lru_cache(maxsize=2048)
def _drawn(data: DataSet, scene: Scene, size: int) -> bytes:
    return webp(data.pictures([scene], size)[0])


@lru_cache(maxsize=2048)
def _reduced(found: Picture, size: int) -> bytes:
    image = found.data.pictures([found.item], size)[0] if found.data else found.image
    image = image.copy()
    image.thumbnail((size, size))
    return webp(image)


def webp(image: Image) -> bytes:
    """A picture as a WebP file."""
    file = io.BytesIO()
    image.convert("RGB").save(file, "WEBP", quality=84, method=2)
    return file.getvalue()
