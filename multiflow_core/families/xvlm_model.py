"""X-VLM (Zeng et al., ICML 2022), which transformers lacks, put together from transformers' parts.

A CLIP vision encoder; a BERT text encoder that sees text alone; a fusion encoder, BERT layers with cross-attention to the
image, on top of it; and heads for contrast (ITC), matching (ITM) and masked words (MLM).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoConfig, BertConfig, BertModel, CLIPVisionConfig, CLIPVisionModel
from transformers import initialization as init  # like nn.init, but leaves alone what was loaded
from transformers.configuration_utils import PreTrainedConfig
from transformers.masking_utils import create_bidirectional_mask
from transformers.modeling_utils import PreTrainedModel
from transformers.models.bert.modeling_bert import BertEncoder, BertOnlyMLMHead
from transformers.utils import ModelOutput


class XvlmConfig(PreTrainedConfig):
    """Sizes of an X-VLM; the defaults are those of X-VLM-base: 12 vision, 6 text and 6 fusion layers of width 768.

    >>> config = XvlmConfig(text_config=dict(hidden_size=192), fusion_layers=3)
    >>> config.text_config.num_hidden_layers, config.cross_config.num_hidden_layers, config.cross_config.hidden_size
    (6, 3, 192)

    Attributes:
        vision_config: of the vision encoder; picture and patch size among others.
        text_config: of the text encoder; the fusion layers have the same sizes.
        fusion_layers: how many layers read text and image together.
        projection_dim: width of the embeddings.
        temperature: of the contrastive objective, where training starts.
        learnt: further tasks that it was fine-tuned for: "captioning", "vqa".
        masked_words: whether the head for masked words is there (fine-tuned checkpoints are published without it).
    """

    model_type = "xvlm"
    sub_configs_defaults = {"text_config": BertConfig, "vision_config": CLIPVisionConfig}  # noqa: RUF012

    text_config: dict | BertConfig | None = None
    vision_config: dict | CLIPVisionConfig | None = None
    fusion_layers: int = 6
    projection_dim: int = 256
    temperature: float = 0.07
    masked_words: bool = True
    learnt: list | None = None
    tie_word_embeddings: bool = True
    initializer_range: float | None = None

    def __post_init__(self, **kwargs):
        if self.text_config is None or isinstance(self.text_config, dict):
            self.text_config = {"num_hidden_layers": 6} | (self.text_config or {})
        if self.vision_config is None or isinstance(self.vision_config, dict):
            self.vision_config = {"patch_size": 16} | (self.vision_config or {})
        super().__post_init__(**kwargs)
        self.initializer_range = self.initializer_range or self.text_config.initializer_range

    # not `fusion_config`: transformers 5.23 keeps something else under that name
    @property
    def cross_config(self) -> BertConfig:
        """The fusion layers': the text's with cross-attention (`is_decoder` is BERT's word for that; none is causal)."""
        config = deepcopy(self.text_config)
        config.num_hidden_layers, config.is_decoder, config.add_cross_attention = self.fusion_layers, True, True
        return config


@dataclass
class XvlmOutput(ModelOutput):
    """Unit-length embeddings (batch, projection_dim), and the two matching logits of every pair: no, yes."""

    image_embeds: Tensor | None = None
    text_embeds: Tensor | None = None
    itm_score: Tensor | None = None


class XvlmVisionModel(CLIPVisionModel):
    """CLIP's vision encoder with every state normalised at the end, not only that of the class token."""

    def states(self, pixel_values: Tensor) -> Tensor:
        return self.post_layernorm(self(pixel_values=pixel_values).last_hidden_state)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """One spread for all weights, `initializer_range`, as in BERT: CLIP's own is made for CLIP's depth and width."""
        PreTrainedModel._init_weights(self, module)
        if isinstance(module, type(self.embeddings)):
            init.normal_(module.class_embedding, std=self.config.initializer_range)
            init.copy_(module.position_ids, torch.arange(module.num_positions)[None])


class XvlmModel(PreTrainedModel):
    """The parts of an X-VLM: `vision_encoder`, `text_encoder`, `fusion_encoder` and its heads.

    >>> small = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    >>> text, vision = small | dict(vocab_size=50), small | dict(image_size=32)
    >>> config = XvlmConfig(text_config=text, vision_config=vision, fusion_layers=1, projection_dim=8)
    >>> model = XvlmModel(config).eval()
    >>> words = torch.tensor([[2, 7, 3, 0]])
    >>> out = model(pixel_values=torch.randn(1, 3, 32, 32), input_ids=words, attention_mask=(words > 0).long())
    >>> out.image_embeds.shape, out.itm_score.shape
    (torch.Size([1, 8]), torch.Size([1, 2]))
    """

    config_class = XvlmConfig
    config: XvlmConfig
    base_model_prefix = "xvlm"
    main_input_name = "pixel_values"
    _supports_sdpa = True
    _tied_weights_keys = {  # noqa: RUF012
        "mlm_head.predictions.decoder.weight": "text_encoder.embeddings.word_embeddings.weight",
        "mlm_head.predictions.decoder.bias": "mlm_head.predictions.bias",
    }

    def __init__(self, config: XvlmConfig):
        super().__init__(config)
        vision, text, width = config.vision_config, config.text_config, config.text_config.hidden_size
        self.vision_encoder = XvlmVisionModel(vision)
        self.text_encoder = BertModel(text, add_pooling_layer=False)
        self.fusion_encoder = _fusion_encoder(config)
        self.vision_proj = nn.Linear(vision.hidden_size, config.projection_dim)
        self.text_proj = nn.Linear(width, config.projection_dim)
        self.itm_head = nn.Sequential(
            nn.Linear(width, 2 * width), nn.LayerNorm(2 * width), nn.GELU(), nn.Linear(2 * width, 2)
        )
        self.mlm_head = BertOnlyMLMHead(text) if config.masked_words else None
        if self.mlm_head is None:
            self._tied_weights_keys = None
        self.answer_decoder = _fusion_encoder(config, reads=width) if "vqa" in (config.learnt or ()) else None
        self.temp = nn.Parameter(torch.tensor(config.temperature))
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.text_encoder.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.text_encoder.set_input_embeddings(value)

    def set_attn_implementation(self, *args, **kwargs) -> None:
        super().set_attn_implementation(*args, **kwargs)
        self.fusion_encoder.config._attn_implementation = self.text_encoder.config._attn_implementation

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self:
            init.constant_(module.temp, self.config.temperature)

    def image_states(self, pixel_values: Tensor) -> Tensor:
        """(batch, 1 + patches, vision width)"""
        return self.vision_encoder.states(pixel_values)

    def text_states(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(batch, length, width), from the text alone; padding (mask 0) is not attended to."""
        return self.text_encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    def fuse(self, text_states: Tensor, attention_mask: Tensor, image_states: Tensor) -> Tensor:
        """(batch, length, width): the text's states after reading the image; padding is not attended to."""
        mask = create_bidirectional_mask(
            config=self.fusion_encoder.config, inputs_embeds=text_states, attention_mask=attention_mask
        )
        return self.fusion_encoder(
            text_states, attention_mask=mask, encoder_hidden_states=image_states
        ).last_hidden_state

    # --- writing, once it was fine-tuned for that -------------------------------------------------------------------

    def next_words(self, input_ids: Tensor, attention_mask: Tensor, image_states: Tensor) -> Tensor:
        """(batch, length, vocabulary): what follows each word of a caption; text and fusion layers see no later words."""
        hidden = self.text_encoder.embeddings(input_ids=input_ids)
        mask = _earlier(attention_mask, hidden.dtype)
        hidden = self.text_encoder.encoder(hidden, attention_mask=mask, use_cache=False).last_hidden_state
        hidden = self.fusion_encoder(hidden, attention_mask=mask, encoder_hidden_states=image_states, use_cache=False)
        return self.mlm_head(hidden.last_hidden_state)

    def answer_words(self, answer_ids: Tensor, answer_mask: Tensor, asked: Tensor, asked_mask: Tensor) -> Tensor:
        """(batch, length, vocabulary): what follows each word of an answer, read off the fused states of its question."""
        hidden = self.text_encoder.embeddings(input_ids=answer_ids)
        read = torch.zeros_like(asked_mask, dtype=hidden.dtype).masked_fill(asked_mask == 0, _never(hidden.dtype))
        states = self.answer_decoder(
            hidden,
            attention_mask=_earlier(answer_mask, hidden.dtype),
            encoder_hidden_states=asked,
            encoder_attention_mask=read[:, None, None, :],
            use_cache=False,
        )
        return self.mlm_head(states.last_hidden_state)

    def with_answers(self) -> dict[str, str]:
        """Get a decoder of answers, a copy of the fusion layers; {its parameter: the one it was started from}.

        Where pictures have another width than texts, what reads them cannot be copied and starts anew.
        """
        new = _fusion_encoder(self.config, reads=self.config.text_config.hidden_size)
        held = dict(self.fusion_encoder.named_parameters())
        draw = torch.Generator().manual_seed(0)
        started = {}
        with torch.no_grad():
            for name, parameter in new.named_parameters():
                if held[name].shape == parameter.shape:
                    parameter.copy_(held[name])
                    started[f"answer_decoder.{name}"] = f"fusion_encoder.{name}"
                elif parameter.ndim > 1:
                    parameter.normal_(std=self.config.initializer_range, generator=draw)
        self.answer_decoder = new.to(held[name].device, held[name].dtype).train(self.training)
        return started

    def embed_images(self, image_states: Tensor) -> Tensor:
        """Unit-length, (batch, projection_dim)."""
        return F.normalize(self.vision_proj(image_states[:, 0]), dim=-1)

    def embed_texts(self, text_states: Tensor) -> Tensor:
        """Unit-length, (batch, projection_dim)."""
        return F.normalize(self.text_proj(text_states[:, 0]), dim=-1)

    def forward(self, pixel_values: Tensor, input_ids: Tensor, attention_mask: Tensor | None = None) -> XvlmOutput:
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        image, text = self.image_states(pixel_values), self.text_states(input_ids, mask)
        fused = self.fuse(text, mask, image)
        return XvlmOutput(self.embed_images(image), self.embed_texts(text), self.itm_head(fused[:, 0]))


def _never(dtype: torch.dtype) -> float:
    return torch.finfo(dtype).min


def _earlier(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """(batch, 1, length, length), to be added: a word sees those before it and itself, and no padding."""
    length = mask.shape[1]
    seen = torch.ones(length, length, dtype=torch.bool, device=mask.device).tril() & (mask[:, None, None, :] > 0)
    return torch.zeros(seen.shape, dtype=dtype, device=mask.device).masked_fill(~seen, _never(dtype))


def _fusion_encoder(config: XvlmConfig, reads: int | None = None) -> BertEncoder:
    """Layers in which a text reads an image, or states of the width `reads`."""
    fusion, image_width = config.cross_config, reads or config.vision_config.hidden_size
    encoder = BertEncoder(fusion)
    for layer in encoder.layer:
        layer.attention.self.is_causal = False
        if image_width != fusion.hidden_size:  # transformers' BERT reads only images of its own width
            for name in ("key", "value"):
                setattr(layer.crossattention.self, name, nn.Linear(image_width, fusion.hidden_size))
    return encoder


AutoConfig.register("xvlm", XvlmConfig, exist_ok=True)
