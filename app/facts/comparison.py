"""The result file as the Compare page needs it: frozen charts of all methods, from measured runs alone. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from multiflow_core.experiments.results import Results
from multiflow_core.experiments.run import OWN
from multiflow_core.tasks.task import TASKS, tasks

from ..charts.dots import Dots
from ..charts.lines import TaskLines
from ..charts.values import ValueGrid
from ..look.words import percent
from . import measured

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Comparison:
    """A result file with the names of the methods, for people."""

    results: Results
    titles: dict[str, str]

    @property
    def methods(self) -> tuple[str, ...]:
        """Those measured, in the order of the file."""
        return self.results.methods

    @property
    def dense(self) -> dict[str, float]:
        """{task: the dense model's headline figure}"""
        figures = ((task.name, self.results.dense_figure(task.name)) for task in tasks())
        return {task: figure for task, figure in figures if figure is not None}

    @property
    def sparsities(self) -> tuple[float, ...]:
        return self.results.sparsities()

    def nearest(self, sparsity: float) -> float:
        """The measured sparsity next to the slider's."""
        return min(self.sparsities, key=lambda s: abs(s - sparsity))

    def title(self, method: str) -> str:
        return self.titles.get(method, method)

    def mean(self, method: str, task: str, sparsity: float) -> float | None:
        """A method's headline figure, the mean over seeds."""
        return self.results.figure(method, task, sparsity)

    def unit(self, task: str) -> str:
        """What a reader calls that figure."""
        return self.results.unit(task)

    @property
    def sure(self) -> bool:
        """Whether the file says between what its figures lie."""
        return any(measured.intervals for measured in self.results.runs)

    def ranked(self, task: str, sparsity: float) -> tuple[str, ...]:
        """The methods, best first."""
        return tuple(sorted(self.methods, key=lambda m: -(self.mean(m, task, sparsity) or -1)))


def load(model: str, data: str, titles: dict[str, str]) -> Comparison | None:
    """The comparison of a model on a data set, or None where no result file holds anything to compare."""
    found = measured.load(model, data)
    whole = Comparison(found, titles) if found else None
    return whole if whole and whole.methods and whole.dense else None


def lines(data: Comparison, task: str, methods: Iterable[str], chosen: str, sparsity: float) -> TaskLines:
    """What is left of a task, one line a method, with the range over seeds and, where the file says, over samples of pictures."""
    known = TASKS.get(task)
    curves = []
    for method in methods:
        points = []
        for s in data.sparsities:
            values = [v for run in data.results.of(method, s) if (v := run.figure(task)) is not None]
            if values:
                low, high = data.results.interval(method, task, s) or (min(values), max(values))
                points.append((s, sum(values) / len(values), low, high))
        curves.append((data.title(method), tuple(points)))
    hidden = len(data.methods) - len(curves)
    return TaskLines(
        known.title, data.unit(task), data.dense[task], tuple(curves), data.title(chosen), sparsity, hidden
    )


def leaderboard(data: Comparison, task: str, chosen: str, sparsity: float) -> ValueGrid:
    """All methods by all sparsities, best first at the slider's."""
    known = TASKS.get(task)
    at = data.nearest(sparsity)
    order = data.ranked(task, at)
    values = tuple(tuple(data.mean(m, task, s) for s in data.sparsities) for m in order)
    tops = [max((v for row in values if (v := row[c]) is not None), default=None) for c in range(len(data.sparsities))]
    own = [data.mean(chosen, task, s) for s in data.sparsities]
    first = [c for c, top in enumerate(tops) if top is not None and own[c] == top]
    shared = sum([row[c] for row in values].count(tops[c]) > 1 for c in first)
    ties = f", at {shared} of them with others" if shared else ""
    finding = f"{known.title}: {data.title(chosen)} is first at {len(first)} of {len(tops)} sparsities{ties}"
    columns = tuple(percent(s) for s in data.sparsities)
    rows = tuple(data.title(m) for m in order)
    return ValueGrid(finding, data.unit(task), rows, columns, values, "method", "weights pruned", data.title(chosen))


def densities(data: Comparison, chosen: str, sparsity: float) -> Dots | None:
    """What each method leaves of each modality at the measured sparsity next to the slider's; None where the file does not say."""
    at = data.nearest(sparsity)
    found = {m: runs[0].modalities for m in data.methods if (runs := data.results.of(m, at)) and runs[0].modalities}
    if not found:
        return None
    names = tuple(dict.fromkeys(name for shares in found.values() for name in shares))

    def spread(method: str) -> float:
        return max(found[method].values()) - min(found[method].values())

    order = sorted(found, key=spread)
    series = tuple((n, tuple(100 * (1 - found[m][n]) if n in found[m] else None for m in order)) for n in names)
    worst = order[-1]
    poorest = max(found[worst], key=found[worst].get)
    finding = f"At {percent(at)}, {data.title(worst)} leaves {percent(1 - found[worst][poorest])} of {poorest}, the most uneven"
    rows = tuple(data.title(m) for m in order)
    return Dots(finding, "weights kept", rows, series, " %", 100 * (1 - at), chosen=data.title(chosen))


def overlap(data: Comparison, chosen: str, sparsity: float) -> ValueGrid | None:
    """How alike the masks of every two methods are at the measured sparsity next to the slider's."""
    if not data.results.overlaps:
        return None
    entry = min(data.results.overlaps, key=lambda e: abs(e["sparsity"] - sparsity))
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
    if not data.results.costs:
        return None
    found = sorted(data.results.costs, key=lambda entry: entry["seconds"])
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
    runs = [m for m in data.results.runs if m.run.criterion != OWN and m.figure(task) is not None]
    if not runs:
        return None
    at = min({m.run.sparsity for m in runs}, key=lambda s: abs(s - sparsity))
    found = {(m.run.criterion, m.run.allocation): m.figure(task) for m in runs if m.run.sparsity == at}
    rows, columns = (tuple(dict.fromkeys(blend[i] for blend in found)) for i in (0, 1))
    best = max(found, key=found.get)
    tied = sum(value == found[best] for value in found.values()) - 1
    most = f"{best[0]} × {ALLOCATED.get(best[1], best[1])} keeps most at {percent(at)}{f', tied with {tied}' if tied else ''}"
    finding = f"Of these {len(found)}, {most}; the {_effect(found)} matters more"
    values = tuple(tuple(found.get((row, column)) for column in columns) for row in rows)
    named = tuple(ALLOCATED.get(column, column) for column in columns)
    return ValueGrid(finding, data.unit(task), rows, named, values, "criterion", "allocation", best=True)


def _effect(found: dict[tuple[str, str], float]) -> str:
    """Which of the two choices moves the figure more: mean range over one with the other held fixed."""

    def mean_range(held: int) -> float:
        groups: dict[str, list[float]] = {}
        for blend, value in found.items():
            groups.setdefault(blend[held], []).append(value)
        return sum(max(g) - min(g) for g in groups.values()) / len(groups)

    return "allocation" if mean_range(0) >= mean_range(1) else "criterion"
