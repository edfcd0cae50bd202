"""The paper's table, and verdicts on claims, as HTML. Pure: frozen data in, text out; everything is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

PLACES = {1: ("mf-first", "best"), 2: ("mf-second", "second best")}
SIGNS = {
    "holds": ("✓", "ok"),
    "holds in part": ("◐", "part"),
    "does not hold": ("✕", "no"),
    "not measured": ("–", "open"),
    "cannot be tested": ("?", "open"),
}


@dataclass(frozen=True)
class Mark:
    """A cell: what stands there, its deviation, whether it is the best (1) or second best (2) of its column."""

    text: str
    deviation: str = ""
    place: int = 0


@dataclass(frozen=True)
class League:
    """`rows` are (method, its cells, block after block); `dense` is the row on top.

    `blocks`: what stands above each block of `columns`. `chosen`: the method that is marked. `about`: what it is, in words.
    """

    blocks: tuple[str, ...]
    columns: tuple[str, ...]
    dense: tuple[Mark, ...]
    rows: tuple[tuple[str, tuple[Mark, ...]], ...]
    chosen: str | None = None
    about: str = ""

    def html(self) -> str:
        """The table; it scrolls sideways where it has no room.

        >>> League(("63 %",), ("VQA",), (Mark("99"),), (("OMP", (Mark("7", place=1),)),)).html().count("mf-first")
        1
        """
        above = "".join(f'<th scope="colgroup" colspan="{len(self.columns)}">{escape(b)}</th>' for b in self.blocks)
        under = "".join(
            f'<th scope="col"{_edge(i)}>{escape(name)}</th>' for _ in self.blocks for i, name in enumerate(self.columns)
        )
        body = "".join(self._row(name, cells, name == self.chosen) for name, cells in self.rows)
        return (
            f'<div class="mf-league" role="region" tabindex="0" aria-label="{escape(self.about)}"><table>'
            f'<thead><tr><th rowspan="2" scope="col">Method</th>{above}</tr><tr>{under}</tr></thead>'
            f"<tbody>{self._row('Dense', self.dense, False, 'mf-dense-row')}{body}</tbody></table></div>"
        )

    def _row(self, name: str, cells: Sequence[Mark], chosen: bool, extra: str = "") -> str:
        kind = " ".join(filter(None, (extra, "mf-chosen" if chosen else "")))
        told = "".join(_cell(cell, i % len(self.columns)) for i, cell in enumerate(cells))
        return f'<tr class="{kind}"><th scope="row">{escape(name)}</th>{told}</tr>'

    def table(self) -> dict[str, list]:
        """The same as columns."""
        heads = [f"{column} at {block}" for block in self.blocks for column in self.columns]
        rows = [("Dense", self.dense), *self.rows]
        return {"method": [name for name, _ in rows]} | {
            head: [_number(cells[i].text) for _, cells in rows] for i, head in enumerate(heads)
        }


def _number(text: str) -> float | None:
    return None if text == "–" else float(text)


def _edge(i: int) -> str:
    return ' class="mf-edge"' if i == 0 else ""


def _cell(cell: Mark, i: int) -> str:
    kind, said = PLACES.get(cell.place, ("", ""))
    kinds = " ".join(filter(None, (kind, "mf-edge" if i == 0 else "")))
    title = f' title="{said}"' if said else ""
    spread = f"<small>±{escape(cell.deviation)}</small>" if cell.deviation else ""
    return f'<td class="{kinds}"{title}>{escape(cell.text)}{spread}</td>'


@dataclass(frozen=True)
class Judged:
    """A claim with its verdict: `cells` are (where, what stands there, whether it speaks for the claim)."""

    claim: str
    word: str
    sentence: str
    cells: tuple[tuple[str, str, bool], ...] = ()
    aside: str = ""


def verdicts(found: Sequence[Judged]) -> str:
    """Claims one under the other, each with a sign, the verdict in words, and the cells behind it one click away.

    >>> verdicts([Judged("It rains", "holds", "It does.", (("63 %", "wet", True),))]).count("<details>")
    1
    """
    return f'<ul class="mf-claims">{"".join(map(_judged, found))}</ul>'


def _judged(one: Judged) -> str:
    sign, kind = SIGNS[one.word]
    aside = f" <em>{escape(one.aside)}</em>" if one.aside else ""
    return (
        f'<li><span class="mf-sign mf-{kind}" aria-hidden="true">{sign}</span><div><h3>{escape(one.claim)}</h3>'
        f'<p><b class="mf-{kind}">{escape(one.word.capitalize())}.</b> {escape(one.sentence)}{aside}</p>{_behind(one)}</div></li>'
    )


def _behind(one: Judged) -> str:
    if not one.cells:
        return ""
    rows = "".join(
        f'<li><span class="{"mf-ok" if speaks else "mf-no"}">{"✓" if speaks else "✗"}</span> '
        f"{escape(where)}: {escape(said)}</li>"
        for where, said, speaks in one.cells
    )
    count = len(one.cells)
    return f"<details><summary>{count} cell{'s' * (count > 1)} behind it</summary><ul>{rows}</ul></details>"
