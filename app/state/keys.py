"""Every key of the dashboard: those that an address says, each with its default and its check, and those of a session.

An address restores the page that it was copied from. A value in it that cannot be used gets one sentence: from `complaints`
where it is wrong whatever the model, from the page where it depends on the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from multiflow_core.experiments.run import FORMS, OWN, Run

from .checks import (
    DIRECTIONS,
    SCALES,
    BadValue,
    code_from,
    fixed_from,
    matrix_from,
    pin_from,
    scene_from,
    short,
    sparsity_from,
    step_from,
    switch_from,
    tour_from,
    weight_from,
    window_from,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Slot(Generic[T]):
    """Something that a session remembers and no address says.

    Attributes:
        name: its name in the session.
        default: its value when nothing was remembered.
    """

    name: str
    default: T

    def __post_init__(self) -> None:
        if self.name in REGISTRY:
            raise ValueError(f"There are two keys called {self.name}")
        REGISTRY[self.name] = self


@dataclass(frozen=True)
class Key(Slot[T]):
    """Something that an address says, under the name that it has in the session, too.

    >>> SPARSITY.read("0.75")
    0.75

    Attributes:
        parse: text -> value; raises BadValue with a sentence.
        choices: the values that there are; none where they are not known here.
        instead: what is shown in place of a bad value, where it is not called as the default is.
        noun: what such a value is called, where that is not the key's name.
    """

    parse: Callable[[str], T] = str
    choices: tuple[str, ...] = ()
    instead: str = ""
    noun: str = ""

    def read(self, text: str, choices: Iterable[str] = ()) -> T:
        """The value that a text in an address stands for; BadValue if it cannot be used."""
        value, known = self.parse(text), self.choices or tuple(choices)
        if known and value not in known:
            names = ", ".join(name for name in known if name)
            raise BadValue(f"There is no {self.noun or self.name} {short(text)} (there is {names})")
        return value


REGISTRY: dict[str, Slot[Any]] = {}


# --- what an address says -------------------------------------------------------------------------------------------

MODEL: Key[str] = Key("model", "flatland-blip")  # a built-in one, a folder, a hub name
DATA: Key[str] = Key("data", "flatland", noun="data set")  # a path on the server, or what was uploaded
METHOD: Key[str] = Key("method", "multiflow")
SPARSITY: Key[float] = Key("sparsity", 0.63, sparsity_from, instead="63 %")
ALLOCATION: Key[str] = Key("allocation", OWN)
FIXED: Key[str] = Key("fixed", "", fixed_from, instead="nothing fixed")  # which layers do not go by the slider
LAYER: Key[str] = Key("layer", "")  # a parameter's name; which ones there are depends on the model
WEIGHT: Key[str] = Key("weight", "", weight_from)  # "row,column"; which ones there are depends on the layer
FORM: Key[str] = Key(  # what pages that ask a model show of it: as it was pruned, fine-tuned afterwards, or smaller
    "form", "pruned", choices=("pruned", *FORMS), noun="form of a model"
)
RUN_A: Key[str] = Key(
    "a", "", pin_from, instead="the sidebar's run"
)  # the runs that are pinned, as a run writes itself
RUN_B: Key[str] = Key("b", "", pin_from, instead="its rival")
OF: Key[str] = Key("of", "magnitude", choices=("magnitude", "score"), noun="distribution")  # what Distributions shows
PER: Key[str] = Key("per", "modality", choices=("modality", "block", "layer"), noun="ridge")  # what has one
VIEW: Key[str] = Key(  # what the cells of a layer's matrix show
    "view", "signal", choices=("signal", "magnitude", "score", "critical", "mask", "disagreement")
)
OTHER: Key[str] = Key(
    "other", "", noun="other method"
)  # the method whose mask is compared; which ones there are depends on the chosen one
WINDOW: Key[str] = Key("window", "", window_from, instead="the whole layer")
STRONGEST: Key[str] = Key(  # how many neurons Flow shows at each place
    "strongest", "6", choices=("4", "6", "8", "12"), noun="number of neurons"
)
STORY: Key[str] = Key("story", "", choices=("", "1"))  # the story of these settings is told on every page
PRESENT: Key[str] = Key("present", "", choices=("", "1"), noun="presenter mode")  # no controls, for a projector
TOUR: Key[str] = Key("tour", "", tour_from, instead="no tour")  # the step of the guided tour
ROOM: Key[str] = Key("room", "", code_from, instead="one of its own")  # a tour's code, by which its notes follow
NOTES: Key[str] = Key("notes", "", code_from, instead="no notes")  # the code of the tour whose notes a window shows
QUERY: Key[str] = Key("q", "a red car")
QUESTION: Key[str] = Key("ask", "how many things are there")
RERANK: Key[str] = Key(  # how many of the nearest pictures the matching head looks at
    "rerank", "16", choices=("0", "8", "16", "32"), noun="number of re-ranked pictures"
)
SCENE: Key[int] = Key("scene", 5, scene_from)
TASK: Key[str] = Key("task", "captioning", str.lower)  # older links have it as it is shown: VQA
TRANSFER: Key[str] = Key(  # what Benchmark's figures are of
    "transfer", "zero-shot", choices=("zero-shot", "fine-tuned"), noun="way to measure"
)
WHO: Key[str] = Key("who", "all", choices=("all", "paper"), noun="choice of methods")  # who takes part there
TIMED: Key[str] = Key("timed", "retrieval", choices=("retrieval", "captioning"), noun="timed task")
AT_A_TIME: Key[str] = Key(  # pictures that are looked at together while a model is timed
    "at_a_time", "32", choices=("1", "2", "4", "8", "16", "32"), noun="number of pictures at a time"
)
DIRECTION: Key[str] = Key("direction", DIRECTIONS[0], choices=DIRECTIONS)
LADDER: Key[bool] = Key("ladder", False, switch_from, instead="none")  # also where it takes long

STEP: Key[int] = Key("step", 1, step_from)
LESSON_WEIGHTS: Key[str] = Key("w", "1,-1,6,3;9,8,-3,-8;-5,9,6,1", lambda text: matrix_from(text, 3, 4))
LESSON_TOKENS: Key[str] = Key("x", "2,1,4,1;0,0,0,-4;-2,0,-4,1;0,-1,0,0", lambda text: matrix_from(text, 4, 4))
# how large the lesson's text weights are beside its vision weights
SCALE: Key[str] = Key("scale", "0.15", choices=SCALES, noun="size of the text weights")
# the lesson keeps its answers to itself, for a class
ANSWERS: Key[str] = Key("answers", "", choices=("", "hidden"), noun="state of the answers")
CLASS: Key[str] = Key("class", "", code_from, instead="no class")  # the code by which a class's answers are collected

# --- what a session remembers ---------------------------------------------------------------------------------------

NOTHING: Mapping[Any, Any] = MappingProxyType({})

SETTINGS: Slot[Run | None] = Slot("settings", None)  # what the sidebar said in this run
NOTICES: Slot[tuple[str, ...] | None] = Slot(
    "notices", None
)  # what was wrong with the address; None: not yet looked at
NOTICED: Slot[Run | None] = Slot("noticed", None)  # the settings then in force
TOLD: Slot[Run | None] = Slot("told_for", None)  # the settings of the story that was chosen last
ANSWERED: Slot[Any] = Slot("answered", None)  # what the first screen asked about, and what was answered last
SHOWN: Slot[tuple[str, str, int] | None] = Slot("tour_shown", None)  # model, data and step that were entered last
ENTERED: Slot[Any] = Slot("tour_entered", None)  # the step that is to be shown from the next run on
STARTED: Slot[bool] = Slot("presenting_started", False)  # whether presenter mode has just been entered

DRAGGED: Slot[tuple[float, float] | None] = Slot("dragged", None)  # the slider's value, and the one under the finger
LIVE: Slot[Any] = Slot("live_slider", None)  # what the browser tells of it
PLAYING: Slot[bool] = Slot("playing", False)  # whether the slider runs by itself
DRAWN: Slot[int] = Slot("drawn", 0)  # how often the page was

FIXING: Slot[bool] = Slot("fixed_layers", False)  # whether it is being chosen which layers may go

OPENED: Slot[Mapping[str, str]] = Slot("opened", NOTHING)  # {what the address says: what it goes by} of opened models
CHOSEN: Slot[str | None] = Slot("chosen", None)  # the one that was opened last, until the sidebar takes it
DIALOG: Slot[bool] = Slot("dialog", False)  # whether the dialog that opens models is open
OPEN_NAME: Slot[str] = Slot("open_name", "")  # what is typed there
OPENING: Slot[str | None] = Slot("opening", None)  # what the reader asked it to open

PROPOSED: Slot[Mapping[str, str]] = Slot("proposed", NOTHING)  # {key: text} that stands there in place of the default
MASKS_FOR: Slot[str] = Slot("masks for", "")  # the pin for which the dialog that opens masks is open
MASKS_NAME: Slot[str] = Slot("masks_name", "")  # what is typed there
MASKS_ASKED: Slot[str] = Slot("masks asked", "")  # what the reader asked it to open

DATA_OPENED: Slot[Mapping[str, str]] = Slot("data opened", NOTHING)  # the same three of data sets
DATA_CHOSEN: Slot[str | None] = Slot("data chosen", None)
DATA_DIALOG: Slot[bool] = Slot("data dialog", False)
DATA_NAME: Slot[str] = Slot("data_name", "")
DATA_ASKED: Slot[str | None] = Slot("data asked", None)
DATA_ARCHIVE: Slot[Any] = Slot("data_archive", None)  # the file in the uploader
DATA_REFUSED: Slot[str] = Slot("data refused", "")  # why the archive that was uploaded cannot be used

MEASURE_METHODS: Slot[tuple[str, ...]] = Slot("measure_methods", ())  # what is to be measured
MEASURE_AT: Slot[tuple[float, ...]] = Slot("measure_at", ())
MEASURE_TASKS: Slot[tuple[str, ...]] = Slot("measure_tasks", ())
MEASURE_PICTURES: Slot[int] = Slot("measure_pictures", 0)
MEASURE_PROBLEM: Slot[str] = Slot("measure problem", "")  # why it could not be started

SWEEP_PROBLEM: Slot[str] = Slot("sweep problem", "")  # why a sweep could not be started
NOTED: Slot[Run | None] = Slot("noted", None)  # the run that was noted last
NOTEBOOK: Slot[Any] = Slot("notebook", None)  # the runs that this session has looked at, where none are kept on disk

WISH_TASKS: Slot[tuple[str, ...]] = Slot("wish_tasks", ())  # what a model that is chosen for the reader must keep
WISH_KEEP: Slot[int] = Slot("wish_keep", 90)  # percent
WISH_SIZE: Slot[int] = Slot("wish_size", 100)  # and may cost
WISH_FASTER: Slot[float] = Slot("wish_faster", 1.0)
WISH_MEMORY: Slot[int] = Slot("wish_memory", 100)
WISH_TUNED: Slot[bool] = Slot("wish_tuned", False)  # whether it is fine-tuned after pruning
WISH_TIME: Slot[str] = Slot("wish_time", "any")
WISH_MEASURE: Slot[bool] = Slot("wish_measure", False)  # whether what is missing is to be measured

WINDOW_OF: Slot[tuple[str, str] | None] = Slot("window of", None)  # the model and the layer to which the window belongs
LAYER_TABLE: Slot[Any] = Slot("layer_table", None)  # the row that is marked in the table of all layers: that of `LAYER`
WEIGHT_ROW: Slot[int] = Slot("weight_row", 0)  # the fields in which a weight is typed
WEIGHT_COLUMN: Slot[int] = Slot("weight_column", 0)
LINES: Slot[tuple[str, ...]] = Slot("lines", ())  # the methods that Compare draws as lines

UPLOADS: Slot[int] = Slot("uploads", 0)  # how often the uploader was emptied: part of its widget key
OWN_PICTURES: Slot[tuple[Any, ...]] = Slot("own pictures", ())  # those that this session has added
PICTURE: Slot[int | str | None] = Slot(
    "picture", None
)  # the own picture that is asked about, by its id; else the scene
ONLY_OWN: Slot[bool] = Slot("only own", False)  # whether retrieval searches nothing but own pictures
REFUSED: Slot[tuple[str, ...]] = Slot("refused", ())  # what was wrong with files of the last upload

HIDING: Slot[bool] = Slot("hide_answers", False)  # whether the lesson's answers are kept back
TOLD_CLASS: Slot[bool] = Slot("told class", False)  # whether a class is shown which of its answers is right
SOLVED: Slot[Mapping[int, float]] = Slot("solved_steps", NOTHING)  # {step: the right answer that was given}
EDITORS: Slot[int] = Slot("editor_round", 0)  # how often the lesson's numbers were put back: part of the widget keys
EDITED: Slot[Mapping[str, Any]] = Slot("edited", NOTHING)  # {key: the numbers that its editor began with}
GUESSES: Slot[frozenset[tuple[int, int]]] = Slot("guesses", frozenset())  # the weights that the reader would cut
GUESSED_AT: Slot[Any] = Slot("guessed_at", None)  # the numbers that these guesses are about
REVEALED: Slot[bool] = Slot("revealed", False)  # whether the guesses are judged

PRESETS: tuple[float, ...] = (0.0, 0.63, 0.75, 0.90)


def url_keys() -> tuple[Key[Any], ...]:
    """All that an address can say."""
    return tuple(known for known in REGISTRY.values() if isinstance(known, Key))


def complaints(params: Mapping[str, str], choices: Mapping[Key[Any], Iterable[str]]) -> dict[Key[Any], str]:
    """One sentence for every value in an address that cannot be used; `choices` are those that are not known here.

    >>> list(complaints({"sparsity": "1.5"}, {}).values())
    ['The address asks for a sparsity of “1.5”, but a sparsity lies between 0 and 1: showing 63 %.']
    """
    found = {}
    for key in url_keys():
        try:
            if key.name in params:
                key.read(params[key.name], choices.get(key, ()))
        except BadValue as problem:
            found[key] = f"{problem}: showing {key.instead or key.default or 'none'}."
    return found
