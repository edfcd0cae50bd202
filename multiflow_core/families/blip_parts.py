"""One set of BLIP tensors behind transformers' three task classes.

BLIP pre-trains one vision encoder, one text encoder and one text decoder; transformers has a class for each task, every one
with copies of its own. `BlipParts` holds each part once, and its views are the ordinary classes around the same tensors.
"""

from __future__ import annotations

from functools import cached_property
from typing import TypeVar

import torch
from torch import nn
from transformers import (
    BlipConfig,
    BlipForConditionalGeneration,
    BlipForImageTextRetrieval,
    BlipForQuestionAnswering,
)
from transformers.models.blip.modeling_blip import BlipPreTrainedModel, BlipVisionModel
from transformers.models.blip.modeling_blip_text import BlipTextLMHeadModel, BlipTextModel

TaskModel = TypeVar("TaskModel", BlipForImageTextRetrieval, BlipForConditionalGeneration, BlipForQuestionAnswering)


class BlipParts(BlipPreTrainedModel):
    """The parts of a pre-trained BLIP: `vision_model`, `text_encoder`, `text_decoder` and the heads of its objectives.

    >>> from transformers import BlipConfig
    >>> small = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    >>> text = small | dict(encoder_hidden_size=16, vocab_size=50)
    >>> parts = BlipParts(BlipConfig(text_config=text, vision_config=small | dict(image_size=32)))
    >>> parts.captioner.vision_model is parts.answerer.vision_model is parts.vision_model
    True
    """

    config_class = BlipConfig  # transformers would take it from the annotation, were that no string
    config: BlipConfig
    _tied_weights_keys = BlipForQuestionAnswering._tied_weights_keys

    def __init__(self, config: BlipConfig):
        super().__init__(config)
        text, width = config.text_config, config.image_text_hidden_size
        self.vision_model = BlipVisionModel(config.vision_config)
        self.text_encoder = BlipTextModel(text, add_pooling_layer=False)
        self.text_decoder = BlipTextLMHeadModel(text)
        self.vision_proj = nn.Linear(config.vision_config.hidden_size, width)
        self.text_proj = nn.Linear(text.hidden_size, width)
        self.itm_head = nn.Linear(text.hidden_size, 2)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.text_encoder.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.text_encoder.set_input_embeddings(value)

    def view(self, task: type[TaskModel]) -> TaskModel:
        """`task` around this model's own tensors: no copy, and an error if a part of it were missing."""
        with torch.device("meta"):
            model = task(self.config)
        for name, _ in list(model.named_children()):
            setattr(model, name, getattr(self, name))
        left = [name for name, p in model.named_parameters() if p.is_meta]
        if left:
            raise ValueError(f"{task.__name__} needs {', '.join(left)}, which this checkpoint does not have")
        return model.train(self.training)

    # The views are not sub-modules: they would make every tensor appear in the state dict four times.
    @cached_property
    def _views(self) -> dict[type, nn.Module]:
        return {}

    def _view(self, task: type[TaskModel]) -> TaskModel:
        if task not in self._views:
            self._views[task] = self.view(task)
        return self._views[task]

    @property
    def retriever(self) -> BlipForImageTextRetrieval:
        return self._view(BlipForImageTextRetrieval)

    @property
    def captioner(self) -> BlipForConditionalGeneration:
        return self._view(BlipForConditionalGeneration)

    @property
    def answerer(self) -> BlipForQuestionAnswering:
        return self._view(BlipForQuestionAnswering)
