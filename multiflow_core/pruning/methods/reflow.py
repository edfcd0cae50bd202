"""Reflow: survivors reconstructed under flow's multimodal budgets, on everything that the model is asked to do.

What it is put together from: least squares by ADMM with a rising mask (Boza, 2024, arXiv 2401.02938), SparseGPT's idea that
survivors make up for what goes (Frantar & Alistarh, 2023), matrix after matrix on the pruned model's inputs with the dense model's
outputs as the target, the multimodal prior of MULTIFLOW (Farina et al., 2024), and calibration on questions as well as on pairs.
Each part can be taken out by an option.

How its options were chosen, at 85 % on `flatland-blip` and 200 pictures of the split val, which is not reported elsewhere, in
IR@1 / true captions / VQA (`python -m benchmarks.parts flatland-blip --search --sparsities 0.85 --items 200 --out FILE`, which
wrote assets/results/flatland-blip.search.json): all matrices of a block at once, 30 steps, 15 of them rising, .970 / .805 /
.947; one after the other, .995 / .865 / .971; with 20 steps of conjugate gradients on the mask besides, .985 / .900 / .968;
with 60 steps and 40 rising, as it is, .990 / .915 / .982; with 120 and 90, .985 / .920 / .978, which 200 pictures do not tell
from it.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ...calibration.evidence import EVIDENCE
from ...calibration.samples import Samples
from ..allocations import ALLOCATIONS
from ..block_by_block import Walk
from ..layer_by_layer import Prune
from ..least_squares import LeastSquares, largest
from ..method import Method, Option, choice, positive, register, whole
from ..order import Order
from ..rank import rank
from ..solved_order import Request, Solved
from .sparsegpt import prune_layer

# {option: what takes its part out}, to measure what each is worth: see benchmarks/parts.py
PARTS = {
    "inputs": ("dense",),
    "at_once": ("block",),
    "target": ("own",),
    "budgets": ("uniform",),
    "asked": ("pairs",),
    "mask": ("magnitude", "sparsegpt"),
}


def build(request: Request) -> Solved:
    options, samples = request.options, request.known("samples")
    samples = samples if options["asked"] == "pairs and questions" else samples.without_questions()
    walk = Walk(request, samples, options["inputs"] == "pruned", options["at_once"] == "block")
    prune = pruner(options)
    budgets = _budgets(request, samples)

    def solve(count, progress):
        return walk.solve(budgets.layer_counts(count / request.total), prune, progress)

    return Solved(request, solve)


def _budgets(request: Request, samples: Samples) -> Order:
    """How many weights go in each layer."""
    way, seen = ALLOCATIONS.get(request.options["budgets"]), replace(request.data, batches=samples.pairs)
    known = dict(request.evidence)
    for need in way.needs - known.keys():
        known[need] = EVIDENCE.get(need).collect(
            request.model, request.layers, replace(seen, forward=samples.forward, progress=None)
        )
    evidence = known.values()
    return rank(request.model, criterion="magnitude", allocation=way, evidence=evidence, layers=request.layers)


def pruner(options) -> Prune:
    """How one matrix is pruned: which weights go, and what the others are."""

    def prune(weight: Tensor, products: Tensor, crossed: Tensor, count: int) -> tuple[Tensor, Tensor]:
        if not count:
            return torch.ones(weight.shape, dtype=torch.bool, device=weight.device), weight
        crossed = crossed if options["target"] == "dense" else products
        problem = LeastSquares.of(weight, products, crossed, options["damping"])
        keep = _mask(weight, products, count, options)
        keep, values = problem.admm(count, options["steps"], options["rising"], keep)
        return keep, problem.weights(problem.fitted(values, keep, options["refit"]))

    return prune


def _mask(weight: Tensor, products: Tensor, count: int, options) -> Tensor | None:
    """The mask of another method, where ADMM is not to choose."""
    if options["mask"] == "magnitude":
        return largest(weight.abs(), count)
    if options["mask"] == "sparsegpt":
        keep, _ = prune_layer(weight.cpu(), products.cpu(), count, options["damping"], 128)
        return torch.from_numpy(keep).to(weight.device)
    return None


register(
    Method(
        name="reflow",
        title="Reflow",
        paper="this project, 2026",
        formula="min ||W X_pruned - W0 X_dense||^2, so many zeros as the multimodal prior gives the layer",
        latex=r"\min_W\ \lVert W X_{\text{pruned}}-W_0 X_{\text{dense}}\rVert^2\ \text{, zeros by the multimodal prior}",
        idea=(
            "Matrix after matrix, the weights that stay are solved anew so that each layer writes what the dense model's would, on "
            "what the pruned ones before it have left. "
            "How many go in each layer is decided as by MULTIFLOW, and the data are both pairs and questions."
        ),
        needs=frozenset({"samples"}),
        nested=False,
        updates_weights=True,
        options={
            "damping": positive(0.01, "added to the diagonal, as a share of its mean"),
            "steps": whole(60, "steps of ADMM"),
            "rising": whole(40, "of them those in which the share of pruned weights rises; then the mask stays"),
            "refit": whole(0, "steps of conjugate gradients on the mask in the end", least=0),
            "inputs": choice("pruned", "what a layer reads, of which model", "dense"),
            "at_once": choice(
                "siblings", "what is solved at once: matrices that read the same, or a whole block", "block"
            ),
            "target": choice("dense", "what a layer should write: by the dense model's inputs, or by its own", "own"),
            "mask": choice("admm", "who chooses the weights that go", "magnitude", "sparsegpt"),
            "budgets": Option(
                "multimodal", "how many go in each layer", lambda name: name in ALLOCATIONS, "the name of an allocation"
            ),
            "kept": Option(
                "",
                "a folder for what is solved, so that another process goes on",
                lambda x: isinstance(x, str),
                "a path",
            ),
            "asked": choice("pairs and questions", "what the model is calibrated on", "pairs"),
        },
        # two a block, each up to its end, of a score and more of blocks; then two through each block for every stage of it
        passes=lambda settings, batches: (12 if settings["at_once"] == "block" else 22) * batches,
        build=build,
    )
)
