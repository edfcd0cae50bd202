"""What each part of Reflow is worth: the method whole, and with one part taken out at a time, into a result file.

python -m benchmarks.parts flatland-blip      # 75, 85 and 90 %, into assets/results/flatland-blip.parts.json, which Methods shows
python -m benchmarks.parts flatland-blip --sparsities 0.75 --pairs 64 --items 100 --out parts.json

What the file holds is not measured again. SparseGPT and MULTIFLOW stand beside, with as many pairs.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

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


def table(results: Results, measured: dict[str, list[Run]]) -> str:
    """A Markdown table: a row for each part and sparsity, a column for each task."""
    shown = [task for task in tasks() if results.dense_figure(task.name) is not None]
    rows = [["taken out", "sparsity", *(task.title for task in shown)]]
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
    parser.add_argument("--pairs", type=int, default=256, help="calibration pairs, with up to three questions each")
    parser.add_argument("--items", type=int, help="pictures for every task (default: as evaluate)")
    parser.add_argument("--tasks", nargs="+", help="default: all")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, help="result file (default: where Methods looks for it)")
    asked = parser.parse_args(arguments)
    vlm = load(asked.model, device=asked.device)
    exam = full_exam("test", asked.items) if asked.items else short_exam()
    sample = sample_of(asked.pairs)
    out = asked.out or parts_file(asked.model)
    sweep = Sweep(vlm, exam, out, report=lambda told: None, sample=sample, only=asked.tasks)
    measured = runs(asked.sparsities, asked.parts)
    for name, planned in measured.items():
        for run in planned:
            print(_line(name, sweep.run([run]).find(run)), flush=True)
    print(table(sweep.results, measured))


if __name__ == "__main__":
    main()
