"""Synthetic pairs of picture and text, as each type of model wants them: placeholders, packed patches, tiles, frames."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from .shrink import PATCH, SIDE, WORDS

PAIRS, LENGTH = 3, 7  # pairs of a batch, words of the longest text
Batch = dict[str, Any]
Pictures = Callable[[nn.Module], Batch]
CELLS = SIDE // PATCH


def batch_of(model: nn.Module, pictures: Pictures, seed: int = 0) -> Batch:
    """A batch for a model: what `pictures` makes of it, and texts, the last of them shorter and padded.

    A model that looks for placeholders in the text is given as many as its pictures become.
    """
    torch.manual_seed(seed)
    takes = inspect.signature(model.forward).parameters
    batch = pictures(model)
    if "input_ids" in takes:
        batch = {**_texts(model, batch), **batch}
    if "decoder_input_ids" in takes:
        batch["decoder_input_ids"] = _words(LENGTH)
    if "mm_token_type_ids" in takes:
        batch["mm_token_type_ids"] = (batch["input_ids"] == placeholder(model)).int()
    return batch


def placeholder(model: nn.Module) -> int | None:
    """The id that stands for a picture in the text; None for a model without."""
    found = (_field(model.config, name) for name in ("image_token_id", "image_token_index"))
    return next((value for value in found if isinstance(value, int)), None)


def _field(config: Any, name: str) -> Any:
    own = getattr(config, name, None)
    return own if own is not None else getattr(getattr(config, "vision_config", None), name, None)


def _texts(model: nn.Module, batch: Batch) -> Batch:
    """Ids and mask; padding stands at the left of what generates, at the right of everything else."""
    ids, mask = _words(LENGTH), torch.ones(PAIRS, LENGTH, dtype=torch.long)
    padded = slice(0, 3) if model.can_generate() else slice(LENGTH - 3, LENGTH)
    ids[-1, padded], mask[-1, padded] = 1, 0
    if (id_ := placeholder(model)) is not None and (count := batch.pop("placeholders", None) or _count(model, batch)):
        end = ids.shape[1] // 2
        holes, seen = torch.full((PAIRS, count), id_), torch.ones(PAIRS, count, dtype=torch.long)
        ids = torch.cat([ids[:, :end], holes, ids[:, end:]], 1)
        mask = torch.cat([mask[:, :end], seen, mask[:, end:]], 1)
    return {"input_ids": ids, "attention_mask": mask}


def _words(length: int) -> Tensor:
    return torch.randint(WORDS // 4, WORDS // 2, (PAIRS, length))


@torch.no_grad()
def _count(model: nn.Module, batch: Batch) -> int:
    """How many rows the model makes of one picture."""
    model = next((m for m in (model, model.base_model) if hasattr(m, "get_image_features")), None)
    if model is None:
        return 0
    takes = inspect.signature(model.get_image_features).parameters
    given = {k: v for k, v in batch.items() if k in takes}
    given |= {"pixel_values": batch["pixel_values_images"]} if "pixel_values_images" in batch else {}
    found = model.eval().get_image_features(**given)
    found = getattr(found, "pooler_output", None) if not isinstance(found, Tensor | tuple | list) else found
    if found is None:
        found = model.get_image_features(**given).last_hidden_state
    return sum(rows.numel() // rows.shape[-1] for rows in ([found] if isinstance(found, Tensor) else found)) // PAIRS


# --- pictures, as the types want them -------------------------------------------------------------------------------


def nothing(model: nn.Module) -> Batch:
    """For models that read text alone."""
    return {}


def plain(model: nn.Module) -> Batch:
    return {"pixel_values": torch.randn(PAIRS, 3, SIDE, SIDE)}


def framed(count: int = 1) -> Pictures:
    """Tiles or frames, so many a picture."""
    return lambda model: {"pixel_values": torch.randn(PAIRS, count, 3, SIDE, SIDE)}


def sized(model: nn.Module) -> Batch:
    return plain(model) | _sizes()


def tiled(model: nn.Module) -> Batch:
    return framed(2)(model) | _sizes()


def _sizes() -> Batch:
    return {"image_sizes": torch.full((PAIRS, 2), SIDE)}


def under(name: str) -> Pictures:
    """Plain pictures under another name."""
    return lambda model: {name: torch.randn(PAIRS, 3, SIDE, SIDE)}


def both(model: nn.Module) -> Batch:
    return plain(model) | under("high_res_pixel_values")(model)


def packed(model: nn.Module) -> Batch:
    """The patches of all pictures one below the other, and how many there are of each: Qwen-VL, GLM."""
    vision = model.config.vision_config
    width = vision.in_channels * vision.temporal_patch_size * vision.patch_size**2
    grid = torch.tensor([[1, CELLS, CELLS]] * PAIRS)
    return {"pixel_values": torch.randn(PAIRS * CELLS**2, width), "image_grid_thw": grid}


def shaped(model: nn.Module) -> Batch:
    """Patches of pictures of any shape, padded: SigLIP 2."""
    return {
        "pixel_values": torch.randn(PAIRS, CELLS**2, 3 * PATCH**2),
        "pixel_attention_mask": torch.ones(PAIRS, CELLS**2, dtype=torch.long),
        "spatial_shapes": torch.tensor([[CELLS, CELLS]] * PAIRS),
    }


def patches(model: nn.Module) -> Batch:
    return {"pixel_values": torch.randn(PAIRS, CELLS**2, 3 * PATCH**2), "placeholders": CELLS**2}


def numbered(model: nn.Module) -> Batch:
    """Patches with their row and column in front: Pix2Struct, and with the text's mask for theirs."""
    width = model.config.vision_config.patch_embed_hidden_size
    places = torch.cartesian_prod(torch.arange(1, CELLS + 1), torch.arange(1, CELLS + 1)).float()
    rows = torch.cat([places.expand(PAIRS, -1, -1), torch.randn(PAIRS, CELLS**2, width)], 2)
    return {"flattened_patches": rows, "attention_mask": torch.ones(PAIRS, CELLS**2, dtype=torch.long)}


def kosmos25(model: nn.Module) -> Batch:
    rows, count = numbered(model), LENGTH + model.config.latent_query_num
    holes = torch.zeros(PAIRS, count, dtype=torch.long)
    holes[:, 2 : 2 + model.config.latent_query_num] = 1
    ones = torch.ones(PAIRS, count, dtype=torch.long)
    return {**rows, "input_ids": _words(count), "attention_mask": ones, "image_embeds_position_mask": holes}


def kosmos(model: nn.Module) -> Batch:
    count = model.config.latent_query_num
    holes = torch.zeros(PAIRS, LENGTH + count, dtype=torch.long)
    holes[:, 2 : 2 + count] = 1
    mask = torch.ones_like(holes)
    return plain(model) | {
        "input_ids": _words(LENGTH + count),
        "attention_mask": mask,
        "image_embeds_position_mask": holes,
    }


def attended(model: nn.Module) -> Batch:
    """With a mask that says which word sees which picture: the first Idefics."""
    return framed(1)(model) | {"image_attention_mask": torch.ones(PAIRS, LENGTH, 1, dtype=torch.long)}


def crossed(model: nn.Module) -> Batch:
    """Tiles, how they lie, and which word sees which: Mllama."""
    tiles = model.config.vision_config.max_num_tiles
    return {
        "pixel_values": torch.randn(PAIRS, 1, tiles, 3, SIDE, SIDE),
        "aspect_ratio_ids": torch.ones(PAIRS, 1, dtype=torch.long),
        "aspect_ratio_mask": torch.ones(PAIRS, 1, tiles, dtype=torch.long),
        "cross_attention_mask": torch.ones(PAIRS, LENGTH, 1, tiles, dtype=torch.long),
    }


def cropped(model: nn.Module) -> Batch:
    """A picture as a whole and in crops, each row of patches ended by a token: Phi-4."""
    half = CELLS // 2
    return {
        "image_pixel_values": torch.randn(PAIRS, 2, 3, SIDE, SIDE),
        "image_attention_mask": torch.ones(PAIRS, 2, CELLS, CELLS, dtype=torch.long),
        "image_sizes": torch.full((PAIRS, 2), SIDE),
        "placeholders": 2 * half * (half + 1) + 1,
    }


def regions(model: nn.Module) -> Batch:
    """Features of regions that a detector has found, and where: LXMERT."""
    return {
        "visual_feats": torch.randn(PAIRS, 4, model.config.visual_feat_dim),
        "visual_pos": torch.rand(PAIRS, 4, model.config.visual_pos_dim),
    }


def embedded(model: nn.Module) -> Batch:
    """The same without places: VisualBERT."""
    ones = torch.ones(PAIRS, 4, dtype=torch.long)
    features = torch.randn(PAIRS, 4, model.config.visual_embedding_dim)
    return {"visual_embeds": features, "visual_attention_mask": ones, "visual_token_type_ids": ones}


def queried(frames: int = 0) -> Pictures:
    """With the text once more for the Q-Former: InstructBLIP."""
    made = framed(frames) if frames else plain
    return lambda model: made(model) | {"qformer_input_ids": _words(LENGTH)}


def coded(model: nn.Module) -> Batch:
    """With the same picture for a codebook, and texts in which words are hidden: FLAVA's pre-training."""
    words = _words(LENGTH)
    hidden = torch.rand(PAIRS, CELLS**2) < 0.5
    return plain(model) | {
        "bool_masked_pos": hidden,
        "codebook_pixel_values": torch.rand(PAIRS, 3, SIDE, SIDE),
        "input_ids_masked": words,
    }


def batches_of(model: nn.Module, pictures: Pictures, count: int = 2) -> Iterator[Batch]:
    """A few batches, all different."""
    return (batch_of(model, pictures, seed) for seed in range(count))
