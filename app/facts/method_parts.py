"""What each part of a method is worth: it was measured whole, and with one part taken out at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from multiflow_core.experiments.results import Measured, Results

from ..look.words import percent
from .measured import task_titles

WHOLE = "whole"


@dataclass(frozen=True)
class Parts:
    """A row for the whole and for each part that was taken out, worst last, at the sparsity `at`: (what, {task: figure})."""

    at: float
    dense: Mapping[str, float]
    pairs: int
    scenes: int
    rows: tuple[tuple[str, Mapping[str, float]], ...]

    @property
    def table(self) -> str:
        """As Markdown: the best of every column is bold."""
        titles = {task: title for task, title in task_titles().items() if task in self.dense}
        best = {task: max(figures.get(task, 0.0) for _, figures in self.rows) for task in titles}

        def cells(figures: Mapping[str, float], bold: bool) -> str:
            said = (
                f"**{100 * figures[task]:.1f}**"
                if bold and figures[task] == best[task]
                else f"{100 * figures[task]:.1f}"
                for task in titles
                if task in figures
            )
            return " | ".join(said)

        lines = [
            f"| at {percent(self.at)} | {' | '.join(titles.values())} |",
            "|---|" + "---|" * len(titles),
        ]
        lines += [f"| {what} | {cells(figures, True)} |" for what, figures in self.rows]
        asked = f"Calibrated on {self.pairs:,} pairs, measured on {self.scenes:,} pictures."
        rests = f"In %. Beside the whole, each row changes one option of the method. {asked}"
        return "\n".join([*lines, f"| dense | {cells(self.dense, False)} |", "", rests])


def worth(results: Results | None, method: str, sparsity: float) -> Parts | None:
    """The parts of a method as they were measured next to a sparsity; None where they were not."""
    runs = [found for found in (results.runs if results else ()) if found.run.method == method]
    whole = {found.run.sparsity for found in runs if not found.run.options}
    if not whole or len(runs) == len(whole):
        return None
    at = min(whole, key=lambda other: abs(other - sparsity))
    here = [found for found in runs if found.run.sparsity == at]
    shared = [task for task in results.dense if all(found.figure(task) is not None for found in here)]
    rows = [(_taken_out(found), {task: found.figure(task) for task in shared}) for found in here]
    rows.sort(key=lambda row: -sum(row[1].values()))
    dense = {task: results.dense_figure(task) for task in shared}
    return Parts(at, dense, results.head.get("calibration_pairs", 0), results.head.get("scenes", 0), tuple(rows))


def _taken_out(found: Measured) -> str:
    """What a run was measured with, in place of a part."""
    return "; ".join(f"{name}: {value}" for name, value in found.run.options) or WHOLE
