"""One task, several methods: what is left of it over the measured sparsities."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from ..look.palette import CLEAR, Palette, vertical
from ..look.words import ordinal, percent, plain
from .ends import Ends

MARKS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star", "hexagon")
HEIGHT = 430
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


@dataclass(frozen=True)
class TaskLines:
    """`lines` are (method, ((sparsity, mean, lowest, highest), ...)), all fractions; ranges are over seeds and samples of pictures.

    `hidden`: how many measured methods have no line; the title must not speak for them.
    """

    task: str
    unit: str
    dense: float
    lines: tuple[tuple[str, tuple[tuple[float, float, float, float], ...]], ...]
    chosen: str
    sparsity: float
    hidden: int = 0

    def title(self) -> str:
        at, ranking = self.ranking()
        if not ranking:
            return f"{self.task}: nothing measured for these methods"
        values = dict(ranking)
        place = 1 + sum(v > values[self.chosen] for v in values.values()) if self.chosen in values else 0
        value = ranking[0][1]
        first = sorted((name for name, v in ranking if v == value), key=lambda name: name != self.chosen)
        among = "Of the methods shown, " if self.hidden else ""
        others = {1: "", 2: f", as does {first[-1]}"}.get(len(first), f", as do {len(first) - 1} others")
        best = f"{among}{first[0]} keeps most at {percent(at)}: {percent(value)} {self.unit}{others}"
        return best if place in (0, 1) else f"{best}; {self.chosen} comes {ordinal(place)} of {len(ranking)}"

    def ranking(self) -> tuple[float, list[tuple[str, float]]]:
        """The measured sparsity nearest to the slider's, and the methods there, best first."""
        places = {s for _, points in self.lines for s, *_ in points}
        if not places:
            return 0.0, []
        at = min(places, key=lambda s: abs(s - self.sparsity))
        values = [(name, point[1]) for name, points in self.lines for point in points if point[0] == at]
        return at, sorted(values, key=lambda v: -v[1])

    def highest(self) -> float:
        """The highest value there is: not every figure is a share."""
        return max((self.dense, *(point[3] for _, points in self.lines for point in points)))

    def describe(self) -> str:
        parts = (f"{n}: " + ", ".join(f"{percent(m)} at {percent(s)}" for s, m, *_ in p) for n, p in self.lines)
        return (
            f"Line chart of {self.task} ({self.unit}) over sparsity; dense {percent(self.dense)}. {'; '.join(parts)}."
        )

    def table(self) -> dict[str, list]:
        rows = [(name, *point) for name, points in self.lines for point in points]
        heads = ("method", "sparsity", "mean", "lowest", "highest")
        return {head: [row[i] for row in rows] for i, head in enumerate(heads)}

    def figure(self, palette: Palette) -> go.Figure:
        colors = palette.hues([name for name, _ in self.lines], self.chosen)
        top = 104 * max(1.0, self.highest())
        ends = Ends(HEIGHT, top)
        by_mean = sorted(self.lines, key=lambda line: sum(point[1] for point in line[1]))  # the order of ends that meet
        for name, points in by_mean:
            if points:
                ends.add(plain(name), 100 * points[-1][0], 100 * points[-1][1], colors[name], name == self.chosen)
        traces = [self._trace(i, name, points, colors[name]) for i, (name, points) in enumerate(self.lines)]
        dense = dict(
            type="scatter", x=[0, 100], y=[100 * self.dense] * 2, mode="lines", name="dense",
            line=dict(color=palette.dense, width=2, dash="dash"), hovertemplate="dense: %{y:.1f} %<extra></extra>",
        )  # fmt: skip
        ends.add("dense", 100, 100 * self.dense, palette.dense)
        labels, leaders = ends.drawn()
        layout = dict(
            height=HEIGHT, margin=dict(l=8, r=ends.room, t=8, b=8),
            shapes=[vertical(100 * self.sparsity, palette), *leaders], annotations=labels,
            xaxis=dict(range=[0, 100], ticksuffix=" %", ticklabelstandoff=CLEAR, title=dict(text="weights pruned")),
            yaxis=dict(range=[0, top], ticksuffix=" %", title=dict(text=self.unit)),
        )  # fmt: skip
        return palette.figure([*traces, dense], layout)

    def _trace(self, i: int, name: str, points: tuple, color: str) -> dict:
        chosen = name == self.chosen
        points = ((0.0, self.dense, self.dense, self.dense), *points)
        return dict(
            type="scatter",
            mode="lines+markers",
            name=plain(name),
            x=[100 * p[0] for p in points],
            y=[100 * p[1] for p in points],
            error_y=dict(
                type="data",
                symmetric=False,
                array=[100 * (p[3] - p[1]) for p in points],
                thickness=1.2,
                arrayminus=[100 * (p[1] - p[2]) for p in points],
                visible=any(p[3] > p[2] for p in points),
            ),
            marker=dict(symbol=MARKS[i % len(MARKS)], size=9 if chosen else 8),
            line=dict(color=color, width=3.5 if chosen else 1.8, dash="solid" if chosen else DASHES[i % len(DASHES)]),
            hovertemplate=f"{plain(name)} at %{{x:.0f}} %: %{{y:.1f}} %<extra></extra>",
        )
