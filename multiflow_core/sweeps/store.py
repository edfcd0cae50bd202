"""The folder of a sweep: one small file a cell, written whole or not at all, and the masks that several cells share."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..support.atomic import write_text
from .cell import Cell

CELLS, MASKS, TOKEN = "cells", "masks", "sweep.json"
Curve = tuple[Mapping[str, float], ...]


@dataclass(frozen=True)
class Outcome:
    """What came of a cell.

    Attributes:
        scores: {figure: value} of its task. intervals: {figure: (low, high)}.
        achieved, modalities: how much is pruned, on the whole and of every modality.
        curve: of tuning, in the order of steps: what was noted at each, {"step": 10, "loss": 1.2, ...}. steps: how many.
        seconds: {"pruning", "tuning", "measuring"}: how long each took. on: the machine, in words.
    """

    scores: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    achieved: float | None = None
    modalities: Mapping[str, float] = field(default_factory=dict)
    curve: Curve = ()
    steps: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    on: str = ""

    @property
    def figures(self) -> tuple[Any, ...]:
        """What must be the same when a cell is computed again: all but how long it took, and where."""
        return self.scores, self.intervals, self.achieved, self.modalities, tuple(map(_untimed, self.curve)), self.steps

    @property
    def took(self) -> float:
        """Seconds, all in all."""
        return sum(self.seconds.values())

    def text(self, cell: Cell) -> str:
        """The content of its file, which also says what it is a cell of."""
        return json.dumps({"cell": cell.name, "key": cell.key, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def read(cls, text: str) -> tuple[dict[str, Any], Outcome]:
        """(key, outcome) of such a text; ValueError where it is none."""
        try:
            held = json.loads(text)
            scores = {str(name): _number(value) for name, value in held["scores"].items()}
            between = {str(name): (_number(low), _number(high)) for name, (low, high) in held["intervals"].items()}
            curve = tuple({str(k): _number(v) for k, v in point.items()} for point in held["curve"])
            rest = {name: held[name] for name in ("achieved", "modalities", "steps", "seconds", "on")}
            return held["key"], cls(scores, between, curve=curve, **rest)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ValueError(f"this is no file of a cell ({type(error).__name__}: {error})") from None


def _untimed(point: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in point.items() if name != "seconds"}


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is no figure")
    return number


class Store:
    """The folder of a sweep.

    >>> import tempfile
    >>> from ..experiments.run import Run
    >>> store, cell = Store(tempfile.mkdtemp()), Cell("m", Run("", "omp", 0.5), "vqa")
    >>> store.find(cell)
    >>> _ = store.keep(cell, Outcome({"all": 0.5}))
    >>> store.find(cell).scores
    {'all': 0.5}
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)

    def file(self, cell: Cell) -> Path:
        return self.folder / CELLS / f"{cell.digest}.json"

    def masks_file(self, cell: Cell) -> Path:
        return self.folder / MASKS / f"{cell.pruned_digest}.safetensors"

    def find(self, cell: Cell) -> Outcome | None:
        """What came of a cell; None where nothing is known, or what lies there is damaged or something else."""
        try:
            key, outcome = Outcome.read(self.file(cell).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return outcome if key == json.loads(json.dumps(cell.key)) else None

    def keep(self, cell: Cell, outcome: Outcome) -> Path:
        """Write what came of a cell."""
        return write_text(self.file(cell), outcome.text(cell))

    def missing(self, cells: Iterable[Cell]) -> list[Cell]:
        """Those of which nothing is known."""
        return [cell for cell in cells if self.find(cell) is None]

    def token(self) -> str:
        """What tells this folder from another one of the same name on another machine."""
        file = self.folder / TOKEN
        try:
            return str(json.loads(file.read_text(encoding="utf-8"))["token"])
        except (OSError, ValueError, LookupError):
            write_text(file, json.dumps({"token": uuid.uuid4().hex}) + "\n")
            return self.token()

    def seen_here(self, token: str) -> bool:
        """Whether the folder with this token is visible from here; nothing is made."""
        return (self.folder / TOKEN).is_file() and self.token() == token
