"""Two rankings of the same things, dense and pruned, and what is to be said about them. Pure, no streamlit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .cards import Hit

LISTED = 6  # ranks that are spelled out


@dataclass(frozen=True)
class Rankings:
    """The first hits of both rankings.

    Attributes:
        hits: {"dense": ..., "pruned": ...}, best first.
        ranks: {"dense": ..., "pruned": ...}, the places of everything that is true, best first.
        things: what is ranked, "pictures" or "captions".
        total: how many of them.
        known: whether it is known which of them are true.
    """

    hits: dict[str, tuple[Hit, ...]]
    ranks: dict[str, tuple[int, ...]]
    things: str
    total: int
    known: bool

    def finding(self, name: str) -> str:
        """What pruning did to the ranking, in one sentence."""
        top, possible = len(self.hits["dense"]), len(self.ranks["dense"])
        if not self.known or not possible:
            first = {hit.text for hit in self.hits["dense"]}
            kept = sum(hit.text in first for hit in self.hits["pruned"])
            return f"{name} keeps {kept} of the dense model's first {top} {self.things}"
        dense, pruned = (sum(hit.true for hit in self.hits[side]) for side in ("dense", "pruned"))
        best = f"{possible} true {self.things if possible > 1 else self.things[:-1]}"
        return f"Of {best}, the dense model puts {dense} and {name} puts {pruned} among the first {top}"

    def note(self, side: str) -> str:
        """Where the true things stand in one ranking."""
        if not self.known:
            return f"best of {self.total}"
        ranks = self.ranks[side]
        if not ranks:
            return f"none of {self.total} {self.things} is true"
        listed = ", ".join(map(str, ranks[:LISTED])) + (" …" if len(ranks) > LISTED else "")
        return f"true {self.things} at {'ranks' if len(ranks) > 1 else 'rank'} {listed} of {self.total}"


def compare(
    scores: Sequence[Sequence[float]],
    texts: Sequence[str],
    true: Sequence[bool],
    top: int,
    things: str,
    known: bool,
    picture: Callable[[int], bytes] | None = None,
) -> Rankings:
    """Rank the same things by dense and by pruned scores (higher is better, ties by position).

    >>> both = compare([[0.9, 0.1], [0.2, 0.7]], ["a cat", "a dog"], [True, False], 2, "pictures", True)
    >>> [hit.text for hit in both.hits["pruned"]], both.ranks
    (['a dog', 'a cat'], {'dense': (1,), 'pruned': (2,)})
    """
    orders = [sorted(range(len(s)), key=lambda i, s=s: -s[i]) for s in scores]
    places = [{i: rank for rank, i in enumerate(order, start=1)} for order in orders]

    def hit(side: int, i: int) -> Hit:
        image = picture(i) if picture else None
        return Hit(places[side][i], scores[side][i], texts[i], true[i], places[1 - side][i], image)

    sides = ("dense", "pruned")
    return Rankings(
        {name: tuple(hit(n, i) for i in orders[n][:top]) for n, name in enumerate(sides)},
        {name: tuple(sorted(places[n][i] for i, yes in enumerate(true) if yes)) for n, name in enumerate(sides)},
        things,
        len(texts),
        known,
    )
