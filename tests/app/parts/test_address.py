"""What only a page can judge of an address gets its sentence there, once; what an address says comes back to it."""

import pytest

from app import state
from app.engine import runs
from multiflow_core.experiments.run import Run

LAST = runs.order(Run("flatland-blip", "omp")).layers[-1]


@pytest.mark.parametrize(
    ("page", "params", "part"),
    [
        ("layers", {"layer": "nowhere"}, "“nowhere”"),
        ("overview", {"layer": "nowhere"}, "“nowhere”"),
        ("learn", {"layer": "nowhere", "step": "10"}, "“nowhere”"),
        ("neurons", {"weight": "99999,0"}, "(99999, 0)"),
        ("neurons", {"window": "0-99999,0-1"}, "0-99999,0-1"),
        ("neurons", {"view": "disagreement", "other": "magic"}, "“magic”"),
        ("neurons", {"view": "disagreement", "other": "multiflow"}, "“multiflow”"),
        ("overview", {"method": "chita", "sparsity": "0", "allocation": "global"}, "CHITA has its own way"),
        ("two_runs", {"a": "nowhere,omp,own,0.5"}, "“nowhere”"),
        ("retrieval", {"q": "red " * 60}, "239 characters"),
        ("vqa", {"ask": "red " * 60}, "239 characters"),
    ],
)
def test_what_the_page_knows_it_says_once(open_page, monkeypatch, page, params, part):
    if "method" in params:
        monkeypatch.setattr(runs, "order", lambda key, progress=None: 1 / 0)  # not run here
    at = open_page(page, **params)
    warnings = [warning.value.replace("\\", "") for warning in at.warning]
    assert len(warnings) == 1 and part in warnings[0]
    if not {"q", "ask"} & set(params):  # a text that is typed is judged as long as it stands there
        at.run()
        assert not [warning for warning in at.warning if part in warning.value]


@pytest.mark.parametrize(
    "key", [key for key in state.url_keys() if key.choices or key.parse is not str], ids=lambda key: key.name
)
def test_a_bad_value_is_said_once_on_the_first_page(open_page, key):
    at = open_page("overview", **{key.name: "no such thing"})
    assert not at.exception and not at.error
    assert [("“no such thing”" in warning.value) for warning in at.warning].count(True) == 1
    for page in ("neurons", "learn"):
        at.switch_page(f"app_pages/{page}.py").run()
        assert not at.exception and not at.error, page
        assert (
            sum("no such thing" in warning.value for warning in at.warning) == 1
        )  # the same, until the settings change


@pytest.mark.parametrize(
    ("page", "key", "text"),
    [
        ("distributions", state.OF, "score"),
        ("distributions", state.PER, "block"),
        ("flow", state.STRONGEST, "12"),
        ("neurons", state.VIEW, "mask"),
        ("layers", state.LAYER, LAST.name),
        ("overview", state.LAYER, LAST.name),
        ("neurons", state.WEIGHT, "3,4"),
        ("retrieval", state.DIRECTION, "Image to text"),
        ("compare", state.TASK, "vqa"),
        ("overview", state.METHOD, "omp"),
        ("overview", state.ALLOCATION, "global"),
        ("learn", state.ANSWERS, "hidden"),
        ("learn", state.LESSON_WEIGHTS, "1,2,3,4;5,6,7,8;9,0,1,2"),
        ("overview", state.PRESENT, "1"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_what_an_address_says_stays_in_it(open_page, page, key, text):
    at = open_page(page, **{key.name: text, **({"step": "2"} if page == "learn" else {})})
    assert not at.exception and not at.error and not [w for w in at.warning if "address" in w.value]
    assert at.query_params[key.name] in (text, [text]) and at.session_state[key.name] == text


def test_a_task_may_be_called_as_it_is_shown(open_page):
    at = open_page("compare", task="VQA")  # as older links have it
    assert not at.warning and at.session_state["task"] == "vqa" and at.query_params["task"] in ("vqa", ["vqa"])


def test_the_methods_own_allocation_by_its_name_is_no_mistake(open_page):
    at = open_page("overview", method="omp", allocation="global")
    assert not [w for w in at.warning if "allocation" in w.value] and at.session_state["allocation"] == state.OWN
