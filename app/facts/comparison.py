"""The result file as the Compare page needs it: frozen charts of all methods, from measured runs alone. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..charts.dots import Dots
from ..charts.lines import TaskLines
from ..charts.values import ValueGrid
from ..look.words import percent
from . import results
from .results import HEADLINE

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Measured:
    """One run of the file; `figure[task]` is the headline figure, 0..1; `blend` is (criterion, allocation) of an ablation."""

    method: str
    sparsity: float
    figure: dict[str, float]
    modalities: dict[str, float]
    blend: tuple[str, str] | None


@dataclass(frozen=True)
class Comparison:
    """All runs of a result file; `titles` are the names of the methods, for people."""

    runs: tuple[Measured, ...]
    dense: dict[str, float]
    overlaps: tuple[dict[str, Any], ...]
    costs: tuple[dict[str, Any], ...]
    titles: dict[str, str]

    @property
    def methods(self) -> tuple[str, ...]:
        """Those measured, in the order of the file."""
        return tuple(dict.fromkeys(run.method for run in self.runs if not run.blend))

    @property
    def sparsities(self) -> tuple[float, ...]:
        return tuple(sorted({run.sparsity for run in self.runs if not run.blend}))

    def nearest(self, sparsity: float) -> float:
        """The measured sparsity next to the slider's."""
        return min(self.sparsities, key=lambda s: abs(s - sparsity))

    def title(self, method: str) -> str:
        return self.titles.get(method, method)

    def of(self, method: str, sparsity: float) -> list[Measured]:
        """The runs of a method at a measured sparsity, one a seed."""
        return [run for run in self.runs if not run.blend and (run.method, run.sparsity) == (method, sparsity)]

    def mean(self, runs: Iterable[Measured], task: str) -> float | None:
        values = [run.figure[task] for run in runs if task in run.figure]
        return sum(values) / len(values) if values else None

    def ranked(self, task: str, sparsity: float) -> tuple[str, ...]:
        """The methods, best first."""
        return tuple(sorted(self.methods, key=lambda m: -(self.mean(self.of(m, sparsity), task) or -1)))


def load(model: str, titles: dict[str, str]) -> Comparison | None:
    """The comparison of a model, or None when its result file is missing or cannot be read."""
    try:
        file = results.raw(model)
        runs = tuple(_measured(run) for run in file["runs"])
        dense = {task: float(file["dense"][task][f]) for task, (_, f, _) in HEADLINE.items() if task in file["dense"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    found = Comparison(runs, dense, tuple(file.get("overlap", ())), tuple(file.get("costs", ())), titles)
    return found if found.methods and dense else None


def _measured(run: dict[str, Any]) -> Measured:
    return Measured(
        method=str(run["method"]),
        sparsity=float(run["sparsity"]),
        figure={t: float(run["scores"][t][f]) for t, (_, f, _) in HEADLINE.items() if t in run["scores"]},
        modalities={str(m): float(s) for m, s in (run.get("modalities") or {}).items()},
        blend=(run["criterion"], run["allocation"]) if run.get("criterion") else None,
    )


def lines(data: Comparison, task: str, methods: Iterable[str], chosen: str, sparsity: float) -> TaskLines:
    """What is left of a task, one line a method, with the range over seeds."""
    title, _, unit = HEADLINE[task]
    curves = []
    for method in methods:
        points = []
        for s in data.sparsities:
            values = [run.figure[task] for run in data.of(method, s) if task in run.figure]
            if values:
                points.append((s, sum(values) / len(values), min(values), max(values)))
        curves.append((data.title(method), tuple(points)))
    hidden = len(data.methods) - len(curves)
    return TaskLines(title, unit, data.dense[task], tuple(curves), data.title(chosen), sparsity, hidden)


def leaderboard(data: Comparison, task: str, chosen: str, sparsity: float) -> ValueGrid:
    """All methods by all sparsities, best first at the slider's."""
    title, _, unit = HEADLINE[task]
    at = data.nearest(sparsity)
    order = data.ranked(task, at)
    values = tuple(tuple(data.mean(data.of(m, s), task) for s in data.sparsities) for m in order)
    wins = [max(order, key=lambda m: data.mean(data.of(m, s), task) or -1) == chosen for s in data.sparsities]
    finding = f"{title}: {data.title(chosen)} is first at {sum(wins)} of {len(wins)} sparsities"
    columns = tuple(percent(s) for s in data.sparsities)
    rows = tuple(data.title(m) for m in order)
    return ValueGrid(finding, unit, rows, columns, values, "method", "weights pruned", data.title(chosen))


def densities(data: Comparison, chosen: str, sparsity: float) -> Dots:
    """What each method leaves of each modality at the measured sparsity next to the slider's."""
    at = data.nearest(sparsity)
    found = {m: data.of(m, at)[0].modalities for m in data.methods if data.of(m, at)}
    names = tuple(dict.fromkeys(name for shares in found.values() for name in shares))

    def spread(method: str) -> float:
        return max(found[method].values(), default=0) - min(found[method].values(), default=0)

    order = sorted(found, key=spread)
    series = tuple((n, tuple(100 * (1 - found[m][n]) if n in found[m] else None for m in order)) for n in names)
    worst = order[-1]
    poorest = max(found[worst], key=found[worst].get)
    finding = f"At {percent(at)}, {data.title(worst)} leaves {percent(1 - found[worst][poorest])} of {poorest}, the most uneven"
    rows = tuple(data.title(m) for m in order)
    return Dots(finding, "weights kept", rows, series, " %", 100 * (1 - at), chosen=data.title(chosen))


def overlap(data: Comparison, chosen: str, sparsity: float) -> ValueGrid | None:
    """How alike the masks of every two methods are at the measured sparsity next to the slider's."""
    if not data.overlaps:
        return None
    entry = min(data.overlaps, key=lambda e: abs(e["sparsity"] - sparsity))
    names = tuple(data.title(m) for m in entry["methods"])
    pairs = [
        (entry["iou"][i][j], names[i], names[j]) for i in range(len(names)) for j in range(i) if names[i] != names[j]
    ]
    if not pairs:
        return None
    least = min(pairs)
    finding = f"At {percent(entry['sparsity'])}, {least[1]} and {least[2]} agree least: {percent(least[0])} of what either keeps"
    values = tuple(tuple(row) for row in entry["iou"])
    return ValueGrid(finding, "kept by both", names, names, values, "method", "other method", data.title(chosen), False)


def costs(data: Comparison, chosen: str) -> tuple[Dots, Dots] | None:
    """Seconds and megabytes that each method took."""
    if not data.costs:
        return None
    found = sorted(data.costs, key=lambda entry: entry["seconds"])
    rows = tuple(data.title(entry["method"]) for entry in found)
    seconds = tuple(entry["seconds"] for entry in found)
    memory = tuple(None if entry["memory"] is None else entry["memory"] / MEGABYTE for entry in found)
    slowest = f"{rows[-1]} took {seconds[-1] / max(seconds[0], 1e-3):,.0f} times as long as {rows[0]}"
    own = data.title(chosen)
    axis = "seconds of one core, calibration and gradients included"
    time = Dots(slowest, axis, rows, (("time", seconds),), " s", logarithmic=True, chosen=own)
    most = max((m for m in memory if m is not None), default=0)
    space = f"At most {most:,.0f} MB beyond the model itself"
    return time, Dots(space, "MB at the peak", rows, (("memory", memory),), " MB", chosen=own)


ALLOCATED = {"multimodal": "per modality"}  # what people read, where it is not the name


def ablation(data: Comparison, task: str, sparsity: float) -> ValueGrid | None:
    """Every criterion with every allocation."""
    runs = [run for run in data.runs if run.blend and task in run.figure]
    if not runs:
        return None
    at = min({run.sparsity for run in runs}, key=lambda s: abs(s - sparsity))
    found = {run.blend: run.figure[task] for run in runs if run.sparsity == at}
    rows, columns = (tuple(dict.fromkeys(blend[i] for blend in found)) for i in (0, 1))
    best = max(found, key=found.get)
    tied = sum(value == found[best] for value in found.values()) - 1
    most = f"{best[0]} × {ALLOCATED.get(best[1], best[1])} keeps most at {percent(at)}{f', tied with {tied}' if tied else ''}"
    finding = f"Of these {len(found)}, {most}; the {_effect(found)} matters more"
    values = tuple(tuple(found.get((row, column)) for column in columns) for row in rows)
    named = tuple(ALLOCATED.get(column, column) for column in columns)
    return ValueGrid(finding, HEADLINE[task][2], rows, named, values, "criterion", "allocation", best=True)


def _effect(found: dict[tuple[str, str], float]) -> str:
    """Which of the two choices moves the figure more: mean range over one with the other held fixed."""

    def mean_range(held: int) -> float:
        groups: dict[str, list[float]] = {}
        for blend, value in found.items():
            groups.setdefault(blend[held], []).append(value)
        return sum(max(g) - min(g) for g in groups.values()) / len(groups)

    return "allocation" if mean_range(0) >= mean_range(1) else "criterion"
