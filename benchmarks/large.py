"""A model of a thousand million weights: what ranking, masking and writing take beside the weights, in memory and in reads.

python -m benchmarks.large                      # MULTIFLOW, OMP and Wanda on a random LLaVA in bfloat16, 2 GB on disk
python -m benchmarks.large --layers 4 --folder /tmp/llava

Memory is that of the process that no file lies behind (RssAnon): weights that are mapped from their file are not in it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

import multiflow_core as mf
from multiflow_core.models.formats.packed import save_packed
from multiflow_core.support.files import stream_safetensors
from multiflow_core.support.memory import process_memory

METHODS = ("multiflow", "omp", "wanda")
SPARSITY = 0.63
BARS = {"bytes": 1.0, "reads": 300.0}


def make(folder: Path, layers: int, wide: int = 2048) -> Path:
    """A LLaVA of random weights; of the published widths 51 million a layer of its language model, and 101 in its vision tower."""
    sides = dict(
        num_hidden_layers=8, num_attention_heads=wide // 128, hidden_size=wide // 2, intermediate_size=2 * wide
    )
    vision = CLIPVisionConfig(**sides)
    text = LlamaConfig(
        hidden_size=wide,
        num_hidden_layers=layers,
        num_attention_heads=wide // 128,
        intermediate_size=11 * wide // 4,
        vocab_size=32064,
    )
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_index=32000)
    config.architectures, config.dtype = ["LlavaForConditionalGeneration"], "bfloat16"
    with torch.device("meta"):
        tensors = LlavaForConditionalGeneration(config).state_dict()
    generator = torch.Generator().manual_seed(0)

    def drawn() -> Iterator[tuple[str, torch.Tensor]]:
        for name, tensor in tensors.items():
            yield name, (0.02 * torch.randn(tensor.shape, generator=generator)).bfloat16()

    folder.mkdir(parents=True, exist_ok=True)
    config.save_pretrained(folder)
    stream_safetensors(folder / "model.safetensors", drawn(), list(tensors), {"format": "pt"})
    return folder


def statistics(layers: tuple[mf.PrunableLayer, ...]) -> mf.Statistics:
    """Made-up norms: what they are does not matter here."""
    generator = torch.Generator().manual_seed(0)
    sums = {x.name: torch.rand(x.shape[1], generator=generator, dtype=torch.float64) + 0.1 for x in layers}
    return mf.Statistics(sums, samples=1, layers=layers)


@contextmanager
def peak() -> Iterator[list[int]]:
    """The largest amount of anonymous memory meanwhile, beyond that at the start, in bytes."""
    before, done, found = process_memory("RssAnon"), threading.Event(), [0]

    def watch() -> None:
        while not done.wait(0.005):
            found[0] = max(found[0], process_memory("RssAnon") - before)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()


def measure(folder: Path, method: str) -> dict[str, float]:
    """Rank, mask and write with one method, and open what was written again; bytes are per prunable weight."""
    with peak() as loading:
        vlm = mf.load(folder, dtype=None)
    model, layers = vlm.model, vlm.layers
    size = sum(layer.size for layer in layers)
    weights = [model.get_parameter(layer.name).detach() for layer in layers]
    for _ in range(2):
        began = time.perf_counter()
        [weight.sum() for weight in weights]
        read = time.perf_counter() - began
    found = {"weights": size, "read": read, "load": loading[0] / size}
    known = statistics(layers)
    with peak() as ranking:
        began = time.perf_counter()
        order = mf.rank(model, method, statistics=known)
        found["rank seconds"] = time.perf_counter() - began
    with peak() as masking:
        began = time.perf_counter()
        masks = order.masks(SPARSITY)
        found["mask seconds"] = time.perf_counter() - began
    assert masks.pruned == int(SPARSITY * size)
    with tempfile.TemporaryDirectory(dir=folder.parent) as place, peak() as writing:
        began = time.perf_counter()
        save_packed(vlm, masks, Path(place) / "pruned")
        found["write seconds"] = time.perf_counter() - began
        written = writing[0]
        with peak() as opening:
            again = mf.load(Path(place) / "pruned", dtype=None)
        found["open"] = opening[0] / sum(held.nbytes for held in again.model.parameters())
    parts = {"rank": ranking[0], "mask": masking[0], "write": written}
    return found | {f"{part} bytes": bytes_ / size for part, bytes_ in parts.items()}


def row(method: str, found: dict[str, float]) -> str:
    """One method's figures as a row of a table."""
    parts = [found[f"{part} bytes"] for part in ("rank", "mask", "write")]
    reads = sum(found[f"{part} seconds"] for part in ("rank", "mask")) / found["read"]
    numbers, opened = [f"{part:.2f}" for part in (*parts, max(parts))], f"{found['open']:.2f}"
    return f"| {' | '.join([method, *numbers, f'{reads:.0f}', opened])} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks.large", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--layers", type=int, default=18, help="of the language model")
    parser.add_argument("--folder", type=Path, help="where the model lies, or is made; default: a temporary folder")
    parser.add_argument("--methods", nargs="+", default=METHODS)
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        print(json.dumps(measure(options.folder, options.alone)))
        return
    with tempfile.TemporaryDirectory() as place:
        folder = options.folder or Path(place) / "llava"
        if not (folder / "model.safetensors").is_file():
            make(folder, options.layers)
        rows = []
        for method in options.methods:
            asked = [sys.executable, "-m", "benchmarks.large", "--folder", str(folder), "--alone", method]
            found = json.loads(subprocess.run(asked, stdout=subprocess.PIPE, check=True).stdout.splitlines()[-1])
            rows.append(row(method, found))
    print(
        f"{found['weights'] / 1e6:,.0f} million prunable weights, read once in {found['read']:.2f} s; "
        f"loading takes {found['load']:.2f} bytes a weight\n"
    )
    print("| method | rank, bytes a weight | one mask | writing | most | rank + mask, reads | opening / its weights |")
    print("\n".join(["|" + "---|" * 7, *rows, f"| bar | | | | {BARS['bytes']:.2f} | {BARS['reads']:.0f} | |"]))


if __name__ == "__main__":
    main()
