"""What was made in this lab, to be listed and taken away: runs that were looked at, files of figures. Needs no torch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from multiflow_core.experiments.results import Results, Scores
from multiflow_core.experiments.run import OWN, Run
from multiflow_core.tasks.task import TASKS

from ..engine import checkpoints, data_sets, runs
from ..engine.journal import Entry
from ..look.words import percent
from . import measured

Table = dict[str, list]


@dataclass(frozen=True)
class Measurement:
    """A file of measured figures.

    Attributes:
        model, data: for people. of: what the sidebar has to say to see it; None where it is not open in this session.
        shipped: whether it came with the lab. written: when, in seconds since 1970.
    """

    file: Path
    results: Results
    model: str
    data: str
    of: tuple[str, str] | None
    shipped: bool
    written: float


def measurements(models: Mapping[str, str], data: Mapping[str, str], others: bool) -> tuple[Measurement, ...]:
    """Those of a session's models and data, {what the address says: what it goes by}, and `others` of this lab; newest first."""
    found = {one.file: one for one in _open_here(models, data)}
    if others:
        for file in sorted(checkpoints.own_results().glob("*.json")):
            if file not in found and (one := _read(file, None)):
                found[file] = one
    return tuple(sorted(found.values(), key=lambda one: (one.shipped, -one.written)))


def _open_here(models: Mapping[str, str], data: Mapping[str, str]) -> Iterator[Measurement]:
    for said, model in models.items():
        for where, known in data.items():
            if one := _read(checkpoints.result_file(model, known), (said, where), model, known):
                yield one


def _read(file: Path, of: tuple[str, str] | None, model: str = "", data: str = "") -> Measurement | None:
    results = measured.of_file(file)
    if results is None or not results.runs:
        return None
    head = results.head
    model_title = checkpoints.title(model or str(head.get("model", file.stem)))
    data_title = data_sets.title(data) if of else Path(str(head.get("data", ""))).stem
    shipped = file.parent == checkpoints.assets() / "results"
    return Measurement(file, results, model_title, data_title, of, shipped, file.stat().st_mtime)


def figures(results: Results) -> Table:
    """Every measured model as a row, the dense one first.

    >>> from multiflow_core.experiments.results import Measured
    >>> held = Results({"vqa": {"all": 0.9}}, (Measured(Run("", "omp", 0.5), {"vqa": {"all": 0.6, "count": 0.5}}),))
    >>> figures(held)
    {'method': ['dense', 'omp'], 'sparsity': [0.0, 0.5], 'seed': [0, 0], 'vqa all': [0.9, 0.6], 'vqa count': [None, 0.5]}
    """
    rows: list[tuple[str, float, int, Scores]] = [("dense", 0.0, 0, results.dense)] if results.dense else []
    rows += [(one.run.name, one.run.sparsity, one.run.seed, one.scores) for one in results.runs]
    names = dict.fromkeys((task, name) for *_, scores in rows for task in scores for name in scores[task])
    table: Table = {
        "method": [row[0] for row in rows],
        "sparsity": [row[1] for row in rows],
        "seed": [row[2] for row in rows],
    }
    return table | {f"{task} {name}": [scores.get(task, {}).get(name) for *_, scores in rows] for task, name in names}


def listed(entries: Iterable[Entry], models: Mapping[str, str], data: Mapping[str, str]) -> Table:
    """Runs as rows, with their headline figures where just these were measured."""
    known = [(entry, Run.read(entry.run)) for entry in entries]
    found = [(entry, run, _measured(run, models, data)) for entry, run in known]
    table: Table = {"name": [entry.name for entry, *_ in found]}
    table |= {
        column: [getattr(run, column) for _, run, _ in found]
        for column in ("model", "data", "method", "allocation", "fixed", "sparsity")
    }
    table["last seen"] = [when(entry.seen) for entry, *_ in found]
    tasks = dict.fromkeys(task for *_, kept in found for task in kept)
    return table | {task: [kept.get(task) for *_, kept in found] for task in tasks}


def as_json(table: Table) -> str:
    """A table as the text of a JSON file, one object a row.

    >>> as_json({"a": [1, 2]}).split()
    ['[', '{', '"a":', '1', '},', '{', '"a":', '2', '}', ']']
    """
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    return json.dumps(rows, indent=1) + "\n"


def when(seconds: float) -> str:
    """A time, to the minute.

    >>> when(0.0)
    '1970-01-01 00:00 UTC'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def measured_there(run: Run, models: Mapping[str, str], data: Mapping[str, str]) -> str:
    """The headline figures of just this run, in words; nothing where it was not measured.

    >>> measured_there(Run("flatland-blip", "omp", 0.123), {"flatland-blip": "flatland-blip"}, {"flatland": ""})
    ''
    """
    found = _measured(run, models, data)
    return ", ".join(f"{TASKS.get(task).title} {percent(figure)}" for task, figure in found.items())


def _measured(run: Run, models: Mapping[str, str], data: Mapping[str, str]) -> dict[str, float]:
    where = run.data or data_sets.address_of("")
    if run.model not in models or where not in data or run.method not in runs.all_titles():
        return {}
    results = measured.load(models[run.model], data[where])
    if results is None or (run.allocation != OWN and runs.method(run.method).allocation is None):
        return {}
    name = runs.measured_as(run)
    found = {task: results.figure(name, task, run.sparsity) for task in results.dense}
    return {task: figure for task, figure in found.items() if figure is not None}
