"""Data sets of Hugging Face: a folder written by `save_to_disk`, or a name of the hub. Needs the package `datasets`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...support.network import reachable
from ..columns import PICTURES, Columns
from ..reader import Bad, Reader, Row, Source, register

_FILES = ("dataset_dict.json", "state.json")  # of several splits, and of one
_END = "\n"  # between the parts of a source


def recognises(path: Path) -> bool:
    """A folder, or what has the form owner/name and is no path.

    >>> recognises(Path("nlphuji/flickr30k")), recognises(Path("assets"))
    (True, False)
    """
    if path.exists():
        return path.is_dir() and any((path / name).is_file() for name in _FILES)
    return bool(re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", str(path))) and not path.parent.exists()


def rows(path: Path) -> Iterator[Row | Bad]:
    """A row for every row of every split."""
    _splits.cache_clear()  # it may have been written anew
    for split, held in _splits(str(path)).items():
        column = _picture(held, path)
        names = {name: feature.names for name, feature in held.features.items() if hasattr(feature, "int2str")}
        try:
            columns = Columns.of(
                ["image" if n == column else f"no {n}" if n in PICTURES else n for n in held.column_names]
            )
        except ValueError as error:
            raise ValueError(f"{path} has no pictures: {error}.") from None
        for number, cells in enumerate(held):
            place = f"{split} row {number}".strip()
            try:
                yield _row(cells, columns, column, names, (str(path), split, number), place)
            except ValueError as error:
                yield Bad(place, str(error))


def read(source: Source) -> bytes:
    """The bytes of a picture: in the row, or in the file that it names."""
    path, split, column = source.path.split(_END)
    return _held(_splits(path)[split][source.start][column])


def _row(
    cells: Mapping[str, Any],
    columns: Columns,
    column: str,
    names: Mapping[str, list[str]],
    at: tuple[str, str, int],
    place: str,
) -> Row:
    path, split, number = at
    told = {name: _label(value, names.get(name)) for name, value in cells.items() if name != column}
    said = columns.read({**told, "image": "here"})
    try:
        length = len(_held(cells[column]))
    except OSError:
        raise ValueError("its picture is missing") from None
    name = f"{split}/{number}" if split else str(number)
    source = Source(_END.join((path, split, column)), number, length)
    return Row(name, source, name, said.captions, said.questions, said.label, said.split or split, "", place)


def _held(cell: Any) -> bytes:
    if not isinstance(cell, Mapping) or (cell.get("bytes") is None and not cell.get("path")):
        raise ValueError("it holds no picture")
    return cell["bytes"] if cell.get("bytes") is not None else Path(cell["path"]).read_bytes()


def _label(value: Any, names: list[str] | None) -> Any:
    if names is None or not isinstance(value, int):
        return value
    return names[value] if 0 <= value < len(names) else ""


def _picture(held: Any, path: Path) -> str:
    """The column of pictures."""
    found = [name for name, feature in held.features.items() if type(feature).__name__ == "Image"]
    if not found:
        raise ValueError(f"{path} has no column of pictures: its columns are {', '.join(held.column_names)}.")
    return next((name for name in PICTURES if name in found), found[0])


@lru_cache(maxsize=4)
def _splits(path: str) -> dict[str, Any]:
    """The splits by name ("" where there is one without a name), pictures as bytes."""
    try:
        import datasets
    except ImportError:
        there = (
            "is a data set of Hugging Face" if Path(path).exists() else "is no file or folder; to look it up on the hub"
        )
        raise ValueError(f"{path} {there}, install the package 'datasets' (pip install datasets).") from None
    if not Path(path).exists() and not datasets.config.HF_HUB_OFFLINE and not reachable(datasets.config.HF_ENDPOINT):
        raise ConnectionError(
            f"There is no file or folder {path!r}, and {datasets.config.HF_ENDPOINT} cannot be reached: connect to the internet, "
            "or set HF_HUB_OFFLINE=1 for what was downloaded before."
        )
    try:
        held = datasets.load_from_disk(path) if Path(path).exists() else datasets.load_dataset(path)
    except Exception as error:  # damaged folders, the network, the hub: almost anything
        said = (str(error).strip().splitlines() or [""])[0][:200]
        raise ValueError(
            f"{path} cannot be opened as a data set of Hugging Face ({type(error).__name__}: {said})."
        ) from None
    splits = held if isinstance(held, dict) else {"": held}
    return {name: _as_bytes(split, datasets.Image(decode=False)) for name, split in splits.items()}


def _as_bytes(split: Any, feature: Any) -> Any:
    for name, its in split.features.items():
        if type(its).__name__ == "Image":
            split = split.cast_column(name, feature)
    return split


register(Reader("huggingface", "a data set of Hugging Face", 5, recognises, rows, read))
