"""Convert a checkpoint of X-VLM's authors (github.com/zengyan-97/X-VLM, with the CLIP-ViT vision encoder) into a folder.

    python -m multiflow_core.families.xvlm_convert checkpoint.th OUT --vocabulary vocab.txt

OUT then loads like any other model. The vocabulary is that of the BERT that X-VLM started from (bert-base-uncased).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..weights import saved
from .foreign.xvlm import _RENAMED, check_vision, config_of, processor_of, translate
from .xvlm_model import XvlmConfig, XvlmModel

_VISION = "vision_encoder."


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
    """The state dict of a published file, without wrappers and masks of pruning; ValueError for what holds more than tensors."""
    tensors, _ = saved.read(file)
    return saved.fit(tensors).apply(tensors)


def converted(
    tensors: Mapping[str, Tensor], image_size: int | None = None
) -> tuple[dict[str, Tensor], XvlmConfig, dict[str, str]]:
    """(tensors under XvlmModel's names, its config, {dropped key: reason}).

    Raises:
        ValueError: another vision encoder than CLIP-ViT, or a text encoder without fusion layers.
    """
    check_vision(tensors)
    found = translate(tensors)
    new, config = found.tensors, config_of(found.tensors)
    if image_size is not None and image_size != config.vision_config.image_size:
        name = _VISION + _RENAMED["pos_embed.weight"]
        new[name] = interpolated(new[name], image_size // config.vision_config.patch_size)
        config.vision_config.image_size = image_size
    return new, config, found.dropped


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


def _processor(vocabulary: Path, image_size: int) -> Any:
    from transformers import BertTokenizer

    words = vocabulary.read_text(encoding="utf-8").splitlines()
    tokenizer = BertTokenizer(vocab={word: i for i, word in enumerate(words)}, do_lower_case=True, model_max_length=512)
    return processor_of(tokenizer, image_size)


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
