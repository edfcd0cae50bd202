"""Writing a pruned model: an ordinary transformers folder, except that its weights take no more room than is left of them."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...families.folder import folder_of
from ...families.processor import copy_processor
from ...support.atomic import whole
from ...weights.masks import Masks
from ...weights.packed_file import FILE, check_masks, write
from ..format import Format, register
from ..vlm import CARD, VLM


def save_packed(vlm: VLM, masks: Masks, folder: str | os.PathLike, dtype: torch.dtype | None = None) -> Path:
    """Write a pruned model as a folder that `mf.load` opens like any other, with the very same weights.

    >>> import tempfile
    >>> import multiflow_core as mf
    >>> from multiflow_core.models.vlm import ASSETS
    >>> from multiflow_core.weights.packed_file import masks_of
    >>> vlm = mf.load("flatland-blip")
    >>> masks = mf.rank(vlm.model, "omp").masks(0.75)
    >>> folder = save_packed(vlm.prune(masks), masks, Path(tempfile.mkdtemp()) / "pruned", torch.float16)
    >>> (folder / FILE).stat().st_size / (ASSETS / "flatland-blip" / "model.safetensors").stat().st_size < 0.33
    True
    >>> masks_of(folder) == masks
    True

    Args:
        vlm: the pruned model. Of masked tensors only what the masks keep is written, so the dense one does as well
            for methods that leave the survivors as they are.
        masks: what was pruned.
        folder: to write; config and processor are those of transformers.
        dtype: of the weights on disk, e.g. torch.float16; None: as they are, bit by bit.

    Raises:
        ValueError: a mask that does not fit the model, or a folder that already holds other weights.
    """
    return save_as(FILE, write, vlm, masks, folder, dtype)


def save_as(
    file: str,
    writer: Callable[[Path, Mapping[str, Tensor], Masks, torch.dtype | None], Any],
    vlm: VLM,
    masks: Masks,
    folder: str | os.PathLike,
    dtype: torch.dtype | None,
) -> Path:
    """A folder of transformers whose weights `writer(file, tensors, masks, dtype)` writes into one file of that name."""
    folder = Path(folder)
    if any(held.name != file for held in folder.glob("*.safetensors")) or list(folder.glob("*.bin")):
        raise ValueError(f"{folder} already holds the weights of a model: give a new folder.")
    tied = vlm.model.all_tied_weights_keys  # their further names are not saved
    tensors = {name: tensor for name, tensor in vlm.model.state_dict().items() if name not in tied}
    check_masks(tensors, masks)
    config = copy.deepcopy(vlm.model.config)
    config.architectures = config.architectures or [type(vlm.model).__name__]
    config.dtype = dtype or config.dtype
    with whole(folder) as place:
        config.save_pretrained(place)
        if vlm.family.general and vlm.model.can_generate():
            vlm.model.generation_config.save_pretrained(place)  # with what it ends a turn
        if not vlm.unreadable:
            vlm.processor.save_pretrained(place)
        elif vlm.folder:
            copy_processor(folder_of(vlm.folder), place)  # somewhere else there may be what it needs
        if vlm.trained_on:
            (place / CARD).write_text(json.dumps({"trained_on": vlm.trained_on}) + "\n")
        writer(place / file, tensors, masks, dtype)
    return folder


register(
    Format(
        "packed",
        "a folder that mf.load opens like any other, whose pruned weights take no room but one bit",
        save_packed,
    )
)
