"""The same pruning on the processor and on another device: how far the results differ, and how long each takes.

python -m benchmarks.device flatland-blip                     # every method on cuda
python -m benchmarks.device FOLDER --methods multiflow snip --pairs 64

Sums in another order differ in the last bits, and weights at the very threshold may change places: on one H100 one in
30,000 for MULTIFLOW. IterSNIP is another matter, on any device: its 20 steps turn a millionth into a quarter of the mask.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence

import torch

import multiflow_core as mf
from benchmarks.measure import SPARSITIES
from multiflow_core.data import dataset
from multiflow_core.experiments.benchmark import measure, short_exam
from multiflow_core.experiments.prepare import GRADIENT_BATCH, Sample, order_of
from multiflow_core.experiments.run import Run
from multiflow_core.models.vlm import BATCH, VLM

SEED = 1  # beside a checkpoint there may be statistics of seed 0, and nothing would be calibrated
HEAD = ("method", *(f"differ at {s:.2f}" for s in SPARSITIES), "s on cpu", "s on the device")


def compare(model: str, device: str, methods: Sequence[str], pairs: int) -> Iterator[str]:
    """Lines of a Markdown table: the share of all weights that one mask keeps and the other does not.

    >>> [line.split("|")[1:3] for line in compare("flatland-blip", "cpu", ["omp"], 32)][-1]
    [' omp ', ' 0 ']
    """
    here, there = mf.load(model), mf.load(model, device=device)
    sample = Sample(pairs, BATCH, GRADIENT_BATCH)
    yield f"{model}: {sum(layer.size for layer in here.layers):,} weights, {pairs} calibration pairs; {device}"
    yield calibrated(here, there)
    yield f"| {' | '.join(HEAD)} |"
    yield "|" + " --- |" * len(HEAD)
    for method in methods:
        (ours, slow), (theirs, fast) = (_masks(vlm, method, sample) for vlm in (here, there))
        differ = " | ".join(f"{_differing(a, b):.2g}" for a, b in zip(ours, theirs, strict=True))
        yield f"| {method} | {differ} | {slow:.2f} | {fast:.2f} |"


def calibrated(here: VLM, there: VLM) -> str:
    """How far the statistics differ, and whether equal statistics give equal masks."""
    pairs = dataset.open().pairs(32, SEED, here.side)
    ours, theirs = (mf.calibrate(vlm.model, vlm.batches(pairs)) for vlm in (here, there))
    apart = max(
        float(((a - theirs.square_sums[name]).abs() / a.clamp(min=1e-30)).max()) for name, a in ours.square_sums.items()
    )
    orders = [mf.rank(vlm.model, "multiflow", statistics=ours) for vlm in (here, there)]
    same = all(orders[0].masks(s) == orders[1].masks(s) for s in SPARSITIES)
    return f"square sums differ by {apart:.1e} at most; from the same statistics {'equal' if same else 'OTHER'} masks\n"


def _masks(vlm: VLM, method: str, sample: Sample) -> tuple[list[mf.Masks], float]:
    """The masks at the three sparsities, and the seconds they took with all that the method needs."""
    began = time.perf_counter()
    order = order_of(vlm, Run(vlm.name, method, seed=SEED), sample=sample)
    return [order.masks(sparsity) for sparsity in SPARSITIES], time.perf_counter() - began


def _differing(a: mf.Masks, b: mf.Masks) -> float:
    """Share of all weights that one keeps and the other does not."""
    return sum(int((a[name] != b[name]).sum()) for name in a) / a.total


def behaviour(model: str, device: str, method: str, sparsity: float) -> str:
    """What the benchmark says of the same mask on both devices."""
    found = []
    for place in ("cpu", device):
        vlm = mf.load(model, device=place)
        masks = order_of(vlm, Run(vlm.name, method, sparsity)).masks(sparsity)
        found.append(measure(vlm.prune(masks), short_exam()))
    apart = {
        f"{task} {figure}": found[1][task][figure] - found[0][task][figure]
        for task, figure in ((task, figure) for task in found[0] for figure in found[0][task])
        if isinstance(found[0][task][figure], float)
    }
    worst = max(apart, key=lambda name: abs(apart[name]))
    return f"{method} at {sparsity:.2f} on the benchmark: {worst} differs most, by {apart[worst]:+.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks.device", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", help="built-in names or folders")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--methods", nargs="+", default=[m.name for m in mf.methods()])
    parser.add_argument("--pairs", type=int, default=512, help="calibration pairs")
    parser.add_argument("--benchmark", action="store_true", help="also the three tasks with MULTIFLOW's mask at 63 %%")
    options = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    for model in options.models:
        for line in compare(model, options.device, options.methods, options.pairs):
            print(line, flush=True)
        if options.benchmark:
            print(behaviour(model, options.device, "multiflow", 0.63), flush=True)


if __name__ == "__main__":
    main()
