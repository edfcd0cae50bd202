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
)
BEFORE = {  # what the last checkpoint of the name reached: no worse than that
    "flatland-blip": {"IR@1": 0.990, "TR@1": 0.987},
    "flatland-xvlm": {"IR@1": 0.995, "TR@1": 0.995},
}


def held_against(name: str, figures: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[Bar, float]]:
    """Every bar that the figures of a built-in model speak of, and what it reached.

    >>> [(bar.title, bar.least, reached) for bar, reached in held_against("flatland-blip", {"queries": {"none": 1.0}})]
    [('nothing of: first picture true', 0.97, 1.0)]
    """
    recall = (
        Bar("retrieval", figure, f"{figure} of full descriptions", least) for figure, least in BEFORE[name].items()
    )
    for bar in (*BARS, *recall):
        reached = figures.get(bar.task, {}).get(bar.figure)
        if reached is not None:
            yield bar, reached


def table(name: str, figures: Mapping[str, Mapping[str, float]]) -> str:
    """The bars as Markdown; what is missed is set in bold.

    >>> print(table("flatland-blip", {"vqa": {"relation": 0.5}}))
    | figure | bar | reached |
    |---|---|---|
    | VQA: relation | 0.930 | **0.500**, missed |
    """
    lines = ["| figure | bar | reached |", "|---|---|---|"]
    for bar, reached in held_against(name, figures):
        said = f"{reached:.3f}" if reached >= bar.least else f"**{reached:.3f}**, missed"
        lines.append(f"| {bar.title} | {bar.least:.3f} | {said} |")
    return "\n".join(lines)
