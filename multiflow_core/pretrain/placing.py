"""Where the things are that a text names: what words are to know once they have read a picture.

X-VLM (Zeng et al., 2022) lets a text tell the box of what it names. Here every noun tells where its thing is, half-way through
the layers, and every relation how far its two things are apart, at the end: one bit a question does not teach to compare.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data.flatland.language import RELATION_OF, Phrase, fits, is_exact, match_words, read_phrase
from ..data.flatland.scene import Scene, Thing, holds

PARTS = 4  # x and y of a noun's thing; how far right and down of its second thing a relation's first one is
SPREAD = (4.0, 4.0, 2.5, 2.5)  # brings each part to a spread of about one
NOWHERE = float("nan")
Place = tuple[float, float]


def placed(text: str, scene: Scene, length: int) -> Tensor:
    """For every word of a text of token ids, of which the first is [CLS], what it is to tell: (length, 4), NaN for nothing.

    Told is only what is sure: of phrases that fit one thing of the scene, or as many as they count (their middle).

    >>> scene = Scene("day", (Thing("cat", "red", "small", 0.25, 0.5), Thing("dog", "red", "small", 0.75, 0.5)))
    >>> placed("the cat above the dog", scene, 7)[2:4].tolist()
    [[-1.0, 0.0, nan, nan], [nan, nan, -1.25, 0.0]]
    """
    words = text.split()
    told = torch.full((length, PARTS), NOWHERE)
    before: list[Thing] | None = None  # what the phrase before speaks of, if there is one
    relation: tuple[str, range] | None = None
    i = 0
    while i < len(words):
        if found := match_words(words, i, RELATION_OF):
            relation = found[0], range(i + 1, i + 1 + found[1])
            i += found[1]
        elif (phrase := _phrase(words, i)) is None:
            i += 1
        else:
            meant = _meant(phrase, words, scene)
            here = _middle(meant)
            i += len(phrase.words)
            if here:
                told[i, :2] = torch.tensor([here[0] - 0.5, here[1] - 0.5])
            if relation and here:
                first = _middle(_only(scene, relation[0], meant) if before is None else before)
                if first:
                    told[relation[1], 2:] = torch.tensor([first[0] - here[0], first[1] - here[1]])
            before, relation = meant, None
    return told * torch.tensor(SPREAD)


def _phrase(words: list[str], start: int) -> Phrase | None:
    try:
        return read_phrase(words, start)
    except ValueError:
        return None


def _meant(phrase: Phrase, words: Sequence[str], scene: Scene) -> list[Thing]:
    """The things that a phrase surely speaks of."""
    fitting = [thing for thing in scene.things if fits(phrase, thing)]
    many = phrase.count if is_exact(phrase, words) else None
    return fitting if len(fitting) == (many or 1) else []


def _only(scene: Scene, relation: str, anchors: list[Thing]) -> list[Thing]:
    """What "left of the cat" speaks of, where that is one thing."""
    found = [t for t in scene.things if t not in anchors and all(holds(t, relation, anchor) for anchor in anchors)]
    return found if len(found) == 1 else []


def _middle(things: list[Thing]) -> Place | None:
    if not things:
        return None
    return sum(t.x for t in things) / len(things), sum(t.y for t in things) / len(things)


class Placing(nn.Module):
    """One linear head on what words know; used in training only."""

    def __init__(self, width: int):
        super().__init__()
        self.head = nn.Linear(width, PARTS)

    def forward(self, half_way: Tensor, last: Tensor, told: Tensor) -> Tensor:
        """The loss from states of the words (texts, words, width) and what they are to tell (texts, words, 4)."""
        tells = torch.cat([self.head(half_way)[..., :2], self.head(last)[..., 2:]], -1).float()
        sure = ~told.isnan()
        return F.smooth_l1_loss(tells[sure], told[sure], reduction="sum") / sure.sum().clamp(min=1)


class Glimpse:
    """What a module gave last, to each thread on its own.

    >>> layer = nn.Linear(2, 3)
    >>> seen = Glimpse(layer)
    >>> torch.equal(layer(torch.ones(1, 2)), seen.last)
    True
    """

    def __init__(self, module: nn.Module):
        self._here = threading.local()
        module.register_forward_hook(self._keep)

    def _keep(self, module: nn.Module, given: tuple, states: Tensor) -> None:
        self._here.last = states

    @property
    def last(self) -> Tensor:
        return self._here.last
