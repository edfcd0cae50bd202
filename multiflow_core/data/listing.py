"""What a data set holds, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from ..support.threads import Progress
from .album import NEUTRAL, Album, Found, Item
from .dataset import DataSet

BAD, EXAMPLES = 8, 3
_WORDS = (("pictures", "picture"), ("captions", "caption"), ("questions", "question"), ("classes", "class"))


def lines(data: DataSet, progress: Progress | None = None, thorough: bool = True) -> Iterator[str]:
    """What was found, what cannot be used, and three examples; if `thorough`, after every picture was opened.

    >>> from multiflow_core.data import dataset
    >>> next(lines(dataset.open("flatland")))
    'Flatland: built in, drawn as it is asked for'
    """
    if isinstance(data, Album):
        if thorough:
            data.check(progress)
        yield from _found(data, thorough)
        yield from unusable(data)
        yield from (_example(item) for item in _examples(data))
        return
    yield f"{data.title}: built in, drawn as it is asked for"
    exam = data.exam("test", EXAMPLES, EXAMPLES, EXAMPLES)
    yield from (f"  {text}" for text in exam.texts)
    yield from (f"  {question.text}? {question.answer}" for _, question in exam.asked[:EXAMPLES])


def held(data: DataSet, progress: Progress | None = None, thorough: bool = True) -> dict[str, Any]:
    """The same for another program.

    >>> from multiflow_core.data import dataset
    >>> held(dataset.open("flatland"))["name"]
    'flatland'
    """
    if not isinstance(data, Album):
        exam = data.exam("test", EXAMPLES, EXAMPLES, EXAMPLES)
        asked = [{"text": question.text, "answer": question.answer} for _, question in exam.asked[:EXAMPLES]]
        return {"name": data.name, "title": data.title, "examples": {"captions": list(exam.texts), "questions": asked}}
    found = data.check(progress) if thorough else data.found
    return {
        "name": data.name,
        "title": data.title,
        **asdict(found),
        "fingerprint": data.fingerprint,
        "halves": data.halves() if thorough and found.divided else None,
        "examples": [_held_example(item) for item in _examples(data)],
        "cannot_be_used": [asdict(bad) for bad in data.bad(found.bad)] if found.bad else [],
        "copies": dict(data.copies()),
    }


def _held_example(item: Item) -> dict[str, Any]:
    asked = [{"text": question.text, "answer": question.answer} for question in item.questions]
    return {"name": item.name, "captions": item.captions, "questions": asked, "class": item.label or None}


def counted(found: Found) -> str:
    """How much there is of what.

    >>> from multiflow_core.data import dataset
    >>> counted(dataset.open("assets/pictures").found).split()[1]
    'pictures'
    """
    counts = [(getattr(found, many), one if getattr(found, many) == 1 else many) for many, one in _WORDS]
    return ", ".join(f"{count:,} {name}" for count, name in counts if count)


def _found(album: Album, thorough: bool) -> Iterator[str]:
    found = album.found
    yield f"{album.name}: {found.layout}, fingerprint {album.fingerprint}"
    yield f"  {counted(found)}"
    if found.divided:
        halves = album.halves() if thorough else {}
        told = " (" + ", ".join(f"{name} {count:,}" for name, count in halves.items()) + ")" if halves else ""
        yield f"  splits: train and test by a hash of each picture's bytes, about half each{told}"
    else:
        yield "  splits: " + ", ".join(f"{name or 'none'} {count:,}" for name, count in found.splits.items())
    if not found.captions:
        told = (
            "one of its questions"
            if found.questions
            else '"a photo of a ..." and the class'
            if found.classes
            else f'"{NEUTRAL}"'
        )
        yield f"  no captions: calibration gives every picture {told} as its text"
        if not found.questions and not found.classes:
            yield "  so the layers that read text see one text: calibrate on pictures with captions if they matter"


def unusable(album: Album) -> Iterator[str]:
    """What cannot be used, as far as it is known: rows at once, broken pictures once they were opened."""
    if count := album.found.bad:
        yield f"{count:,} rows cannot be used:" if count > 1 else "1 row cannot be used:"
        yield from (f"  {bad}" for bad in album.bad(BAD))
        if count > BAD:
            yield f"  and {count - BAD:,} more"
    if copies := album.copies():
        yield (
            f"{len(copies):,} pictures are copies, and count once:"
            if len(copies) > 1
            else "1 picture is a copy, and counts once:"
        )
        yield from (f"  {name} is {first}" for name, first in copies[:BAD])
        if len(copies) > BAD:
            yield f"  and {len(copies) - BAD:,} more"


def _examples(album: Album) -> tuple[Item, ...]:
    """A few that are measured on, or calibrated with."""
    return album.items("test", EXAMPLES) or album.items("train", EXAMPLES)


def _example(item: Item) -> str:
    said = [
        *item.captions[:1],
        *(f"{q.text} {q.answer}".strip() for q in item.questions[:1]),
        *([item.label] if item.label else []),
    ]
    return f"  {item.name}" + "".join(f"  {text[:100]}" for text in said)
