"""How likely each first word of an answer is, dense beside pruned."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from ..look.palette import Palette
from ..look.words import percent, plain

ROW, FRAME = 46, 88
EACH, LEAST = 4, 0.001  # words of either model that are shown, and how likely they must be


@dataclass(frozen=True)
class FirstWords:
    """`dense` and `pruned` are (word, probability) of the likeliest first words, likeliest first.

    `right` is the right answer, None where nobody knows it; `method` is the pruned model's name.
    """

    method: str
    dense: tuple[tuple[str, float], ...]
    pruned: tuple[tuple[str, float], ...]
    right: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """What is shown: the likeliest of either model, and the right one where a model considers it."""
        sides = (self.dense, self.pruned)
        wanted = [word for side in sides for n, (word, p) in enumerate(side[:EACH]) if n == 0 or p >= LEAST]
        wanted += [word for side in sides for word, _ in side if word == self.right]
        return tuple(sorted(dict.fromkeys(wanted), key=lambda word: -max(self._of(word))))

    def _of(self, word: str) -> tuple[float, float]:
        """Its probability in both models; 0 where it is not among those that were listed."""
        return dict(self.dense).get(word, 0.0), dict(self.pruned).get(word, 0.0)

    def title(self) -> str:
        word = self.right if self.right in self.words else self.dense[0][0]
        dense, pruned = self._of(word)
        kind = "the right word, " if word == self.right else ""
        if round(dense, 2) == round(pruned, 2):
            return f"Both models give {kind}“{word}”, {percent(dense)}"
        return f"{self.method} gives {kind}“{word}”, {_about(pruned)}, the dense model {_about(dense)}"

    def describe(self) -> str:
        parts = (f"{word} {_about(d)} and {_about(p)}" for word in self.words for d, p in [self._of(word)])
        return f"Bars of the probability of first words, dense and {self.method}: {'; '.join(parts)}."

    def table(self) -> dict[str, list]:
        dense, pruned = zip(*map(self._of, self.words), strict=True)
        return {"first word": list(self.words), "dense": list(dense), self.method: list(pruned)}

    def figure(self, palette: Palette) -> go.Figure:
        labels = [f"✓ <b>{plain(word)}</b>" if word == self.right else plain(word) for word in self.words]
        traces = [
            self._bars(name, [self._of(word)[side] for word in self.words], labels, color)
            for side, (name, color) in enumerate((("dense", palette.dense), (self.method, palette.pruned)))
        ]
        layout = dict(
            height=FRAME + ROW * len(labels), barmode="group", bargap=0.28, bargroupgap=0.05, showlegend=True,
            legend=dict(traceorder="normal"),
            xaxis=dict(
                range=[0, 112], tickvals=[0, 50, 100], title=dict(text="probability as the first word, %")
            ),
            yaxis=dict(
                autorange="reversed", type="category", showgrid=False, ticksuffix="  ", title=dict(text="first word")
            ),
        )  # fmt: skip
        return palette.figure(traces, layout)

    def _bars(self, name: str, values: list[float], labels: list[str], color: str) -> dict:
        return dict(
            type="bar",
            orientation="h",
            name=name,
            x=[100 * value for value in values],
            y=labels,
            marker=dict(color=color, line=dict(width=0)),
            text=[_about(value) for value in values],
            textposition="outside",
            textfont=dict(size=12),
            cliponaxis=False,
            hovertemplate=f"{name}: %{{x:.2f}} % for %{{y}}<extra></extra>",
        )


def _about(value: float) -> str:
    """A probability; what is next to nothing is called so."""
    return percent(value) if value >= LEAST else "< 0.1 %"
