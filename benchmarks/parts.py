"""What each part of Reflow is worth: the method whole, and with one part taken out at a time, into a result file.

python -m benchmarks.parts flatland-blip      # 75, 85 and 90 %, into assets/results/flatland-blip.parts.json, which Methods shows
python -m benchmarks.parts flatland-blip --sparsities 0.75 --pairs 64 --items 100 --out parts.json
python -m benchmarks.parts flatland-blip --search --sparsities 0.85 --items 200 --out search.json   # how its options were chosen

What the file holds is not measured again. SparseGPT and MULTIFLOW stand beside, with as many pairs. Options are chosen on the split
val, which is not reported elsewhere.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.engine.checkpoints import parts_file
from multiflow_core import load
from multiflow_core.experiments.benchmark import full_exam, short_exam
from multiflow_core.experiments.prepare import sample_of
from multiflow_core.experiments.results import Measured, Results
from multiflow_core.experiments.run import Run
from multiflow_core.experiments.sweep import Sweep
from multiflow_core.pruning.methods.reflow import PARTS
from multiflow_core.tasks.task import tasks

SPARSITIES = (0.75, 0.85, 0.9)
BESIDE = ("sparsegpt", "multiflow")
SEARCH: tuple[dict[str, Any], ...] = (
    {"at_once": "block", "steps": 30, "rising": 15},
    {"steps": 30, "rising": 15},
    {"steps": 30, "rising": 15, "refit": 20},
    {},  # as it is
    {"steps": 120, "rising": 90},
    *({"budgets": name} for name in ("uniform", "owl", "alphapruning", "ecoflap")),
)


def runs(sparsities: Sequence[float], parts: Sequence[str] = tuple(PARTS)) -> dict[str, list[Run]]:
    """{what is measured: its runs}, the whole first.

    >>> list(runs([0.5], ["budgets"]))
    ['reflow', 'budgets: uniform', 'sparsegpt', 'multiflow']
    """
    named = {"reflow": ("reflow", ())}
    for part in parts:
        named |= {f"{part}: {value}": ("reflow", ((part, value),)) for value in PARTS[part]}
    named |= {method: (method, ()) for method in BESIDE}
    return {
        name: [Run("", method, sparsity, options=options) for sparsity in sparsities]
        for name, (method, options) in named.items()
    }


def searched(sparsities: Sequence[float]) -> dict[str, list[Run]]:
    """The same for what was tried beside the options as they are."""
    return {
        ", ".join(f"{name} {value}" for name, value in options.items()) or "reflow": [
            Run("", "reflow", sparsity, options=tuple(options.items())) for sparsity in sparsities
        ]
        for options in SEARCH
    }


def table(results: Results, measured: dict[str, list[Run]]) -> str:
    """A Markdown table: a row for each part and sparsity, a column for each task."""
    shown = [task for task in tasks() if results.dense_figure(task.name) is not None]
    rows = [["changed", "sparsity", *(task.title for task in shown)]]
    rows += [["---"] * len(rows[0]), ["dense", "", *(_said(results.dense_figure(task.name)) for task in shown)]]
    for name, planned in measured.items():
        for found in filter(None, map(results.find, planned)):
            rows.append([name, f"{found.run.sparsity:.0%}", *(_said(found.figure(task.name)) for task in shown)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _said(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.3f}"


def _line(name: str, found: Measured) -> str:
    figures = (f"{task} {found.figure(task):.3f}" for task in found.scores if found.figure(task) is not None)
    return f"{name:<24} {found.run.sparsity:>4.0%}  {'  '.join(figures)}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks.parts", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--sparsities", nargs="+", type=float, default=SPARSITIES)
    parser.add_argument("--parts", nargs="*", choices=tuple(PARTS), default=tuple(PARTS), help="which to take out")
    parser.add_argument(
        "--search", action="store_true", help="what was tried for its options instead, with --items on val"
    )
    parser.add_argument("--pairs", type=int, default=256, help="calibration pairs, with up to three questions each")
    parser.add_argument("--items", type=int, help="pictures for every task (default: as evaluate)")
    parser.add_argument("--tasks", nargs="+", help="default: all")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, help="result file (default: where Methods looks for it)")
    asked = parser.parse_args(arguments)
    if asked.search and not (asked.items and asked.out):
        parser.error("a search is on pictures of the split val, into a file of its own: say --items and --out")
    vlm = load(asked.model, device=asked.device)
    exam = full_exam("val" if asked.search else "test", asked.items) if asked.items else short_exam()
    sample = sample_of(asked.pairs)
    out = asked.out or parts_file(asked.model)
    sweep = Sweep(vlm, exam, out, report=lambda told: None, sample=sample, only=asked.tasks)
    measured = searched(asked.sparsities) if asked.search else runs(asked.sparsities, asked.parts)
    for name, planned in measured.items():
        for run in planned:
            print(_line(name, sweep.run([run]).find(run)), flush=True)
    print(table(sweep.results, measured))


if __name__ == "__main__":
    main()
