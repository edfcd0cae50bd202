"""Result files: what was measured of a model, dense and pruned. One type, one reader. Needs no torch."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..support.atomic import write_text
from ..support.tables import Share, table
from ..tasks.task import TASKS
from .run import OWN, Run

Scores = dict[str, dict[str, float]]  # {task: {figure: value}}
_OWN_PLACE = ("dense", "dense_intervals", "runs", "overlap", "costs")  # in a file; the rest is its head
Interval = tuple[float, float]
Intervals = Mapping[str, Mapping[str, Interval]]  # {task: {figure: between what it lies}}, of those that are known


@dataclass(frozen=True)
class Measured:
    """One measured run.

    Attributes:
        run: without the model, which is the file's; options that are the method's quick ones are left out.
        scores: {task: {figure: value}}. modalities: {modality: its sparsity}. achieved: share of weights pruned.
        options: those that were used. intervals: {task: {figure: between what it lies}}; older files have none.
    """

    run: Run
    scores: Scores
    modalities: Mapping[str, float] = field(default_factory=dict)
    achieved: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    intervals: Intervals = field(default_factory=dict)

    def figure(self, task: str) -> float | None:
        """The task's headline figure; None where it was not measured."""
        return _headline(task, self.scores, self.scores)

    def interval(self, task: str) -> Interval | None:
        """Between what that figure lies; None where the file does not say."""
        return _headline(task, self.scores, self.intervals)


@dataclass(frozen=True)
class Results:
    """The content of a result file.

    >>> results = Results(dense={"retrieval": {"IR@1": 0.9}}, runs=(Measured(Run("", "omp", 0.5), {"retrieval": {"IR@1": 0.6}}),))
    >>> results.figure("omp", "retrieval", 0.5), results.figure("omp", "retrieval", 0.0), results.nearest("omp", 0.4)
    (0.6, 0.9, 0.5)

    Attributes:
        dense: {task: {figure: value}} of the dense model. dense_intervals: {task: {figure: between what it lies}}.
        runs: in the order in which they were measured.
        overlaps: [{"sparsity", "methods", "iou"}, ...]. costs: [{"method", "sparsity", "seconds", "memory", "threads"}, ...].
        head: what was measured on what, with which versions: model, split, scenes, ...
    """

    dense: Scores = field(default_factory=dict)
    runs: tuple[Measured, ...] = ()
    overlaps: tuple[dict[str, Any], ...] = ()
    costs: tuple[dict[str, Any], ...] = ()
    head: Mapping[str, Any] = field(default_factory=dict)
    dense_intervals: Intervals = field(default_factory=dict)

    # --- files ------------------------------------------------------------------------------------------------------

    @classmethod
    def load(cls, path: str | os.PathLike) -> Results:
        """Read a result file. ValueError, in a sentence, for a file that is none; OSError where there is none."""
        try:
            held = json.loads(Path(path).read_text(encoding="utf-8"))
            runs = tuple(_measured(entry) for entry in held["runs"])
            dense = {str(task): _figures(figures) for task, figures in held.get("dense", {}).items()}
            between = _intervals(held.get("dense_intervals", {}))
            overlaps = tuple(held.get("overlap", ()))
            costs = tuple({**entry, "memory": entry.get("memory")} for entry in held.get("costs", ()))
            for entry in overlaps:
                _check_overlap(entry)
            for entry in costs:
                _number(entry["seconds"]), str(entry["method"])
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError(f"{os.fspath(path)} is no result file ({type(error).__name__}: {error})") from None
        head = {key: value for key, value in held.items() if key not in _OWN_PLACE}
        return cls(dense, runs, overlaps, costs, head, between)

    def save(self, path: str | os.PathLike) -> Path:
        """Write the file whole or not at all; `load` gives the same back."""
        return write_text(path, json.dumps(self.written(), indent=1) + "\n")

    def written(self) -> dict[str, Any]:
        """What the file holds, as JSON has it."""
        held = {**self.head, "runs": [_entry(measured) for measured in self.runs]}
        more = {"dense": self.dense, "dense_intervals": self.dense_intervals}
        more |= {"overlap": list(self.overlaps), "costs": list(self.costs)}
        return held | {key: value for key, value in more.items() if value}

    def _repr_html_(self) -> str:
        """In a notebook: every run with the headline figures of its tasks, below those of the dense model."""
        known = [task for task in self.dense if self.dense_figure(task) is not None]
        rows: list[tuple[object, ...]] = [("dense", Share(0.0), *(self.dense_figure(task) for task in known))]
        for name in self.names:
            for at in self.sparsities(name):
                figures = (self.figure(name, task, at) for task in known)
                rows.append((name, Share(at), *("–" if figure is None else figure for figure in figures)))
        titles = [f"{TASKS.get(task).title}: {self.unit(task)}" for task in known]
        return table(str(self.head.get("model", "results")), ("method", "pruned", *titles), rows)

    # --- what it holds ----------------------------------------------------------------------------------------------

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods measured, in the order of the file; without those that are blends of criterion and allocation."""
        return tuple(dict.fromkeys(m.run.method for m in self.runs if m.run.plain))

    @property
    def names(self) -> tuple[str, ...]:
        """What was measured by any name: methods, and "criterion x allocation"."""
        return tuple(dict.fromkeys(m.run.name for m in self.runs))

    def sparsities(self, name: str | None = None) -> tuple[float, ...]:
        """The sparsities at which a name was measured, ascending; without one, those of the methods."""
        wanted = [m for m in self.runs if (m.run.plain if name is None else m.run.name == name)]
        return tuple(sorted({m.run.sparsity for m in wanted}))

    def of(self, name: str, sparsity: float) -> list[Measured]:
        """The runs of a name at a measured sparsity, one a seed."""
        return [m for m in self.runs if (m.run.name, m.run.sparsity) == (name, sparsity)]

    def nearest(self, name: str | None, sparsity: float) -> float | None:
        """The measured sparsity of a name (of any method where it is None) that lies nearest; 0 is the dense model."""
        points = self.sparsities(name)
        return min((0.0, *points), key=lambda s: abs(s - sparsity)) if points else None

    def figure(self, name: str, task: str, sparsity: float) -> float | None:
        """A task's headline figure at a measured sparsity, the mean over seeds; None where it was not measured."""
        if sparsity == 0:
            return self.dense_figure(task)
        return mean(m.figure(task) for m in self.of(name, sparsity))

    def interval(self, name: str, task: str, sparsity: float) -> Interval | None:
        """Between what it lies: the lowest and the highest bound over seeds; None where the file does not say."""
        if sparsity == 0:
            return _headline(task, self.dense, self.dense_intervals)
        known = [found for m in self.of(name, sparsity) if (found := m.interval(task))]
        return (min(low for low, _ in known), max(high for _, high in known)) if known else None

    def curve(self, name: str, task: str) -> tuple[tuple[float, float], ...]:
        """((sparsity, figure), ...) of a name, ascending."""
        points = ((s, self.figure(name, task, s)) for s in self.sparsities(name))
        return tuple((s, figure) for s, figure in points if figure is not None)

    def dense_interval(self, task: str) -> Interval | None:
        """Between what the dense model's headline figure of a task lies; None where the file does not say."""
        return _headline(task, self.dense, self.dense_intervals)

    def dense_figure(self, task: str) -> float | None:
        """The dense model's headline figure."""
        return _headline(task, self.dense, self.dense)

    def unit(self, task: str) -> str:
        """What a reader calls a task's headline figure."""
        return TASKS.get(task).unit_of(self.dense.get(task, {}))

    def seconds(self, method: str) -> float | None:
        """How long a method took for one mask when it was measured."""
        return next((float(entry["seconds"]) for entry in self.costs if entry["method"] == method), None)

    def find(self, run: Run) -> Measured | None:
        """The entry of a run, whatever its model is called."""
        wanted = replace(run, model="")
        return next((m for m in self.runs if m.run == wanted), None)


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _headline(task: str, scores: Scores, held: Mapping[str, Mapping[str, Any]]) -> Any:
    """What is held of the task's headline figure; None where nothing is."""
    return held.get(task, {}).get(TASKS.get(task).headline(scores.get(task, {})))


def _measured(entry: Mapping[str, Any]) -> Measured:
    blend = {part: str(entry[part]) for part in ("criterion", "allocation") if entry.get(part)}
    options = tuple((str(name), value) for name, value in entry.get("own_options") or ())
    text = {part: str(entry.get(part, "")) for part in ("data", "fixed")}
    seed = int(entry.get("seed", 0))
    run = Run("", str(entry["method"]), float(entry["sparsity"]), **blend, seed=seed, options=options, **text)
    if not 0 <= run.sparsity <= 1:
        raise ValueError("a sparsity lies between 0 and 1")
    return Measured(
        run,
        {str(task): _figures(figures) for task, figures in entry["scores"].items()},
        _figures(entry.get("modalities") or {}),
        entry.get("achieved"),
        dict(entry.get("options") or {}),
        _intervals(entry.get("intervals") or {}),
    )


def _entry(measured: Measured) -> dict[str, Any]:
    run = measured.run
    blend = {part: None if getattr(run, part) == OWN else getattr(run, part) for part in ("criterion", "allocation")}
    found: dict[str, Any] = {"method": run.method, "sparsity": run.sparsity, "seed": run.seed, **blend}
    found |= {"options": dict(measured.options)}
    if run.options:
        found["own_options"] = [list(option) for option in run.options]
    found |= {part: held for part in ("data", "fixed") if (held := getattr(run, part))}
    found |= {"achieved": measured.achieved, "modalities": dict(measured.modalities), "scores": measured.scores}
    return found | ({"intervals": measured.intervals} if measured.intervals else {})


def _figures(held: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): _number(value) for name, value in held.items()}


def _intervals(held: Mapping[str, Any]) -> dict[str, dict[str, Interval]]:
    return {
        str(task): {str(name): (_number(low), _number(high)) for name, (low, high) in figures.items()}
        for task, figures in held.items()
    }


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is no figure")
    return number


def _check_overlap(entry: Mapping[str, Any]) -> None:
    size = len(entry["methods"])
    _number(entry["sparsity"])
    if len(entry["iou"]) != size or any(len(row) != size for row in entry["iou"]):
        raise ValueError("overlaps are not a square")
