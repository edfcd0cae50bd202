"""What is left of a model's abilities, over all measured sparsities."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from ..look.palette import CLEAR, Palette, vertical
from ..look.words import listed, percent, plain

GAP = 0.09  # between two side by side, of the width
ROW, BETWEEN = 200, 104  # pixels: a row, and from one to the next
ABOVE, LEGEND = 84, 34  # pixels: above all rows, and of them for the names
Place = tuple[float, float]
TICKS = dict(tickvals=[0, 50, 100], ticktext=["0", "50", "100"], tickangle=0)


@dataclass(frozen=True)
class Ability:
    """One task: its figure for the dense model, and ((sparsity, figure), ...) for every method, all fractions."""

    title: str
    unit: str
    dense: float
    methods: tuple[tuple[str, tuple[tuple[float, float], ...]], ...]

    def points(self, method: str) -> tuple[tuple[float, float], ...]:
        """A method's curve, from the dense model on."""
        measured = dict(self.methods).get(method, ())
        return ((0.0, self.dense), *(p for p in measured if p[0] > 0))


@dataclass(frozen=True)
class AbilityCurves:
    """Some tasks side by side, one line a method; `chosen` is the method in the sidebar, `sparsity` the slider's place."""

    abilities: tuple[Ability, ...]
    chosen: str
    sparsity: float

    def title(self) -> str:
        best = [self._best(a) for a in self.abilities]
        at = max((s for _, s in best), default=0.0)
        if at == 0:
            return "The dense model sets the mark; every method starts from it"
        ahead = Counter(name for name, _ in best)
        among = list(dict.fromkeys(name for ability in self.abilities for name, _ in ability.methods))
        of = f"Of {listed(among)}, " if len(among) > 1 else ""
        if self.chosen in ahead:
            return f"{of}{self.chosen} keeps most in {ahead[self.chosen]} of {len(best)} tasks at {percent(at)}"
        winner, tasks = ahead.most_common(1)[0]
        other = f"{self.chosen} in none" if self.chosen in among else f"{self.chosen} was not measured"
        return f"{of}{winner} keeps most in {tasks} of {len(best)} tasks at {percent(at)}, {other}"

    def _best(self, ability: Ability) -> tuple[str, float]:
        """The method that keeps most at the measured sparsity next to the slider's, and that sparsity."""
        places = sorted({s for name, _ in ability.methods for s, _ in ability.points(name)} | {0.0})
        at = min(places, key=lambda s: abs(s - self.sparsity))
        values = {name: dict(ability.points(name)).get(at, -1.0) for name, _ in ability.methods}
        return (max(values, key=lambda name: values[name]) if values else self.chosen), at

    def describe(self) -> str:
        parts = []
        for ability in self.abilities:
            line = ", ".join(f"{percent(v)} at {percent(s)}" for s, v in ability.points(self.chosen))
            parts.append(f"{ability.title} ({ability.unit}): {line}.")
        return f"Line charts over sparsity, {self.chosen} as a thick line, others as thin ones. {' '.join(parts)}"

    def table(self) -> dict[str, list]:
        rows = [(a.title, name, s, v) for a in self.abilities for name, _ in a.methods for s, v in a.points(name)]
        return {c: [row[i] for row in rows] for i, c in enumerate(("task", "method", "sparsity", "figure"))}

    def figure(self, palette: Palette) -> go.Figure:
        """Two side by side, as many rows as that takes; the methods are named once, above."""
        colors = palette.hues((name for ability in self.abilities for name, _ in ability.methods), self.chosen)
        rows = -(-len(self.abilities) // 2)
        layout: dict[str, Any] = dict(
            height=ABOVE + ROW * rows, hovermode="closest", margin=dict(l=8, r=8, t=ABOVE, b=8), showlegend=True,
            shapes=[], annotations=[], legend=dict(y=1 + (ABOVE - LEGEND) / (ROW * max(1, rows))),
        )  # fmt: skip
        traces = []
        for n, (ability, place) in enumerate(zip(self.abilities, self._places(), strict=True)):
            axis = str(n + 1) if n else ""
            here = dict(xaxis=f"x{axis}", yaxis=f"y{axis}", showlegend=n == 0)
            ordered = sorted(ability.methods, key=lambda method: method[0] == self.chosen)
            traces += [self._line(ability, name, colors[name]) | here for name, _ in ordered]
            traces.append(self._dense(ability, palette) | here)
            layout |= self._axes(axis, *place)
            layout["shapes"].append(vertical(100 * self.sparsity, palette, f"x{axis}", f"y{axis} domain"))
            layout["annotations"].append(self._heading(ability, place, palette))
        return palette.figure(traces, layout)

    def _places(self) -> list[tuple[Place, Place]]:
        """From where to where every panel goes, across and upwards, as shares of the chart."""
        rows, columns = -(-len(self.abilities) // 2), min(2, len(self.abilities))
        between = BETWEEN / (ROW * max(1, rows))
        wide, high = (1 - GAP * (columns - 1)) / max(1, columns), (1 - between * (rows - 1)) / max(1, rows)
        corners = [(n % 2 * (wide + GAP), 1 - n // 2 * (high + between)) for n in range(len(self.abilities))]
        return [((left, left + wide), (top - high, top)) for left, top in corners]

    def _axes(self, axis: str, across: Place, up: Place) -> dict[str, Any]:
        return {
            f"xaxis{axis}": dict(
                domain=across, range=[0, 104], **TICKS, anchor=f"y{axis}", ticklabelstandoff=CLEAR,
                title=dict(text="weights pruned, %"),
            ),
            f"yaxis{axis}": dict(
                domain=up, range=[0, 104 * max(1.0, self._highest())], **TICKS, anchor=f"x{axis}",
                title=dict(text="right, %"),
            ),
        }  # fmt: skip

    def _heading(self, ability: Ability, place: tuple[Place, Place], palette: Palette) -> dict[str, Any]:
        return dict(
            text=f"<b>{ability.title}</b><br>{ability.unit}", x=place[0][0], y=place[1][1], xref="paper", yref="paper",
            xanchor="left", align="left", yanchor="bottom", yshift=4, showarrow=False, font=dict(size=13, color=palette.ink),
        )  # fmt: skip

    def _highest(self) -> float:
        return max((v for a in self.abilities for name, _ in a.methods for _, v in a.points(name)), default=1.0)

    def _dense(self, ability: Ability, palette: Palette) -> dict[str, Any]:
        return dict(
            type="scatter",
            x=[0, 104],
            y=[100 * ability.dense] * 2,
            mode="lines",
            name="dense",
            line=dict(color=palette.dense, width=2, dash="dash"),
            hovertemplate="dense: %{y:.1f} %<extra></extra>",
        )

    def _line(self, ability: Ability, name: str, color: str) -> dict[str, Any]:
        points, chosen = ability.points(name), name == self.chosen
        return dict(
            type="scatter",
            x=[100 * s for s, _ in points],
            y=[100 * v for _, v in points],
            name=plain(name),
            legendgroup=name,
            mode="lines+markers",
            marker=dict(size=7 if chosen else 4),
            line=dict(color=color, width=3.5 if chosen else 1.5),
            hovertemplate=f"{plain(name)} at %{{x:.0f}} %: %{{y:.1f}} %<extra></extra>",
        )
