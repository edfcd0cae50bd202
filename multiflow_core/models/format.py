"""What a format of pruned checkpoints is. Adding one = one file in `formats/` that calls `register`. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..support.registry import Registry

if TYPE_CHECKING:
    import torch

    from ..weights.masks import Masks
    from .vlm import VLM


@dataclass(frozen=True)
class Format:
    """A way to write a pruned model.

    >>> FORMATS.get("packed").opens
    True

    Attributes:
        name: for the command line. about: what is written, and who reads it, in one line.
        write: write(vlm, masks, folder, dtype) -> what was written: of a masked weight what its mask keeps, since the model may
            be the dense one. Of `dtype` are the weights; None: as they are.
        opens: whether `mf.load` opens the folder again, with the very same weights.
    """

    name: str
    about: str
    write: Callable[[VLM, Masks, Path, torch.dtype | None], Path]
    opens: bool = True


FORMATS: Registry[Format] = Registry("format", f"{__package__}.formats")
register = FORMATS.register
