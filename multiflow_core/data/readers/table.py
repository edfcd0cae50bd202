"""A table of pictures with captions, questions or classes, in any usual column names: CSV, TSV, JSON, one JSON object a line."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import annotations
from ..columns import Columns, one
from ..finder import Finder, root_of
from ..members import members
from ..pictures import is_picture
from ..reader import Bad, Reader, Row, register
from ..walk import SPLITS, classes_in

SUFFIXES = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json")
_USUAL = {"captions", "metadata", "labels", "annotations", "data", "dataset", "results", "questions"} | SPLITS
_NUMBER = re.compile(r"#\d+$")  # Flickr's captions count: 1000268201.jpg#0
Cells = dict[str, Any]


def tables(path: Path) -> list[Path]:
    """The tables that a path leads to: a file, or those of a folder; tables called after splits belong together."""
    if path.is_file():
        kind = annotations.kind_of(path) if path.suffix.lower() == ".json" else annotations.ROWS
        return [path] if path.suffix.lower() in SUFFIXES and kind in (annotations.ROWS, annotations.NAMES, "") else []
    if not path.is_dir():
        return []
    found = _tables_in(path)
    parts = [file for file in found if _split(file)]
    below = [
        file
        for split in sorted(path.iterdir())
        if split.is_dir() and split.name.lower() in SPLITS
        for file in _tables_in(split)
    ]
    return parts or found or below


def _tables_in(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.iterdir()) if file.suffix.lower() in SUFFIXES and _is_table(file)]


def _split(file: Path) -> str:
    """The split that a table, or the folder in which it lies, is called after."""
    return next((name for name in (file.stem.lower(), file.parent.name.lower()) if name in SPLITS), "")


def _is_table(file: Path) -> bool:
    """Whether a file in a folder is meant as the table of its pictures: by its columns, or because it is called so."""
    if not file.is_file() or (file.suffix.lower() == ".json" and not _kind(file)):
        return False
    usual = file.stem.lower() in _USUAL
    if file.suffix.lower() == ".txt" and not usual and "token" not in file.stem:  # most texts are no tables
        return False
    if file.suffix.lower() != ".txt" and usual and not classes_in(file.parent):
        return True
    try:
        next(cells_of(file), None)
        return True
    except ValueError:
        return False


def _kind(file: Path) -> bool:
    return annotations.kind_of(file) in (annotations.ROWS, annotations.NAMES)


def rows(path: Path) -> Iterator[Row | Bad]:
    """A row for every row."""
    files = tables(path)
    if len(files) > 1 and len({_split(file) for file in files} - {""}) < len(files):
        raise ValueError(f"{path} holds several tables ({', '.join(f.name for f in files[:5])}): give the path of one.")
    for file in files:
        finder = Finder(root_of(path), file.parent)
        split = _split(file) if len(files) > 1 else ""
        for number, held in cells_of(file):
            place = f"{file.name}, {number}"
            try:
                yield _row(held, split, place, finder)
            except ValueError as error:
                yield Bad(place, str(error))


def _row(held: tuple[Columns, Cells] | str, split: str, place: str, finder: Finder) -> Row:
    if isinstance(held, str):
        raise ValueError(held)
    columns, cells = held
    said = columns.read(cells)
    name = _NUMBER.sub("", one(said.picture))
    source = finder.called(name)
    return Row(source.path, source, name, said.captions, said.questions, said.label, said.split or split, "", place)


# --- cells ----------------------------------------------------------------------------------------------------------


def cells_of(file: Path) -> Iterator[tuple[str, tuple[Columns, Cells] | str]]:
    """(where it stands, its columns and cells, or what is wrong with it) of every row of a file.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.csv"
    >>> _ = path.write_text('file_name,caption\\na.jpg,"a cat, asleep"\\n')
    >>> [(place, cells["caption"]) for place, (_, cells) in cells_of(path)]
    [('line 2', 'a cat, asleep')]

    ValueError, in a sentence, where it is no table of pictures.
    """
    read = {".json": _elements, ".jsonl": _lines, ".ndjson": _lines}.get(file.suffix.lower(), _separated)
    columns: dict[tuple[str, ...], Columns] = {}
    for place, cells in read(file):
        if isinstance(cells, str):
            yield place, cells
            continue
        names = tuple(cells)
        if names not in columns:
            try:
                columns[names] = Columns.of(names)
            except ValueError as error:
                if not columns:  # the first row is what the table is judged by
                    raise ValueError(f"{file} is no table of pictures: {error}.") from None
                yield place, str(error)
                continue
            if len(columns) > 256:  # a table in which every row is different
                columns.pop(next(iter(columns)))
        yield place, (columns[names], cells)


def _separated(file: Path) -> Iterator[tuple[str, Cells | str]]:
    with file.open(encoding=_encoding(file), newline="") as lines:
        rows = csv.reader(lines, delimiter=_delimiter(file), skipinitialspace=True)
        first = _next(rows, file)
        if first is None:
            raise ValueError(f"{file} is empty.")
        names = [name.strip() for name in first[1]] if isinstance(first[1], list) else []
        held: tuple[int, list[str] | str] | None = None
        if names and is_picture(_NUMBER.sub("", names[0])):  # Flickr's have no line of names
            names, held = ["image", "caption", *(f"column {i}" for i in range(3, len(names) + 1))], first
        while (held := held or _next(rows, file)) is not None:
            line, cells = held
            if isinstance(cells, str):
                yield f"line {line}", cells
            elif cells:
                yield f"line {line}", dict(zip(names, (*cells, *[""] * (len(names) - len(cells))), strict=False))
            held = None


def _next(rows: Any, file: Path) -> tuple[int, list[str] | str] | None:
    """The next row of a table with the line in which it begins; None at the end."""
    line = rows.line_num + 1
    try:
        return line, next(rows)
    except StopIteration:
        return None
    except csv.Error as error:
        return line, f"it cannot be read ({error})"
    except UnicodeError:
        raise ValueError(f"{file} is not encoded as UTF-8 (near line {line}): save it as UTF-8.") from None


def _encoding(file: Path) -> str:
    """UTF-8 with or without a mark, or UTF-16, which Excel writes as "Unicode text"."""
    with file.open("rb") as held:
        first = held.read(2)
    return "utf-16" if first in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _delimiter(file: Path) -> str:
    """What separates the cells: the one that the first line has most of."""
    try:
        with file.open(encoding=_encoding(file), newline="") as held:
            first = re.sub(r'"[^"]*"', "", held.readline(1 << 16))
    except UnicodeError:
        raise ValueError(f"{file} is not encoded as UTF-8 (near line 1): save it as UTF-8.") from None
    if "\t" in first and file.suffix.lower() in (".tsv", ".txt"):
        return "\t"
    return max(",;\t|", key=first.count)


def _lines(file: Path) -> Iterator[tuple[str, Cells | str]]:
    with file.open(encoding=_encoding(file)) as lines:
        try:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"line {number}", _object(line)
        except UnicodeError:
            raise ValueError(f"{file} is not encoded as UTF-8: save it as UTF-8.") from None


def _object(line: str) -> Cells | str:
    try:
        held = json.loads(line)
    except (ValueError, RecursionError):
        return "it is no JSON"
    return held if isinstance(held, dict) and held else "it is no JSON object"


def _elements(file: Path) -> Iterator[tuple[str, Cells | str]]:
    number = 0
    for key, held in members(file):
        number += 1
        if key and isinstance(held, str | list | dict) and is_picture(key):
            yield f"entry {number}", {"image": key, **(held if isinstance(held, dict) else {"caption": held})}
        elif key:
            raise ValueError(
                f"{file} is none of the JSON files that are known: a list of rows (image, caption, ...), COCO captions, "
                "Karpathy's splits, or questions of VQAv2 or GQA."
            )
        else:
            yield f"row {number}", held if isinstance(held, dict) and held else "it is no JSON object"
    if not number:
        raise ValueError(f"{file} is empty.")


register(Reader("table", "a table of pictures with texts", 60, lambda path: bool(tables(path)), rows))
