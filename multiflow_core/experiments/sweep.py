"""Methods x sparsities x seeds on the Flatland benchmark, in one result file. Resumable: finished runs are kept."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import transformers

from .. import __version__
from ..models.vlm import ASSETS, VLM
from ..pruning.method import METHODS
from ..pruning.nested_order import PruningOrder
from ..pruning.solved_order import Solved
from ..weights.masks import Masks
from .benchmark import Benchmark, flatland_benchmark
from .costs import cost
from .prepare import CALIBRATION_PAIRS, GRADIENT_BATCH, order_of
from .run import Run

RESULTS = ASSETS / "results"
SPARSITIES = (0.30, 0.50, 0.63, 0.75, 0.90)
DEFAULT_METHODS = ("multiflow", "omp", "localmp", "random")
ABLATION = (("magnitude", "flow", "wanda", "snip"), ("global", "uniform", "multimodal"))
Report = Callable[[str], None]


# --- what the methods need ------------------------------------------------------------------------------------------


# --- runs -----------------------------------------------------------------------------------------------------------


def plan(methods: Sequence[str], sparsities: Sequence[float], seeds: int = 3) -> list[Run]:
    """The runs of a sweep, method by method: several seeds only where chance is involved.

    >>> [run.seed for run in plan(["omp", "random"], [0.5], seeds=2)]
    [0, 0, 1]
    """
    return [
        Run(method, sparsity, seed)
        for method in methods
        for seed in range(seeds if METHODS.get(method).chance else 1)
        for sparsity in sparsities
    ]


def ablation(sparsities: Sequence[float]) -> list[Run]:
    """Every criterion with every allocation."""
    criteria, allocations = ABLATION
    return [
        Run("multiflow", sparsity, 0, criterion, allocation)
        for criterion in criteria
        for allocation in allocations
        for sparsity in sparsities
    ]


class Sweep:
    """Measures runs of one model into one result file.

    Args:
        path: the result file; runs that it holds are not repeated, and it is written whole after each run.
        masks: folder for the masks of the methods (seed 0), from which the overlaps between them are computed. Masks
            that are not there are made, also for runs that the file holds.
    """

    def __init__(self, vlm: VLM, benchmark: Benchmark, path: Path, masks: Path | None = None, report: Report = print):
        self.vlm, self.benchmark, self.path, self.masks, self.report = vlm, benchmark, path, masks, report
        self.results = json.loads(path.read_text()) if path.is_file() else describe(vlm, benchmark)
        # one order serves all sparsities of a method
        self._order_at_any = lru_cache(maxsize=1)(lambda run: order_of(vlm, run))

    def run(self, runs: Sequence[Run]) -> dict[str, Any]:
        """Measure all runs that the file does not hold yet, and return its content."""
        if "dense" not in self.results:
            self.results["dense"] = self.benchmark.scores(self.vlm)
            self.write()
        self.report(line("dense", 0.0, 0, self.results["dense"]))
        for run in runs:
            entry = next((e for e in self.results["runs"] if all(e[k] == v for k, v in asdict(run).items())), None)
            if entry is None:
                entry = self.measure(run)
                self.results["runs"].append(entry)
                self.write()
            elif (file := self._mask_file(run)) and not file.is_file():
                self._order_of(run).masks(run.sparsity).save(file)
            self.report(line(run.name, run.sparsity, run.seed, entry["scores"]))
        if self.masks:
            self.results["overlap"] = overlaps(self.masks, sorted({run.sparsity for run in runs}))
            self.write()
        return self.results

    def measure(self, run: Run) -> dict[str, Any]:
        """Prune as the run says and score the result: one entry of the file."""
        order = self._order_of(run)
        masks = order.masks(run.sparsity)
        if file := self._mask_file(run):
            masks.save(file)
        weights = order.weights(run.sparsity) if order.updates_weights else None
        return {
            **asdict(run),
            "options": dict(METHODS.get(run.method).quick) if run.criterion is None else {},
            "achieved": masks.sparsity,
            "modalities": order.modality_sparsity(run.sparsity),
            "scores": self.benchmark.scores(self.vlm.prune(masks, weights)),
        }

    def _order_of(self, run: Run) -> PruningOrder | Solved:
        return self._order_at_any(replace(run, sparsity=0.0))

    def _mask_file(self, run: Run) -> Path | None:
        if self.masks is None or run.seed or run.criterion:
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
        self.results["costs"] = measured
        self.write()

    def write(self) -> None:
        """Write the file whole or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".new")
        temporary.write_text(json.dumps(self.results, indent=1) + "\n")
        os.replace(temporary, self.path)


def describe(vlm: VLM, benchmark: Benchmark) -> dict[str, Any]:
    """The head of a result file: what was measured, on what, with which versions."""
    return {
        "model": vlm.name,
        "prunable": sum(layer.size for layer in vlm.layers),
        "split": benchmark.split,
        "scenes": len(benchmark.scenes),
        "captioned": benchmark.captioned if "captioning" in vlm.tasks else 0,
        "questions": len(benchmark.asked) if "vqa" in vlm.tasks else 0,
        "calibration_pairs": CALIBRATION_PAIRS,
        "gradient_batch": GRADIENT_BATCH,
        "versions": {
            "multiflow_core": __version__,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "python": platform.python_version(),
            "threads": torch.get_num_threads(),
        },
        "runs": [],
    }


def overlaps(folder: Path, sparsities: Sequence[float]) -> list[dict[str, Any]]:
    """The IoU of the kept weights of every two methods whose masks lie in the folder, per sparsity and modality."""
    found = []
    for sparsity in sparsities:
        files = sorted(folder.glob(f"* {sparsity:.2f}.safetensors"))
        masks = {file.name.rsplit(" ", 1)[0]: Masks.load(file) for file in files}
        rows = [[round(a.iou(b), 4) for b in masks.values()] for a in masks.values()]
        found.append({"sparsity": sparsity, "methods": list(masks), "iou": rows})
    return found


def line(name: str, sparsity: float, seed: int, scores: dict[str, dict[str, float]]) -> str:
    """One run as a row of text.

    >>> line("omp", 0.5, 0, {"retrieval": {"IR@1": 0.25, "TR@1": 0.5}})
    'omp                     50%  seed 0  IR@1 0.250  TR@1 0.500'
    """
    figures = {
        "IR@1": scores.get("retrieval", {}).get("IR@1"),
        "TR@1": scores.get("retrieval", {}).get("TR@1"),
        "true captions": scores.get("captioning", {}).get("true"),
        "VQA": scores.get("vqa", {}).get("all"),
    }
    shown = "  ".join(f"{figure} {value:.3f}" for figure, value in figures.items() if value is not None)
    return f"{name:<22} {sparsity:>4.0%}  seed {seed}  {shown}"


def result_file(name: str) -> Path:
    """Where the shipped results of a built-in model lie."""
    return RESULTS / f"{name}.json"


def default_benchmark() -> Benchmark:
    """1,000 unseen scenes for retrieval, 200 captions, questions about 100: a quarter of a minute a run on two cores."""
    return flatland_benchmark("test", scenes=1000, captioned=200, asked=100)
