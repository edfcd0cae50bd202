"""What training keeps in its folder, so that it goes on to the same bits wherever it was stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..support.atomic import whole, write_text
from ..weights.masks import Masks

STATE, LOG = "state.pt", "log.jsonl"


@dataclass
class Kept:
    """How far training is, besides weights and moments.

    Attributes:
        key: digits of all that decides the result; a folder with others is another training's.
        precision: that was measured. step: the next one. seconds: spent. ended: whether nothing is left to do.
        checks: (step, figure). losses: (step, loss).
    """

    key: str
    precision: str
    step: int = 0
    seconds: float = 0.0
    ended: bool = False
    checks: list[list[float]] = field(default_factory=list)
    losses: list[list[float]] = field(default_factory=list)

    @property
    def best(self) -> int:
        """The number of the best check; of equal ones the first."""
        figures = [figure for _, figure in self.checks]
        return figures.index(max(figures))

    def stalls(self, patience: int) -> bool:
        """Whether so many checks have brought nothing better."""
        return len(self.checks) - 1 - self.best >= patience


class Folder:
    """A folder with one training in it; None keeps nothing."""

    def __init__(self, path: Path | None):
        self.path = path

    def read(self, key: str, device: torch.device) -> dict[str, Any] | None:
        """What was kept; ValueError where it is another training's."""
        file = self.path / STATE if self.path else None
        if file is None or not file.is_file():
            return None
        held = torch.load(file, map_location=device, weights_only=True)
        if held["kept"]["key"] != key:
            raise ValueError(f"{self.path} holds another training: choose another folder, or remove it.")
        return held

    def write(self, kept: Kept, tensors: Mapping[str, Any]) -> None:
        if self.path is None:
            return
        with whole(self.path / STATE) as place:
            torch.save({**tensors, "kept": asdict(kept)}, place)
        rows = [{"step": step, "loss": loss} for step, loss in kept.losses]
        rows += [{"step": step, "val": figure} for step, figure in kept.checks]
        write_text(self.path / LOG, "".join(f"{json.dumps(row)}\n" for row in sorted(rows, key=lambda r: r["step"])))


def key_of(model: nn.Module, masks: Masks | Mapping[str, Tensor], *said: Any) -> str:
    """Digits of weights, masks and whatever else decides a training."""
    digest = hashlib.blake2b(repr(said).encode(), digest_size=16)
    for name, tensor in (*model.state_dict().items(), *sorted(masks.items())):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
