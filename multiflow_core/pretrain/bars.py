"""What a built-in model has to reach on scenes that it has never seen, before it is shipped; its card says where it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Bar(NamedTuple):
    """A figure of a task, what it is called, and the least it should be."""

    task: str
    figure: str
    title: str
    least: float


QUESTIONS = ("color", "kind", "size", "count", "setting", "place", "exists", "relation")
BARS = (
    Bar("queries", "thing", "one thing: first picture true", 0.97),
    Bar("queries", "precision", "one thing: R-precision of the re-ranked", 0.85),
    Bar("queries", "two", "two things: first picture true", 0.94),
    Bar("queries", "relation", "a relation: first picture true", 0.92),
    Bar("queries", "count", "a number: first picture true", 0.90),
    Bar("queries", "none", "nothing of: first picture true", 0.97),
    *(Bar("vqa", kind, f"VQA: {kind}", 0.93) for kind in QUESTIONS),
    Bar("captioning", "true", "captions that are true", 0.95),
    Bar("captioning", "complete", "... and leave nothing out", 0.90),
    Bar("retrieval", "IR@1", "IR@1 of full descriptions", 0.99),
    Bar("retrieval", "TR@1", "TR@1 of full descriptions", 0.985),
)


def held_against(figures: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[Bar, float]]:
    """Every bar that a model's figures speak of, and what it reached.

    >>> [(bar.title, bar.least, reached) for bar, reached in held_against({"queries": {"none": 1.0}})]
    [('nothing of: first picture true', 0.97, 1.0)]
    """
    for bar in BARS:
        reached = figures.get(bar.task, {}).get(bar.figure)
        if reached is not None:
            yield bar, reached


def table(figures: Mapping[str, Mapping[str, float]]) -> str:
    """The bars as Markdown; what is missed is set in bold.

    >>> print(table({"vqa": {"relation": 0.5}}))
    | figure | bar | reached |
    |---|---|---|
    | VQA: relation | 0.930 | **0.500**, missed |
    """
    lines = ["| figure | bar | reached |", "|---|---|---|"]
    for bar, reached in held_against(figures):
        said = f"{reached:.3f}" if reached >= bar.least else f"**{reached:.3f}**, missed"
        lines.append(f"| {bar.title} | {bar.least:.3f} | {said} |")
    return "\n".join(lines)
