"""What a model says at rising sparsities: one band for everything it says, as long as it says it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

import plotly.graph_objects as go

from ..look.palette import Palette, vertical
from ..look.words import percent, plain

LINE, GAP, FRAME = 19, 17, 74  # pixels: of a line of text, between rows, of the axis
NARROW, LINES = 34, 3  # letters and lines of a row's label
SIGNS = {True: "✓ ", False: "✗ ", None: ""}


@dataclass(frozen=True)
class Flip:
    """Where something that holds for the dense model first ceases to: `last` and `first` are neighbouring asked
    sparsities before and after (`first` None: it holds throughout), `back` the next one at which it holds again."""

    last: float
    first: float | None = None
    back: float | None = None


def flip(points: Sequence[tuple[float, bool]]) -> Flip:
    """The first change in (sparsity, whether it holds), by rising sparsity, the first of which must hold.

    >>> flip([(0.0, True), (0.5, True), (0.6, False), (0.7, True)])
    Flip(last=0.5, first=0.6, back=0.7)
    """
    fails = next((i for i, (_, holds) in enumerate(points) if not holds), None)
    if fails is None:
        return Flip(points[-1][0])
    if not fails:
        raise ValueError("what never held cannot change")
    back = next((s for s, holds in points[fails:] if holds), None)
    return Flip(points[fails - 1][0], points[fails][0], back)


@dataclass(frozen=True)
class Rung:
    """What a model says at one sparsity; `true`: whether that is right, None where nobody knows; `sure`: its probability."""

    sparsity: float
    said: str
    true: bool | None
    sure: float


@dataclass(frozen=True)
class SaidLadder:
    """The rungs by rising sparsity, the dense model first; `thing` is "answer" or "caption"; the slider is at `sparsity`.

    Before it is `complete` it says nothing of where something changes.
    """

    thing: str
    method: str
    rungs: tuple[Rung, ...]
    sparsity: float
    complete: bool = True

    @property
    def rows(self) -> tuple[str, ...]:
        """Everything that is said, in the order in which it first is."""
        return tuple(dict.fromkeys(rung.said for rung in self.rungs))

    @property
    def same(self) -> Flip:
        """Up to where it says what the dense model says."""
        return flip([(rung.sparsity, rung.said == self.rungs[0].said) for rung in self.rungs])

    @property
    def held(self) -> Flip | None:
        """Up to where what it says is true; None where it is not from the start, or nobody knows."""
        if not self.rungs[0].true:
            return None
        return flip([(rung.sparsity, bool(rung.true)) for rung in self.rungs])

    def title(self) -> str:
        if not self.complete:
            return f"{self.method}'s {self.thing} at {len(self.rungs)} sparsities so far"
        same, held, first = self.same, self.held, self.rungs[0].said
        says = f"{self.method} keeps the dense model's {self.thing}"
        if self.thing == "answer":
            says = f"{self.method} answers {_quoted(first)}"
        if same.first is None:
            return f"{says} at every sparsity tried, up to {percent(same.last)}"
        again = "" if same.back is None else f" (again at {percent(same.back)})"
        text = f"{says} up to {percent(same.last)}{again}"
        if held and held.last > same.last:
            text += f" and a true one up to {percent(held.last)}"
        elif self.thing == "answer":
            text += f", then {_quoted(next(rung.said for rung in self.rungs if rung.said != first))}"
        return text

    def describe(self) -> str:
        parts = [
            f"{percent(stretch[0].sparsity)} to {percent(stretch[-1].sparsity)}: {SIGNS[stretch[0].true]}"
            f"{stretch[0].said or 'nothing'}"
            for stretch in self.stretches()
        ]
        return f"Strip of the {self.thing} over sparsity with {self.method}. {'; '.join(parts)}."

    def stretches(self) -> list[tuple[Rung, ...]]:
        """Neighbouring rungs at which the same is said."""
        return [tuple(group) for _, group in itertools.groupby(self.rungs, key=lambda rung: rung.said)]

    def table(self) -> dict[str, list]:
        return {
            "sparsity": [rung.sparsity for rung in self.rungs],
            self.thing: [rung.said for rung in self.rungs],
            "true": [{True: "yes", False: "no", None: "not known"}[rung.true] for rung in self.rungs],
            "probability": [rung.sure for rung in self.rungs],
        }

    def figure(self, palette: Palette) -> go.Figure:
        labels = {row: _label(row) for row in self.rows}
        truth = {rung.said: rung.true for rung in self.rungs}
        traces = [self._band(stretch, palette) for stretch in self.stretches()]
        height = FRAME + sum(GAP + LINE * text.count("<br>") + LINE for text in labels.values())
        layout = dict(
            height=height, margin=dict(l=8, r=26, t=8, b=8), shapes=[vertical(100 * self.sparsity, palette)],
            xaxis=dict(range=[-1.5, 101.5], ticksuffix=" %", tickangle=0, title=dict(text="weights pruned")),
            yaxis=dict(
                tickvals=list(range(len(labels))), ticktext=[SIGNS[truth[row]] + text for row, text in labels.items()],
                range=[len(labels) - 0.5, -0.5], zeroline=False, ticksuffix="  ", tickfont=dict(color=palette.ink, size=14),
                title=dict(text=self.thing),
            ),
        )  # fmt: skip
        return palette.figure(traces, layout)

    def _band(self, stretch: tuple[Rung, ...], palette: Palette) -> dict:
        color = {True: palette.true, False: palette.false, None: palette.pruned}[stretch[0].true]
        ends = [i in (0, len(stretch) - 1) for i in range(len(stretch))]  # which are round, with dots between them
        dots = dict(
            size=[14 if end else 5 for end in ends],
            opacity=1,
            color=[color if end else palette.background for end in ends],
        )
        return dict(
            type="scatter",
            mode="lines+markers",
            x=[100 * rung.sparsity for rung in stretch],
            y=[self.rows.index(stretch[0].said)] * len(stretch),
            line=dict(color=color, width=14),
            marker=dots,
            customdata=[[_label(rung.said), 100 * rung.sure] for rung in stretch],
            hovertemplate="%{x:.0f} % pruned: %{customdata[0]}<br>%{customdata[1]:.1f} % sure<extra></extra>",
        )


def _quoted(text: str) -> str:
    return f"“{text}”" if text else "nothing"


def _label(text: str) -> str:
    """A text in short lines, cut where it is too long to read."""
    lines = wrap(text, NARROW) or ["(nothing)"]
    return "<br>".join(map(plain, lines[:LINES])) + (" …" if len(lines) > LINES else "")
