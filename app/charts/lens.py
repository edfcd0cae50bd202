"""The saliency lens: one layer's matrix, its input saliencies on top and its output saliencies at the left."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ..look.palette import Palette
from ..look.words import percent
from .picking import targets

HEIGHT = 510
MAIN, STRIP = 0.86, 0.12  # shares of the picture
TICKS = 8


@dataclass(frozen=True)
class View:
    """What the cells of the matrix show.

    Attributes:
        title: its name for people. axis: title of the colour bar.
        scale: how values become colours: "amount", "powers" (of ten), "sparsity" or "difference".
        one, mean, extreme: what the value of a single weight is called, a cell's value, and a cell's second value (where
            there is one).
    """

    title: str
    axis: str
    scale: str
    one: str
    mean: str
    extreme: str = ""

    @property
    def unit(self) -> str:
        """What follows a value: fractions are shown in per cent."""
        return " %" if self.scale in ("sparsity", "difference") else ""


VIEWS: dict[str, View] = {
    "magnitude": View("Magnitude", "|w|", "amount", "|w|", "mean |w|", "largest"),
    "signal": View("Signal", "|w| a", "amount", "|w| a", "mean |w| a", "largest"),
    "score": View("Score", "score", "powers", "score", "mean score", "highest"),
    "critical": View("Critical sparsity", "goes at, %", "sparsity", "goes at", "goes at, on average,", "all gone at"),
    "mask": View("Mask", "pruned, %", "sparsity", "pruned", "pruned"),
    "disagreement": View("Disagreement", "", "difference", "kept more", "kept more", "in dispute"),
}


@dataclass(frozen=True, eq=False)
class Strip:
    """The neurons at one side of a matrix, in the cells of its picture.

    Attributes:
        side: "input" or "output".
        edges: int (cells + 1,): where cells begin and end.
        saliency: (cells,): the highest of each cell. dead: (cells,): how many neurons of each have no weight left.
        carriers: the fewest neurons of the whole layer that hold half of its saliency.
        all_dead, size: dead neurons and neurons of the whole layer.
    """

    side: str
    edges: np.ndarray
    saliency: np.ndarray
    dead: np.ndarray
    carriers: int
    all_dead: int
    size: int

    @property
    def width(self) -> int:
        """Neurons in a cell; the last one may have fewer."""
        return int(self.edges[1] - self.edges[0])

    @property
    def firsts(self) -> np.ndarray:
        """The first neuron of every cell, which is also where the cell is drawn: the smallest unsigned type that fits."""
        return self.edges[:-1].astype(np.min_scalar_type(int(self.edges[-1])))

    @property
    def range(self) -> list[float]:
        """The axis on which cells are centred at their first neuron."""
        return [float(self.edges[0] - self.width / 2), float(self.firsts[-1] + self.width / 2)]

    def ticks(self) -> list[int]:
        """Round numbers of neurons to be written at the axis."""
        first, last = int(self.edges[0]), int(self.edges[-1])
        raw = max(1, (last - first) / TICKS)
        power = 10 ** math.floor(math.log10(raw))
        step = next(power * n for n in (1, 2, 5, 10) if power * n >= raw)
        return list(range(-(-first // step) * step, last, step))


@dataclass(frozen=True, eq=False)
class Lens:
    """One layer under one method at one sparsity, or a window of it.

    Attributes:
        layer, modality: of the layer, for people.
        view: a name in `VIEWS`.
        outputs, inputs: rows and columns.
        cells: float (rows, columns): the mean of the view's value in each cell; fractions for masks.
        extremes: the same shape: the view's second value.
        sparsity: the layer's, at the slider.
        methods: the chosen one and the one it is compared with.
        weight: (row, column) of the chosen weight.
    """

    layer: str
    modality: str
    view: str
    outputs: Strip
    inputs: Strip
    cells: np.ndarray
    extremes: np.ndarray
    sparsity: float
    methods: tuple[str, str] = ("", "")
    weight: tuple[int, int] | None = None

    @property
    def single(self) -> bool:
        """Whether every weight has a cell of its own."""
        return self.inputs.width == self.outputs.width == 1

    def title(self) -> str:
        return f"{self.layer}: {self._finding()}; {self._dead()}"

    def _finding(self) -> str:
        if self.view == "disagreement":
            sizes = np.outer(np.diff(self.outputs.edges), np.diff(self.inputs.edges))
            share = float((self.extremes * sizes).sum() / sizes.sum())
            return f"{' and '.join(self.methods)} disagree on {percent(share)} of the weights shown"
        inputs = self.inputs
        many = f"{inputs.carriers} of {inputs.size} inputs carry half of the saliency"
        return f"{percent(self.sparsity)} pruned; {many if inputs.carriers else 'no input carries any saliency'}"

    def _dead(self) -> str:
        found = [(s.all_dead, f"{s.side}{'s' if s.all_dead > 1 else ''}") for s in (self.inputs, self.outputs)]
        said = [f"{count} {name}" for count, name in found if count]
        verb = "is" if sum(count for count, _ in found) == 1 else "are"
        return f"{' and '.join(said)} {verb} dead" if said else "no neuron is dead"

    def describe(self) -> str:
        spans = [f"{s.side}s {s.edges[0]} to {s.edges[-1] - 1}" for s in (self.outputs, self.inputs)]
        return (
            f"Heatmap of {VIEWS[self.view].title.lower()}, {spans[0]} down and {spans[1]} across, in cells of "
            f"{self.outputs.width} × {self.inputs.width} weights, with bars of input saliency on top and of output saliency at "
            f"the left. {self.title()}."
        )

    def table(self) -> dict[str, list]:
        """The same numbers as columns, one line a cell."""
        rows, columns = self._places()
        view = VIEWS[self.view]
        names = (view.one, "") if self.single else (view.mean, view.extreme)
        values = zip(names, (self.cells, self.extremes), strict=True)
        return {
            "from output": rows.tolist(),
            "from input": columns.tolist(),
            **{name.rstrip(","): grid.ravel().tolist() for name, grid in values if name},
        }

    def figure(self, palette: Palette) -> go.Figure:
        bars, marks = self._bars(palette), self._marks(palette)
        layout = dict(
            height=HEIGHT, bargap=0, dragmode=False, hoverdistance=100, shapes=self._outline(palette),
            xaxis=self._axis(self.inputs) | dict(domain=[1 - MAIN, 1], anchor="y"),
            yaxis=self._axis(self.outputs) | dict(domain=[0, MAIN], anchor="x2"),
            xaxis2=_strip_axis("output saliency") | dict(domain=[0, STRIP], anchor="y", autorange="reversed"),
            yaxis2=_strip_axis("input saliency") | dict(domain=[1 - STRIP, 1], anchor="x", side="right"),
        )  # fmt: skip
        for axis in (
            "xaxis",
            "yaxis",
        ):  # under the pointer: the row and the column that meet in a weight, up to their bars
            layout[axis] |= dict(
                showspikes=True, spikemode="across", spikesnap="hovered data", spikethickness=1.5, spikedash="solid",
                spikecolor=palette.ink,
            )  # fmt: skip
        layout["yaxis"]["range"].reverse()
        return palette.figure([self._heat(palette), *bars, *marks, self._targets()], layout)

    def place(self, n: int) -> tuple[int, int]:
        """The first output and the first input of the nth cell, counted row by row."""
        row, column = divmod(n, len(self.inputs.firsts))
        return int(self.outputs.firsts[row]), int(self.inputs.firsts[column])

    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        """First output and first input of every cell, row by row."""
        rows, columns = self.outputs.firsts, self.inputs.firsts
        return np.repeat(rows, len(columns)), np.tile(columns, len(rows))

    def _heat(self, palette: Palette) -> dict[str, Any]:
        place = dict(
            x0=int(self.inputs.edges[0]), dx=self.inputs.width, y0=int(self.outputs.edges[0]), dy=self.outputs.width
        )
        return dict(type="heatmap", hoverinfo="skip", **place, **self._colours(palette))

    def _colours(self, palette: Palette) -> dict[str, Any]:
        """Values, the colours they become, and the bar that says so."""
        view = VIEWS[self.view]
        bar = dict(
            title=dict(text=view.axis, side="top", font=dict(size=13)), tickfont=dict(size=12), nticks=6, thickness=10,
            outlinewidth=0, len=MAIN, y=0, yanchor="bottom",
        )  # fmt: skip
        if view.scale == "sparsity":
            return dict(z=_small(100 * self.cells), zmin=0, zmax=100, colorscale=palette.scale, colorbar=bar)
        if view.scale == "difference":
            most = 100 * (1.0 if self.single else max(0.01, float(np.quantile(abs(self.cells), 0.99))))
            more = "only" if self.single else f"+{most:.0f} %"
            own, other = (f"{method}<br>{more}" for method in self.methods)
            bar |= dict(tickvals=[-most, 0, most], ticktext=[other, "agreed" if self.single else "equal", own])
            return dict(z=_small(100 * self.cells), zmin=-most, zmax=most, colorscale=palette.divergence, colorbar=bar)
        shown = self.cells
        if view.scale == "powers":
            shown = np.log10(np.where(self.cells > 0, self.cells, np.nan))
            bar |= _powers(*_span(shown))
        low, high = _span(shown)
        return dict(z=_small(shown), zmin=low, zmax=high, colorscale=palette.amounts(self.modality), colorbar=bar)

    def _targets(self) -> dict[str, Any]:
        """A point a cell, which can be clicked and tells the cell's numbers."""
        rows, columns = self._places()
        view = VIEWS[self.view]
        value, extreme = (f"%{{customdata[{n}]:.3g}}{view.unit}" for n in (1, 2))
        if self.single:
            hover = f"<b>output %{{y}}, input %{{x}}</b><br>{view.one} {value}<br>click: this weight"
        else:
            size = f"{self.outputs.width} × {self.inputs.width} weights from"
            second = f", {view.extreme} {extreme}" if view.extreme else ""
            hover = f"<b>{size} output %{{y}}, input %{{x}}</b><br>{view.mean} {value}{second}<br>click: zoom in"
        values = (100 if view.unit else 1) * np.stack([self.cells.ravel(), self.extremes.ravel()])
        data = np.vstack([np.arange(len(rows)), values]).T.astype(np.float32)
        # as texts without words they can be clicked like markers, but there are no thousands of shapes to draw
        return targets(columns, rows, data, 6, hover + "<extra></extra>") | {"mode": "text"}

    def _bars(self, palette: Palette) -> list[dict[str, Any]]:
        look = dict(type="bar", marker=dict(color=palette.of(self.modality), line=dict(width=0)))
        most = "" if self.single else "highest "

        def hover(strip: Strip, place: str, value: str) -> str:
            named = strip.side if strip.width == 1 else f"{strip.width} {strip.side}s from"
            return f"<b>{named} %{{{place}}}</b><br>{most}saliency %{{{value}:.3g}}<extra></extra>"

        top, left = self.inputs, self.outputs
        return [
            look
            | dict(
                x=top.firsts, y=_small(top.saliency), width=top.width, yaxis="y2", hovertemplate=hover(top, "x", "y")
            ),
            look
            | dict(
                y=left.firsts,
                x=_small(left.saliency),
                width=left.width,
                xaxis="x2",
                orientation="h",
                hovertemplate=hover(left, "y", "x"),
            ),
        ]

    def _marks(self, palette: Palette) -> list[dict[str, Any]]:
        """A cross at the foot of every bar under which a neuron is dead."""
        found = []
        for strip, axes in ((self.inputs, dict(yaxis="y2")), (self.outputs, dict(xaxis="x2"))):
            at = np.flatnonzero(strip.dead)
            along, across = strip.firsts[at], np.zeros(len(at), np.int8)
            x, y = (along, across) if strip.side == "input" else (across, along)
            hover = f"<b>%{{customdata}} dead {strip.side}s</b>: no weight is left<extra></extra>"
            symbol = dict(symbol="x", size=7, color=palette.pruned, line=dict(width=1, color=palette.background))
            if len(at):
                found.append(
                    dict(
                        type="scatter",
                        mode="markers",
                        x=x,
                        y=y,
                        customdata=strip.dead[at].astype(np.int32),
                        marker=symbol,
                        cliponaxis=False,
                        hovertemplate=hover,
                        **axes,
                    )
                )
        return found

    def _outline(self, palette: Palette) -> list[dict[str, Any]]:
        """A frame around the cell in which the chosen weight lies, if that is in sight."""
        if self.weight is None:
            return []
        frame = {}
        for letter, strip, at in zip("yx", (self.outputs, self.inputs), self.weight, strict=True):
            if not strip.edges[0] <= at < strip.edges[-1]:
                return []
            first = strip.firsts[np.searchsorted(strip.edges, at, side="right") - 1]
            frame |= {f"{letter}0": float(first - strip.width / 2), f"{letter}1": float(first + strip.width / 2)}
        lines = dict(color=palette.background, width=5), dict(color=palette.ink, width=2)
        return [dict(type="rect", line=line, **frame) for line in lines]

    @staticmethod
    def _axis(strip: Strip) -> dict[str, Any]:
        return dict(
            title=dict(text=f"{strip.side} neuron"),
            range=strip.range,
            tickvals=strip.ticks(),
            tickformat="d",
            showgrid=False,
            zeroline=False,
            fixedrange=True,
        )


def _strip_axis(title: str) -> dict[str, Any]:
    return dict(
        title=dict(text=title, font=dict(size=12)),
        nticks=2,
        rangemode="tozero",
        tickfont=dict(size=11),
        fixedrange=True,
        showgrid=False,
        zeroline=False,
    )


def _small(values: np.ndarray) -> np.ndarray:
    """Values as they travel: four bytes each."""
    return values.astype(np.float32)


def _span(values: np.ndarray) -> tuple[float, float]:
    """The range that colours cover: the middle 98 % of the values, so that one outlier does not grey out the rest."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = np.quantile(finite, (0.01, 0.99)).tolist()
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _powers(low: float, high: float) -> dict[str, list]:
    """Ticks of a colour bar from 10^low to 10^high: powers of ten, with steps between where there are few.

    >>> _powers(-3.4, -1.9)["ticktext"]
    ['5·10<sup>-4</sup>', '10<sup>-3</sup>', '2·10<sup>-3</sup>', '5·10<sup>-3</sup>', '10<sup>-2</sup>']
    """
    steps = (1, 2, 5) if high - low < 2 else (1,)
    found = [(n, power) for power in range(math.floor(low), math.ceil(high) + 1) for n in steps]
    found = [(n, power) for n, power in found if low <= power + math.log10(n) <= high]
    if len(found) < 2:
        return dict(tickvals=[low, high], ticktext=[f"{10**low:.2g}", f"{10**high:.2g}"])
    text = [f"{'' if n == 1 else f'{n}·'}10<sup>{power}</sup>" for n, power in found]
    return dict(tickvals=[power + math.log10(n) for n, power in found], ticktext=text)
