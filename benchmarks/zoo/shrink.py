"""Any configuration of transformers made tiny, by the names of its fields."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

WIDTH, INNER, LAYERS, HEADS, WORDS, SIDE, PATCH = 32, 48, 2, 2, 96, 32, 8
# the small value of a field, by its name or by what a longer name ends with ("text_hidden_size")
SMALL: Mapping[str, Any] = {
    **dict.fromkeys(("hidden_size", "d_model", "width", "embed_dim", "hidden_dim", "n_embd", "visual_feat_dim"), WIDTH),
    **dict.fromkeys(
        ("pooler_output_size", "projection_size", "output_channels", "latent_channels", "word_embed_proj_dim"), WIDTH
    ),
    **dict.fromkeys(("visual_embedding_dim", "dim_embed", "patch_embed_hidden_size", "base_channels"), WIDTH),
    **dict.fromkeys(("intermediate_size", "d_ff", "ffn_dim", "mlp_dim", "out_hidden_size", "n_inner"), INNER),
    **dict.fromkeys(
        ("num_hidden_layers", "num_layers", "encoder_layers", "decoder_layers", "depth", "n_layer"), LAYERS
    ),
    **dict.fromkeys(
        ("l_layers", "r_layers", "x_layers", "num_experts", "n_routed_experts", "num_local_experts"), LAYERS
    ),
    **dict.fromkeys(("num_attention_heads", "num_heads", "attention_heads", "n_head", "num_key_value_heads"), HEADS),
    **dict.fromkeys(("moe_num_experts", "num_experts_per_tok", "moe_topk", "resampler_n_latents"), HEADS),
    **dict.fromkeys(("n_group", "topk_group", "num_embeddings", "num_frames", "num_image_tokens"), HEADS),
    **dict.fromkeys(("head_dim", "d_kv", "projection_dim", "image_text_hidden_size"), WIDTH // HEADS),
    "vocab_size": WORDS,
    "image_size": SIDE,
    "patch_size": PATCH,
    "max_position_embeddings": 512,
}
_SPREADS = ("initializer_range", "init_std")  # some are 1e-10, meant for loading over
_SPREAD = 0.05
# fields with an entry a layer: the configuration makes them anew for its few layers
_MADE_ANEW = ("layer_types", "mlp_layer_types", "no_rope_layers", "moe_layers", "per_layer_config")


def shrunk(kind: type, changes: Mapping[str, Any] | None = None) -> Any:
    """The default configuration of a class with few, narrow layers; `changes` are made on top, {path of the field: value}.

    >>> from transformers import CLIPConfig
    >>> config = shrunk(CLIPConfig, {"text_config.num_hidden_layers": 3})
    >>> config.vision_config.hidden_size, config.vision_config.num_hidden_layers, config.text_config.num_hidden_layers
    (32, 2, 3)

    Ids of special tokens beyond the small vocabulary become its last words, the same id the same word.
    """
    return kind.from_dict(shrunk_fields(kind().to_dict(), changes))


def shrunk_fields(fields: Mapping[str, Any], changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The same for what `to_dict` returned."""
    last_words = itertools.count(WORDS - 1, -1)
    small = _small(fields, {}, last_words)
    for path, value in (changes or {}).items():
        *parents, last = path.split(".")
        held = small
        for parent in parents:
            held = held.setdefault(parent, {})
        held[last] = value
    return small


def _small(fields: Mapping[str, Any], words: dict[int, int], last_words: Iterator[int]) -> dict[str, Any]:
    small = {}
    for name, value in fields.items():
        if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            small[name] = _small(value, words, last_words)
        elif name.endswith(("token_id", "token_index")):
            small[name] = _word(value, words, last_words)
        elif name not in _MADE_ANEW:
            small[name] = _small_value(name, value)
    return small


def _word(value: Any, words: dict[int, int], last_words: Iterator[int]) -> Any:
    if isinstance(value, list):
        return [_word(one, words, last_words) for one in value]
    if type(value) is not int or value < WORDS // 4:
        return value
    if value not in words:
        words[value] = next(last_words)
    return words[value]


def _small_value(name: str, value: Any) -> Any:
    if name in _SPREADS:
        return _SPREAD
    known = next((key for key in SMALL if name == key or name.endswith(f"_{key}")), None)
    if known is None or type(value) not in (int, float):
        return value
    return SMALL[known] if known == "vocab_size" else min(value, SMALL[known])
