"""A figure beside that of the dense model as a bar. Pure: frozen data in, text out; everything is escaped."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ..look.words import percent, unbroken


@dataclass(frozen=True)
class Change:
    """A share of the pruned model and of the dense one, 0..1, and perhaps another method's.

    >>> Change(0.9, 0.98).points, Change(0.9801, 0.98).points
    ('-8 points', 'no change')
    >>> Change(0.43, 1.0, thrifty=True).points
    '-57 %'

    Attributes:
        what: what it is a share of. beside: (another method, its share). thrifty: whether less is better, as of a size.
        sure: whether the change is more than chance.
    """

    now: float
    dense: float
    what: str = ""
    beside: tuple[str, float] | None = None
    thrifty: bool = False
    sure: bool = True

    @property
    def points(self) -> str:
        """The change with its sign, in points of a hundred."""
        change = round(_shown(self.now) - _shown(self.dense), 2)
        unit = "%" if self.thrifty else "point" if abs(change) == 1 else "points"
        return f"{change:+g} {unit}" if change else "no change"

    @property
    def kind(self) -> str:
        """Whether it has become "better" or "worse", or is the "same"."""
        if not self.sure or self.points == "no change":
            return "same"
        return "better" if (self.now < self.dense) == self.thrifty else "worse"


def _shown(share: float) -> float:
    """A share in per cent as it is written, so that what a reader subtracts is what is said."""
    return float(percent(share).strip(" %<>"))


def bar(change: Change) -> str:
    """What is left, the stretch between it and the dense figure in the colour of the change, and a mark for the other method."""
    now, dense = (100 * min(1.0, max(0.0, share)) for share in (change.now, change.dense))
    low, high = sorted((now, dense))
    marks = f'<b style="left:{dense:.1f}%"></b>'
    words = "" if change.thrifty else f"<br>dense {unbroken(percent(change.dense))}"
    if change.beside:
        name, share = change.beside
        marks += f'<em style="left:{100 * min(1.0, max(0.0, share)):.1f}%"></em>'
        words += f'<br><span class="mf-diamond"></span> {escape(name)} {unbroken(percent(share))}'
    whole = " mf-whole" if change.now == change.dense else ""
    label = escape(f"{percent(change.now)}, dense {percent(change.dense)}")
    return (
        f'<div class="mf-change mf-{change.kind}{whole}" role="img" aria-label="{label}"><i style="width:{low:.1f}%"></i>'
        f'<u style="left:{low:.1f}%;width:{high - low:.1f}%"></u>{marks}</div>'
        f'<div class="mf-under">{_lines(change.what)}{words}</div>'
    )


def without(what: str) -> str:
    """An empty bar, for what was not measured."""
    return f'<div class="mf-change mf-same"></div><div class="mf-under">{escape(what)}</div>'


def share(part: float, what: str) -> str:
    """A bar for a share that is neither good nor bad."""
    return (
        f'<div class="mf-change mf-same"><i style="width:{100 * part:.1f}%"></i></div>'
        f'<div class="mf-under">{_lines(what)}</div>'
    )


def legend(words: str) -> str:
    """What the mark for the other method is."""
    return f'<div class="mf-under"><span class="mf-diamond"></span> {escape(words)}</div>'


def _lines(text: str) -> str:
    return "<br>".join(map(escape, text.split("\n")))
