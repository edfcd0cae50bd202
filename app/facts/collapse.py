"""What there is to say about a pruned model, in sentences. Pure: facts in, words out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..look.words import count, percent
from .layer_sparsity import DeadNeurons, Facts
from .measured import Loss
from .stories import UNEVEN

DEAD = 0.98  # a layer without so much of its weights is all but gone
MARGIN = 0.10  # a modality that loses so much more than asked is collapsing
DYING = 0.1  # so many dead neurons are worth a word
LOST = 0.2  # so is a task that loses so much of its dense figure
BETTER = 0.1  # and another method that keeps so much more
FLOAT16, MASK = 16, 1  # bits per kept weight, and per weight for saying which are kept


@dataclass(frozen=True)
class Verdict:
    """Whether a part of the model has collapsed, and why; `level` is "collapse", "note" or "fine"."""

    level: str
    headline: str
    why: str


def storage(sparsity: float) -> float:
    """Size of a float16 file that stores the kept weights and one mask bit per weight, relative to the dense file.

    >>> storage(0.75)
    0.3125
    """
    return min(1.0, (FLOAT16 * (1 - sparsity) + MASK) / FLOAT16)


def verdict(
    facts: Facts,
    rival: Facts | None = None,
    dead: DeadNeurons | None = None,
    losses: Sequence[Loss] = (),
    brief: bool = False,
    zeros: float = 0.0,
) -> Verdict:
    """The collapse alarm: the gravest finding as headline, with its reason and whatever else was found.

    A modality collapses when it loses 10 points more than asked, a layer when it loses 98 %. Smaller signs are notes: 3
    points, a tenth of the neurons, a fifth of what the model can do. They can be enough to lose a task. In brief: without
    what was measured, and without the other method. `zeros`: the share of weights that the checkpoint had lost before.
    """
    if not facts.pruned and zeros:
        why = f"This is the checkpoint as it was opened, {percent(zeros)} of whose prunable weights are zero already."
        return Verdict("note", "Nothing more is pruned", why)
    if not facts.pruned:
        return Verdict("fine", "Nothing is pruned", "This is the dense model: every weight is in place.")
    found = [one for one in (_modality(facts), _layers(facts), _neurons(dead)) if one]
    found.sort(key=lambda one: one.level != "collapse")
    first, *others = found or [_ability(losses) or _fine(facts, dead)]
    sentences = [first.why, *(f"{other.headline}." for other in others)]
    if not brief:
        sentences += [_compared(rival, _most_pruned(facts)) if found else "", _measured(losses, rival)]
    return Verdict(first.level, first.headline, " ".join(filter(None, sentences)))


def _most_pruned(facts: Facts) -> str:
    return max(facts.modalities, key=lambda m: facts.modalities[m])


def _modality(facts: Facts) -> Verdict | None:
    if facts.fixed:  # what a side loses is as it was chosen
        return None
    shares, worst = facts.modalities, _most_pruned(facts)
    gap = shares[worst] - facts.target
    if gap <= UNEVEN:
        return None
    least = min(shares, key=lambda m: shares[m])
    why = (
        f"One cut goes through the whole model, and {worst} weights rank lower in it: they pay for {least}, which loses only "
        f"{percent(shares[least])}."
    )
    taken = f"{facts.method} takes {percent(shares[worst])} of it"
    if gap > MARGIN:
        return Verdict("collapse", f"The {worst} side is collapsing: {taken}", why)
    return Verdict("note", f"The {worst} side pays: {taken}, {100 * gap:.1f} points more than asked", why)


def _layers(facts: Facts) -> Verdict | None:
    dead = [fact for fact in facts.layers if fact.sparsity >= DEAD]
    if not dead:
        return None
    first = max(dead, key=lambda fact: fact.sparsity)
    some = f"{len(dead)} layers are all but gone, the worst" if len(dead) > 1 else "One layer is all but gone:"
    why = (
        "At this target every layer is nearly empty."
        if facts.target >= DEAD - 0.01
        else "Its weights rank low beside those of other layers, so a cut that they share passes over nearly all of them."
    )
    return Verdict("collapse", f"{some} {first.name}, with {percent(first.sparsity)} of its weights pruned", why)


def _neurons(dead: DeadNeurons | None) -> Verdict | None:
    if dead is None or dead.dead < DYING * dead.neurons:
        return None
    sides = ((dead.inputs, "inputs"), (dead.outputs, "outputs"))
    gone = " and ".join(f"{count(number)} {side}" for number, side in sides if number)
    why = f"No weight is left of {gone} of layers: what passes there is cut off."
    return Verdict("note", _dead(dead), why)


def _dead(dead: DeadNeurons) -> str:
    return f"{f'{dead.dead:,}' if dead.dead else 'none'} of {count(dead.neurons)} neurons {'is' if dead.dead == 1 else 'are'} dead"


def _ability(losses: Sequence[Loss]) -> Verdict | None:
    lost = [loss for loss in losses if loss.share >= LOST]
    if not lost:
        return None
    worst = max(lost, key=lambda loss: loss.share)
    choice = worst.kept_by_rival is not None and worst.kept_by_rival - worst.kept >= BETTER
    why = (
        "No part of the model loses much more than its share, so it is *which* weights go that costs."
        if choice
        else "No part of the model loses much more than its share: without training, so many weights are too many."
    )
    names = [loss.title for loss in lost]
    suffer = f"{', '.join(names[:-1])} and {names[-1]} suffer" if len(names) > 1 else f"{names[0]} suffers"
    return Verdict("note", f"No layer or modality has collapsed, yet {suffer}", why)


def _fine(facts: Facts, dead: DeadNeurons | None) -> Verdict:
    most = max(facts.layers, key=lambda fact: fact.sparsity)
    if facts.fixed:
        why = f"The layer that loses most, {most.name}, loses {percent(most.sparsity)}{f'; {_dead(dead)}' if dead else ''}."
        return Verdict("fine", "No layer has collapsed", why)
    why = (
        f"No modality loses {100 * UNEVEN:.0f} points more than asked{f', {_dead(dead)}' if dead else ''}, and the layer that "
        f"loses most, {most.name}, loses {percent(most.sparsity)}."
    )
    return Verdict("fine", "Nothing has collapsed", why)


def _compared(rival: Facts | None, modality: str) -> str:
    if rival is None:
        return ""
    dead = sum(fact.sparsity >= DEAD for fact in rival.layers)
    layers = "no layer" if not dead else "one layer" if dead == 1 else f"{dead} layers"
    return (
        f"At the same total, {rival.method} takes {percent(rival.modalities[modality])} of {modality} and leaves {layers} "
        f"above {percent(DEAD)}."
    )


def _measured(losses: Sequence[Loss], rival: Facts | None) -> str:
    """What the model can still do, beside a rival."""
    if not losses:
        return ""
    compared = rival is not None and any(loss.kept_by_rival is not None for loss in losses)

    def said(loss: Loss) -> str:
        other = f" ({percent(loss.kept_by_rival)})" if compared and loss.kept_by_rival is not None else ""
        return f"{loss.title} **{percent(loss.kept)}**{other}"

    beside = f", {rival.method} in brackets" if compared else ""
    return f"Measured at {percent(losses[0].at)}{beside}: {', '.join(map(said, losses))}."
