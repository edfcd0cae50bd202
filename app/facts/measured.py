"""What was measured of a model: its result file, what each task loses, what is left at every sparsity. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from multiflow_core.experiments.results import Results
from multiflow_core.experiments.run import Run
from multiflow_core.tasks.task import tasks, tasks_of

from ..charts.curves import Ability, AbilityCurves
from ..engine import checkpoints, runs

if TYPE_CHECKING:
    from multiflow_core.data.dataset import Exam
    from multiflow_core.models.vlm import VLM


def load(model: str, data: str = "") -> Results | None:
    """The result file of a model on a data set, read again only when it has changed; None where none can be read."""
    return of_file(checkpoints.result_file(model, data))


def changed(model: str, data: str = "") -> int:
    """When that file was written, in ns; 0 where there is none."""
    try:
        return checkpoints.result_file(model, data).stat().st_mtime_ns
    except OSError:
        return 0


def parts(model: str) -> Results | None:
    """The same of methods with one part taken out at a time."""
    return of_file(checkpoints.parts_file(model))


def of_file(file: Path) -> Results | None:
    """What a result file holds, read again only when it has changed; None where none can be read."""
    try:
        return _read(file, file.stat().st_mtime_ns)
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=8)
def _read(file: Path, changed: int) -> Results:
    return Results.load(file)


def askable(vlm: VLM, exam: Exam) -> dict[str, str]:
    """{task: its name for people} of what a model can do and a data set asks for."""
    return {task.name: task.title for task in tasks_of(vlm, exam)}


@dataclass(frozen=True)
class Loss:
    """A task's figure of the dense and of the pruned model, measured at a sparsity; of a rival None where it was not."""

    title: str
    at: float
    dense: float
    kept: float
    kept_by_rival: float | None = None

    @property
    def share(self) -> float:
        """How much of the dense figure is lost."""
        return 1 - self.kept / self.dense


@dataclass(frozen=True)
class Figure:
    """A task's headline figure of a pruned model and of the dense one, as measured on so many scenes, and between what it lies.

    `beside`: the same of a rival, None where there is none or it was not measured.
    """

    title: str
    unit: str
    value: float
    dense: float
    scenes: int
    interval: tuple[float, float] | None = None
    beside: float | None = None

    @property
    def sure(self) -> bool:
        """Whether the dense figure lies outside the interval of this one, so that the change is more than chance."""
        return self.interval is None or not self.interval[0] <= self.dense <= self.interval[1]


def figures(results: Results | None, key: Run, rival: Run | None = None) -> tuple[float | None, tuple[Figure, ...]]:
    """The sparsity measured next to a run's, and what was measured there; (None, ()) where nothing was."""
    name, other = runs.measured_as(key), rival and runs.measured_as(rival)
    at = results.nearest(name, key.sparsity) if results else None
    if at is None:
        return None, ()
    known = [(task, results.figure(name, task.name, at)) for task in tasks()]
    scenes = results.head.get("scenes", 0)
    return at, tuple(
        Figure(
            task.title,
            results.unit(task.name),
            value,
            results.dense_figure(task.name),
            scenes,
            results.interval(name, task.name, at),
            results.figure(other, task.name, at) if other else None,
        )
        for task, value in known
        if value is not None
    )


def task_titles() -> dict[str, str]:
    """{task: its name for people}"""
    return {task.name: task.title for task in tasks()}


def losses(results: Results | None, key: Run, rival: Run | None) -> tuple[Loss, ...]:
    """What pruning cost every task, measured next to a run's sparsity; nothing where that is the dense model."""
    name = runs.measured_as(key)
    at = results.nearest(name, key.sparsity) if results else None
    if not at:
        return ()
    found = []
    for task in tasks():
        kept, dense = results.figure(name, task.name, at), results.dense_figure(task.name)
        if kept is not None and dense:
            other = results.figure(runs.measured_as(rival), task.name, at) if rival else None
            found.append(Loss(task.title, at, dense, kept, other))
    return tuple(found)


def abilities(results: Results, titles: dict[str, str], chosen: str, sparsity: float) -> AbilityCurves:
    """The measured curves of all methods that have a title, task by task."""
    found = []
    for task in tasks():
        dense = results.dense_figure(task.name)
        curves = {titles[name]: results.curve(name, task.name) for name in results.names if name in titles}
        if dense is not None:
            series = tuple((title, points) for title, points in curves.items() if points)
            found.append(Ability(task.title, results.unit(task.name), dense, series))
    return AbilityCurves(tuple(found), titles[chosen], sparsity)
