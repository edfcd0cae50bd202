"""The built-in BLIP: its configuration, and what its card says of it."""

from __future__ import annotations

from transformers import BlipConfig

from ...data.flatland.words import vocabulary
from ...families.blip_parts import BlipParts
from ..blip import BlipObjectives
from ..built_in import BuiltIn, register
from ..reading import IMAGE_SIZE, PATCH, TEXT_POSITIONS
from ..recipe import Recipe


def config() -> BlipConfig:
    """BLIP at 7.7 million parameters: six vision layers, four layers each in text encoder and decoder."""
    words = vocabulary()
    # BERT's spread; vision gets its own before training
    shape = dict(
        hidden_size=192, num_attention_heads=6, intermediate_size=768, hidden_act="gelu", initializer_range=0.02
    )  # fmt: skip
    special = dict(
        bos_token_id=words["[DEC]"],
        sep_token_id=words["[SEP]"],
        eos_token_id=words["[SEP]"],
        pad_token_id=words["[PAD]"],
    )
    text = shape | special | dict(
        encoder_hidden_size=192, num_hidden_layers=4, vocab_size=len(words), max_position_embeddings=TEXT_POSITIONS,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, label_smoothing=0.0,
    )  # fmt: skip
    vision = shape | dict(num_hidden_layers=6, image_size=IMAGE_SIZE, patch_size=PATCH)
    return BlipConfig(text_config=text, vision_config=vision, image_text_hidden_size=128)


FLATLAND_BLIP = register(
    BuiltIn(
        "flatland-blip",
        BlipParts,
        config,
        BlipObjectives,
        Recipe(),
        "BLIP's own architecture from transformers (Li et al., 2022)",
        "One vision encoder, one text encoder and one text decoder serve retrieval, captioning and question answering; each of "
        "transformers' three BLIP task classes loads from this folder.",
        "the encoder to guess masked words, the decoder to go on with a caption",
        "contrast, matching, captioning and question answering",
        ("BlipForImageTextRetrieval", "BlipForConditionalGeneration", "BlipForQuestionAnswering"),
    )
)
