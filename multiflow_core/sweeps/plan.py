"""Sweep files: what is to be measured, in TOML.

    title = "Two pruners"
    models = ["flatland-blip"]
    methods = ["multiflow", "omp"]
    sparsities = [0.63, 0.75]
    tasks = ["retrieval", "vqa"]

    [[part]]
    transfer = "zero-shot"

    [[part]]
    transfer = "fine-tuned"
    methods = ["multiflow"]
    recipe = {steps = 300}

What stands before the parts holds for all of them; a part says what is different. Every part is all its models x methods x options
x sparsities x tasks x data x seeds, and the dense model.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from ..experiments.run import Run
from ..pruning.method import METHODS, methods
from ..support.registry import unknown_name
from ..tasks.task import TASKS
from .cell import DENSE, FINE_TUNED, TRANSFERS, ZERO_SHOT, Cell, Setting

ALL = "all"
_NUMBERS = {name.name for name in fields(Setting) if name.type == "int"}


class Model(NamedTuple):
    """What has to be known of a model before its cells can be named: digits of its files, and the tasks that it can do.

    `tunable`: those that it can be tuned for, which may be more.
    """

    digits: str
    tasks: tuple[str, ...]
    tunable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """What has to be known of the world outside of the file: models, data sets, versions.

    Attributes:
        model: model(address) -> Model. data: data(name or path) -> digits of what lies there, "" where the name says it all.
        recipe: recipe(what the file says) -> the whole recipe. versions: of what computes.
    """

    model: Callable[[str], Model]
    data: Callable[[str], str] = lambda name: ""
    recipe: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """All combinations of these.

    Attributes:
        data: {task: names or paths of the data that it is asked on}. options: {method: {option: values}}.
        calibrate_on: the data that methods see pairs of. recipe: how models are tuned.
    """

    models: tuple[str, ...] = ("flatland-blip",)
    methods: tuple[str, ...] = ("multiflow",)
    sparsities: tuple[float, ...] = (0.63, 0.75, 0.90)
    tasks: tuple[str, ...] = ("retrieval", "captioning", "vqa")
    seeds: tuple[int, ...] = (0,)
    data: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, tuple[Any, ...]]] = field(default_factory=dict)
    calibrate_on: str = ""
    transfer: str = ZERO_SHOT
    recipe: Mapping[str, Any] = field(default_factory=dict)

    def runs(self) -> Iterator[tuple[Run, int]]:
        """(run, seed) of the dense model and of every method; a seed decides only where chance or data have a part."""
        for seed in self.seeds:
            yield Run("", ""), seed
        for name in self.methods:
            method = METHODS.get(name)
            grid = self.options.get(name, {})
            drawn = method.chance or bool(method.needs)
            for values, seed, sparsity in product(product(*grid.values()), self.seeds, self.sparsities):
                options = tuple(zip(grid, values, strict=True))
                calibrated = self.calibrate_on if method.needs else ""
                own = seed if drawn else 0
                yield Run("", name, sparsity, seed=own, options=options, data=calibrated), seed


@dataclass(frozen=True)
class Plan:
    """A sweep file that was read.

    Attributes:
        title: what the sweep is called. parts: of which it is made. setting: what holds for all of it.
        results: the file that the table is written to, besides the one in the sweep's folder; None for none.
    """

    title: str
    parts: tuple[Part, ...]
    setting: Setting = field(default_factory=Setting)
    results: Path | None = None

    def cells(self, known: Known) -> list[Cell]:
        """All cells, each once: parts may overlap, and a task that a model cannot do is left out."""
        found: dict[str, Cell] = {}
        for part in self.parts:
            for cell in self._cells(part, known):
                found.setdefault(cell.digest, cell)
        return list(found.values())

    def _cells(self, part: Part, known: Known) -> Iterator[Cell]:
        tuned = part.transfer == FINE_TUNED
        recipe = known.recipe(part.recipe) if tuned else {}
        calibrated_is = known.data(part.calibrate_on) if part.calibrate_on else ""
        for address in part.models:
            model = known.model(address)
            able = model.tunable if tuned else model.tasks
            for (run, seed), task in product(part.runs(), part.tasks):
                for data in part.data.get(task, ("flatland",)) if task in able else ():
                    method = METHODS.get(run.method) if run.method else None
                    settings = method.settings({**method.quick, **dict(run.options)}) if method else {}
                    yield Cell(
                        address,
                        run,
                        task,
                        data,
                        part.transfer,
                        seed if tuned else run.seed,
                        recipe,
                        settings,
                        self.setting,
                        model.digits,
                        known.data(data),
                        calibrated_is if run.data else "",
                        known.versions,
                    )


def read(file: str | Path) -> Plan:
    """The plan in a file; ValueError, in a sentence, for one that says nonsense.

    >>> read("assets/sweeps/paper.toml").title
    'Prune once, transfer'
    """
    path = Path(file)
    try:
        held = tomllib.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path} is no sweep file ({error}).") from None
    try:
        return _plan(held, path)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: {error}") from None


def _plan(held: dict[str, Any], path: Path) -> Plan:
    common = dict(held)
    parts = common.pop("part", [{}])
    title = str(common.pop("title", path.stem))
    results = common.pop("results", None)
    setting = _setting(common)
    if not isinstance(parts, list) or not parts:
        raise ValueError("a part is written as [[part]]")
    place = None if results is None else (path.parent / str(results)).resolve()
    return Plan(title, tuple(_part({**common, **part}) for part in parts), setting, place)


def _setting(common: dict[str, Any]) -> Setting:
    """Takes what belongs to the setting out of the rest."""
    given = dict(common.pop("exam", {}))
    given |= {name: common.pop(name) for name in ("pairs", "threads", "device") if name in common}
    for name, value in given.items():
        if name not in {f.name for f in fields(Setting)}:
            raise unknown_name("setting", name, [f.name for f in fields(Setting)])
        if name in _NUMBERS and (type(value) is not int or value < (name not in ("pairs", "captioned", "asked"))):
            raise ValueError(f"{name} is a whole number, not {value!r}")
    return replace(Setting(), **given)


def _part(held: Mapping[str, Any]) -> Part:
    known = {f.name for f in fields(Part)}
    for name in held:
        if name not in known:
            raise unknown_name("part of a sweep file", name, sorted(known | {"title", "results", "exam"}))
    given = {
        name: _several(held[name]) for name in ("models", "methods", "sparsities", "tasks", "seeds") if name in held
    }
    part = replace(Part(), **given)
    if part.methods == (ALL,):
        part = replace(part, methods=tuple(m.name for m in methods()))
    part = replace(part, methods=tuple(name for name in part.methods if name != DENSE))
    _check(part)
    transfer = held.get("transfer", ZERO_SHOT)
    if transfer not in TRANSFERS:
        raise unknown_name("transfer", transfer, TRANSFERS)
    data = held.get("data", "flatland")
    by_task = data if isinstance(data, Mapping) else dict.fromkeys(part.tasks, data)
    options = {
        METHODS.get(name).name: {option: _several(values) for option, values in own.items()}
        for name, own in held.get("options", {}).items()
    }
    for name, grid in options.items():
        for option, values in grid.items():
            for value in values:
                METHODS.get(name).settings({option: value})
    return replace(
        part,
        transfer=transfer,
        data={task: _several(names) for task, names in by_task.items()},
        options=options,
        calibrate_on=str(held.get("calibrate_on", "")),
        recipe=dict(held.get("recipe", {})),
    )


def _check(part: Part) -> None:
    for name in part.methods:
        METHODS.get(name)
    for name in part.tasks:
        TASKS.get(name)
    for sparsity in part.sparsities:
        if not 0 < sparsity < 1:
            raise ValueError(f"a sparsity lies between 0 and 1, not at {sparsity}")
    for seed in part.seeds:
        if type(seed) is not int:
            raise ValueError(f"a seed is a whole number, not {seed!r}")


def _several(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value,)


# --- a choice of cells ----------------------------------------------------------------------------------------------


def chosen(cells: Sequence[Cell], only: Sequence[str]) -> list[Cell]:
    """The cells for which all of these hold: NAME=VALUE or NAME=VALUE,VALUE, or the first digits of one cell.

    >>> cells = [Cell("m", Run("", name, s), "vqa") for name in ("omp", "snip") for s in (0.63, 0.9)]
    >>> [cell.name for cell in chosen(cells, ["method=omp,lamp", "sparsity=0.9"])]
    ['m omp 90 % vqa zero-shot seed 0']
    """
    found = list(cells)
    for text in only:
        name, mark, value = text.partition("=")
        if not mark:
            found = [cell for cell in found if cell.digest.startswith(name)]
            continue
        if name not in _PARTS:
            raise unknown_name("part of a cell", name, _PARTS)
        wanted = set(value.split(","))
        found = [cell for cell in found if _PARTS[name](cell) & wanted]
    if not found:
        raise ValueError(f"no cell of this sweep is {' '.join(only)}")
    return found


_PARTS: dict[str, Callable[[Cell], set[str]]] = {
    "model": lambda cell: {cell.model},
    "method": lambda cell: {cell.method, cell.label},
    "sparsity": lambda cell: {f"{cell.run.sparsity:g}", f"{cell.run.sparsity:.2f}"},
    "task": lambda cell: {cell.task},
    "data": lambda cell: {cell.data},
    "seed": lambda cell: {str(cell.seed)},
    "transfer": lambda cell: {cell.transfer},
}
