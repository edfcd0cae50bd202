"""How fast models are beside the dense one, and what each still can do at that speed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from ..look.palette import Palette, vertical
from ..look.words import percent, plain

FASTER = 1.1  # from here on a model is called faster
ROW, FRAME = 34, 84
KINDS = {
    "dense": "as it is",
    "mask": "zeros in dense matrices",
    "neurons": "smaller matrices",
    "peer": "smaller, by Torch-Pruning",
}
MARKS = {"dense": "diamond", "mask": "circle-open", "neurons": "circle", "peer": "square"}


@dataclass(frozen=True)
class Runner:
    """A model: its name, what kind it is (a key of `KINDS`), how many times as fast as the dense one (median and quartiles), and
    what share of a task it does, None where that was not measured."""

    name: str
    kind: str
    faster: float
    low: float
    high: float
    figure: float | None = None


def _hue(kind: str, palette: Palette) -> str:
    return {"dense": palette.dense, "neurons": palette.pruned, "peer": palette.beside[0]}.get(kind, palette.muted)


@dataclass(frozen=True)
class Race:
    """Bars: how many times as fast as the dense model each one does `what`, so many pictures at a time."""

    what: str
    batch: int
    runners: tuple[Runner, ...]

    def title(self) -> str:
        """What is fast, and that zeros are not."""
        others = [runner for runner in self.runners if runner.kind != "dense"]
        quick = max(others, key=lambda runner: runner.faster, default=None)
        if quick is None or quick.faster < FASTER:
            return "No model is faster than the dense one here"
        masks = [runner.faster for runner in others if runner.kind == "mask"]
        slow = "; zeros alone make nothing faster" if masks and max(masks) < FASTER else ""
        return f"{quick.name[:1].upper()}{quick.name[1:]}: {quick.faster:.2f} times as fast{slow}"

    def describe(self) -> str:
        said = "; ".join(f"{one.name} {one.faster:.2f} ({one.low:.2f} to {one.high:.2f})" for one in self.runners)
        return f"Bars of times as fast as the dense model, {self.what}, {self.batch} at a time: {said}."

    def table(self) -> dict[str, list]:
        columns = {"model": [one.name for one in self.runners], "kind": [KINDS[one.kind] for one in self.runners]}
        numbers = (("times as fast", "faster"), ("lower quartile", "low"), ("upper quartile", "high"))
        return columns | {name: [getattr(one, field) for one in self.runners] for name, field in numbers}

    def figure(self, palette: Palette) -> go.Figure:
        names = [plain(one.name) for one in self.runners]
        bars = dict(
            type="bar",
            orientation="h",
            y=names,
            x=[one.faster for one in self.runners],
            width=0.6,
            marker=dict(color=[_hue(one.kind, palette) for one in self.runners], line=dict(width=0)),
            text=[f"{one.faster:.2f}×" for one in self.runners],
            textposition="inside",
            insidetextanchor="start",
            textfont=dict(size=14, color=[palette.on(_hue(one.kind, palette)) for one in self.runners]),
            error_x=dict(
                type="data",
                symmetric=False,
                color=palette.ink,
                thickness=1.2,
                width=4,
                array=[one.high - one.faster for one in self.runners],
                arrayminus=[one.faster - one.low for one in self.runners],
            ),
            hovertemplate="%{y}: %{x:.2f} times as fast<extra></extra>",
        )
        layout = dict(
            height=FRAME + ROW * len(names),
            shapes=[vertical(1.0, palette)],
            # what is timed stands in the switch above: the axis is too short to say it again
            xaxis=dict(rangemode="tozero", ticksuffix="×", title=dict(text="times as fast as dense")),
            yaxis=dict(autorange="reversed", type="category", showgrid=False, ticksuffix=" ", title=dict(text="model")),
        )
        return palette.figure([bars], layout)


@dataclass(frozen=True)
class Trade:
    """A dot for each model: to the right the faster ones, above those that still can do a task."""

    task: str
    unit: str
    runners: tuple[Runner, ...]
    dense: float | None = None

    def title(self) -> str:
        """What the fastest one that was asked keeps."""
        asked = [one for one in self.runners if one.kind == "neurons" and one.figure is not None]
        if not asked:
            return f"{self.task}: what these models still can do was not measured"
        quick = max(asked, key=lambda one: one.faster)
        return f"{quick.faster:.1f} times as fast, {percent(quick.figure)} {self.unit}"

    def describe(self) -> str:
        said = "; ".join(f"{one.name} {one.faster:.2f} times, {percent(one.figure)}" for one in self._measured())
        return f"Dots of {self.unit} over times as fast as the dense model: {said}."

    def table(self) -> dict[str, list]:
        shown = self._measured()
        return {
            "model": [one.name for one in shown],
            "times as fast": [one.faster for one in shown],
            self.unit: [one.figure for one in shown],
        }

    def _measured(self) -> list[Runner]:
        return [one for one in self.runners if one.figure is not None]

    def figure(self, palette: Palette) -> go.Figure:
        shown = {kind: [one for one in self._measured() if one.kind == kind] for kind in KINDS}
        traces = [self._dots(kind, here, palette) for kind, here in shown.items() if here]
        layout = dict(
            height=390,
            showlegend=True,
            xaxis=dict(ticksuffix="×", title=dict(text="times as fast as dense")),
            yaxis=dict(range=[-3, 104], ticksuffix=" %", title=dict(text=self.unit)),
        )
        return palette.figure(traces, layout)

    @staticmethod
    def _dots(kind: str, here: Sequence[Runner], palette: Palette) -> dict[str, Any]:
        hue = _hue(kind, palette)
        return dict(
            type="scatter",
            mode="markers",
            name=KINDS[kind],
            x=[one.faster for one in here],
            y=[100 * one.figure for one in here],
            text=[plain(one.name) for one in here],
            marker=dict(size=14, symbol=MARKS[kind], color=hue, line=dict(width=2, color=hue)),
            hovertemplate="%{text}: %{x:.2f} times as fast, %{y:.1f} %<extra></extra>",
        )
