"""Whatever writes text about a picture, by transformers' own class, and by the chat template and the processor beside it."""

from __future__ import annotations

import inspect
import math
from collections.abc import Hashable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from PIL import Image
from torch import Tensor, nn

from . import register
from .base import BATCH, LONGEST, text_length
from .folder import silent
from .general import General, accepted

DESCRIBE = "Describe the picture in one sentence."
SHORT = "Answer with a single word or a short phrase."
ROOM = 1 << 28  # numbers that the widest layer may write for all pairs of a batch together
_PLACE = 14 * 14 * 3  # values of a picture that become about one token
_WORDS = ("image", "img", "video", "vision", "boi", "eoi", "audio")  # in the names of tokens that stand for no word


class Form(NamedTuple):
    """How a processor wants to be given pictures and texts: tried once, on two small pictures.

    `chat`: through its chat template. `mark`: what stands before a text that is not. `nested`: each picture as a list of its own.
    """

    chat: bool
    mark: str
    nested: bool

    def read(
        self, processor: Any, images: Sequence[Image.Image], asked: Sequence[str], said: Sequence[str] | None
    ) -> Any:
        """What the processor makes of pictures with a question each, and with what was said to it."""
        if self.chat:
            template = _template(processor)
            talks = [_talk(*turn) for turn in zip(asked, said or [None] * len(asked))]
            texts = processor.tokenizer.apply_chat_template(
                talks, chat_template=template, tokenize=False, add_generation_prompt=said is None
            )
        else:
            texts = [self.mark + text for text in (asked if said is None else said)]
        start = processor.tokenizer.bos_token
        whole = self.chat and bool(start) and all(text.startswith(start) for text in texts)  # not a second time
        pictures = [[image] for image in images] if self.nested else list(images)
        more = {"add_special_tokens": False} if whole else {}
        return processor(images=pictures, text=texts, padding=True, return_tensors="pt", **more)


def _template(processor: Any) -> str | None:
    """The chat template: the processor's, else the tokenizer's; of several the usual one."""
    held = getattr(processor, "chat_template", None) or getattr(processor.tokenizer, "chat_template", None)
    return held.get("default") if isinstance(held, dict) else held


def _talk(asked: str, said: str | None) -> list[dict[str, Any]]:
    """A conversation about one picture."""
    turns = [("user", [{"type": "image"}, {"type": "text", "text": asked}])]
    turns += [] if said is None else [("assistant", [{"type": "text", "text": said}])]
    return [{"role": role, "content": content} for role, content in turns]


@lru_cache(maxsize=16)
def form_of(processor: Any) -> Form:
    """The form that a processor takes, and with which it finds a place in the text for every picture.

    Its chat template if it has one. Without, some processors put the places into the text themselves, and others look for a
    mark that says where: of what works, that which makes the fewest places.
    """
    chats = [Form(True, "", nested) for nested in (True, False)] if _template(processor) else []
    marks = [getattr(processor, name, None) for name in ("boi_token", "image_token")]
    plain = [Form(False, mark, nested) for mark in (*marks, "") if isinstance(mark, str) for nested in (True, False)]
    tried: dict[Form, Tensor | Exception] = {}
    for form in chats:
        tried[form] = _ids(form, processor)
        if _places(tried[form], processor):
            return form
    tried |= {form: _ids(form, processor) for form in plain}
    places = {form: _places(ids, processor) for form, ids in tried.items()}
    if not any(places.values()):  # it says of no token, or of the wrong one, that it is a place
        places = {form: len(ids) == 2 and ids.numel() for form, ids in tried.items() if isinstance(ids, Tensor)}
    found = [form for form, count in places.items() if count]
    if not found:
        problem = next(error for error in tried.values() if isinstance(error, Exception))
        raise problem
    return found[0] if found[0].chat else min(found, key=places.get)


def _places(ids: Tensor | Exception, processor: Any) -> int:
    """How many tokens of two texts stand for pictures; 0 where one of the texts has none."""
    place = getattr(processor, "image_token_id", None)
    if not isinstance(ids, Tensor) or not isinstance(place, int) or len(ids) != 2:
        return 0
    there = ids == place
    return int(there.sum()) if bool(there.any(1).all()) else 0


def _ids(form: Form, processor: Any) -> Tensor | Exception:
    """The tokens of two texts with a small picture each; what went wrong where the processor does not take them so."""
    images = [Image.new("RGB", (64, 64), "gray")] * 2
    try:
        with silent():
            return _text_ids(form.read(processor, images, ["a", "a picture"], None))
    except Exception as error:  # a template, or a processor, of any author
        return error


def _text_ids(held: Mapping[str, Any]) -> Tensor:
    """The words among what a processor returned: some give them to the decoder alone."""
    return held["input_ids"] if "input_ids" in held else held["decoder_input_ids"]


class Generative(General):
    """Models that transformers lists as taking pictures and text and writing text."""

    name = "generative"

    def takes(self, kind: type) -> bool:
        return kind.__name__ in _listed() and "image" in kind.input_modalities

    def tasks(self, model: nn.Module) -> tuple[str, ...]:
        asked = "input_ids" in inspect.signature(model.forward).parameters
        return ("captioning", "vqa") if asked else ("captioning",)

    # --- what a model is given --------------------------------------------------------------------------------------

    def pairs(
        self, model: nn.Module, processor: Any, images: Sequence[Image.Image], texts: Sequence[str]
    ) -> dict[str, Tensor]:
        """Conversations in which each text is what was said when asked for a description."""
        said = self._cut(model, processor, texts)
        return self._read(model, processor, images, [DESCRIBE] * len(images), said)

    def answered(
        self,
        model: nn.Module,
        processor: Any,
        images: Sequence[Image.Image],
        questions: Sequence[str],
        answers: Sequence[str],
    ) -> dict[str, Tensor]:
        """Conversations in which each answer is what was said when asked its question."""
        questions, answers = (self._cut(model, processor, texts) for texts in (questions, answers))
        if form_of(processor).chat:
            return self._read(model, processor, images, [f"{text}\n{SHORT}" for text in questions], answers)
        said = [f"{question} {answer}" for question, answer in zip(questions, answers, strict=True)]
        return self._read(model, processor, images, questions, said)

    def asked(
        self, model: nn.Module, processor: Any, images: Sequence[Image.Image], questions: Sequence[str] | None = None
    ) -> dict[str, Tensor]:
        chat = form_of(processor).chat
        if questions is None:
            asked = [DESCRIBE if chat else ""] * len(images)
        else:
            asked = [f"{text}\n{SHORT}" if chat else text for text in self._cut(model, processor, questions)]
        return self._read(model, processor, images, asked, None)

    def _read(
        self,
        model: nn.Module,
        processor: Any,
        images: Sequence[Image.Image],
        asked: Sequence[str],
        said: Sequence[str] | None,
    ) -> dict[str, Tensor]:
        tokenizer = processor.tokenizer
        # what is generated goes on at the right; an encoder reads both sides alike
        tokenizer.padding_side = "right" if model.config.is_encoder_decoder else "left"
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        held = dict(form_of(processor).read(processor, [image.convert("RGB") for image in images], asked, said))
        held.pop("labels", None)  # they are made where a loss is
        takes = inspect.signature(model.forward).parameters
        if said is None and not model.config.is_encoder_decoder:
            held = _unended(held, _ending(tokenizer))
        elif said is not None and not {"input_ids", "decoder_input_ids"} & set(takes).intersection(held):
            held["labels"] = held["input_ids"].masked_fill(held["attention_mask"] == 0, -100)  # said and never read
        return {name: value for name, value in accepted(model, model.forward, held).items() if value.numel()}

    def longest(self, model: nn.Module, tokenizer: Any) -> int:
        """Half of what the model reads: the other half is for the picture, and for what is said to it."""
        return min(LONGEST, text_length(model, tokenizer) // 2)

    def _cut(self, model: nn.Module, processor: Any, texts: Sequence[str]) -> list[str]:
        """Texts without the end that the model could not read, and without what would stand for one more picture."""
        tokenizer = processor.tokenizer
        most = self.longest(model, tokenizer)
        texts = [_without_places(processor, text) for text in texts]
        read = [tokenizer(text, truncation=True, max_length=most)["input_ids"] for text in texts]
        long = [len(ids) == most for ids in read]
        return [
            tokenizer.decode(ids, skip_special_tokens=True) if cut else text
            for text, ids, cut in zip(texts, read, long, strict=True)
        ]

    def alike(self, processor: Any, image: Image.Image, question: str) -> Hashable:
        """A picture's size decides how many tokens it becomes."""
        return len(processor.tokenizer(question)["input_ids"]), image.size

    def at_once(self, model: nn.Module, processor: Any, image: Image.Image) -> int:
        held = self.asked(model, processor, [image], ["a picture"])
        pixels = max((value.numel() for value in held.values() if value.is_floating_point()), default=0)
        tokens = math.ceil(pixels / _PLACE) + (held["input_ids"].shape[1] if "input_ids" in held else 0)
        return max(1, min(BATCH, ROOM // max(1, tokens * _width(model))))

    # --- running ----------------------------------------------------------------------------------------------------

    def calibration_forward(self, model: nn.Module, batch: dict[str, Tensor]) -> None:
        """The model's own forward; a decoder beside an encoder says the text again."""
        takes = inspect.signature(model.forward).parameters
        if model.config.is_encoder_decoder and not {"labels", "decoder_input_ids"} & set(batch):
            batch = {**batch, "labels": _said(model, batch)}
        elif "logits_to_keep" in takes and "labels" not in batch:
            batch = {"logits_to_keep": 1, **batch}  # the head is dense, and as wide as the vocabulary
        model(**batch)

    def objective(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """The model's own loss of saying the text, word by word."""
        if "labels" not in batch:
            batch = {**batch, "labels": _said(model, batch)}
        return model(**{name: value for name, value in batch.items() if name != "decoder_input_ids"}).loss

    def learns(self, model: nn.Module) -> tuple[str, ...]:
        return self.tasks(model)

    def loss(self, model: nn.Module, task: str, batch: dict[str, Tensor]) -> Tensor:
        return self.objective(model, batch) if task in self.tasks(model) else super().loss(model, task, batch)

    def generate_caption(self, model: nn.Module, inputs: dict[str, Tensor], max_tokens: int) -> tuple[Tensor, Tensor]:
        return self.generate_answer(model, inputs, max_tokens)[:2]

    def generate_answer(
        self, model: nn.Module, inputs: dict[str, Tensor], max_tokens: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        output = model.generate(
            **inputs,
            **_quiet(model.generation_config),
            max_new_tokens=max_tokens,
            num_beams=1,
            do_sample=False,
            return_dict_in_generate=True,
            output_logits=True,
        )
        ids = output.sequences[:, -len(output.logits) :]
        chances = [step.float().softmax(-1) for step in output.logits]
        sure = torch.stack([step.gather(1, ids[:, i, None])[:, 0] for i, step in enumerate(chances)], 1)
        return ids, sure, chances[0]

    # --- what it says -----------------------------------------------------------------------------------------------

    def ends(self, model: nn.Module, tokenizer: Any) -> set[int]:
        """With those that the model was trained to end a turn with."""
        own = model.generation_config.eos_token_id
        return super().ends(model, tokenizer) | set(own if isinstance(own, list) else [own])

    def pieces(self, tokenizer: Any, ids: Sequence[int]) -> list[str]:
        """What each token adds to the text; a piece that begins with a space begins a word."""
        said = [tokenizer.decode(ids[:n], skip_special_tokens=True) for n in range(len(ids) + 1)]
        added = [after[len(before) :] for before, after in pairwise(said)]
        return [text.strip() if n == 0 or text[:1].isspace() else f"##{text.strip()}" for n, text in enumerate(added)]

    def first_words(self, tokenizer: Any, chances: Sequence[tuple[int, float]]) -> list[tuple[str, float]]:
        """A word with a space in front is the same word."""
        words: dict[str, float] = {}
        for token, chance in chances:
            word = tokenizer.decode([token]).strip()
            if not word or "\N{REPLACEMENT CHARACTER}" in word:  # nothing to read, or a part of a letter
                word = tokenizer.convert_ids_to_tokens(token)
            words[word] = words.get(word, 0.0) + chance
        return sorted(words.items(), key=lambda entry: -entry[1])


def _without_places(processor: Any, text: str) -> str:
    """A text in which nobody has written what stands for a picture."""
    names = (f"{kind}_token" for kind in ("image", "boi", "eoi", "video", "audio"))
    for mark in (getattr(processor, name, None) for name in names):
        text = text.replace(str(mark), "") if mark else text
    return text


def _ending(tokenizer: Any) -> int | None:
    """The token that a tokenizer itself puts behind every text, if it does."""
    last = tokenizer("a picture")["input_ids"][-1]
    return last if last in tokenizer.all_special_ids else None


def _unended(held: Mapping[str, Any], end: int | None) -> dict[str, Any]:
    """What is asked without the token that its tokenizer ends it with: the answer goes on behind it."""
    ids = held["input_ids"]
    if not ids.shape[1] or not all(token == end for token in ids[:, -1].tolist()):
        return dict(held)
    alike = {name for name, value in held.items() if isinstance(value, Tensor) and value.shape == ids.shape}
    return {name: value[:, :-1] if name in alike else value for name, value in held.items()}


@cache
def _listed() -> frozenset[str]:
    """The classes that transformers names for pictures and text to text."""
    from transformers.models.auto import modeling_auto

    names = (
        modeling_auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
        modeling_auto.MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES,
    )
    return frozenset(name for mapping in names for name in mapping.values())


def _width(model: nn.Module) -> int:
    """How many numbers the widest layer writes for a token, heads left aside."""
    heads = {id(model.get_output_embeddings()), id(model.get_input_embeddings())}
    layers = (module for module in model.modules() if isinstance(module, nn.Linear) and id(module) not in heads)
    return max((layer.out_features for layer in layers), default=1)


def _quiet(settings: Any) -> dict[str, Any]:
    """What keeps `generate` from remarks: nothing is drawn by chance, and what ends a text also pads it."""
    ends = settings.eos_token_id
    pad = settings.pad_token_id if settings.pad_token_id is not None else ends[0] if isinstance(ends, list) else ends
    return {"temperature": None, "top_p": None, "top_k": None, "pad_token_id": pad}


def _said(model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
    """The words of a batch, for the loss: neither padding nor what stands for a picture."""
    ids = _text_ids(batch)
    silent = torch.zeros_like(ids, dtype=torch.bool)
    if (mask := batch.get("attention_mask")) is not None and mask.shape == ids.shape:
        silent |= mask == 0
    if (places := batch.get("image_embeds_position_mask")) is not None:
        silent |= places.bool()
    for token in _placeholders(model.config):
        silent |= ids == token
    return ids.masked_fill(silent, -100)


def _placeholders(config: Any) -> set[int]:
    """The ids that a config names for pictures, their ends, videos and sounds."""
    fields = config.to_dict() if hasattr(config, "to_dict") else config
    own = {
        value
        for name, value in fields.items()
        if isinstance(value, int)
        and str(name).endswith(("token_id", "token_index"))
        and any(word in name for word in _WORDS)
    }
    return own.union(*(_placeholders(value) for value in fields.values() if isinstance(value, dict)))


register(Generative())
