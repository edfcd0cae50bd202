"""What a model family has to say: which weights can be pruned, how to run it, and how to do each task with it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from ..weights.layers import PrunableLayer
from .folder import load_model
from .processor import load_processor
from .roles import Role

BATCH = 64  # pictures, or texts, that go through a model at once
LONGEST = 512  # tokens of a text, where a model sets no limit


class Family:
    """One model family. Sub-classes register an instance with `families.register`.

    Attributes:
        name: short name, as in "blip".
        architectures: names of the model classes, as `config.json` gives them.
        roles: the prunable weights; everything else is left dense.
        dense: (pattern of parameter names, why such a matrix is not pruned).
        example: example(small) -> a new model with random weights, at its published size or very small, and its processor: what
            the family is tested with. None for those of `benchmarks.models`.
        eye: the path of the part that only reads pictures, where `calibration_forward` can go on from what it says (`look`).
        general: whether it takes whatever no other family knows, and leaves the layout to `models.layout`.
    """

    name: str
    architectures: tuple[str, ...]
    roles: tuple[Role, ...] = ()
    dense: tuple[tuple[str, str], ...] = ()
    example: Callable[[bool], tuple[nn.Module, Any]] | None = None
    eye: str = ""
    general: bool = False

    def opens(self, architectures: Sequence[str]) -> bool:
        """Whether a folder with these architectures is this family's."""
        return bool(set(self.architectures) & set(architectures))

    def knows(self, model: nn.Module) -> bool:
        """Whether the model is one of this family's classes."""
        return type(model).__name__ in self.architectures

    def layout(self, model: nn.Module) -> tuple[PrunableLayer, ...]:
        """The prunable layers in the model's order, every shared weight once."""
        found = []
        for name, parameter in model.named_parameters():
            layers = (role.layer(name, parameter.shape) for role in self.roles)
            found += [layer for layer in layers if layer][:1]
        return tuple(found)

    def excluded(self, model: nn.Module) -> dict[str, str]:
        """{parameter name: why it is left dense} for every matrix outside the layout.

        Biases, norms and other vectors are never pruned and not listed. A tied weight is listed under each further
        name, with the name under which it counts.
        """
        prunable = {layer.name for layer in self.layout(model)}
        first: dict[int, str] = {}
        reasons = {}
        for name, parameter in model.named_parameters(remove_duplicate=False):
            owner = first.setdefault(id(parameter), name)
            if owner != name:
                reasons[name] = f"the same tensor as {owner}"
            elif parameter.ndim > 1 and name not in prunable:
                reasons[name] = self._reason(name)
        return reasons

    def _reason(self, name: str) -> str:
        return next((why for pattern, why in self.dense if re.search(pattern, name)), "not a weight of a block")

    def tasks(self, model: nn.Module) -> tuple[str, ...]:
        """Those of "retrieval", "captioning" and "vqa" that the model can do."""
        raise NotImplementedError

    # --- learning ---------------------------------------------------------------------------------------------------

    def learns(self, model: nn.Module) -> tuple[str, ...]:
        """Those of "retrieval", "captioning" and "vqa" that the model can be trained for."""
        return ()

    def headed(self, model: nn.Module, processor: Any, task: str) -> tuple[nn.Module, dict[str, str]]:
        """The model with what a task needs that it lacks, and {parameter that was added: the one it was started from}.

        What is there already is shared, not copied.
        """
        return model, {}

    def loss(self, model: nn.Module, task: str, batch: dict[str, Tensor]) -> Tensor:
        """What training for a task makes small: of `pairs`, or for "vqa" of what `answered` returned. May draw by chance."""
        raise ValueError(f"no loss is known by which {self.name} could be trained for {task}")

    # --- loading ----------------------------------------------------------------------------------------------------

    def model_class(self, architectures: Sequence[str]) -> type:
        """The class that a folder with these architectures is loaded as: the first one that the family knows."""
        import transformers

        return getattr(transformers, next(name for name in architectures if name in self.architectures))

    def load(self, folder: Path, architectures: Sequence[str], dtype: torch.dtype | None) -> tuple[nn.Module, Any]:
        """Model (eval mode) and processor from a transformers folder; a missing weight is an error.

        `dtype` None leaves the weights as the file has them.
        """
        model = load_model(self.model_class(architectures), folder, dtype, needed=self._is_prunable)
        return model, load_processor(folder)

    def _is_prunable(self, name: str) -> bool:
        return any(role.layer(name, ()) for role in self.roles)

    # --- what a model is given --------------------------------------------------------------------------------------

    def pictures(self, processor: Any, images: Sequence[Image.Image]) -> dict[str, Tensor]:
        """Pictures as the model wants them: `pixel_values`, mostly (batch, 3, height, width), and what goes with it."""
        return dict(processor.image_processor([image.convert("RGB") for image in images], return_tensors="pt"))

    def longest(self, model: nn.Module, tokenizer: Any) -> int:
        """Where a text is cut, in tokens."""
        return text_length(model, tokenizer)

    def as_trained(self, tokenizer: Any, text: str) -> str:
        """A text as the model's texts were written in training, before its tokenizer reads it."""
        return text

    def tokens(self, model: nn.Module, tokenizer: Any, texts: Sequence[str]) -> dict[str, Tensor]:
        """`input_ids` and `attention_mask`, (batch, length), padded to the longest."""
        encoded = tokenizer(
            list(texts), padding=True, truncation=True, max_length=text_length(model, tokenizer), return_tensors="pt"
        )
        return {key: encoded[key] for key in ("input_ids", "attention_mask")}

    def pairs(
        self, model: nn.Module, processor: Any, images: Sequence[Image.Image], texts: Sequence[str]
    ) -> dict[str, Tensor]:
        """Pictures with a text each, to calibrate and to train with."""
        written = [self.as_trained(processor.tokenizer, text) for text in texts]
        return {**self.pictures(processor, images), **self.tokens(model, processor.tokenizer, written)}

    def answered(
        self,
        model: nn.Module,
        processor: Any,
        images: Sequence[Image.Image],
        questions: Sequence[str],
        answers: Sequence[str],
    ) -> dict[str, Tensor]:
        """Pictures, each once, and questions: `picture_of` says about which, `answer_ids` and `answer_mask` with what answer."""
        said = self.tokens(model, processor.tokenizer, [self.as_trained(processor.tokenizer, text) for text in answers])
        held = {"answer_ids": said["input_ids"], "answer_mask": said["attention_mask"]}
        once = {id(image): image for image in images}
        places = {key: place for place, key in enumerate(once)}
        held["picture_of"] = torch.tensor([places[id(image)] for image in images])
        asked = [self.as_trained(processor.tokenizer, text) for text in questions]
        return {
            **self.pictures(processor, list(once.values())),
            **self.tokens(model, processor.tokenizer, asked),
            **held,
        }

    def asked(
        self, model: nn.Module, processor: Any, images: Sequence[Image.Image], questions: Sequence[str] | None = None
    ) -> dict[str, Tensor]:
        """Pictures with a question each, to be answered; without questions, to be described."""
        return (
            self.pictures(processor, images) if questions is None else self.pairs(model, processor, images, questions)
        )

    def alike(self, processor: Any, image: Image.Image, question: str) -> Hashable:
        """What questions must have in common to be answered together without padding: it could change an answer.

        BLIP's answer decoder reads padding, its cross-attention is never masked in transformers 5.23.
        """
        return len(processor.tokenizer(question)["input_ids"])

    def at_once(self, model: nn.Module, processor: Any, image: Image.Image) -> int:
        """How many pictures of this kind, with a text each, may go through the model together."""
        return BATCH

    def side(self, model: nn.Module, processor: Any) -> int:
        """Pixels of the side of the pictures that the model reads."""
        vision = model.config.vision_config
        side = getattr(vision, "image_size", None)
        # SigLIP 2 reads so many patches, whatever the shape
        return side if side is not None else math.isqrt(vision.num_patches) * vision.patch_size

    # --- running ----------------------------------------------------------------------------------------------------

    def calibration_forward(self, model: nn.Module, batch: dict[str, Tensor]) -> None:
        """Every pass through which an image-text pair reaches a prunable layer."""
        raise NotImplementedError

    def look(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """What the part called `eye` makes of a batch's pictures; `image_states` of the batch, if it has them, stand for that."""
        raise NotImplementedError

    def objective(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """The pre-training loss on a batch of image-text pairs, for methods that need gradients; deterministic."""
        raise ValueError(f"no training loss is known for {self.name}: pass objective=fn(model, batch) -> loss")

    def embed_images(self, model: nn.Module, images: dict[str, Tensor]) -> Tensor:
        """Unit-length image embeddings, (batch, width); `images` is what the image processor returned."""
        raise NotImplementedError

    def embed_texts(self, model: nn.Module, inputs: dict[str, Tensor]) -> Tensor:
        """Unit-length text embeddings, (batch, width)."""
        raise NotImplementedError

    def match(self, model: nn.Module, images: dict[str, Tensor], inputs: dict[str, Tensor]) -> Tensor | None:
        """Probability that each image and its text belong together, (batch,); None where there is no such head."""
        return None

    def generate_caption(self, model: nn.Module, inputs: dict[str, Tensor], max_tokens: int) -> tuple[Tensor, Tensor]:
        """Greedy captions: token ids (batch, length) without the start token, and their probabilities."""
        raise NotImplementedError

    def generate_answer(
        self, model: nn.Module, inputs: dict[str, Tensor], max_tokens: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Greedy answers: ids, their probabilities, and the distribution of the first token (batch, vocabulary)."""
        raise NotImplementedError

    # --- what it says -----------------------------------------------------------------------------------------------

    def ends(self, model: nn.Module, tokenizer: Any) -> set[int]:
        """The tokens with which a text ends."""
        return {tokenizer.sep_token_id, tokenizer.pad_token_id, tokenizer.eos_token_id}

    def pieces(self, tokenizer: Any, ids: Sequence[int]) -> list[str]:
        """Tokens for people, one each; what goes on with a word begins with ##."""
        return tokenizer.convert_ids_to_tokens(list(ids))

    def first_words(self, tokenizer: Any, chances: Sequence[tuple[int, float]]) -> list[tuple[str, float]]:
        """The same of the likeliest first tokens, likeliest first, with their probabilities."""
        return [(tokenizer.convert_ids_to_tokens(token), chance) for token, chance in chances]


def contrast(images: Tensor, texts: Tensor, temperature: Tensor | float) -> tuple[Tensor, Tensor]:
    """How unlikely each picture finds its own text among all, and each text its picture (InfoNCE); and their similarities.

    >>> loss, _ = contrast(torch.eye(2), torch.eye(2), 0.5)
    >>> round(loss.item(), 4), round(math.log(1 + math.exp(-2)), 4)
    (0.1269, 0.1269)
    """
    similarity = images.float() @ texts.float().T / temperature
    target = torch.arange(len(texts), device=texts.device)
    return (F.cross_entropy(similarity, target) + F.cross_entropy(similarity.T, target)) / 2, similarity


@torch.no_grad()
def hard_negatives(similarity: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
    """For every picture another's text, and for every text another's picture, the likelier the more alike (pictures x texts).

    A text of the same words is nobody's negative; where all are the same, the next one is taken.

    >>> alike = torch.tensor([[9.0, 70.0, 0.0], [70.0, 9.0, 40.0], [0.0, 40.0, 9.0]])
    >>> [found.tolist() for found in hard_negatives(alike, torch.tensor([[1], [2], [3]]))]
    [[1, 0, 1], [1, 0, 1]]
    """
    same = (ids[:, None] == ids[None]).all(-1)
    ahead = torch.eye(len(ids), device=ids.device).roll(1, 1)

    def drawn(rows: Tensor) -> Tensor:
        chance = rows.softmax(1).clamp(min=1e-9).masked_fill(same, 0)
        chance = torch.where(chance.sum(1, keepdim=True) > 0, chance, ahead)
        # on the processor, so that the same is drawn wherever the model is
        return torch.multinomial(chance.cpu(), 1)[:, 0].to(ids.device)

    return drawn(similarity), drawn(similarity.T)


def text_length(model: nn.Module, tokenizer: Any) -> int:
    """The longest text the model can read, in tokens; some tokenizers are saved without a limit of their own."""
    text = model.config.get_text_config(decoder=True)
    return min(tokenizer.model_max_length, getattr(text, "max_position_embeddings", None) or LONGEST)
