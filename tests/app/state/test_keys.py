"""What an address says, and what is said about an address that cannot be used."""

import ast
from pathlib import Path

import pytest

from app import state
from app.charts.lens import VIEWS
from app.engine import runs
from app.facts import distributions, flow
from app.lesson import STEPS
from multiflow_core.tasks.task import tasks

APP = Path(state.__file__).parents[1]
KEYS = state.url_keys()
CHOICES = {
    state.METHOD: tuple(runs.all_titles()),
    state.ALLOCATION: tuple(runs.allocations()),
    state.TASK: tuple(task.name for task in tasks()),
}
# what there is depends on the model or on what was chosen, and the page says so (tests/app/parts/test_address.py)
PAGES_KNOW = {state.MODEL, state.DATA, state.LAYER, state.OTHER, state.QUERY, state.QUESTION}
BAD = "no such thing"

every_key = pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
every_checked_key = pytest.mark.parametrize(
    "key", [key for key in KEYS if key not in PAGES_KNOW], ids=lambda key: key.name
)


def sentences(**params: str) -> list[str]:
    return list(state.complaints(params, CHOICES).values())


def text_of(value: object) -> str:
    """A value as the address has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


# --- every key -----------------------------------------------------------------------------------------------------


@every_key
def test_a_default_passes_its_own_check(key):
    assert key.read(text_of(key.default), CHOICES.get(key, ())) == key.default
    assert not sentences(**{key.name: text_of(key.default)})


@every_checked_key
def test_a_bad_value_is_one_sentence_that_names_it_and_what_is_shown(key):
    (sentence,) = sentences(**{key.name: BAD})
    assert f"“{BAD}”" in sentence and "\n" not in sentence and len(sentence) < 320
    shown = key.instead or str(key.default) or "none"
    assert sentence.endswith(f": showing {shown}.")


@every_checked_key
def test_a_long_bad_value_is_cut_short(key):
    (sentence,) = sentences(**{key.name: BAD * 100})
    assert sentence.count(BAD) < 3 and "…”" in sentence


@every_key
def test_every_choice_is_a_good_value(key):
    for choice in key.choices or CHOICES.get(key, ()):
        assert key.read(choice, CHOICES.get(key, ())) == choice
        assert not sentences(**{key.name: choice})


def test_every_bad_value_has_its_sentence():
    found = sentences(**{key.name: BAD for key in KEYS})
    assert len(found) == len(KEYS) - len(PAGES_KNOW) and len(set(found)) == len(found)


def test_other_parameters_are_nobodys_business():
    assert not sentences(utm_source="elsewhere")


def test_what_pages_know_is_not_judged_here():
    assert all(not sentences(**{key.name: BAD}) for key in PAGES_KNOW)


def test_a_name_is_given_once():
    with pytest.raises(ValueError, match="sparsity"):
        state.Key("sparsity", "")
    assert state.REGISTRY["sparsity"] is state.SPARSITY


@pytest.mark.parametrize(
    ("key", "offered"),
    [(state.OF, distributions.OF), (state.PER, distributions.PER), (state.VIEW, VIEWS), (state.STRONGEST, flow.COUNTS)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_what_pages_offer_is_what_the_address_may_say(key, offered):
    assert set(key.choices) == set(offered)


def test_the_lesson_has_as_many_steps_as_the_address_may_say():
    assert len(STEPS) == state.LESSON_STEPS


def test_parameters_are_called_as_in_old_links():
    names = "model method sparsity allocation layer weight a b of per view other window strongest story present q ask"
    lesson = "scene task direction ladder step w x scale answers"
    newer = "data rerank fixed tour room notes class transfer who timed at_a_time form"
    assert {key.name for key in KEYS} == {*names.split(), *lesson.split(), *newer.split()}


# --- single keys ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        (state.SPARSITY, "0", 0.0),
        (state.SPARSITY, "1", 1.0),
        (state.SPARSITY, "0.634", 0.63),
        (state.SPARSITY, "1e-1", 0.1),
        (state.SCENE, "12", 12),
        (state.WEIGHT, "12, 40", "12,40"),
        (state.WINDOW, "96-191,32-63", "96-191,32-63"),
        (state.STEP, "10", 10),
        (state.LADDER, "True", True),
        (state.TASK, "VQA", "vqa"),
        (state.DIRECTION, "Image to text", "Image to text"),
        (state.LESSON_WEIGHTS, "1,2,3,4;5,6,7,8;9,0.5,-1,-99.0", "1,2,3,4;5,6,7,8;9,0.5,-1,-99"),
        (state.RUN_A, "a,b,omp,own,0.5", "a,b,omp,own,0.5"),
        (state.LAYER, "text.0.fc1", "text.0.fc1"),
    ],
)
def test_good_values(key, text, value):
    assert key.read(text, CHOICES.get(key, ())) == value and not sentences(**{key.name: text})
    assert key.read(text_of(value), CHOICES.get(key, ())) == value  # what is written is read alike


@pytest.mark.parametrize(
    ("key", "text"),
    [
        *((state.SPARSITY, text) for text in ("1.01", "-0.1", "63", "nan", "inf", "", "0,5")),
        *((state.SCENE, text) for text in ("-1", "1000000", "1.5", "", "٣")),
        *((state.WEIGHT, text) for text in ("12", "12,", "1,2,3", "-1,2", "a,b", "٣,1", "1.5,2")),
        *((state.WINDOW, text) for text in ("1-2", "5-3,0-1", "0-1,5-3", "a-b,c-d", "-1-2,0-1")),
        *((state.STEP, text) for text in ("0", "11", "", "1.0", "٣")),
        *((state.LESSON_WEIGHTS, text) for text in ("", "1,2", "1,2,3,4;5,6,7,8", "1,2,3,4;5,6,7,8;9,0,1,100")),
        *((state.RUN_B, text) for text in ("omp", "m,omp,own,7", "m,omp,own,x", ",omp,own,0.5")),
        *((state.LADDER, text) for text in ("", "1", "yes")),
        *((state.SCALE, text) for text in ("", "0.10", "2")),
    ],
)
def test_bad_values(key, text):
    assert len(sentences(**{key.name: text})) == 1


@pytest.mark.parametrize(("text", "place"), [("12,40", (12, 40)), ("0, 0", (0, 0)), ("", None)])
def test_a_weight_is_named_by_row_and_column(text, place):
    assert state.place_of(state.WEIGHT.read(text)) == place


def test_numbers_of_the_lesson_come_back():
    for key in (state.LESSON_WEIGHTS, state.LESSON_TOKENS):
        assert state.text_of(state.numbers_of(key.default)) == key.default


def test_names_that_there_are_are_said():
    assert sentences(method="magic")[0].startswith("There is no method “magic” (there is multiflow, ")


# --- where they are used -------------------------------------------------------------------------------------------

# widgets with a key of their own for every upload, round or chart, whose state nobody else reads
WIDGETS = {"parts/picture_picker.py", "parts/lesson_panel.py", "parts/plotly_chart.py"}


def uses(attribute: str) -> dict[str, list[ast.expr]]:
    """{file: what `attribute` of Streamlit is indexed with, or asked for}, for every file of the app that names it."""
    found: dict[str, list[ast.expr]] = {}
    for path in sorted(APP.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.Attribute) and node.attr == attribute for node in ast.walk(tree)):
            found[str(path.relative_to(APP))] = [
                node.slice
                for node in ast.walk(tree)
                if isinstance(node, ast.Subscript) and getattr(node.value, "attr", "") == attribute
            ]
    return found


def test_only_one_file_names_the_session():
    found = uses("session_state")
    assert set(found) == {"parts/session.py"} | WIDGETS
    assert not [key for keys in found.values() for key in keys if isinstance(key, ast.Constant | ast.JoinedStr)]


def test_only_one_file_names_the_address():
    assert set(uses("query_params")) == {"parts/address.py"}


def test_every_key_is_used():
    text = "\n".join(path.read_text(encoding="utf-8") for path in APP.rglob("*.py") if path.parent.name != "state")
    names = {name for name, value in vars(state).items() if isinstance(value, state.Slot)}
    assert len(names) == len(state.REGISTRY)
    assert not [name for name in names if f"state.{name}" not in text and name not in text]
