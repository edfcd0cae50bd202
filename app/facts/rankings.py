"""Two rankings of the same things, dense and pruned, and what is to be said about them. No streamlit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..charts.gaps import ScoreGaps
from ..look.words import scored
from ..markup.cards import Hit
from . import gallery
from .truth import Truth

LISTED = 6  # ranks that are spelled out
NAMED = 5  # things whose rank is followed one by one


@dataclass(frozen=True)
class Rankings:
    """The first hits of both rankings.

    Attributes:
        hits: {"dense": ..., "pruned": ...}, best first.
        ranks: {"dense": ..., "pruned": ...}, the places of everything that is true, best first.
        things: what is ranked, "pictures" or "captions".
        total: how many of them.
        known: whether it is known which of them are true.
        word: what those are called that should be found: "true", or "matching" where no more is known than what belongs together.
    """

    hits: dict[str, tuple[Hit, ...]]
    ranks: dict[str, tuple[int, ...]]
    things: str
    total: int
    known: bool
    word: str = "true"

    def finding(self, name: str) -> str:
        """What pruning did to the ranking, in one sentence."""
        top, sought = len(self.hits["dense"]), self.sought()
        if not sought:
            first = {hit.text for hit in self.hits["dense"]}
            kept = sum(hit.text in first for hit in self.hits["pruned"])
            return f"{name} keeps {kept} of the dense model's first {top} {self.things}"
        dense, pruned = (sum(hit.true for hit in self.hits[side]) for side in ("dense", "pruned"))
        return f"Of {sought}, the dense model puts {dense} and {name} puts {pruned} among the first {top}"

    def note(self, side: str) -> str:
        """Where the true things stand in one ranking."""
        if not self.known:
            return f"best of {self.total}"
        ranks = self.ranks[side]
        if not ranks:
            return f"none of {self.total} {self.things} is {self.word}"
        listed = ", ".join(map(str, ranks[:LISTED])) + (" …" if len(ranks) > LISTED else "")
        return f"{self._named(len(ranks))} at {'ranks' if len(ranks) > 1 else 'rank'} {listed} of {self.total}"

    def sought(self) -> str:
        """How many there are to be found, in words; nothing where that is not known."""
        possible = len(self.ranks["dense"])
        return f"{possible} {self._named(possible)}" if self.known and possible else ""

    def _named(self, count: int) -> str:
        return f"{self.word} {self.things if count > 1 else self.things[:-1]}"


def places(scores: Sequence[float]) -> list[int]:
    """The place of everything that was scored, from 1 (higher is better, ties by position).

    >>> places([0.2, 0.9, 0.2])
    [2, 1, 3]
    """
    found = [0] * len(scores)
    for place, i in enumerate(sorted(range(len(scores)), key=lambda i: -scores[i]), start=1):
        found[i] = place
    return found


def best(scores: Sequence[float], top: int) -> tuple[int, ...]:
    """The first of a ranking.

    >>> best([0.2, 0.9, 0.5], 2)
    (1, 2)
    """
    return tuple(sorted(range(len(scores)), key=lambda i: -scores[i])[:top])


def so_far(looked_at: int) -> str:
    """What stands beside a ranking of no more than the dense model's first.

    >>> print(so_far(8))
    so far, of the dense model's first 8
    """
    return f"so far, of the dense model's first {looked_at}"


def compare(
    scores: Sequence[Sequence[float]],
    texts: Sequence[str],
    true: Sequence[bool],
    top: int,
    things: str,
    known: bool,
    picture: Callable[[int], bytes] | None = None,
    word: str = "true",
) -> Rankings:
    """Rank the same things by dense and by pruned scores (higher is better, ties by position).

    >>> both = compare([[0.9, 0.1], [0.2, 0.7]], ["a cat", "a dog"], [True, False], 2, "pictures", True)
    >>> [hit.text for hit in both.hits["pruned"]], both.ranks
    (['a dog', 'a cat'], {'dense': (1,), 'pruned': (2,)})
    """
    placed = [places(one) for one in scores]

    def hit(side: int, i: int) -> Hit:
        image = picture(i) if picture else None
        return Hit(placed[side][i], scores[side][i], texts[i], true[i], placed[1 - side][i], image, word)

    def first(side: int) -> list[int]:
        return sorted(range(len(texts)), key=lambda i: placed[side][i])[:top]

    sides = ("dense", "pruned")
    return Rankings(
        {name: tuple(hit(n, i) for i in first(n)) for n, name in enumerate(sides)},
        {name: tuple(sorted(placed[n][i] for i, yes in enumerate(true) if yes)) for n, name in enumerate(sides)},
        things,
        len(texts),
        known,
        word,
    )


def of_pictures(
    scores: Sequence[Sequence[float]], shown: Sequence[gallery.Picture], known: Truth, top: int
) -> Rankings:
    """Pictures ranked by dense and by pruned scores: the gallery's, of which something is known, then own ones."""
    true = known.true + (False,) * (len(shown) - len(known.true))
    texts = tuple(map(gallery.about, shown))

    def drawn(i: int) -> bytes:
        return shown[i].shown(gallery.SHOWN)

    return compare(scores, texts, true, top, "pictures", known.understood, drawn, known.word)


@dataclass(frozen=True)
class Sought:
    """What should be found, and how both models score it against the best of what should not.

    Attributes:
        good, bad: what they are called, as in "best true picture" and "best false picture".
        wanted: the indices of what should be found, as the dense model ranks it; `names` are those of the first few.
        best: ((good, bad), (good, bad)): the highest scores in the dense and in the pruned model.
    """

    good: str
    bad: str
    wanted: tuple[int, ...]
    names: tuple[str, ...]
    best: tuple[tuple[float, float], tuple[float, float]]

    def gaps(self, method: str) -> ScoreGaps | None:
        """The leads as a chart, of scores of one kind: where the matching head has seen only some of the four, there is none."""
        kinds = {scored(score)[1] for model in self.best for score in model}
        if len(kinds) > 1:
            return None
        shown = (tuple(scored(score)[0] for score in model) for model in self.best)
        return ScoreGaps(self.good, self.bad, method, *shown, kinds.pop())


def sought(
    scores: Sequence[Sequence[float]],
    texts: Sequence[str],
    true: Sequence[bool | None],
    thing: str,
    word: str = "true",
) -> Sought | None:
    """What should be found: what is true, or else, where that is not known, what the dense model puts first.

    >>> found = sought([[0.9, 0.2, 0.1], [0.3, 0.5, 0.1]], ["a", "b", "c"], [True, False, False], "picture")
    >>> found.good, found.names, found.best
    ('true picture', ('a',), ((0.9, 0.2), (0.3, 0.5)))

    What is None in `true`, not known, is neither. The answer is None where there is nothing to be told apart.
    """
    by_dense = sorted(range(len(texts)), key=lambda i: -scores[0][i])
    wanted, rest = ([i for i in by_dense if true[i] is kind] for kind in (True, False))
    good, bad = f"{'best ' * (len(wanted) > 1)}{word} {thing}", f"best {'false' if word == 'true' else 'other'} {thing}"
    if not wanted or not rest:
        wanted, rest = by_dense[:1], by_dense[1:]
        good, bad = f"dense model's first {thing}", f"best other {thing}"
    if not rest:
        return None
    best = tuple((max(one[i] for i in wanted), max(one[i] for i in rest)) for one in scores)
    return Sought(good, bad, tuple(wanted), tuple(texts[i] for i in wanted[:NAMED]), best)
