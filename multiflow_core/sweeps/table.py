"""The table that a sweep gives: measured cells as rows of methods, blocks of sparsities and columns of tasks. Needs no torch."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any, NamedTuple

from ..experiments.results import Results
from ..support.atomic import write_text
from .cell import DENSE, TRANSFERS, ZERO_SHOT, Cell
from .store import Curve, Store

if TYPE_CHECKING:
    from .plan import Plan

FORMAT = "multiflow-table"
TABLE = "table.json"
FOLDER = Path("results/sweeps")  # where sweeps lie if nobody says


class Column(NamedTuple):
    """A figure of a task, as the paper calls it. `share`: whether it is one, and is told in per cent."""

    task: str
    figure: str
    title: str
    share: bool = True


COLUMNS = (
    Column("retrieval", "TR@1", "TR@1"),
    Column("retrieval", "IR@1", "IR@1"),
    Column("captioning", "CIDEr-D", "CIDEr", False),
    Column("captioning", "BLEU-4", "BLEU-4"),
    Column("vqa", "all", "VQA"),
)


class Spread(NamedTuple):
    """A figure over seeds: mean, deviation (None of one alone), how many, and between what all of them lie."""

    mean: float
    deviation: float | None
    count: int
    low: float
    high: float


@dataclass(frozen=True)
class Entry:
    """A measured cell.

    Attributes:
        model, method, sparsity, task, data, transfer, seed: what it is a cell of; the dense model has method "dense", sparsity 0.
        scores, intervals: of its task. curve: of tuning. seconds: that it took.
    """

    model: str
    method: str
    sparsity: float
    task: str
    transfer: str
    scores: Mapping[str, float]
    seed: int = 0
    data: str = "flatland"
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    curve: Curve = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Table:
    """Measured cells, and what they were measured with.

    >>> cells = [Entry("m", "omp", 0.63, "vqa", "zero-shot", {"all": 0.25 * seed}, seed) for seed in (1, 2, 3)]
    >>> Table(tuple(cells)).spread("m", "zero-shot", "omp", 0.63, COLUMNS[-1])
    Spread(mean=0.5, deviation=0.25, count=3, low=0.25, high=0.75)

    Attributes:
        head: the title, command, versions, seeds, run time.
    """

    entries: tuple[Entry, ...] = ()
    head: Mapping[str, Any] = field(default_factory=dict)

    # --- files ------------------------------------------------------------------------------------------------------

    @classmethod
    def load(cls, path: str | os.PathLike) -> Table:
        """Read a table. ValueError, in a sentence, for a file that is none; OSError where there is none."""
        try:
            held = json.loads(Path(path).read_text(encoding="utf-8"))
            if held.get("format") != FORMAT:
                raise ValueError("another format")
            entries = tuple(map(_entry, held["cells"]))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ValueError(f"{os.fspath(path)} is no table of a sweep ({type(error).__name__}: {error})") from None
        return cls(entries, {key: value for key, value in held.items() if key not in ("format", "cells")})

    def save(self, path: str | os.PathLike) -> Path:
        """Write the file whole or not at all; `load` gives the same back."""
        cells = [{name: value for name, value in asdict(entry).items() if value != ()} for entry in self.entries]
        lines = ",\n".join("  " + json.dumps(cell) for cell in cells)
        head = json.dumps({"format": FORMAT, **self.head}, indent=1).removesuffix("\n}")
        return write_text(path, f'{head},\n "cells": [\n{lines}\n ]\n}}\n')

    @classmethod
    def of_results(cls, results: Results, model: str) -> Table:
        """The zero-shot cells of a result file, which measures the same.

        >>> table = Table.of_results(Results.load("assets/results/flatland-xvlm.json"), "flatland-xvlm")
        >>> round(table.spread("flatland-xvlm", "zero-shot", "omp", 0.63, COLUMNS[1]).mean, 3)
        0.7
        """
        found = [
            Entry(model, DENSE, 0.0, task, ZERO_SHOT, scores, intervals=dict(results.dense_intervals.get(task, {})))
            for task, scores in results.dense.items()
        ]
        for measured in results.runs:
            run = measured.run
            if run.plain and not run.options:
                found += [
                    Entry(
                        model,
                        run.method,
                        run.sparsity,
                        task,
                        ZERO_SHOT,
                        scores,
                        run.seed,
                        intervals=dict(measured.intervals.get(task, {})),
                    )
                    for task, scores in measured.scores.items()
                ]
        return cls(tuple(found), results.head)

    # --- what it holds ----------------------------------------------------------------------------------------------

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(entry.model for entry in self.entries))

    @property
    def names(self) -> set[tuple[Any, ...]]:
        """What its cells are cells of."""
        return {(e.model, e.method, e.sparsity, e.task, e.data, e.transfer, e.seed) for e in self.entries}

    def transfers(self, model: str) -> tuple[str, ...]:
        """Zero-shot, fine-tuned: of which there are pruned models."""
        found = {entry.transfer for entry in self.entries if entry.model == model and entry.method != DENSE}
        return tuple(transfer for transfer in TRANSFERS if transfer in found)

    def part(self, model: str, transfer: str) -> Part:
        """All of one model, zero-shot or fine-tuned; of a task that was asked on several data sets, those on the first."""
        found = [entry for entry in self.entries if (entry.model, entry.transfer) == (model, transfer)]
        first: dict[str, str] = {}
        for entry in found:
            first.setdefault(entry.task, entry.data)
        return Part(model, transfer, tuple(entry for entry in found if entry.data == first[entry.task]))

    def spread(self, model: str, transfer: str, method: str, sparsity: float, column: Column) -> Spread | None:
        return self.part(model, transfer).spread(method, sparsity, column)

    def joined(self, other: Table) -> Table:
        """These cells, and those of the other of which nothing is here: no model's figures are mixed within a transfer."""
        here = {(entry.model, entry.transfer) for entry in self.entries}
        more = tuple(entry for entry in other.entries if (entry.model, entry.transfer) not in here)
        return Table((*self.entries, *more), self.head or other.head)


@dataclass(frozen=True)
class Part:
    """The cells of one model, zero-shot or fine-tuned."""

    model: str
    transfer: str
    entries: tuple[Entry, ...]

    @property
    def methods(self) -> tuple[str, ...]:
        """The pruners, in the order of the table; not the dense model."""
        return tuple(dict.fromkeys(entry.method for entry in self.entries if entry.method != DENSE))

    @property
    def data(self) -> tuple[str, ...]:
        """The data sets that it was asked on."""
        return tuple(dict.fromkeys(entry.data for entry in self.entries))

    @property
    def sparsities(self) -> tuple[float, ...]:
        return tuple(sorted({entry.sparsity for entry in self.entries if entry.method != DENSE}))

    @property
    def columns(self) -> tuple[Column, ...]:
        """Those of the paper's of which anything was measured."""
        known = {(entry.task, figure) for entry in self.entries for figure in entry.scores}
        return tuple(column for column in COLUMNS if column[:2] in known)

    def of(self, method: str, sparsity: float, column: Column) -> list[Entry]:
        """The measured cells of a place in the table, one a seed."""
        return [
            entry
            for entry in self.entries
            if (entry.method, entry.task) == (method, column.task)
            and math.isclose(entry.sparsity, sparsity)
            and column.figure in entry.scores
        ]

    def spread(self, method: str, sparsity: float, column: Column) -> Spread | None:
        """A figure over seeds; None where nothing was measured. Of the dense model sparsity is 0."""
        found = self.of(method, 0.0 if method == DENSE else sparsity, column)
        if not found:
            return None
        values = [entry.scores[column.figure] for entry in found]
        bounds = [
            entry.intervals.get(column.figure, (value, value)) for entry, value in zip(found, values, strict=True)
        ]
        deviation = stdev(values) if len(values) > 1 else None
        low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
        return Spread(fmean(values), deviation, len(values), low, high)

    def cells(self) -> list[tuple[float, Column]]:
        """The places in the table of a method, block by block."""
        return [(sparsity, column) for sparsity in self.sparsities for column in self.columns]

    def only(self, sparsities: Iterable[float]) -> Part:
        """The dense model, and pruned ones at these sparsities."""
        wanted = tuple(sparsities)
        kept = (e for e in self.entries if e.method == DENSE or any(math.isclose(e.sparsity, s) for s in wanted))
        return Part(self.model, self.transfer, tuple(kept))

    def without(self, methods: Iterable[str]) -> Part:
        gone = set(methods)
        return Part(self.model, self.transfer, tuple(e for e in self.entries if e.method not in gone))


def _entry(held: Mapping[str, Any]) -> Entry:
    if not 0 <= float(held["sparsity"]) < 1:
        raise ValueError("a sparsity lies between 0 and 1")
    if held["transfer"] not in TRANSFERS:
        raise ValueError(f"{held['transfer']} is no transfer")
    scores = {str(name): _number(value) for name, value in held["scores"].items()}
    between = {str(name): (_number(low), _number(high)) for name, (low, high) in held.get("intervals", {}).items()}
    curve = tuple({str(k): _number(v) for k, v in point.items()} for point in held.get("curve", ()))
    text = {name: str(held[name]) for name in ("model", "method", "task", "transfer")}
    rest = {"seed": int(held.get("seed", 0)), "data": str(held.get("data", "flatland"))}
    return Entry(
        **text,
        **rest,
        sparsity=float(held["sparsity"]),
        scores=scores,
        intervals=between,
        curve=curve,
        seconds=_number(held.get("seconds", 0.0)),
    )


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is no figure")
    return number


# --- from a sweep ---------------------------------------------------------------------------------------------------


def folder_of(file: Path) -> Path:
    """Where the cells of a sweep file lie if nobody says.

    >>> folder_of(Path("assets/sweeps/paper.toml")).as_posix()
    'results/sweeps/paper'
    """
    return FOLDER / Path(file).stem


def table_of(cells: Sequence[Cell], store: Store, title: str, command: str) -> Table:
    """The table of the cells that are there, in the order of the plan, with how they came to be."""
    there = [(cell, outcome) for cell in cells if (outcome := store.find(cell))]
    figures = {column.figure for column in COLUMNS}
    entries = tuple(
        Entry(
            Path(cell.model).name,
            cell.label,
            cell.run.sparsity,
            cell.task,
            cell.transfer,
            dict(outcome.scores),
            cell.seed,
            cell.data,
            {name: between for name, between in outcome.intervals.items() if name in figures},
            outcome.curve,
            round(outcome.took, 2),
        )
        for cell, outcome in there
    )
    head: dict[str, Any] = {
        "title": title,
        "command": command,
        "cells_planned": len(cells),
        "cells_measured": len(there),
    }
    if cells:
        head |= {"setting": asdict(cells[0].setting), "versions": dict(cells[0].versions)}
        head |= {"seeds": sorted({cell.seed for cell in cells}), "seconds": round(sum(o.took for _, o in there), 1)}
        head |= {"recipes": [dict(r) for r in {json.dumps(c.recipe): c.recipe for c in cells if c.tuned}.values()]}
        head |= {"on": sorted({outcome.on for _, outcome in there})}
    return Table(entries, head)


def write_table(plan: Plan, cells: Sequence[Cell], store: Store, command: str) -> list[Path]:
    """Write the table into the sweep's folder, and where the sweep file says; nothing where no cell is there.

    A table that has cells which the folder has not stays as it is: one cell that is made again replaces no whole table.
    """
    table = table_of(cells, store, plan.title, command)
    places = [store.folder / TABLE, *([plan.results] if plan.results and not _lost(plan.results, table) else [])]
    return [table.save(place) for place in places] if table.entries else []


def _lost(file: Path, table: Table) -> set[tuple[Any, ...]]:
    """The cells of a file that a table has not."""
    try:
        return Table.load(file).names - table.names
    except (OSError, ValueError):
        return set()
