"""What there is to say about a pruned model, in sentences. Pure: facts in, words out."""

from __future__ import annotations

from dataclasses import dataclass

from .charts.words import percent
from .services.facts import Facts

DEAD = 0.98
MARGIN = 0.10
FLOAT16, MASK = 16, 1  # bits per kept weight, and per weight for saying which are kept


@dataclass(frozen=True)
class Alarm:
    """A collapse: which part is all but gone, and why."""

    headline: str
    why: str


def storage(sparsity: float) -> float:
    """Size of a float16 file that stores the kept weights and one mask bit per weight, relative to the dense file.

    >>> storage(0.75)
    0.3125
    """
    return min(1.0, (FLOAT16 * (1 - sparsity) + MASK) / FLOAT16)


def alarm(facts: Facts, rival: Facts | None) -> Alarm | None:
    """The collapse warning, or None when nothing has collapsed.

    A layer has collapsed at a sparsity of 98 %, a modality when it loses 10 points more than was asked.
    """
    dead = [fact for fact in facts.layers if fact.sparsity >= DEAD]
    worst = max(facts.modalities, key=lambda m: facts.modalities[m])
    gap = facts.modalities[worst] - facts.target
    if gap > MARGIN:
        least = min(facts.modalities, key=lambda m: facts.modalities[m])
        headline = f"The {worst} side is collapsing: {facts.method} takes {percent(facts.modalities[worst])} of it"
        why = (
            f"One threshold cuts the whole model, and {worst} weights are the smaller ones, so they pay for {least}, which "
            f"loses only {percent(facts.modalities[least])}."
        )
    elif dead:
        first = max(dead, key=lambda fact: fact.sparsity)
        where = f"{first.layer.block} {first.layer.role}"
        some = f"{len(dead)} layers are all but gone, the worst" if len(dead) > 1 else "One layer is all but gone:"
        headline = f"{some} {where}, with {percent(first.sparsity)} of its weights pruned"
        why = (
            "At this target every layer is nearly empty." if facts.target >= DEAD - 0.01
            else "Its weights are small beside those of its neighbours, so a shared threshold passes over nearly all of them."
        )  # fmt: skip
    else:
        return None
    return Alarm(headline, f"{why} {_compared(rival, worst)}".strip())


def _compared(rival: Facts | None, modality: str) -> str:
    if rival is None:
        return ""
    dead = sum(fact.sparsity >= DEAD for fact in rival.layers)
    layers = "no layer" if not dead else "one layer" if dead == 1 else f"{dead} layers"
    return (
        f"At the same total, {rival.method} takes {percent(rival.modalities[modality])} of {modality} and leaves {layers} "
        f"above {percent(DEAD)}."
    )
