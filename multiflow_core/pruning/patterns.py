"""What may go: patterns that mean layers, each with a sparsity of its own. Needs no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..weights.layers import PrunableLayer

DENSE = ("dense", "keep")  # other words for a sparsity of 0


def read_fixed(text: str) -> dict[str, float]:
    """Patterns and their sparsities, as they are written on the command line and in an address; `write_fixed` is the way back.

    >>> read_fixed("text=dense, vision 3 = 0.5")
    {'text': 0.0, 'vision 3': 0.5}

    Raises:
        ValueError: a part that is no pattern with a sparsity from 0 to 1.
    """
    found = {}
    for part in filter(None, map(str.strip, text.split(","))):
        pattern, _, said = (piece.strip() for piece in part.rpartition("="))
        try:
            sparsity = 0.0 if said.lower() in DENSE else float(said)
        except ValueError:
            sparsity = math.nan
        if not pattern or not 0 <= sparsity <= 1:
            raise ValueError(
                f"{part!r} fixes nothing: write a pattern and a sparsity from 0 to 1, or dense, as in text=dense or vision 3=0.5"
            )
        found[pattern] = sparsity
    return found


def write_fixed(fixed: Mapping[str, float]) -> str:
    """What `read_fixed` reads.

    >>> write_fixed({"text": 0, "vision 3": 0.5})
    'text=dense,vision 3=0.5'
    """
    return ",".join(f"{pattern}={f'{sparsity:g}' if sparsity else 'dense'}" for pattern, sparsity in fixed.items())


def matches(pattern: str, layer: PrunableLayer) -> bool:
    """Whether a pattern means a layer: by its modality, block, role, title or name, with * and ?.

    >>> from multiflow_core import PrunableLayer
    >>> layer = PrunableLayer("v.1.fc1.weight", (2, 2), "vision", "vision 1", "fc1")
    >>> [matches(pattern, layer) for pattern in ("vision", "Vision 1", "fc?", "vision 1 fc1", "v.1.*", "text")]
    [True, True, True, True, True, False]
    """
    called = (layer.modality, layer.block, layer.role, layer.title, layer.name)
    return any(fnmatchcase(name.lower(), pattern.lower()) for name in called)


def fixed_sparsity(layers: Sequence[PrunableLayer], fixed: Mapping[str, float]) -> dict[str, float]:
    """{layer's name: its own sparsity} of the layers that are fixed; of several patterns that mean a layer the last counts.

    >>> from multiflow_core import PrunableLayer
    >>> layers = [PrunableLayer(m[0] + r, (1, 1), m, role=r) for m in ("text", "vision") for r in ("fc1", "fc2")]
    >>> fixed_sparsity(layers, {"fc1": 0.5, "text": 0})
    {'tfc1': 0.0, 'vfc1': 0.5, 'tfc2': 0.0}

    Raises:
        ValueError: a pattern that means no layer, or a sparsity outside 0..1; or nothing is left to be pruned as asked.
    """
    found = {}
    for pattern, sparsity in fixed.items():
        if isinstance(sparsity, bool) or not isinstance(sparsity, int | float) or not 0 <= sparsity <= 1:
            raise ValueError(f"the sparsity of {pattern!r} lies between 0 and 1, not {sparsity!r}")
        meant = [layer.name for layer in layers if matches(pattern, layer)]
        if not meant:
            raise ValueError(f"no layer is meant by {pattern!r}: there are {_examples(layers)}")
        found |= dict.fromkeys(meant, float(sparsity))
    if len(found) == len(layers):
        raise ValueError("every layer is fixed: leave some to the sparsity that is asked for")
    return found


def _examples(layers: Sequence[PrunableLayer]) -> str:
    """What a pattern may be, as far as it fits into a sentence."""
    modalities = list(dict.fromkeys(layer.modality for layer in layers))
    roles = list(dict.fromkeys(layer.role for layer in layers))[:8]
    return (
        f"the modalities {', '.join(modalities)}, the roles {', '.join(roles)}, and blocks such as {layers[0].block!r}"
    )
