"""How fast models are, from what was measured here or came with the lab, and what is saved, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from multiflow_core.experiments.speed import Measured, Speeds
from multiflow_core.tasks.task import TASKS

from ..charts.speed import Race, Runner, Trade
from ..engine import checkpoints
from ..look.words import listed, percent

WHAT = {"retrieval": "looking at pictures for a search", "captioning": "describing pictures in twelve words"}
SHORT = {"retrieval": "Looking", "captioning": "Describing"}
PEER = "Torch-Pruning"


@dataclass(frozen=True)
class Found:
    """Models that were timed beside one another, the dense one first, and where; `here`: whether on this machine, by this lab."""

    speeds: Speeds
    here: bool

    @property
    def dense(self) -> Measured:
        return self.speeds.models[0]

    @property
    def tasks(self) -> tuple[str, ...]:
        """What was timed."""
        return tuple(self.dense.timings)

    @property
    def batches(self) -> tuple[int, ...]:
        """Numbers of pictures at a time."""
        return tuple(next(iter(self.dense.timings.values())))

    @property
    def asked(self) -> tuple[str, ...]:
        """Tasks whose figures are known of the dense model."""
        return tuple(task for task in self.dense.scores if TASKS.get(task).figure in self.dense.scores[task])

    @property
    def where(self) -> str:
        """What it was measured on, as a sentence."""
        on, whose = self.speeds.machine, "this machine" if self.here else "the machine that made the lab's figures"
        threads = f"{on['threads']} thread{'s' * (on['threads'] != 1)}"
        return f"Timed on {whose}: {on['processor']}, {on['device']}, {threads}, PyTorch {on['torch']}."


def load(model: str) -> Found | None:
    """What was timed of a model: on this machine, else what came with the lab; what models still can do is from the latter."""
    own, shipped = _read_at(checkpoints.own_speed_file(model)), _read_at(checkpoints.speed_file(model))
    if own is None:
        return None if shipped is None else Found(shipped, False)
    known = {} if shipped is None else {one.name: one for one in shipped.models}
    return Found(replace(own, models=tuple(_with_scores(one, known) for one in own.models)), True)


def _with_scores(one: Measured, known: Mapping[str, Measured]) -> Measured:
    """With what the same model was measured to do elsewhere; it is the same where it has the same widths."""
    other = known.get(one.name)
    if one.scores or other is None or dict(other.widths) != dict(one.widths):
        return one
    return replace(one, scores=other.scores, intervals=other.intervals)


def _read_at(file: Path) -> Speeds | None:
    try:
        return _read(file, file.stat().st_mtime_ns)
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=8)
def _read(file: Path, changed: int) -> Speeds:
    return Speeds.load(file)


def kind(one: Measured) -> str:
    """What kind of model it is, as the charts tell them apart."""
    if one.name.startswith(PEER):
        return "peer"
    return one.pattern if one.pattern in ("dense", "neurons") else "mask"


def runners(found: Found, task: str, batch: int, asked: str | None = None) -> tuple[Runner, ...]:
    """Every model at a number of pictures at a time; with what it does of a task that it was asked."""
    made = []
    for one in found.speeds.models:
        by = one.faster[task][batch]
        figure = one.scores.get(asked, {}).get(TASKS.get(asked).figure) if asked else None
        made.append(Runner(one.name, kind(one), by.seconds, by.low, by.high, figure))
    return tuple(made)


def race(found: Found, task: str, batch: int) -> Race:
    """The models beside one another."""
    return Race(WHAT[task], batch, runners(found, task, batch))


def trade(found: Found, task: str, batch: int, asked: str) -> Trade:
    """What each still can do, over how fast it is."""
    told = TASKS.get(asked)
    return Trade(told.title, told.unit_of(found.dense.scores[asked]), runners(found, task, batch, asked))


def table(found: Found, task: str, batch: int) -> dict[str, list]:
    """Everything that was measured, a row for each model; what was worked out says so in its head."""
    rows = {
        name: [] for name in ("model", "times as fast", "ms a picture", "quartiles", "pictures a second", "memory, MB")
    }
    rows |= {"file, MB": [], "billion multiply-adds (arithmetic)": []}
    rows |= {
        f"{TASKS.get(name).title}: {TASKS.get(name).unit_of(found.dense.scores[name])}": [] for name in found.asked
    }
    for one in found.speeds.models:
        time = one.timings[task][batch]
        cells = [
            one.name,
            round(one.faster[task][batch].seconds, 2),
            round(1e3 * time.seconds / batch, 2),
            f"{1e3 * time.low / batch:.2f} to {1e3 * time.high / batch:.2f}",
            round(batch / time.seconds, 1),
            None if one.memory is None else round(one.memory / 1e6, 1),
            round(one.file / 1e6, 1),
            round(one.multiply_adds / 1e9, 3),
            *(one.scores.get(name, {}).get(TASKS.get(name).figure) for name in found.asked),
        ]
        for column, cell in zip(rows.values(), cells, strict=True):
            column.append(cell)
    return rows


def saved(found: Found, task: str, batch: int) -> tuple[str, ...]:
    """What a smaller model saves, a sentence for each, in words for those who pay."""
    return tuple(_saved(found, one, task, batch) for one in found.speeds.models if kind(one) == "neurons")


def _saved(found: Found, one: Measured, task: str, batch: int) -> str:
    dense, by = found.dense, one.faster[task][batch].seconds
    told = [
        f"{100 * by:.0f} pictures in the time of 100",
        f"a file that is {percent(1 - one.file / dense.file)} smaller",
    ]
    if one.memory and dense.memory:
        told.append(f"{percent(1 - one.memory / dense.memory)} less memory")
    keeps = ", ".join(_kept(found, one, name) for name in found.asked if one.scores.get(name))
    left = f"It keeps {keeps}." if keeps else "What it still can do was not measured."
    name = one.name[:1].upper() + one.name[1:]
    return f"**{name}**, {by:.2f} times as fast: {listed(told)}. {left}"


def _kept(found: Found, one: Measured, task: str) -> str:
    known = TASKS.get(task)
    now, then = one.scores[task][known.figure], found.dense.scores[task][known.figure]
    return f"{percent(now)} {known.unit_of(found.dense.scores[task])} (dense {percent(then)})"
