"""Methods x sparsities x seeds on the benchmark, in one result file. Resumable: finished runs are kept."""

from __future__ import annotations

import multiprocessing
import platform
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
import transformers

from ..data import dataset
from ..data.dataset import DEFAULT, DataSet, Exam
from ..models.vlm import VLM
from ..pruning.method import METHODS
from ..support.places import ASSETS
from ..support.version import VERSION
from ..tasks.figures import LEVEL, RESAMPLES, intervals
from ..tasks.task import Scores, tasks
from ..weights.masks import Masks
from .benchmark import measure
from .costs import cost
from .prepare import CALIBRATION_PAIRS, GRADIENT_BATCH, Sample, order_of
from .results import Intervals, Measured, Results
from .run import OWN, Run

RESULTS = ASSETS / "results"
SPARSITIES = (0.30, 0.50, 0.63, 0.75, 0.85, 0.90, 0.95)
DEFAULT_METHODS = ("multiflow", "omp", "localmp", "random")
ABLATION = (("magnitude", "flow", "wanda", "snip"), ("global", "uniform", "multimodal"))
_COUNTS = {
    "scenes": "pictures",
    "calibration_pairs": "calibration pairs",
    "prompts": "as prompts",
    "rerank": "ranked again",
}  # in the head of a file, the same for all runs
Report = Callable[[str], None]


def plan(
    methods: Sequence[str],
    sparsities: Sequence[float],
    seeds: int = 3,
    first: int = 0,
    data: str = "",
    fixed: str = "",
) -> list[Run]:
    """The runs of a sweep, method by method: several seeds, from the first on, only where chance is involved.

    >>> [run.seed for run in plan(["omp", "random"], [0.5], seeds=2)]
    [0, 0, 1]
    """
    return [
        Run("", method, sparsity, seed=first + seed, data=data, fixed=fixed)
        for method in methods
        for seed in range(seeds if METHODS.get(method).chance else 1)
        for sparsity in sparsities
    ]


def ablation(sparsities: Sequence[float], seed: int = 0, data: str = "", fixed: str = "") -> list[Run]:
    """Every criterion with every allocation."""
    criteria, allocations = ABLATION
    return [
        Run("", "multiflow", sparsity, allocation, criterion, seed, data=data, fixed=fixed)
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
        sample: how many calibration pairs; by default as many as the shipped results were made with.
        only: the names of the tasks; by default all that the model can do and the exam asks for.
    """

    def __init__(
        self,
        vlm: VLM,
        exam: Exam,
        path: Path,
        masks: Path | None = None,
        report: Report = print,
        known: Mapping[str, Any] = MappingProxyType({}),
        sample: Sample | None = None,
        only: Collection[str] | None = None,
    ):
        self.vlm, self.exam, self.path, self.masks, self.report, self.only = vlm, exam, path, masks, report, only
        head = {**describe(vlm, exam), **calibrated(known, sample)}
        self.results = Results.load(path) if path.is_file() else Results(head=head)
        self._check(head)
        # one order serves all sparsities of a method
        self._order_of = lru_cache(maxsize=1)(lambda run: order_of(vlm, run, sample=sample, known=known))

    def _check(self, head: Mapping[str, Any]) -> None:
        """ValueError where the file holds figures of something else: what differs is measured into another file."""
        held, own, data = self.results.head, "a file of their own", self.exam.data
        name = held.get("data", DEFAULT)
        if held.get("data_fingerprint", "") != data.fingerprint or (name != data.name and not data.fingerprint):
            before, now = (" as it was before", "it as it is now") if name == data.name else ("", data.name)
            raise ValueError(f"{self.path} holds figures on {name}{before}: give those on {now} {own}.")
        for key, what in _COUNTS.items():
            known = key in held or (key == "rerank" and self.results.dense)  # older files do not say the others
            if known and held.get(key) != head.get(key):
                was, now = (found.get(key, "none") for found in (held, head))
                raise ValueError(f"{self.path} holds figures with {was} {what}: give those with {now} {own}.")
        if held.get("statistics") != head.get("statistics"):
            on = [f"statistics of {h.get('statistics') or 'the data itself'}" for h in (held, head)]
            raise ValueError(f"{self.path} holds figures with {on[0]}: give those with {on[1]} {own}.")

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
            found = overlaps(self.masks, sorted({run.sparsity for run in runs}))
            held = {entry["sparsity"]: entry for entry in (*self.results.overlaps, *found)}
            self._keep(overlaps=tuple(held[sparsity] for sparsity in sorted(held)))
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
        found = measure(vlm, self.exam, self.only)
        numbers = {task: {name: float(value) for name, value in scores.items()} for task, scores in found.items()}
        return numbers, {task: sure for task, scores in found.items() if (sure := intervals(scores))}

    def _mask_file(self, run: Run) -> Path | None:
        if self.masks is None or run.seed or not run.plain:
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
        **({"data_path": exam.data.path, "data_fingerprint": exam.data.fingerprint} if exam.data.fingerprint else {}),
        "split": exam.split,
        "scenes": len(exam.items),
        **{
            part: count(exam) if task.can(vlm) else 0
            for task in tasks()
            if task.asks(exam)
            for part, count in task.counts.items()
        },
        **({"rerank": exam.rerank} if exam.rerank else {}),
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


def calibrated(known: Mapping[str, Any], sample: Sample | None) -> dict[str, Any]:
    """What the head of a result file says of calibration where it is not as ever."""
    source = getattr(known.get("statistics"), "source", "")
    return ({"calibration_pairs": sample.pairs} if sample else {}) | ({"statistics": source} if source else {})


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


def result_file(name: str, data: str | DataSet = DEFAULT) -> Path:
    """Where the results of a model lie: the shipped ones of a built-in model, and those on data of one's own.

    >>> result_file("clip", "assets/pictures").name
    'clip on pictures.json'
    """
    found = dataset.open(data)
    return RESULTS / (f"{name}.json" if found.name == DEFAULT else f"{name} on {found.title}.json")
