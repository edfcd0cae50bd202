"""Why a weight is kept or pruned, in sentences. Pure: an explanation in, words out; every claim is one of its numbers."""

from __future__ import annotations

from dataclasses import dataclass

from multiflow_core.analysis.explain import Explanation, Place

from ..look.words import number, ordinal, percent


@dataclass(frozen=True)
class Reasons:
    """The verdict in one line, and what stands behind it, a sentence each."""

    headline: str
    sentences: tuple[str, ...]


def of(why: Explanation, method: str, formula: str, factors: tuple[str, ...]) -> Reasons:
    """The reasons for one verdict.

    Args:
        method, formula: the method's name for people, and its score in one line.
        factors: what the score grows with (see `multiflow_core.criteria.Criterion`).
    """
    told = (_size(why), _neurons(why, factors), _score(why, formula), _budget(why, method), _fate(why))
    return Reasons(_headline(why, factors), tuple(sentence for sentence in told if sentence))


def _headline(why: Explanation, factors: tuple[str, ...]) -> str:
    """ "Kept, though too small by size alone: it connects the 3rd busiest of 192 inputs to ..., so it stays until 81 %"."""
    verdict = "Kept" if why.kept else "Pruned"
    end = f"{'stays until' if why.kept else 'went at'} {moment(why.critical, why.sparsity)}"
    if why.cut in (0, why.score.of):
        return f"{verdict}: {'everything' if why.cut else 'nothing'} goes there at {percent(why.sparsity)}; it {end}"
    size, links = "large enough" if why.kept_by_size else "too small", _links(why, factors)
    if why.kept == why.kept_by_size and factors:
        if not links:
            return f"{verdict}: it is {size}, so it {end}"
        helped = why.score.share >= why.magnitude.share  # by the neurons at its ends
        if helped == why.kept:
            return f"{verdict}: it is {size}, and {links}, so it {end}"
        return f"{verdict}: it is {size}; {links}, which does not {'help' if why.kept else 'make up for that'}, so it {end}"
    if links:  # the rest of the score outweighs the size
        return f"{verdict}, though {size} by size alone: {links}, so it {end}"
    return f"{verdict}: its score comes after {percent(why.score.share)} of {_rivals(why)}, so it {end}"


def _links(why: Explanation, factors: tuple[str, ...]) -> str:
    """What the score sees beside the size: the neurons at both ends, or the input alone."""
    if {"input", "output"} <= set(factors) and why.s_in and why.s_out:
        return (
            f"it connects the {standing(why.s_in, 'busiest', 'quietest')} of {why.s_in.of} inputs to the "
            f"{standing(why.s_out, 'busiest', 'quietest')} of {why.s_out.of} outputs"
        )
    if "norm" in factors and why.norm:
        return f"its input is the {standing(why.norm, 'strongest', 'weakest')} of {why.norm.of}"
    return ""


def _size(why: Explanation) -> str:
    return (
        f"Its value is {number(why.weight)}. By size, {percent(why.magnitude.share)} of {_rivals(why)} would go before it, and "
        f"{percent(why.cut / why.score.of)} have to go{_part(why)}: by size alone it would "
        f"{'stay' if why.kept_by_size else 'go'}."
    )


def _part(why: Explanation) -> str:
    """Why it is not the slider's share that goes here."""
    share, asked = percent(why.cut / why.score.of), percent(why.sparsity)
    return "" if share == asked else f" here when {asked} of the whole model do"


def _neurons(why: Explanation, factors: tuple[str, ...]) -> str:
    """Where both neurons stand, also for methods that do not look at them."""
    if not (why.s_in and why.s_out):
        return ""
    unseen = "" if {"input", "output"} & set(factors) else " This method does not look at that."
    return (
        f"It leads from input {why.column}, the {standing(why.s_in, 'busiest', 'quietest')} of {why.s_in.of} (input saliency "
        f"{number(why.s_in.value)}), to output {why.row}, the {standing(why.s_out, 'busiest', 'quietest')} of {why.s_out.of} "
        f"(output saliency {number(why.s_out.value)}).{unseen}"
    )


def _score(why: Explanation, formula: str) -> str:
    return (
        f"Its score, {formula}, is {number(why.score.value)}: the {ordinal(why.score.rank)} highest of {_rivals(why)}."
    )


def _budget(why: Explanation, method: str) -> str:
    where = "in its row" if why.among == "row" else "in this layer"
    if not why.cut:
        return f"At {percent(why.sparsity)} {method} prunes nothing {where}."
    return (
        f"At {percent(why.sparsity)} {method} prunes {why.cut:,} of {why.score.of:,} {where}, the lowest scores first, up to "
        f"{number(why.threshold)}; this one is number {why.score.before + 1:,} in that order."
    )


def _fate(why: Explanation) -> str:
    away = abs(why.critical - why.sparsity)
    points = f"{100 * away:.1f} points" if away >= 0.0005 else "less than 0.1 points"
    when = f"{'stays until' if why.kept else 'has been gone since'} {moment(why.critical, why.sparsity)}"
    return f"It {when}, {points} from where the slider stands."


def moment(critical: float, sparsity: float) -> str:
    """The critical sparsity in per cent, with as many digits as it takes to fall on the right side of the slider.

    >>> moment(0.63004, 0.63), moment(0.63004, 0.5)  # at 63 % the weight is kept, so it is not gone from there on
    ('63.004 %', '63 %')
    """
    at = round(100 * sparsity, 6)
    for digits in range(1, 7):
        said = round(100 * critical, digits)
        if (said > at) == (critical > sparsity):
            break
    return f"{said:.{digits}f}".rstrip("0").rstrip(".") + " %"


def standing(place: Place, high: str, low: str) -> str:
    """A rank from the nearer end.

    >>> [standing(Place(0.0, before, 9), "busiest", "quietest") for before in (8, 6, 1, 0)]
    ['busiest', '3rd busiest', '2nd quietest', 'quietest']
    """
    from_above = place.rank <= place.of - place.rank + 1
    rank, word = (place.rank, high) if from_above else (place.before + 1, low)
    return word if rank == 1 else f"{ordinal(rank)} {word}"


def _rivals(why: Explanation) -> str:
    return f"the {why.score.of:,} weights of its {why.among}"
