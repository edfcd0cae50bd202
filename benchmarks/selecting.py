"""Ways to sort and to select on one layer, in nanoseconds a weight of one thread: `python -m benchmarks.selecting`.

The order needs of each layer its values grouped well enough to merge layers exactly, a mask the k-th lowest score. NumPy's
vectorised sort and partition are the obvious ways; on processors where AVX-512 compresses slowly they take six times as
long as on others. What `multiflow_core/_merge.py` does takes the same time on all.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from multiflow_core.pruning.exact_cut import ascending_ranks, kth_lowest
from multiflow_core.pruning.merging import Binned

Way = Callable[[np.ndarray, int], np.ndarray]


def _packed_sort(values: np.ndarray, k: int) -> np.ndarray:
    keys = values.view(np.uint32).astype(np.uint64) << np.uint64(32) | np.arange(len(values), dtype=np.uint64)
    return np.sort(keys).astype(np.uint32)


WAYS: dict[str, dict[str, Way]] = {
    "group or sort the values": {
        "numpy.sort": lambda values, k: np.sort(values),
        "torch.sort": lambda values, k: torch.from_numpy(values).sort().values.numpy(),
        "Binned: radix passes over the upper halves (used)": lambda values, k: Binned(values).lower,
    },
    "the k-th lowest": {
        "numpy.partition": lambda values, k: np.partition(values, k - 1)[k - 1],
        "torch.kthvalue": lambda values, k: torch.from_numpy(values).kthvalue(k).values.numpy(),
        "kth_lowest: partition what a sample leaves (used)": lambda values, k: kth_lowest(values, k),
    },
    "rank every value": {
        "numpy.argsort, stable": lambda values, k: np.argsort(values, kind="stable"),
        "value and position in one integer, numpy.sort": _packed_sort,
        "ascending_ranks: radix passes over both halves (used)": lambda values, k: ascending_ranks(values),
    },
}


def nanoseconds(way: Way, values: np.ndarray, k: int, rounds: int) -> float:
    """Processor time a value, the least of some rounds: what else runs on the machine hardly matters."""
    taken = []
    for _ in range(rounds):
        began = time.thread_time()
        way(values, k)
        taken.append(time.thread_time() - began)
    return 1e9 * min(taken) / len(values)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks.selecting", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=3072 * 768, help="weights of the layer")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    values = np.abs(np.random.default_rng(0).standard_normal(options.size, dtype=np.float32))
    k = int(0.63 * len(values))
    for purpose, ways in WAYS.items():
        print(purpose)
        for name, way in ways.items():
            print(f"  {nanoseconds(way, values, k, options.rounds):6.1f} ns  {name}")


if __name__ == "__main__":
    main()
