"""Convert a checkpoint of X-VLM's authors (github.com/zengyan-97/X-VLM, with the CLIP-ViT vision encoder) into a folder.

    python -m multiflow_core.families.xvlm_convert checkpoint.th OUT --vocabulary vocab.txt

OUT then loads like any other model. The vocabulary is that of the BERT that X-VLM started from (bert-base-uncased).
"""

from __future__ import annotations

import argparse
import pickle
import re
from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from .xvlm_model import XvlmConfig, XvlmModel

HEAD_WIDTH = 64  # of CLIP-ViT and BERT alike; the number of heads cannot be read off the tensors
# what X-VLM's own data pipeline subtracts and divides by, the same as CLIP's
IMAGE_MEAN, IMAGE_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
_VISION = "vision_encoder."
_RENAMED = {
    "class_embedding": "embeddings.class_embedding",
    "patch_embed.weight": "embeddings.patch_embedding.weight",
    "pos_embed.weight": "embeddings.position_embedding.weight",
}
_DROPPED = (
    (r"position_ids$", "a counter that the model makes itself"),
    (r"^bbox_head\.", "the bounding-box head: no task here asks where things are"),
    (r"^text_encoder\.(bert\.)?pooler\.", "BERT's pooler: X-VLM reads the state of [CLS] itself"),
    (r"^text_encoder\.cls\.predictions\.decoder\.", "tied to the word embeddings"),
)


def convert(
    checkpoint: Path, out: Path, vocabulary: Path | None = None, image_size: int | None = None
) -> dict[str, str]:
    """Write a checkpoint as a folder that `mf.load` reads.

    Args:
        checkpoint: a file of torch.save, as published; read without running code.
        out: folder to write.
        vocabulary: vocab.txt of the text encoder; without it the folder has no processor and serves Python only.
        image_size: pixels; position embeddings are interpolated when the checkpoint's size is another.

    Returns:
        {key of the checkpoint: why it was dropped}; every other key is in the folder.
    """
    tensors, config, dropped = converted(read_checkpoint(checkpoint), image_size)
    model = XvlmModel(config)
    tied = {"mlm_head.predictions.decoder.weight", "mlm_head.predictions.decoder.bias"}
    missing, unknown = model.load_state_dict(tensors, strict=False)
    if unknown or set(missing) - tied:
        problem = [*(f"lacks {n}" for n in missing if n not in tied), *(f"has unknown {n}" for n in unknown)]
        raise ValueError(f"{checkpoint} {problem[0]} ({len(problem)} such tensors): it is no complete X-VLM.")
    model.tie_weights()
    model.save_pretrained(out)
    if vocabulary is not None:
        _processor(vocabulary, config.vision_config.image_size).save_pretrained(out)
    return dropped


def read_checkpoint(file: Path) -> dict[str, Tensor]:
    """The state dict of a published file; ValueError for a pickle that holds more than tensors."""
    try:
        held = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise ValueError(f"{file} is a pickle that holds more than tensors, and reading it could run code.") from None
    return held.get("model", held)


def converted(
    tensors: Mapping[str, Tensor], image_size: int | None = None
) -> tuple[dict[str, Tensor], XvlmConfig, dict[str, str]]:
    """(tensors under XvlmModel's names, its config, {dropped key: reason}).

    Raises:
        ValueError: another vision encoder than CLIP-ViT, or a text encoder without fusion layers.
    """
    if f"{_VISION}class_embedding" not in tensors:
        kind = "Swin" if any(".relative_position_bias_table" in key for key in tensors) else "unknown"
        raise ValueError(f"The vision encoder is of {kind} kind; only checkpoints with CLIP-ViT can be converted.")
    dropped = {key: why for key in tensors for pattern, why in _DROPPED if re.search(pattern, key)}
    text_layers = _first_fusion_layer(tensors)
    new = {_name(key, text_layers): tensor for key, tensor in tensors.items() if key not in dropped}
    config = _config(new, text_layers)
    if image_size is not None and image_size != config.vision_config.image_size:
        name = f"{_VISION}embeddings.position_embedding.weight"
        new[name] = interpolated(new[name], image_size // config.vision_config.patch_size)
        config.vision_config.image_size = image_size
    return new, config, dropped


def _first_fusion_layer(tensors: Mapping[str, Tensor]) -> int:
    layers = [int(found[1]) for key in tensors if (found := re.search(r"\.layer\.(\d+)\.crossattention\.", key))]
    if not layers:
        raise ValueError("No text layer has cross-attention: this is no X-VLM checkpoint.")
    return min(layers)


def _name(key: str, text_layers: int) -> str:
    """XvlmModel's name for one of the authors' keys.

    >>> _name("text_encoder.bert.encoder.layer.7.output.dense.weight", 6)
    'fusion_encoder.layer.1.output.dense.weight'
    >>> _name("vision_encoder.pos_embed.weight", 6)
    'vision_encoder.embeddings.position_embedding.weight'
    """
    if key.startswith(_VISION):
        rest = key.removeprefix(_VISION)
        return _VISION + _RENAMED.get(rest, rest)
    key = key.replace("text_encoder.bert.", "text_encoder.").replace("text_encoder.cls.", "mlm_head.")
    found = re.fullmatch(r"text_encoder\.encoder\.layer\.(\d+)\.(.*)", key)
    if found and int(found[1]) >= text_layers:
        return f"fusion_encoder.layer.{int(found[1]) - text_layers}.{found[2]}"
    return key


def _config(tensors: Mapping[str, Tensor], text_layers: int) -> XvlmConfig:
    patches = tensors[f"{_VISION}embeddings.patch_embedding.weight"]
    positions = tensors[f"{_VISION}embeddings.position_embedding.weight"]
    words = tensors["text_encoder.embeddings.word_embeddings.weight"]
    width, image_width, patch = words.shape[1], len(patches), patches.shape[-1]
    vision = dict(
        hidden_size=image_width,
        num_attention_heads=max(image_width // HEAD_WIDTH, 1),
        num_hidden_layers=_count(tensors, r"vision_encoder\.encoder\.layers\.(\d+)\."),
        intermediate_size=len(tensors[f"{_VISION}encoder.layers.0.mlp.fc1.weight"]),
        patch_size=patch,
        image_size=round((len(positions) - 1) ** 0.5) * patch,
    )
    text = dict(
        hidden_size=width,
        num_attention_heads=max(width // HEAD_WIDTH, 1),
        num_hidden_layers=text_layers,
        intermediate_size=len(tensors["text_encoder.encoder.layer.0.intermediate.dense.weight"]),
        vocab_size=len(words),
        max_position_embeddings=len(tensors["text_encoder.embeddings.position_embeddings.weight"]),
        type_vocab_size=len(tensors["text_encoder.embeddings.token_type_embeddings.weight"]),
    )
    return XvlmConfig(
        vision_config=vision,
        text_config=text,
        fusion_layers=_count(tensors, r"fusion_encoder\.layer\.(\d+)\."),
        projection_dim=len(tensors["vision_proj.weight"]),
        masked_words=any(key.startswith("mlm_head.") for key in tensors),
    )


def _count(tensors: Mapping[str, Tensor], pattern: str) -> int:
    return 1 + max(int(found[1]) for key in tensors if (found := re.match(pattern, key)))


def interpolated(positions: Tensor, side: int) -> Tensor:
    """Position embeddings (1 + n * n, width) for side x side patches: bicubic; the class token's stays.

    >>> interpolated(torch.arange(10.0)[:, None], 2).shape
    torch.Size([5, 1])
    """
    token, grid = positions[:1], positions[1:]
    old = round(len(grid) ** 0.5)
    grid = grid.float().T.reshape(1, -1, old, old)
    grid = F.interpolate(grid, size=(side, side), mode="bicubic", align_corners=False)
    return torch.cat([token, grid.reshape(grid.shape[1], -1).T.to(token.dtype)])


def _processor(vocabulary: Path, image_size: int):
    from transformers import BertTokenizer, BlipProcessor
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    words = vocabulary.read_text(encoding="utf-8").splitlines()
    tokenizer = BertTokenizer(vocab={word: i for i, word in enumerate(words)}, do_lower_case=True, model_max_length=512)
    size = {"height": image_size, "width": image_size}
    return BlipProcessor(BlipImageProcessorPil(size=size, image_mean=IMAGE_MEAN, image_std=IMAGE_STD), tokenizer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--vocabulary", type=Path, required=True, help="vocab.txt of bert-base-uncased")
    parser.add_argument("--image-size", type=int, help="pixels; default: the checkpoint's own")
    options = parser.parse_args()
    try:
        dropped = convert(options.checkpoint, options.out, options.vocabulary, options.image_size)
    except (ValueError, OSError) as error:
        raise SystemExit(f"xvlm_convert: {error}") from None
    for why in dict.fromkeys(dropped.values()):
        print(f"dropped {sum(reason == why for reason in dropped.values())} tensors: {why}")


if __name__ == "__main__":
    main()
