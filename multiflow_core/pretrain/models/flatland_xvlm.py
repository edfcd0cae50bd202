"""The built-in X-VLM: its configuration, and what its card says of it."""

from __future__ import annotations

from ...data.flatland.words import vocabulary
from ...families.xvlm_model import XvlmConfig, XvlmModel
from ..built_in import BuiltIn, register
from ..reading import IMAGE_SIZE, PATCH, TEXT_POSITIONS
from ..recipe import Recipe
from ..xvlm import XvlmObjectives


def config() -> XvlmConfig:
    """X-VLM at 6 million parameters: six vision layers, three text layers, three fusion layers."""
    words = vocabulary()
    # the spread of BERT; vision gets its own before training
    shape = dict(hidden_size=192, num_attention_heads=6, intermediate_size=768, hidden_act="gelu")
    shape |= dict(initializer_range=0.02)
    text = shape | dict(
        num_hidden_layers=3, vocab_size=len(words), max_position_embeddings=TEXT_POSITIONS, pad_token_id=words["[PAD]"],
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    vision = shape | dict(num_hidden_layers=6, image_size=IMAGE_SIZE, patch_size=PATCH)
    return XvlmConfig(text_config=text, vision_config=vision, fusion_layers=3, projection_dim=128)


FLATLAND_XVLM = register(
    BuiltIn(
        "flatland-xvlm",
        XvlmModel,
        config,
        XvlmObjectives,
        Recipe(),
        "X-VLM's architecture (Zeng et al., 2022), put together from transformers' parts",
        "A vision encoder, a text encoder that sees text alone, and a fusion encoder in which text reads the picture: three "
        "modalities. It finds pictures and texts by its embeddings, and its matching head judges pairs; it writes nothing.",
        "to guess masked words",
        "contrast, matching and masked words",
    )
)
