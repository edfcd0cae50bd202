"""Methods x sparsities x seeds on the Flatland benchmark, in one result file. Resumable: finished runs are kept."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor

from . import __version__, calibrate, rank
from ._support import Progress
from .benchmark import Benchmark, calibration_pairs, drawing_size, flatland_benchmark
from .calibrate import Statistics
from .criteria import get as get_criterion
from .masks import Masks
from .methods import get as get_method
from .moments import second_moments
from .order import PruningOrder
from .solved import Solved
from .vlm import ASSETS, BATCH, VLM, load

RESULTS = ASSETS / "results"
SPARSITIES = (0.30, 0.50, 0.63, 0.75, 0.90)
METHODS = ("multiflow", "omp", "localmp", "random")
ABLATION = (("magnitude", "flow", "wanda", "snip"), ("global", "uniform", "multimodal"))
CALIBRATION_PAIRS = 512
GRADIENT_BATCH = 32  # pairs behind one gradient: 16 gradients from the calibration pairs
# By method, shorter than in the papers, so that a small model is pruned in seconds to minutes; the result file says so.
OPTIONS: dict[str, dict[str, Any]] = {
    "itersnip": {"steps": 20},
    "chita": {"gradients": 16},
    "chita++": {"gradients": 16, "stages": 4},
    "tamt": {"steps": 100, "rate": 3e-4},
}
Report = Callable[[str], None]


@dataclass(frozen=True)
class Sample:
    """How many calibration pairs a model sees, and how many of them at once: plainly, and where gradients are kept."""

    pairs: int
    batch: int
    gradient_batch: int


@dataclass(frozen=True)
class Run:
    """One pruned model to measure."""

    method: str
    sparsity: float
    seed: int = 0
    criterion: str | None = None
    allocation: str | None = None

    @property
    def name(self) -> str:
        """For people: the method, or the criterion x allocation in its place.

        >>> Run("multiflow", 0.5, criterion="flow", allocation="global").name
        'flow x global'
        """
        return f"{self.criterion} x {self.allocation}" if self.criterion else self.method


# --- what the methods need ------------------------------------------------------------------------------------------


def statistics_of(
    vlm: VLM, seed: int = 0, progress: Progress | None = None, sample: Sample | None = None
) -> Statistics:
    """The calibration statistics of a model: those beside its checkpoint, else computed from Flatland's training pairs.

    >>> from multiflow_core import load
    >>> statistics_of(load("flatland-blip")).samples
    512
    """
    shipped = vlm.folder / "statistics.safetensors" if vlm.folder else None
    if seed == 0 and shipped and shipped.is_file():
        found = Statistics.load(shipped)
        if found.layers == vlm.layers:
            return found
    sample = sample or _usual()
    batches = _batches(vlm, seed, sample.pairs, sample.batch, progress)
    return calibrate(vlm.model, batches, progress=progress)


def order_of(
    vlm: VLM, run: Run, progress: Progress | None = None, sample: Sample | None = None
) -> PruningOrder | Solved:
    """The order of a run, made from all that its method needs, with this sweep's `OPTIONS`; its sparsity is not used.

    >>> from multiflow_core import load
    >>> order_of(load("flatland-blip"), Run("multiflow", 0.0)).masks(0.5).sparsity
    0.5

    Args:
        vlm: the model; its calibration pairs, and those behind gradients, are training scenes of Flatland.
        run: the method, or criterion x allocation; the seed also chooses the calibration pairs.
        progress: called as progress(fraction, message) while activations, moments or gradients are collected and
            weights are ranked; every stage starts from 0. What it raises ends the work. Methods that solve each
            sparsity anew do most of theirs in `order.masks(sparsity, progress=...)`.
        sample: how many pairs; by default as many as the shipped results were made with.
    """
    sample = sample or _usual()
    needs = get_criterion(run.criterion).needs if run.criterion else get_method(run.method).needs
    given: dict[str, Any] = {"seed": run.seed, "progress": progress}
    if "moments" in needs:
        batches = _batches(vlm, run.seed, sample.pairs, sample.batch, progress)
        given["statistics"] = second_moments(vlm.model, batches, progress=progress)
    elif "statistics" in needs:
        given["statistics"] = statistics_of(vlm, run.seed, progress, sample)
    if "gradients" in needs:
        given["batches"] = _batches(vlm, run.seed, sample.pairs, sample.gradient_batch, progress)
    if run.criterion:
        return rank(vlm.model, criterion=run.criterion, allocation=run.allocation, **given)
    return rank(vlm.model, run.method, **given, **OPTIONS.get(run.method, {}))


def _usual() -> Sample:
    return Sample(CALIBRATION_PAIRS, BATCH, GRADIENT_BATCH)


def _batches(vlm: VLM, seed: int, pairs: int, size: int, progress: Progress | None) -> list[dict[str, Tensor]]:
    report = progress or (lambda fraction, message: None)
    report(0.0, "drawing the calibration pairs")
    drawn = calibration_pairs(pairs, seed, drawing_size(vlm))
    batches: list[dict[str, Tensor]] = []
    for batch in vlm.batches(drawn, size):
        batches.append(batch)
        report(min(1.0, len(batches) * size / pairs), "preparing the calibration pairs")
    return batches


def cost(model: str, method: str, sparsity: float) -> dict[str, Any]:
    """Seconds and bytes to make one mask, calibration and gradients included, in a process that did nothing before.

    The seconds are those of a processor core, all threads added up: other work on the machine does not count.
    """
    vlm = load(model)
    run = Run(method, sparsity, seed=1)  # for seed 0 there may be statistics beside the checkpoint
    calibration_pairs(CALIBRATION_PAIRS, run.seed, drawing_size(vlm))
    forget_peak()
    before = memory("VmRSS")
    began = time.process_time()
    order_of(vlm, run).masks(sparsity)
    seconds = time.process_time() - began
    peak = memory("VmHWM")
    grown = None if before is None or peak is None else max(0, peak - before)
    threads = torch.get_num_threads()
    return {"method": method, "sparsity": sparsity, "seconds": round(seconds, 3), "memory": grown, "threads": threads}


def forget_peak() -> None:
    """Loading a model takes more memory than the model; from here on the peak counts anew, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def memory(field: str) -> int | None:
    """A figure of this process in bytes, from /proc; None where there is no such thing."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(field + ":")), None)


# --- runs -----------------------------------------------------------------------------------------------------------


def plan(methods: Sequence[str], sparsities: Sequence[float], seeds: int = 3) -> list[Run]:
    """The runs of a sweep, method by method: several seeds only where chance is involved.

    >>> [run.seed for run in plan(["omp", "random"], [0.5], seeds=2)]
    [0, 0, 1]
    """
    return [
        Run(method, sparsity, seed)
        for method in methods
        for seed in range(seeds if get_method(method).chance else 1)
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
            "options": OPTIONS.get(run.method, {}) if run.criterion is None else {},
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
