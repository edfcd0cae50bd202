"""Every session and URL key of the dashboard: its name, its default, and how its text in a URL is read.

Widgets with these keys are bound to the URL (`bind="query-params"`), so a copied address restores the page. Streamlit
falls back to the default on a bad value without a word; `complaints` supplies the words. A widget whose options are shown
under other names than their own writes those names into the URL; such a key is kept there by hand (`address`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from multiflow_core.experiments.run import OWN, Run

T = TypeVar("T")

QUERY_LIMIT = 200
LAST_SCENE = 999_999
LESSON_STEPS = 10
SCALES: tuple[str, ...] = ("1", "0.5", "0.25", "0.15", "0.1")
LARGEST = 99  # the size of a number in the lesson's tables
_WINDOW = re.compile(r"([0-9]{1,6})-([0-9]{1,6}),([0-9]{1,6})-([0-9]{1,6})")
_WEIGHT = re.compile(r"[0-9]{1,6}, ?[0-9]{1,6}")


class BadValue(ValueError):
    """A value in the URL that cannot be used; its text is one sentence for the reader."""


@dataclass(frozen=True)
class Key(Generic[T]):
    """One piece of state.

    >>> SPARSITY.parse("0.75")
    0.75

    Attributes:
        name: its name in the URL and in `st.session_state`.
        default: its value when nothing is said.
        parse: text -> value; raises BadValue with a sentence.
    """

    name: str
    default: T
    parse: Callable[[str], T]


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
        raise BadValue(f"The address asks for a sparsity of {_short(text)}, but a sparsity lies between 0 and 1")
    return round(value, 2)


def scene_from(text: str) -> int:
    """The number of a scene from a URL.

    >>> scene_from("12")
    12
    """
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= LAST_SCENE and len(text) <= 6):
        raise BadValue(f"The address asks for scene {_short(text)}, but scenes are numbered from 0 to {LAST_SCENE:,}")
    return int(text)


def weight_from(text: str) -> str:
    """The place of a weight in its layer's matrix, "row,column", counted from 0; nothing where no weight is chosen.

    >>> weight_from("12, 40")
    '12,40'
    """
    if text and not _WEIGHT.fullmatch(text):
        raise BadValue(
            f"The address asks for the weight {_short(text)}, but a weight is named by its row and its column, as in 12,40"
        )
    return text.replace(" ", "")


def step_from(text: str) -> int:
    """The number of a step of the lesson from a URL.

    >>> step_from("3")
    3
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and 1 <= int(text) <= LESSON_STEPS):
        raise BadValue(f"The address asks for step {_short(text)} of the lesson, which has steps 1 to {LESSON_STEPS}")
    return int(text)


def scale_from(text: str) -> str:
    """One of `SCALES` from a URL."""
    if text not in SCALES:
        raise BadValue(
            f"The address asks for text weights {_short(text)} times as large, but there is {', '.join(SCALES)}"
        )
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
            f"The address gives the lesson the numbers {_short(text)}, but it takes {rows} rows of {columns} numbers from "
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
            f"The address asks for the window {_short(text)}, but a window is named by its first and last rows and columns, "
            "as in 96-191,32-63"
        )
    return text


def _short(text: str) -> str:
    return f"“{text[:24]}…”" if len(text) > 24 else f"“{text}”"


MODEL: Key[str] = Key("model", "flatland-blip", str)
METHOD: Key[str] = Key("method", "multiflow", str)
SPARSITY: Key[float] = Key("sparsity", 0.63, sparsity_from)
ALLOCATION: Key[str] = Key("allocation", OWN, str)
LAYER: Key[str] = Key("layer", "", str)  # a parameter's name; which ones there are depends on the model
WEIGHT: Key[str] = Key("weight", "", weight_from)  # "row,column"; which ones there are depends on the layer
RUN_A: Key[str] = Key("a", "", str)  # the runs that are pinned, as a run writes itself
RUN_B: Key[str] = Key("b", "", str)
OF: Key[str] = Key("of", "magnitude", str)  # what Distributions shows: "magnitude" or "score"
PER: Key[str] = Key("per", "modality", str)  # one ridge a "modality", "block" or "layer"
VIEWS: tuple[str, ...] = ("signal", "magnitude", "score", "critical", "mask", "disagreement")
VIEW: Key[str] = Key("view", VIEWS[0], str)  # what the cells of a layer's matrix show
OTHER: Key[str] = Key("other", "", str)  # the method whose mask is compared; the default depends on the chosen one
WINDOW: Key[str] = Key("window", "", window_from)  # "rows,columns" of the chosen layer, first and last of each
WINDOW_OF = "window of"  # the layer to which the window belongs
STRONGEST: Key[str] = Key("strongest", "6", str)  # how many neurons Flow shows at each place
STORY: Key[str] = Key("story", "", str)  # anything but nothing: the story of these settings is told on every page
PRESENT: Key[str] = Key("present", "", str)  # anything but nothing: no controls, for a projector
QUERY: Key[str] = Key("q", "a red car", str)
SCENE: Key[int] = Key("scene", 5, scene_from)
TASK: Key[str] = Key("task", "captioning", str)
DIRECTIONS: tuple[str, ...] = ("Text to image", "Image to text")
DIRECTION: Key[str] = Key("direction", DIRECTIONS[0], str)
QUESTION: Key[str] = Key("ask", "how many things are there", str)
LADDER: Key[bool] = Key("ladder", False, lambda text: text == "true")  # also where it takes long

STEP: Key[int] = Key("step", 1, step_from)
LESSON_WEIGHTS: Key[str] = Key("w", "1,-1,6,3;9,8,-3,-8;-5,9,6,1", lambda text: matrix_from(text, 3, 4))
LESSON_TOKENS: Key[str] = Key("x", "2,1,4,1;0,0,0,-4;-2,0,-4,1;0,-1,0,0", lambda text: matrix_from(text, 4, 4))
SCALE: Key[str] = Key("scale", "0.15", scale_from)  # how large the lesson's text weights are beside its vision weights
ANSWERS: Key[str] = Key("answers", "", str)  # "hidden": the lesson keeps its answers to itself, for a class
LESSON: tuple[Key[Any], ...] = (STEP, LESSON_WEIGHTS, LESSON_TOKENS, SCALE)

LAYER_TABLE = "layer_table"  # the row that is marked in the table of all layers: that of `LAYER`
LINES = "lines"  # the methods that Compare draws as lines
UPLOADS = "uploads"  # how often the uploader was emptied: part of its widget key
OWN_PICTURES = "own pictures"  # those that this session has added
PICTURE = "picture"  # the own picture that is asked about, by its id; anything else: the scene
ONLY_OWN = "only own"  # whether retrieval searches nothing but own pictures
CLIMBED = "climbed"  # what the ladder on the page is about
REFUSED = "refused"  # what was wrong with files of the last upload
OPENED = "opened"  # {what the address says: what it goes by} of the models opened in this session
CHOSEN = "chosen"  # the one that was opened last, until the sidebar takes it
DIALOG = "dialog"  # whether the dialog that opens models is open
OPENING = "opening"  # what the reader asked it to open
NOTICES = "notices"  # what was wrong with the address, with the settings then in force

TOLD = "told_for"  # the settings of the story that was chosen last
SETTINGS = "settings"  # what the sidebar said in this run

PRESETS: tuple[float, ...] = (0.0, 0.63, 0.75, 0.90)


def run_from(text: str) -> Run:
    """A run from an address; BadValue when it is not written as a run writes itself.

    >>> run_from("flatland-blip,omp,own,0.63")
    Run(model='flatland-blip', method='omp', sparsity=0.63, allocation='own', criterion='own', seed=0, options=(), data='')
    """
    try:
        return Run.read(text)
    except ValueError as problem:
        raise BadValue(f"The address pins {_short(text)}, but {problem}") from None


def complaints(params: Mapping[str, str], choices: Mapping[Key[Any], Iterable[str]]) -> list[str]:
    """One sentence for every value in a URL that cannot be used.

    >>> complaints({"sparsity": "1.5"}, {})
    ['The address asks for a sparsity of “1.5”, but a sparsity lies between 0 and 1: showing 63 %.']
    """
    found = []
    for key in (MODEL, METHOD, ALLOCATION, SPARSITY, WEIGHT, WINDOW, VIEW, SCENE, DIRECTION, TASK, *LESSON):
        text = params.get(key.name)
        if text is None:
            continue
        try:
            key.parse(text)
        except BadValue as problem:
            found.append(f"{problem}: showing {_said(key)}.")
            continue
        allowed = list(choices.get(key, [text]))
        if text not in allowed:
            names = ", ".join(allowed)
            found.append(f"There is no {key.name} {_short(text)} (there is {names}): showing {_said(key)}.")
    return found


def _said(key: Key[Any]) -> str:
    if key is SPARSITY:
        return f"{key.default:.0%}".replace("%", " %")
    return "the whole layer" if key is WINDOW else str(key.default) or "none"
