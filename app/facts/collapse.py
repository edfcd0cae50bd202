"""What there is to say about a pruned model, in sentences. Pure: facts in, words out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..look.words import count, listed, percent
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
    """Whether a part of the model has collapsed, and why; `level` is "collapse", "note", "fine" or "unknown".

    `detail`: what there is to add about layers and neurons, for those who know these words.
    """

    level: str
    headline: str
    why: str
    detail: str = ""


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
    zeros: float = 0.0,
) -> Verdict:
    """The collapse alarm: who pays for whom, else the gravest finding, with its reason and whatever else was found.

    A modality collapses when it loses 10 points more than asked, or 3 and with them what the model can do; a layer when it
    loses 98 %. Smaller signs are notes: 3 points, a tenth of the neurons, a fifth of what the model can do. Where nothing
    was measured nobody knows that all is well. `zeros`: the share of weights that the checkpoint had lost before.
    """
    if not facts.pruned and zeros:
        why = f"This is the checkpoint as it was opened, {percent(zeros)} of whose prunable weights are zero already."
        return Verdict("note", "Nothing more is pruned", why)
    if not facts.pruned:
        return Verdict("fine", "Nothing is pruned", "This is the dense model: every weight is in place.")
    found = [one for one in (_modality(facts, losses), _layers(facts), _neurons(dead)) if one]
    if not found:
        return _ability(facts, dead, losses) or _fine(facts, dead, losses)
    first, *others = found
    level = "collapse" if any(one.level == "collapse" for one in found) else first.level
    why = [first.why, _compared(rival, _most_pruned(facts))]
    return Verdict(level, first.headline, _text(why), _text(f"{other.headline}. {other.why}" for other in others))


def _text(sentences: Iterable[str]) -> str:
    return " ".join(filter(None, sentences))


def _most_pruned(facts: Facts) -> str:
    return max(facts.modalities, key=lambda m: facts.modalities[m])


def _modality(facts: Facts, losses: Sequence[Loss]) -> Verdict | None:
    if facts.fixed:  # what a side loses is as it was chosen
        return None
    shares, worst = facts.modalities, _most_pruned(facts)
    gap = shares[worst] - facts.target
    if gap <= UNEVEN:
        return None
    least = min(shares, key=lambda m: shares[m])
    costs = [loss for loss in losses if loss.share >= LOST and _choice(loss)]
    taken = f"{facts.method} takes {percent(shares[worst])} of the {worst} weights"
    why = (
        f"One cut goes through the whole model, and {worst} weights rank lower in it: they pay for {least}, which loses only "
        f"{percent(shares[least])}.{_suffered(costs)}"
    )
    if gap > MARGIN or costs:
        return Verdict("collapse", f"Modality collapse: {taken}, {100 * gap:.1f} points more than asked", why)
    return Verdict("note", f"The {worst} side pays: {taken}, {100 * gap:.1f} points more than asked", why)


def _suffered(costs: Sequence[Loss]) -> str:
    """The task that it costs most, as a sentence; nothing where it costs none."""
    if not costs:
        return ""
    worst = max(costs, key=lambda loss: loss.share)
    return f" {worst.title} falls from {percent(worst.dense)} to {percent(worst.kept)}."


def _choice(loss: Loss) -> bool:
    """Whether another choice of weights keeps so much more of a task that it is this choice that costs."""
    return loss.kept_by_rival is not None and loss.kept_by_rival - loss.kept >= BETTER


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


def _ability(facts: Facts, dead: DeadNeurons | None, losses: Sequence[Loss]) -> Verdict | None:
    lost = [loss for loss in losses if loss.share >= LOST]
    if not lost:
        return None
    worst = max(lost, key=lambda loss: loss.share)
    why = (
        "No part of the model loses much more than its share, so it is *which* weights go that costs."
        if _choice(worst)
        else "No part of the model loses much more than its share: without training, so many weights are too many."
    )
    names = [loss.title for loss in lost]
    suffer = f"{listed(names)} suffer{'s' if len(names) == 1 else ''}"
    return Verdict("note", f"No layer or modality has collapsed, yet {suffer}", why, _most(facts, dead))


def _fine(facts: Facts, dead: DeadNeurons | None, losses: Sequence[Loss]) -> Verdict:
    detail = _most(facts, dead)
    even = "Every layer keeps some" if facts.fixed else "No side of the model loses much more than its share"
    if not losses:
        why = f"{even} of its weights. What that costs was not measured."
        return Verdict("unknown", "No layer or modality has collapsed", why, detail)
    if facts.fixed:
        return Verdict("fine", "No layer has collapsed", f"{even} of its weights.", detail)
    return Verdict(
        "fine",
        "Nothing has collapsed",
        f"{even} of the weights, and every task keeps more than four fifths of what the dense model can.",
        detail,
    )


def _most(facts: Facts, dead: DeadNeurons | None) -> str:
    """What the layer loses that loses most, and how many neurons are dead."""
    most = max(facts.layers, key=lambda fact: fact.sparsity)
    gone = f"; {_dead(dead)}" if dead else ""
    return f"The layer that loses most, {most.name}, loses {percent(most.sparsity)} of its weights{gone}."


def _compared(rival: Facts | None, modality: str) -> str:
    if rival is None:
        return ""
    dead = sum(fact.sparsity >= DEAD for fact in rival.layers)
    layers = "no layer" if not dead else "one layer" if dead == 1 else f"{dead} layers"
    return (
        f"At the same total, {rival.method} takes {percent(rival.modalities[modality])} of {modality} and leaves {layers} "
        f"above {percent(DEAD)}."
    )
