"""A vision-language model ready for use: weights, processor, family, and what it can be asked to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor, nn

from ..families.absent import NoProcessor
from ..families.base import BATCH
from ..families.folder import SUFFIXES, first_sentence
from ..families.hub import fetch, is_hub_name
from ..families.opening import open_model
from ..families.processor import unfit
from ..support.devices import placed, present
from ..support.places import ASSETS
from ..support.tables import Share, table
from ..support.threads import Progress
from ..weights.layers import PrunableLayer
from ..weights.zeros import zeros_after, zeros_of
from .layout import prunable_layers

if TYPE_CHECKING:
    from ..families.base import Family
    from ..weights.masks import Masks

BUILT_IN = tuple(sorted(config.parent.name for config in ASSETS.glob("*/config.json")))
CARD = "card.json"  # beside a checkpoint: what it was trained on, and more
CUT_SHOWN = 40  # letters before the cut through a text that is too long
SOME_ZEROS = 0.01  # of all prunable weights; fewer are what half precision makes of the smallest
MUCH = 10**12  # products: half a minute of two cores, and too long to wait only to see that numbers come out
FIRST_WORDS = 20  # of an answer, with their probabilities


@dataclass(frozen=True)
class Caption:
    """A generated caption with the probability that the model gave to each of its words."""

    text: str
    words: tuple[str, ...]
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Answer:
    """A generated answer, its probability, and the likeliest first words with theirs."""

    text: str
    probability: float
    alternatives: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Cut:
    """A text that is too long: how many tokens it has, how many the model reads, and the end of what it reads."""

    tokens: int
    most: int
    read: str


@dataclass(frozen=True)
class VLM:
    """A model with its processor. It is never modified: `prune` returns another one that shares all unpruned tensors.

    >>> vlm = load("flatland-blip")
    >>> vlm.tasks
    ('retrieval', 'captioning', 'vqa')
    """

    name: str
    model: nn.Module
    processor: Any
    family: Family
    folder: Path | None = None  # where it was loaded from

    @cached_property
    def layers(self) -> tuple[PrunableLayer, ...]:
        """The layout of the model."""
        return prunable_layers(self.model)

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Those of "retrieval", "captioning" and "vqa" that the model can do."""
        return self.family.tasks(self.model)

    @cached_property
    def side(self) -> int:
        """Pixels of the side of the pictures that the model reads.

        >>> load("flatland-blip").side
        96
        """
        return self.family.side(self.model, self.processor)

    @property
    def held(self) -> str:
        """What it was read from and what was done to it, in one line.

        >>> load("flatland-xvlm").held
        'model.safetensors: 250 tensors, float16'
        """
        return getattr(self.model, "held", "")

    @property
    def unreadable(self) -> str:
        """Why the model can be shown no picture and no text, as a sentence: there is no processor; "" where there is."""
        return self.processor.reason if isinstance(self.processor, NoProcessor) else ""

    @cached_property
    def zeros(self) -> dict[str, int]:
        """{layer: how many of its weights are zero}: none to speak of, unless the model was pruned before."""
        return zeros_of(self.model, self.layers)

    def _repr_html_(self) -> str:
        """What the model is, in a notebook.

        >>> "vision" in load("flatland-blip")._repr_html_()
        True
        """
        total = sum(layer.size for layer in self.layers)
        rows = []
        for modality in dict.fromkeys(layer.modality for layer in self.layers):
            inside = [layer for layer in self.layers if layer.modality == modality]
            size = sum(layer.size for layer in inside)
            zeros = sum(self.zeros[layer.name] for layer in inside)
            rows.append((modality, len(inside), size, Share(size / total), Share(zeros / size)))
        title = f"{self.name}: {type(self.model).__name__}, {', '.join(self.tasks) or 'no task'}"
        return table(title, ("modality", "layers", "prunable weights", "of all", "zero"), rows)

    def zero_share(self, masks: Masks | None = None) -> float:
        """The share of the prunable weights that is zero, as it is or once masks are applied: zeros of before count in both.

        >>> round(load("flatland-blip").zero_share(), 3)
        0.0
        """
        found = self.zeros if masks is None else self.zeros | zeros_after(self.model, masks)
        return sum(found.values()) / max(1, sum(layer.size for layer in self.layers))

    @cached_property
    def trained_on(self) -> str:
        """The name of the data set that the model has seen and nothing else, as its card says; "" where it is not known."""
        return card_of(self.folder).get("trained_on", "") if self.folder else ""

    def prune(self, masks: Masks, weights: Mapping[str, Tensor] | None = None) -> VLM:
        """A new VLM without the weights that the masks leave out; `weights`: new values of the survivors, if any.

        >>> vlm = load("flatland-blip")
        >>> from multiflow_core import rank
        >>> pruned = vlm.prune(rank(vlm.model, "omp").masks(0.5))
        >>> pruned.model.vision_proj.weight is vlm.model.vision_proj.weight
        True
        """
        return replace(self, model=masks.apply(self.model, weights).eval())

    # --- preparing data ---------------------------------------------------------------------------------------------

    def image_inputs(self, images: Sequence[Image.Image]) -> dict[str, Tensor]:
        """Pictures as the model wants them: `pixel_values`, mostly (batch, 3, height, width), and what goes with it."""
        return self._here(self.family.pictures(self.processor, images))

    def tokens(self, texts: Sequence[str]) -> dict[str, Tensor]:
        """`input_ids` and, for all but SigLIP, `attention_mask`, (batch, length), padded as the model was trained."""
        tokenizer = self.processor.tokenizer
        written = [self.family.as_trained(tokenizer, text) for text in texts]
        return self._here(self.family.tokens(self.model, tokenizer, written))

    def _here(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Inputs on the model's device; what the methods below return is on the processor again."""
        device = next(self.model.parameters()).device
        return {key: value.to(device) for key, value in inputs.items()}

    def unknown_words(self, text: str) -> list[str]:
        """The words of a text that the tokenizer cannot write down.

        >>> load("flatland-blip").unknown_words("a red giraffe")
        ['giraffe']
        """
        tokenizer = self.processor.tokenizer
        unknown = tokenizer.unk_token_id
        words = re.findall(r"\w+", self.family.as_trained(tokenizer, text))
        return [word for word in words if unknown in tokenizer(word, add_special_tokens=False)["input_ids"]]

    def cut(self, text: str) -> Cut | None:
        """Where a text is cut that is longer than the model reads; None for one that it reads to its end.

        >>> load("flatland-blip").cut("a red boat")
        >>> load("flatland-blip").cut("a red boat " * 20)
        Cut(tokens=62, most=32, read='... boat a red boat a red boat a red boat')
        """
        tokenizer = self.processor.tokenizer
        text, most = self.family.as_trained(tokenizer, text), self.family.longest(self.model, tokenizer)
        tokens = len(tokenizer(text, verbose=False)["input_ids"])
        if tokens <= most:
            return None
        read = tokenizer(text, truncation=True, max_length=most)["input_ids"]
        said = tokenizer.decode(read, skip_special_tokens=True)
        return Cut(tokens, most, "... " + said[-CUT_SHOWN:].partition(" ")[2] if len(said) > CUT_SHOWN else said)

    def batches(self, pairs: Sequence[tuple[Image.Image, str]], size: int = BATCH) -> Iterator[dict[str, Tensor]]:
        """Image-text pairs as batches for `calibrate`, of fewer than `size` where a picture is much work for the model."""
        size = min(size, self._at_once(pairs[0][0])) if len(pairs) > 1 else size
        for start in range(0, len(pairs), size):
            images, texts = zip(*pairs[start : start + size])
            yield self._here(self.family.pairs(self.model, self.processor, images, texts))

    def question_batches(
        self, pictures: Sequence[Image.Image], asked: Sequence[tuple[int, Any]], size: int = BATCH
    ) -> Iterator[dict[str, Tensor]]:
        """Questions (number of the picture, question with its answer) as batches for `calibrate`.

        >>> from multiflow_core.data import dataset
        >>> vlm = load("flatland-blip")
        >>> [batch["answer_ids"].shape[0] for batch in vlm.question_batches(*dataset.open().asked(2, 0, vlm.side), 4)]
        [4, 2]
        """
        size = min(size, self._at_once(pictures[0])) if len(asked) > 1 else size
        for start in range(0, len(asked), size):
            part = asked[start : start + size]
            seen = {i: pictures[i] for i, _ in part}  # each is opened once
            texts = zip(*((question.text, question.answer) for _, question in part))
            yield self._here(self.family.answered(self.model, self.processor, [seen[i] for i, _ in part], *texts))

    # --- using the model --------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def embed_images(self, images: Sequence[Image.Image]) -> Tensor:
        """Unit-length embeddings, (images, width) float32."""
        size = self._at_once(images[0]) if len(images) > 1 else 1
        parts = (self.image_inputs(images[i : i + size]) for i in range(0, len(images), size))
        return torch.cat([self.family.embed_images(self.model, part) for part in parts]).float().cpu()

    @torch.inference_mode()
    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Unit-length embeddings, (texts, width) float32."""
        parts = (self.tokens(texts[i : i + BATCH]) for i in range(0, len(texts), BATCH))
        return torch.cat([self.family.embed_texts(self.model, part) for part in parts]).float().cpu()

    @torch.inference_mode()
    def match(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Tensor | None:
        """Probability that each image and its text belong together, (pairs,); None for a model without such a head."""
        found = []
        for start in range(0, len(images), BATCH):
            end = start + BATCH
            inputs = self.image_inputs(images[start:end]), self.tokens(texts[start:end])
            found.append(self.family.match(self.model, *inputs))
        return None if any(part is None for part in found) else torch.cat(found).float().cpu()

    @torch.inference_mode()
    def caption(self, images: Sequence[Image.Image], max_tokens: int = 24) -> list[Caption]:
        """A greedy caption for every image."""
        captions: dict[int, Caption] = {}
        for part in self._together(images, [""] * len(images)):
            inputs = self._here(self.family.asked(self.model, self.processor, [images[i] for i in part]))
            ids, sure = self.family.generate_caption(self.model, inputs, max_tokens)
            for i, *row in zip(part, ids.tolist(), sure.tolist()):
                captions[i] = self._caption(*row)
        return [captions[i] for i in range(len(images))]

    def _caption(self, ids: list[int], probabilities: list[float]) -> Caption:
        tokenizer = self.processor.tokenizer
        ends = self.family.ends(self.model, tokenizer)
        length = next((i for i, token in enumerate(ids) if token in ends), len(ids))
        ids = ids[:length]
        text = tokenizer.decode(ids, skip_special_tokens=True).strip()
        return Caption(text, tuple(self.family.pieces(tokenizer, ids)), tuple(probabilities[:length]))

    @torch.inference_mode()
    def answer(self, images: Sequence[Image.Image], questions: Sequence[str], max_tokens: int = 4) -> list[Answer]:
        """A greedy answer to every question about its image; it does not depend on what else is asked."""
        answers: dict[int, Answer] = {}
        for part in self._together(images, questions):
            seen, said = [images[i] for i in part], [questions[i] for i in part]
            inputs = self._here(self.family.asked(self.model, self.processor, seen, said))
            ids, sure, first = self.family.generate_answer(self.model, inputs, max_tokens)
            for i, *row in zip(part, ids.tolist(), sure.tolist(), first):
                answers[i] = self._answer(*row)
        return [answers[i] for i in range(len(questions))]

    def _answer(self, ids: list[int], probabilities: list[float], first: Tensor) -> Answer:
        caption = self._caption(ids, probabilities)
        best = first.topk(min(FIRST_WORDS, len(first)))
        words = self.family.first_words(
            self.processor.tokenizer, list(zip(best.indices.tolist(), best.values.tolist()))
        )
        sure = float(torch.tensor(caption.probabilities).prod()) if caption.probabilities else 0.0
        return Answer(caption.text, sure, tuple(words))

    def _together(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Iterator[list[int]]:
        """The pairs that go through the model at once: they are alike, and no more than it has room for."""
        groups: dict[Any, list[int]] = {}
        for i, pair in enumerate(zip(images, texts, strict=True)):
            groups.setdefault(self.family.alike(self.processor, *pair), []).append(i)
        for members in groups.values():
            size = self._at_once(images[members[0]]) if len(members) > 1 else 1
            yield from (members[start : start + size] for start in range(0, len(members), size))

    def _at_once(self, image: Image.Image) -> int:
        return self.family.at_once(self.model, self.processor, image)


def card_of(folder: Path) -> dict[str, Any]:
    """What `card.json` in a folder says of its model; nothing where there is none that can be read."""
    try:
        held = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def load(
    name: str | Path,
    dtype: torch.dtype | None = torch.float32,
    progress: Progress | None = None,
    *,
    device: str | torch.device = "cpu",
) -> VLM:
    """Load a model by built-in name, from a folder written by `save_pretrained` or a file of weights, or by hub name.

    >>> load("flatland-blip").name
    'flatland-blip'

    The class is the one that `config.json` names; files of BLIP's, X-VLM's and OpenCLIP's authors need none. Weights are read
    from safetensors, or from a pickle that holds tensors only; nothing else is ever run or unpickled.

    Args:
        name: "flatland-blip", a folder (also of a pruned checkpoint, see `multiflow_core.models.format`), a file of weights
            beside its config.json or of a published kind, or a hub name such as "openai/clip-vit-base-patch32" (local
            cache first).
        dtype: of the weights; None: as they are in the file. Scores are computed in float32 in any case.
        progress: called as progress(fraction, message) during a download.
        device: where the model runs: "cpu", "cuda", "mps", or "auto" to share it out among all GPUs with accelerate; ranking and
            masks are computed on the processor in any case.

    Raises:
        FileNotFoundError: there is no such folder, or it holds no model.
        ConnectionError: a hub model that is not in the local cache, while the hub cannot be reached.
        ValueError: the model is of an unknown architecture, incomplete, a pickle that could run code, or larger than
            the memory that is left; or there is no such device.
    """
    device = present(device)
    folder = _locate(name, progress)
    model, processor, family = open_model(folder, dtype, lambda base: _locate(base, progress))
    try:
        model = placed(model, device)
    except ValueError as problem:
        raise ValueError(f"{folder} cannot be used there: {problem}.") from None
    return _computing(VLM(Path(name).name, model, processor, family, folder))


def _computing(vlm: VLM) -> VLM:
    """The same, tried on a grey picture and two words; of a general family without a processor that cannot read them.

    ValueError if the model makes no numbers of them: config, weights and processor may not fit.
    """
    if vlm.unreadable:
        return vlm
    picture, texts, search = Image.new("RGB", (64, 64), "gray"), ["a picture"], "retrieval" in vlm.tasks
    try:
        seen = vlm.image_inputs([picture]) if search else vlm.family.asked(vlm.model, vlm.processor, [picture])
    except Exception as error:  # whatever does not fit shows itself in any way
        if not vlm.family.general:
            raise _unusable(vlm, error) from None
        return replace(vlm, processor=unfit(vlm.folder, error))
    found = [value for value in seen.values() if value.is_floating_point()]
    if vlm.family.general and _work(vlm.model, found) > MUCH:
        return vlm
    try:
        if search:
            found += [vlm.embed_images([picture]), vlm.embed_texts(texts)]
        elif "captioning" in vlm.tasks:
            found.append(torch.tensor([p for said in vlm.caption([picture], 2) for p in said.probabilities]))
        elif "vqa" in vlm.tasks:
            found.append(torch.tensor([said.probability for said in vlm.answer([picture], texts, 2)]))
    except Exception as error:
        raise _unusable(vlm, error) from None
    if not all(bool(torch.isfinite(value).all()) for value in found):
        raise ValueError(f"{vlm.folder} computes values that are not finite: its config or its weights are damaged.")
    return vlm


def _unusable(vlm: VLM, error: BaseException) -> ValueError:
    said = first_sentence(error)
    return ValueError(f"{vlm.folder} cannot be used: trying it on a picture and a text failed ({said}).")


def _work(model: nn.Module, pictures: Sequence[Tensor]) -> int:
    """About how many products one pass over these pictures computes: a token is made of 14 x 14 pixels or so."""
    tokens = sum(value.numel() for value in pictures) // (3 * 14 * 14)
    return tokens * sum(parameter.numel() for parameter in model.parameters())


def _locate(name: str | Path, progress: Progress | None) -> Path:
    """The folder behind a name; hub models are downloaded into the local cache if they are not there."""
    folder = ASSETS / str(name) if str(name) in BUILT_IN else Path(name)
    if folder.is_dir() or (folder.is_file() and folder.suffix in SUFFIXES):
        return folder
    if folder.is_file():
        raise FileNotFoundError(f"{folder} is a file, and none of weights: give the folder that holds them.")
    if is_hub_name(str(name)):
        return fetch(str(name), progress)
    names = ", ".join(BUILT_IN)
    raise FileNotFoundError(
        f"There is no folder {str(name)!r}: give a folder, a hub name or a built-in name ({names})."
    )
