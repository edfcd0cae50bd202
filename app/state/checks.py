"""How a text in an address is read and checked. A value that cannot be used is one sentence, without its end."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from multiflow_core.experiments.run import Run
from multiflow_core.pruning.patterns import read_fixed, write_fixed

QUERY_LIMIT = 200
LAST_SCENE = 999_999
LESSON_STEPS = 10
SCALES: tuple[str, ...] = ("1", "0.5", "0.25", "0.15", "0.1")
DIRECTIONS: tuple[str, ...] = ("Text to image", "Image to text")
LARGEST = 99  # the size of a number in the lesson's tables
_WINDOW = re.compile(r"([0-9]{1,6})-([0-9]{1,6}),([0-9]{1,6})-([0-9]{1,6})")
_CODE = re.compile(r"[0-9A-Za-z]{0,16}")
_WEIGHT = re.compile(r"[0-9]{1,6}, ?[0-9]{1,6}")


class BadValue(ValueError):
    """A value in the URL that cannot be used; its text is one sentence for the reader."""


def sparsity_from(text: str) -> float:
    """A sparsity from a URL, as a fraction.

    >>> sparsity_from("0.63")
    0.63
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise BadValue(f"The address asks for a sparsity of {short(text)}, but a sparsity lies between 0 and 1")
    return round(value, 2)


def scene_from(text: str) -> int:
    """The number of a scene from a URL.

    >>> scene_from("12")
    12
    """
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= LAST_SCENE and len(text) <= 6):
        raise BadValue(f"The address asks for scene {short(text)}, but scenes are numbered from 0 to {LAST_SCENE:,}")
    return int(text)


def weight_from(text: str) -> str:
    """The place of a weight in its layer's matrix, "row,column", counted from 0; nothing where no weight is chosen.

    >>> weight_from("12, 40")
    '12,40'
    """
    if text and not _WEIGHT.fullmatch(text):
        raise BadValue(
            f"The address asks for the weight {short(text)}, but a weight is named by its row and its column, as in 12,40"
        )
    return text.replace(" ", "")


def fixed_from(text: str) -> str:
    """Which layers stay dense or have a sparsity of their own, from a URL.

    >>> fixed_from("text = keep, vision 3=0.50")
    'text=dense,vision 3=0.5'
    """
    try:
        return write_fixed(read_fixed(text))
    except ValueError:
        raise BadValue(
            f"The address fixes layers by {short(text)}, but that is no pattern with a sparsity, as in text=dense or vision 3=0.5"
        ) from None


def step_from(text: str) -> int:
    """The number of a step of the lesson from a URL.

    >>> step_from("3")
    3
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and 1 <= int(text) <= LESSON_STEPS):
        raise BadValue(f"The address asks for step {short(text)} of the lesson, which has steps 1 to {LESSON_STEPS}")
    return int(text)


def tour_from(text: str) -> str:
    """The number of a step of the guided tour from a URL, or nothing; how many there are depends on what was measured.

    >>> tour_from("3")
    '3'
    """
    if text and not (text.isascii() and text.isdigit() and len(text) <= 2 and int(text)):
        raise BadValue(f"The address asks for step {short(text)} of the tour, but steps are numbered from 1")
    return text


def code_from(text: str) -> str:
    """The code of a tour or of a class from a URL, or nothing.

    >>> code_from("room7")
    'room7'
    """
    if not _CODE.fullmatch(text):
        raise BadValue(f"The address has the code {short(text)}, but a code has up to 16 letters and digits")
    return text


def matrix_from(text: str, rows: int, columns: int) -> str:
    """A small matrix from a URL: numbers with commas between columns and semicolons between rows.

    >>> matrix_from("1,-2.0;3,0.5", 2, 2)
    '1,-2;3,0.5'
    """
    try:
        numbers = [[float(cell) for cell in row.split(",")] for row in text.split(";")]
    except ValueError:
        numbers = []
    if [len(row) for row in numbers] != [columns] * rows or not all(abs(x) <= LARGEST for row in numbers for x in row):
        raise BadValue(
            f"The address gives the lesson the numbers {short(text)}, but it takes {rows} rows of {columns} numbers from "
            f"-{LARGEST} to {LARGEST}, as in 1,2;3,4"
        )
    return text_of(numbers)


def text_of(numbers: Sequence[Sequence[float]]) -> str:
    """A matrix as it is written in a URL, with two decimals at most.

    >>> text_of([[1.0, 0.255]])
    '1,0.26'
    """
    return ";".join(",".join(f"{round(x, 2) + 0.0:g}" for x in row) for row in numbers)


def numbers_of(text: str) -> tuple[tuple[float, ...], ...]:
    """What `text_of` wrote.

    >>> numbers_of("1,-2;3,0.5")
    ((1.0, -2.0), (3.0, 0.5))
    """
    return tuple(tuple(float(cell) for cell in row.split(",")) for row in text.split(";"))


def place_of(weight: str) -> tuple[int, int] | None:
    """(row, column) of what `WEIGHT` holds; None where no weight is chosen.

    >>> place_of("12,40")
    (12, 40)
    """
    if not weight:
        return None
    row, column = weight_from(weight).split(",")
    return int(row), int(column)


def window_from(text: str) -> str:
    """The part of a layer's matrix that is looked at, "rows,columns", first and last of each; nothing for all of it.

    >>> window_from("96-191,32-63")
    '96-191,32-63'
    """
    found = _WINDOW.fullmatch(text)
    if text and not (found and int(found[1]) <= int(found[2]) and int(found[3]) <= int(found[4])):
        raise BadValue(
            f"The address asks for the window {short(text)}, but a window is named by its first and last rows and columns, "
            "as in 96-191,32-63"
        )
    return text


def switch_from(text: str) -> bool:
    """Whether a switch is on, from a URL.

    >>> switch_from("true")
    True
    """
    if text.lower() not in ("true", "false"):
        raise BadValue(f"The address sets a switch to {short(text)}, but it is true or false")
    return text.lower() == "true"


def pin_from(text: str) -> str:
    """A pinned run from an address, written as a run writes itself; nothing where none is pinned.

    >>> pin_from("flatland-blip,omp,own,0.63")
    'flatland-blip,omp,own,0.63'
    """
    if text:
        try:
            Run.read(text)
        except ValueError as problem:
            raise BadValue(f"The address pins {short(text)}, but {problem}") from None
    return text


def short(text: str) -> str:
    """What somebody wrote, in quotation marks, on one line and not too long.

    >>> short("a red\\ncar"), short("a red car below a white cloud")
    ('“a red car”', '“a red car below a white …”')
    """
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return f"“{text[:24]}…”" if len(text) > 24 else f"“{text}”"
