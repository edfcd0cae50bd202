"""Methods x sparsities x seeds on the benchmark, in one result file. Resumable: finished runs are kept."""

from __future__ import annotations

import multiprocessing
import platform
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
import transformers

from ..data.dataset import DEFAULT, Exam
from ..models.vlm import ASSETS, VLM
from ..pruning.method import METHODS
from ..support.version import VERSION
from ..tasks.figures import LEVEL, RESAMPLES, intervals
from ..tasks.task import Scores, tasks
from ..weights.masks import Masks
from .benchmark import measure
from .costs import cost
from .prepare import CALIBRATION_PAIRS, GRADIENT_BATCH, order_of
from .results import Intervals, Measured, Results
from .run import OWN, Run

RESULTS = ASSETS / "results"
SPARSITIES = (0.30, 0.50, 0.63, 0.75, 0.90)
DEFAULT_METHODS = ("multiflow", "omp", "localmp", "random")
ABLATION = (("magnitude", "flow", "wanda", "snip"), ("global", "uniform", "multimodal"))
Report = Callable[[str], None]


def plan(methods: Sequence[str], sparsities: Sequence[float], seeds: int = 3) -> list[Run]:
    """The runs of a sweep, method by method: several seeds only where chance is involved.

    >>> [run.seed for run in plan(["omp", "random"], [0.5], seeds=2)]
    [0, 0, 1]
    """
    return [
        Run("", method, sparsity, seed=seed)
        for method in methods
        for seed in range(seeds if METHODS.get(method).chance else 1)
        for sparsity in sparsities
    ]


def ablation(sparsities: Sequence[float]) -> list[Run]:
    """Every criterion with every allocation."""
    criteria, allocations = ABLATION
    return [
        Run("", "multiflow", sparsity, allocation, criterion)
        for criterion in criteria
        for allocation in allocations
        for sparsity in sparsities
    ]


class Sweep:
    """Measures runs of one model into one result file.

    Args:
        exam: what the models are asked.
        path: the result file; runs that it holds are not repeated, and it is written whole after each run.
        masks: folder for the masks of the methods (seed 0), from which the overlaps between them are computed. Masks
            that are not there are made, also for runs that the file holds.
        known: {name: evidence} that is there already, in place of what would be collected.
    """

    def __init__(
        self,
        vlm: VLM,
        exam: Exam,
        path: Path,
        masks: Path | None = None,
        report: Report = print,
        known: Mapping[str, Any] = MappingProxyType({}),
    ):
        self.vlm, self.exam, self.path, self.masks, self.report = vlm, exam, path, masks, report
        self.results = Results.load(path) if path.is_file() else Results(head=describe(vlm, exam))
        if (other := self.results.head.get("data", DEFAULT)) != exam.data.name:
            raise ValueError(f"{path} holds figures on {other}: give those on {exam.data.name} a file of their own.")
        # one order serves all sparsities of a method
        self._order_of = lru_cache(maxsize=1)(lambda run: order_of(vlm, run, known=known))

    def run(self, runs: Sequence[Run]) -> Results:
        """Measure all runs that the file does not hold yet, and return its content."""
        if not self.results.dense:
            self._keep(**dict(zip(("dense", "dense_intervals"), self._asked(self.vlm))))
        self.report(line("dense", 0.0, 0, self.results.dense, self.results.dense_intervals))
        for run in runs:
            found = self.results.find(run)
            if found is None:
                found = self.measure(run)
                self._keep(runs=(*self.results.runs, found))
            elif (file := self._mask_file(run)) and not file.is_file():
                self._order_of(run.order).masks(run.sparsity).save(file)
            self.report(line(run.name, run.sparsity, run.seed, found.scores, found.intervals))
        if self.masks:
            self._keep(overlaps=overlaps(self.masks, sorted({run.sparsity for run in runs})))
        return self.results

    def measure(self, run: Run) -> Measured:
        """Prune as the run says and score the result."""
        order = self._order_of(run.order)
        masks = order.masks(run.sparsity)
        if file := self._mask_file(run):
            masks.save(file)
        pruned = self.vlm.prune(masks, order.weights(run.sparsity))
        quick = METHODS.get(run.method).quick if run.criterion == OWN else {}
        scores, sure = self._asked(pruned)
        return Measured(
            replace(run, model=""),
            scores,
            order.modality_sparsity(run.sparsity),
            masks.sparsity,
            {**quick, **dict(run.options)},
            sure,
        )

    def _asked(self, vlm: VLM) -> tuple[dict[str, Scores], Intervals]:
        """A model's figures, as numbers, and between what they lie."""
        found = measure(vlm, self.exam)
        numbers = {task: {name: float(value) for name, value in scores.items()} for task, scores in found.items()}
        return numbers, {task: sure for task, scores in found.items() if (sure := intervals(scores))}

    def _mask_file(self, run: Run) -> Path | None:
        if self.masks is None or run.seed or run.criterion != OWN:
            return None
        return self.masks / f"{run.method} {run.sparsity:.2f}.safetensors"

    def costs(self, model: str, methods: Sequence[str], sparsity: float = 0.63) -> None:
        """Time and memory of each method, one fresh process each, so that none profits from another's work.

        All are measured anew, since the figures compare only within one go on one machine.

        Args:
            model: what `load` was given.
        """
        measured = []
        for method in methods:
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
                measured.append(fresh.submit(cost, model, method, sparsity).result())
            self.report("{method:<22} {sparsity:>4.0%}  {seconds:.1f} s  {memory} bytes".format(**measured[-1]))
        self._keep(costs=tuple(measured))

    def _keep(self, **changed: Any) -> None:
        self.results = replace(self.results, **changed)
        self.results.save(self.path)


def describe(vlm: VLM, exam: Exam) -> dict[str, Any]:
    """The head of a result file: what was measured, on what, with which versions."""
    return {
        "model": vlm.name,
        "prunable": sum(layer.size for layer in vlm.layers),
        "data": exam.data.name,
        "split": exam.split,
        "scenes": len(exam.items),
        **{
            part: count(exam) if task.can(vlm) else 0
            for task in tasks()
            if task.asks(exam)
            for part, count in task.counts.items()
        },
        "calibration_pairs": CALIBRATION_PAIRS,
        "gradient_batch": GRADIENT_BATCH,
        "intervals": {"level": LEVEL, "resamples": RESAMPLES, "of": "pictures"},
        "versions": {
            "multiflow_core": VERSION,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "python": platform.python_version(),
            "threads": torch.get_num_threads(),
        },
    }


def overlaps(folder: Path, sparsities: Sequence[float]) -> tuple[dict[str, Any], ...]:
    """The IoU of the kept weights of every two methods whose masks lie in the folder, per sparsity."""
    found = []
    for sparsity in sparsities:
        files = sorted(folder.glob(f"* {sparsity:.2f}.safetensors"))
        masks = {file.name.rsplit(" ", 1)[0]: Masks.load(file) for file in files}
        rows = [[round(a.iou(b), 4) for b in masks.values()] for a in masks.values()]
        found.append({"sparsity": sparsity, "methods": list(masks), "iou": rows})
    return tuple(found)


def line(
    name: str, sparsity: float, seed: int, scores: dict[str, Scores], sure: Intervals = MappingProxyType({})
) -> str:
    """One run as a row of text; behind a headline figure between what it lies, where that is known.

    >>> line("omp", 0.5, 0, {"retrieval": {"IR@1": 0.25, "TR@1": 0.5}})
    'omp                     50%  seed 0  IR@1 0.250  TR@1 0.500'
    >>> line("omp", 0.5, 0, {"vqa": {"all": 0.25}}, {"vqa": {"all": (0.2, 0.3)}})
    'omp                     50%  seed 0  VQA 0.250 [0.200, 0.300]'
    """
    told = []
    for task in tasks():
        found, known = scores.get(task.name, {}), sure.get(task.name, {})
        for figure, title in task.told.items():
            if figure in found:
                headline = figure == task.headline(found)
                between = " [{:.3f}, {:.3f}]".format(*known[figure]) if headline and figure in known else ""
                told.append(f"{title} {found[figure]:.3f}{between}")
    return f"{name:<22} {sparsity:>4.0%}  seed {seed}  {'  '.join(told)}"


def result_file(name: str) -> Path:
    """Where the shipped results of a built-in model lie."""
    return RESULTS / f"{name}.json"
