"""The measured figures of a model, dense and pruned, from its result file. Needs no torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..engine import checkpoints

# task -> (title, figure in the file, what a reader calls it)
HEADLINE = {
    "retrieval": ("Retrieval", "IR@1", "right picture first"),
    "captioning": ("Captioning", "true", "true captions"),
    "vqa": ("VQA", "all", "right answers"),
}


@dataclass(frozen=True)
class Results:
    """What was measured: `dense[task]` and `runs[name][task]` as ((sparsity, figure), ...), all fractions.

    A run's name is its method, or "criterion x allocation" for an ablation.
    """

    scenes: int
    dense: dict[str, float]
    runs: dict[str, dict[str, tuple[tuple[float, float], ...]]]

    def nearest(self, method: str, sparsity: float) -> float | None:
        """The measured sparsity of a method that lies nearest to the given one; 0 is the dense model."""
        points = {0.0} | {s for series in self.runs.get(method, {}).values() for s, _ in series}
        return min(points, key=lambda s: abs(s - sparsity)) if method in self.runs else None

    def at(self, method: str, task: str, sparsity: float) -> float | None:
        """A figure at a measured sparsity."""
        if sparsity == 0:
            return self.dense.get(task)
        return dict(self.runs.get(method, {}).get(task, ())).get(sparsity)


def raw(model: str) -> dict[str, Any]:
    """The content of a model's result file, read again only when the file has changed. OSError or ValueError without one."""
    file = checkpoints.result_file(model)
    return _parsed(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _parsed(file: Path, changed: int) -> dict[str, Any]:
    return json.loads(file.read_text())


def seconds(model: str, method: str) -> float | None:
    """How long a method took for one mask when it was measured."""
    try:
        costs = raw(model)["costs"]
        return next((float(entry["seconds"]) for entry in costs if entry["method"] == method), None)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def load(model: str) -> Results | None:
    """The result file of a model, or None when there is none, or none that can be read."""
    try:
        return _read(raw(model))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _read(file: dict[str, Any]) -> Results:
    dense = {
        task: float(file["dense"][task][figure]) for task, (_, figure, _) in HEADLINE.items() if task in file["dense"]
    }
    found: dict[str, dict[str, dict[float, list[float]]]] = {}
    for run in file["runs"]:
        name = f"{run['criterion']} x {run['allocation']}" if run.get("criterion") else run["method"]
        for task, (_, figure, _) in HEADLINE.items():
            if task in run["scores"]:
                series = found.setdefault(name, {}).setdefault(task, {})
                series.setdefault(float(run["sparsity"]), []).append(float(run["scores"][task][figure]))
    runs = {
        method: {
            task: tuple((s, sum(values) / len(values)) for s, values in sorted(series.items()))
            for task, series in tasks.items()
        }
        for method, tasks in found.items()
    }
    return Results(int(file.get("scenes", 0)), dense, runs)
