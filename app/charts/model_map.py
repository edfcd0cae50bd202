"""The whole model: towers of blocks in the order of the signal, where text reads the picture, and what is left of every matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from ..look.palette import Palette
from ..look.words import count, percent, plain
from .picking import LAYOUT, targets

STRIP, AIR = 1.0, 3.0  # of a matrix, and of what lies between two towers, in units of the y axis
WIDTH = 0.74  # of a block; its neighbour is 1 further on
PIXELS = 15  # a strip
MOST = 3.4  # px: the line between two blocks as long as all of it is there


@dataclass(frozen=True)
class Matrix:
    """A matrix of a block; `key` is what a click hands to the page."""

    role: str
    size: int
    pruned: int
    key: str

    @property
    def left(self) -> float:
        return 1 - self.pruned / self.size


@dataclass(frozen=True)
class Block:
    """The matrices of a block; `crosses` where some of them read the picture."""

    name: str
    matrices: tuple[Matrix, ...]
    crosses: bool = False

    @property
    def left(self) -> float:
        """Share of its weights that are left."""
        return 1 - sum(m.pruned for m in self.matrices) / sum(m.size for m in self.matrices)


@dataclass(frozen=True)
class Tower:
    """Blocks that follow one another, all of one modality."""

    name: str
    modality: str
    blocks: tuple[Block, ...]

    @property
    def height(self) -> int:
        return max(len(block.matrices) for block in self.blocks)


@dataclass(frozen=True)
class ModelMap:
    """All towers, the one that sees the picture first; `selected` is the key of the matrix with a frame."""

    method: str
    towers: tuple[Tower, ...]
    selected: str | None = None

    def title(self) -> str:
        gone = sum(m.pruned for tower in self.towers for block in tower.blocks for m in block.matrices)
        if not gone:
            return "The whole model: nothing is pruned yet"
        blocks = [block for tower in self.towers for block in tower.blocks]
        thin = min(blocks, key=lambda block: block.left)
        thick = max(blocks, key=lambda block: block.left)
        if thick.left - thin.left < 0.005:
            return f"The whole model: {self.method} leaves {percent(thick.left)} of every block"
        return (
            f"The whole model: {self.method} leaves between {percent(thin.left)} ({thin.name}) and {percent(thick.left)} "
            f"({thick.name}) of a block"
        )

    def describe(self) -> str:
        parts = [f"{tower.name}: {len(tower.blocks)} blocks" for tower in self.towers]
        reading = sum(block.crosses for tower in self.towers for block in tower.blocks)
        crossing = f" {reading} blocks read the picture." if reading else ""
        return f"Picture of the whole model, {', '.join(parts)}.{crossing} {self.title()}."

    def table(self) -> dict[str, list]:
        rows = [(tower, block, m) for tower in self.towers for block in tower.blocks for m in block.matrices]
        return {
            "tower": [tower.name for tower, _, _ in rows],
            "block": [block.name for _, block, _ in rows],
            "weight": [m.role for _, _, m in rows],
            "weights": [m.size for _, _, m in rows],
            "left": [m.left for _, _, m in rows],
        }

    # --- drawing ----------------------------------------------------------------------------------------------------

    def figure(self, palette: Palette) -> go.Figure:
        strips = [*self._strips()]
        whole = dict(
            type="bar", orientation="h", base=[x for x, _, _, _ in strips], x=[WIDTH] * len(strips),
            y=[y for _, y, _, _ in strips], width=0.82, marker=dict(color=palette.line), hoverinfo="skip",
        )  # fmt: skip
        left = whole | dict(
            x=[WIDTH * m.left for *_, m in strips],
            marker=dict(color=[palette.of(tower.modality) for _, _, tower, _ in strips]),
        )
        top, bottom = -0.4, self._tops()[-1] + self.towers[-1].height * STRIP + 1.4
        most = max(len(tower.blocks) for tower in self.towers)
        layout = dict(
            height=int(PIXELS * (bottom - top)) + 30, barmode="overlay", bargap=0,
            xaxis=dict(range=[-0.9, most + 0.3], visible=False, fixedrange=True),
            yaxis=dict(range=[bottom, top], visible=False, fixedrange=True),
            shapes=[*self._lines(palette), *self._frame(palette)], annotations=[*self._words(palette)], **LAYOUT,
        )  # fmt: skip
        return palette.figure([whole, left, self._targets(strips)], layout)

    def _tops(self) -> list[float]:
        """Where each tower begins."""
        found, y = [], 0.0
        for tower in self.towers:
            found.append(y)
            y += tower.height * STRIP + AIR
        return found

    def _strips(self) -> Iterator[tuple[float, float, Tower, Matrix]]:
        """(left end, middle, tower, matrix) of every strip."""
        for top, tower in zip(self._tops(), self.towers, strict=True):
            for x, block in enumerate(tower.blocks):
                for n, matrix in enumerate(block.matrices):
                    yield x, top + (n + 0.5) * STRIP, tower, matrix

    def _lines(self, palette: Palette) -> Iterator[dict[str, Any]]:
        """The signal: from block to block, as wide as what is left of the one that it comes from; and from the picture to text."""
        tops = self._tops()
        for top, tower in zip(tops, self.towers, strict=True):
            middle, color = top + tower.height * STRIP / 2, palette.of(tower.modality)
            for x, block in enumerate(tower.blocks):
                yield _line(x + WIDTH, middle, x + 1, middle, color, MOST * block.left)
        seeing, color = self.towers[0], palette.of(self.towers[0].modality)
        reading = [
            (top, tower) for top, tower in zip(tops, self.towers, strict=True) if any(b.crosses for b in tower.blocks)
        ]
        if not reading or reading[0][1] is seeing:
            return
        wide, end = MOST * seeing.blocks[-1].left, len(seeing.blocks)
        far = max(len(tower.blocks) for tower in self.towers) + 0.12
        start, last = tops[0] + seeing.height * STRIP / 2, reading[-1][0] - 0.3 * AIR
        yield _line(end, start, far, start, color, wide)
        yield _line(far, start, far, last, color, wide)
        for top, tower in reading:
            rail = top - 0.3 * AIR
            first = next(x for x, block in enumerate(tower.blocks) if block.crosses)
            yield _line(first + WIDTH / 2, rail, far, rail, color, wide)
            for x, block in enumerate(tower.blocks):
                if block.crosses:
                    yield _line(x + WIDTH / 2, rail, x + WIDTH / 2, top, color, wide)

    def _words(self, palette: Palette) -> Iterator[dict[str, Any]]:
        """What each tower is, and the numbers of its blocks where there is room."""
        for n, (top, tower) in enumerate(zip(self._tops(), self.towers, strict=True)):
            middle = top + tower.height * STRIP / 2
            enters = "picture →" if n == 0 and tower.modality == "vision" else "words →"
            yield dict(
                x=-0.06, y=middle, text=f"<b>{plain(tower.name)}</b><br>{enters}", showarrow=False, xanchor="right",
                align="right", font=dict(size=12, color=palette.of(tower.modality)),
            )  # fmt: skip
            if len(tower.blocks) <= 14:
                for x, block in enumerate(tower.blocks):
                    yield dict(
                        x=x + WIDTH / 2, y=top + len(block.matrices) * STRIP + 0.1, text=percent(block.left), showarrow=False,
                        yanchor="top", font=dict(size=11, color=palette.muted),
                    )  # fmt: skip

    def _frame(self, palette: Palette) -> Iterator[dict[str, Any]]:
        """Around the selected matrix."""
        for x, y, _, matrix in self._strips():
            if matrix.key == self.selected:
                line = dict(color=palette.ink, width=2)
                yield dict(type="rect", x0=x - 0.02, x1=x + WIDTH + 0.02, y0=y - 0.5, y1=y + 0.5, line=line)

    def _targets(self, strips: list[tuple[float, float, Tower, Matrix]]) -> dict[str, Any]:
        return targets(
            [x + WIDTH / 2 for x, *_ in strips],
            [y for _, y, _, _ in strips],
            [matrix.key for *_, matrix in strips],
            PIXELS,
            "%{text}<extra></extra>",
            [
                f"<b>{plain(tower.name)} · {plain(matrix.role)}</b><br>{100 * matrix.left:.1f} % of "
                f"{count(matrix.size)} weights are left"
                for _, _, tower, matrix in strips
            ],
        )


def _line(x0: float, y0: float, x1: float, y1: float, color: str, width: float) -> dict[str, Any]:
    return dict(type="line", x0=x0, y0=y0, x1=x1, y1=y1, line=dict(color=color, width=max(width, 0.3)), layer="below")
