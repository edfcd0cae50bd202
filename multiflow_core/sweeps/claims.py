"""What the paper claims, and what the lab's own cells say to it: verdicts with the cells behind them. Needs no torch.

Farina, Mancini, Cunegatti, Iacca and Ricci, MULTIFLOW: Shifting Towards Task-Agnostic Vision-Language Pruning, CVPR 2024. Each
claim is put in our own words as something that a table can contradict; the threshold that decides stands in the sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from .cell import DENSE, FINE_TUNED
from .ranking import marks, shown
from .table import Column, Part

HOLDS, PARTLY, FAILS, UNKNOWN, UNTESTABLE = (
    "holds",
    "holds in part",
    "does not hold",
    "not measured",
    "cannot be tested",
)
VERDICTS = (HOLDS, PARTLY, FAILS, UNKNOWN, UNTESTABLE)
OURS = "multiflow"
PAPERS = ("random", "omp", "lamp", "snip", "itersnip", "chita", "chita++", OURS)  # the pruners of the paper's tables
BY_GRADIENTS = ("snip", "itersnip", "chita", "chita++")
PLAIN = ("omp", "lamp")
MOST, COLLAPSED, SERVED = 0.75, 0.5, 0.9


class Behind(NamedTuple):
    """A cell that a verdict rests on, and whether it speaks for the claim."""

    sparsity: float
    column: Column
    speaks_for: bool
    said: str


@dataclass(frozen=True)
class Verdict:
    """What came of a claim: a word, a sentence with the figures, the cells behind it."""

    word: str
    sentence: str
    behind: tuple[Behind, ...] = ()


@dataclass(frozen=True)
class Claim:
    """Something that the paper says.

    Attributes:
        name, text: for code and for people. judge: judge(part) -> Verdict.
        tuned: whether the paper says it of fine-tuned models, so that zero-shot cells only hint at it.
    """

    name: str
    text: str
    judge: Callable[[Part], Verdict]
    tuned: bool = True


def judged(part: Part) -> list[tuple[Claim, Verdict]]:
    """Every claim with its verdict on the cells of one model."""
    return [(claim, claim.judge(part)) for claim in CLAIMS]


def _among_papers(part: Part) -> Part:
    """The pruners that the paper compares."""
    return part.without(m for m in part.methods if m not in PAPERS)


def _nothing(what: str) -> Verdict:
    return Verdict(UNKNOWN, f"There are no cells with {what}.")


def _counted(behind: Iterable[Behind], sentence: str, most: float = 1.0) -> Verdict:
    """Holds where at least `most` of the cells speak for it, in part where at least half do."""
    found = tuple(behind)
    share = sum(cell.speaks_for for cell in found) / len(found)
    word = HOLDS if share >= most else PARTLY if share >= 0.5 else FAILS
    return Verdict(word, sentence.format(yes=sum(cell.speaks_for for cell in found), all=len(found)), found)


def _values(part: Part, sparsity: float, column: Column, methods: Iterable[str]) -> dict[str, float]:
    return {m: spread.mean for m in methods if (spread := part.spread(m, sparsity, column))}


def first(part: Part) -> Verdict:
    """Whether MULTIFLOW is first in the vast majority of cells."""
    papers = _among_papers(part)
    behind = []
    for sparsity, column in papers.cells():
        values = _values(papers, sparsity, column, papers.methods)
        best, _ = marks(values, column)
        if OURS in values and len(values) > 2 and best:
            leader = max(values, key=values.get)
            said = f"{OURS} {shown(values[OURS], column)}, best {shown(values[leader], column)} ({', '.join(sorted(best))})"
            behind.append(Behind(sparsity, column, OURS in best, said))
    if not behind:
        return _nothing("MULTIFLOW beside two others of the paper's pruners")
    others = len(papers.methods) - 1
    everyone = [_values(part, cell.sparsity, cell.column, part.methods) for cell in behind]
    of_all = sum(OURS in marks(values, cell.column)[0] for values, cell in zip(everyone, behind, strict=True))
    more = (
        f" Among all {len(part.methods)} of the lab it is first in {of_all}." if len(part.methods) > others + 1 else ""
    )
    return _counted(
        behind,
        f"First, or level with the first, in {{yes}} of {{all}} cells against {others} of the paper's pruners; "
        f"the claim asks for {_percent(MOST)}.{more}",
        MOST,
    )


def gap_grows(part: Part) -> Verdict:
    """Whether its lead over the best other one grows from one sparsity to the next."""
    papers = _among_papers(part)
    behind = []
    for column in papers.columns:
        leads = []
        for sparsity in papers.sparsities:
            values = _values(papers, sparsity, column, papers.methods)
            others = [value for name, value in values.items() if name != OURS]
            if OURS in values and others:
                leads.append((sparsity, values[OURS] - max(others)))
        for (_, before), (sparsity, lead) in pairwise(leads):
            said = f"lead {_signed(before, column)}, then {_signed(lead, column)}"
            behind.append(Behind(sparsity, column, lead > before and lead > 0, said))
    if not behind:
        return _nothing("MULTIFLOW and another of the paper's pruners at two sparsities")
    return _counted(
        behind, "From one sparsity to the next its lead over the best other one grows in {yes} of {all} steps.", MOST
    )


def gradients_do_not_pay(part: Part) -> Verdict:
    """Whether methods that need gradients stay behind plain magnitude, which needs nothing."""
    behind = []
    for sparsity, column in part.cells():
        by_gradients = _values(part, sparsity, column, BY_GRADIENTS)
        plain = _values(part, sparsity, column, PLAIN)
        if by_gradients and plain:
            a, b = max(by_gradients, key=by_gradients.get), max(plain, key=plain.get)
            said = f"{a} {shown(by_gradients[a], column)}, {b} {shown(plain[b], column)}"
            behind.append(Behind(sparsity, column, by_gradients[a] <= plain[b], said))
    if not behind:
        return _nothing("a method by gradients and one by magnitude")
    return _counted(
        behind,
        "The best method that needs gradients does not get past the best of OMP and LAMP, which need none, in {yes} of {all} "
        "cells.",
        MOST,
    )


def magnitude_collapses(part: Part) -> Verdict:
    """Whether global magnitude loses most of what the dense model can at the highest sparsity, and more than MULTIFLOW."""
    if not part.sparsities:
        return _nothing("pruned models")
    sparsity, behind = part.sparsities[-1], []
    for column in part.columns:
        values = _values(part, sparsity, column, ("omp", OURS))
        dense = part.spread(DENSE, 0.0, column)
        if len(values) == 2 and dense and dense.mean > 0:
            kept = values["omp"] / dense.mean
            said = f"omp keeps {_percent(kept)}, {OURS} {_percent(values[OURS] / dense.mean)}"
            behind.append(Behind(sparsity, column, kept < COLLAPSED and values["omp"] < values[OURS], said))
    if not behind:
        return _nothing("OMP and MULTIFLOW beside the dense model")
    return _counted(
        behind,
        f"At {_percent(sparsity)} OMP keeps less than {_percent(COLLAPSED)} of the dense figure, and less than MULTIFLOW, "
        "in {yes} of {all} columns.",
    )


def one_mask_serves_all(part: Part) -> Verdict:
    """Whether the one mask keeps most of every task at the lowest sparsity."""
    if not part.sparsities:
        return _nothing("pruned models")
    sparsity, behind = part.sparsities[0], []
    for column in part.columns:
        own, dense = part.spread(OURS, sparsity, column), part.spread(DENSE, 0.0, column)
        if own and dense and dense.mean > 0:
            kept = own.mean / dense.mean
            behind.append(Behind(sparsity, column, kept >= SERVED, f"{_percent(kept)} of the dense figure"))
    if len({cell.column.task for cell in behind}) < 2:
        return _nothing("MULTIFLOW and the dense model on two tasks")
    return _counted(
        behind,
        f"One mask, found without a task, keeps at least {_percent(SERVED)} of the dense model's figure at {_percent(sparsity)} "
        "in {yes} of {all} columns.",
    )


def ranking_carries_over(part: Part) -> Verdict:
    """Whether the best mask of one task is the best of the others: what task-agnostic pruning hopes for."""
    behind = []
    for sparsity in part.sparsities:
        leaders = {}
        for column in part.columns:
            values = _values(part, sparsity, column, part.methods)
            if len(values) > 2:
                leaders[column] = marks(values, column)[0]
        if len({column.task for column in leaders}) > 1:
            shared = frozenset.intersection(*leaders.values())
            for column, best in leaders.items():
                behind.append(Behind(sparsity, column, bool(shared), f"best: {', '.join(sorted(best))}"))
    if not behind:
        return _nothing("three methods on two tasks")
    return _counted(
        behind, "The best of a column is the best of all other columns, too, in {yes} of {all} cells.", MOST
    )


def tuning_recovers(part: Part) -> Verdict:
    """Whether a short fine-tuning brings back what was lost."""
    if part.transfer != FINE_TUNED:
        return Verdict(
            UNKNOWN, "Zero-shot cells say nothing of it: it is about models that are fine-tuned after pruning."
        )
    behind = []
    for sparsity, column in part.cells():
        own, dense = part.spread(OURS, sparsity, column), part.spread(DENSE, 0.0, column)
        if own and dense and dense.mean > 0 and sparsity < 0.8:
            kept = own.mean / dense.mean
            behind.append(Behind(sparsity, column, kept >= SERVED, f"{_percent(kept)} of the fine-tuned dense figure"))
    if not behind:
        return _nothing("MULTIFLOW beside the dense model below 80 %")
    return _counted(
        behind,
        f"Fine-tuned, it reaches {_percent(SERVED)} of the fine-tuned dense model in {{yes}} of {{all}} cells below 80 %.",
        MOST,
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _signed(lead: float, column: Column) -> str:
    return f"{'−' if lead < 0 else '+'}{shown(abs(lead), column)}"


def _never(why: str) -> Callable[[Part], Verdict]:
    return lambda part: Verdict(UNTESTABLE, why)


CLAIMS = (
    Claim("first", "MULTIFLOW is first in the vast majority of cells", first),
    Claim("gap", "Its lead grows with sparsity", gap_grows),
    Claim("gradients", "Methods by gradients do not pay for what they cost", gradients_do_not_pay),
    Claim("collapse", "One magnitude threshold for the whole model collapses at high sparsity", magnitude_collapses),
    Claim("serves", "A mask that was found once serves all tasks", one_mask_serves_all),
    Claim("agrees", "Which method is best does not depend on the task", ranking_carries_over),
    Claim("recovers", "Fine-tuning with the mask locked brings most of it back", tuning_recovers),
    Claim(
        "large",
        "All this holds for BLIP and X-VLM as they are published",
        _never(
            "The lab's models have 6 to 7 million prunable weights and were trained on one drawn world; published ones have two "
            "hundred million and have seen photographs of everything. The same sweep file runs on their checkpoints."
        ),
    ),
    Claim(
        "photos",
        "It transfers to data that differ from pre-training: COCO, Flickr30k, VQAv2",
        _never(
            "Fine-tuning goes from one drawn world to another (Paperland, with other pictures, words and questions); photographs "
            "with people's captions are not part of this repository. A sweep file may name data of one's own."
        ),
    ),
)
