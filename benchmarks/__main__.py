"""Figures at the sizes of real checkpoints, each model in a process of its own; random weights, no download.

python -m benchmarks                            # flatland-blip, CLIP-B/32, BLIP-base, X-VLM-base
python -m benchmarks siglip-base --pairs 4
python -m benchmarks.selecting                  # ways to sort and to select, on one layer
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks.measure import BARS, Figures, measure
from benchmarks.models import MODELS

DEFAULT = ("flatland-blip", "clip-b32", "blip-base-224", "xvlm-base")
ROWS = {
    "weights": ("prunable weights, millions", lambda f: f"{f.weights / 1e6:.1f}"),
    "layers": ("layers", lambda f: f"{f.layers}"),
    "read": ("one read of the weights, s", lambda f: f"{f.read:.4f}"),
    "plain": ("plain forward passes, s", lambda f: f"{f.plain:.2f}"),
    "calibration": ("calibration / plain", lambda f: f"{f.calibration:.3f}"),
    "calibration_memory": ("extra memory of calibration, MB", lambda f: f"{f.calibration_memory / 1e6:.0f}"),
    "order": ("score + order + 3 masks / one read", lambda f: f"{f.order:.0f}"),
    "order_memory": ("extra memory of that / weights", lambda f: f"{f.order_memory:.2f}"),
    "mask": ("one mask / one read", lambda f: f"{f.mask:.1f}"),
    "curve": ("table behind the slider, once, ms", lambda f: f"{f.curve:.0f}"),
    "slider": ("one step of the slider, ms", lambda f: f"{f.slider:.2f}"),
    "score": ("scores of the largest layer, ms", lambda f: f"{f.score:.0f}"),
    "critical_first": ("its critical sparsities, first time, ms", lambda f: f"{f.critical_first:.0f}"),
    "critical": ("the same again, ms", lambda f: f"{f.critical:.0f}"),
    "bits": ("bits per weight of a mask on disk", lambda f: f"{f.bits:.4f}"),
    "checkpoint": ("75 % sparse float16 file / its dense file", lambda f: f"{f.checkpoint:.3f}"),
}


def table(figures: list[Figures]) -> str:
    """A Markdown table: a row for every figure, a column for every model, the bar last."""
    rows = [["", *(f.model for f in figures), "bar"], ["---"] * (len(figures) + 2)]
    for name, (title, text) in ROWS.items():
        bar = f"<= {BARS[name]:g}" if name in BARS else ""
        rows.append([title, *(text(f) for f in figures), bar])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |" for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", help=f"of {', '.join(('flatland-blip', 'flatland-xvlm', *MODELS))}")
    parser.add_argument("--pairs", type=int, default=8, help="image-text pairs in a batch")
    parser.add_argument("--batches", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5, help="how often each time is taken; the least counts")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    names, passes = options.models or DEFAULT, (options.batches, options.pairs, options.rounds)
    if options.alone:
        print(json.dumps(asdict(measure(names[0], *passes))))
        return
    figures = []
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        sizes = [f"--{key}={value}" for key, value in zip(("batches", "pairs", "rounds"), passes)]
        ran = subprocess.run([sys.executable, "-m", "benchmarks", name, "--alone", *sizes], stdout=subprocess.PIPE)
        if ran.returncode:
            raise SystemExit(f"benchmarks: {name} could not be measured")
        figures.append(Figures(**json.loads(ran.stdout.splitlines()[-1])))
    print(f"{figures[0].threads} threads, {options.batches} batches of {options.pairs} pairs, float32\n")
    print(table(figures))
    print(
        "\nThe bars are those of models with some 200 million weights; where one read takes 2 ms, fixed costs weigh more."
    )
    if options.json:
        options.json.write_text(json.dumps([asdict(f) for f in figures], indent=1) + "\n")


if __name__ == "__main__":
    main()
