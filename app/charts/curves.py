"""What is left of a model's abilities, over all measured sparsities."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from ..look.palette import Palette, vertical
from ..look.words import listed, percent

GAP = 0.055
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
        return f"Line charts of {self.chosen} over sparsity, other methods in grey. " + " ".join(parts)

    def table(self) -> dict[str, list]:
        rows = [(a.title, name, s, v) for a in self.abilities for name, _ in a.methods for s, v in a.points(name)]
        return {c: [row[i] for row in rows] for i, c in enumerate(("task", "method", "sparsity", "figure"))}

    def figure(self, palette: Palette) -> go.Figure:
        traces, shapes, labels = [], [], []
        layout: dict[str, Any] = dict(height=290, hovermode="closest", margin=dict(l=8, r=8, t=52, b=8), shapes=shapes)
        width = (1 - GAP * (len(self.abilities) - 1)) / max(1, len(self.abilities))
        for n, ability in enumerate(self.abilities):
            axis, left = ("" if n == 0 else str(n + 1)), n * (width + GAP)
            place = dict(xaxis=f"x{axis}", yaxis="y")
            spread = self._spread(ability)
            for name, _ in sorted(ability.methods, key=lambda m: m[0] == self.chosen):
                traces.append(self._line(ability, name, spread, palette) | place)
            traces.append(self._dense(ability, palette) | place)
            shapes.append(vertical(100 * self.sparsity, palette, f"x{axis}"))
            layout[f"xaxis{axis}"] = dict(
                domain=[left, left + width], range=[0, 104], **TICKS, anchor="y",
                title=dict(text="weights pruned, %"),
            )  # fmt: skip
            labels.append(
                dict(
                    text=f"<b>{ability.title}</b><br>{ability.unit}",
                    x=left + width / 2,
                    y=1,
                    xref="paper",
                    yref="paper",
                    xanchor="center",
                    yanchor="bottom",
                    yshift=6,
                    showarrow=False,
                    font=dict(size=13, color=palette.ink),
                )
            )
        highest = max((v for a in self.abilities for name, _ in a.methods for _, v in a.points(name)), default=1.0)
        layout["yaxis"] = dict(range=[0, 104 * max(1.0, highest)], **TICKS, title=dict(text="unseen scenes right, %"))
        return palette.figure(traces, layout | {"annotations": labels})

    def _spread(self, ability: Ability) -> float:
        """The measured sparsity at which the methods lie farthest apart: there is room for their names."""
        curves = [dict(ability.points(name)) for name, _ in ability.methods]
        places = sorted({s for curve in curves for s in curve if s > 0 and sum(s in other for other in curves) > 1})

        def room(s: float) -> float:
            values = sorted(curve[s] for curve in curves if s in curve)
            return min(b - a for a, b in itertools.pairwise(values))

        return max(places, key=room, default=0.0)

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

    def _line(self, ability: Ability, name: str, spread: float, palette: Palette) -> dict[str, Any]:
        points = ability.points(name)
        chosen = name == self.chosen
        label = [name if s == spread and not chosen else "" for s, _ in points]
        return dict(
            type="scatter",
            x=[100 * s for s, _ in points],
            y=[100 * v for _, v in points],
            name=name,
            mode="lines+markers" if chosen else "lines+text",
            opacity=1.0 if chosen else 0.6,
            marker=dict(size=7),
            text=label,
            cliponaxis=False,
            textposition="bottom left",
            textfont=dict(size=11, color=palette.muted),
            line=dict(color=palette.pruned if chosen else palette.muted, width=3.5 if chosen else 1.5),
            hovertemplate=f"{name} at %{{x:.0f}} %: %{{y:.1f}} %<extra></extra>",
        )
