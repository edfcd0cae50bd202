"""The guided tour as the presented window and the presenter's own have it."""

import pytest

from app import app_pages, state
from app.facts import tour
from tests.app.conftest import texts

TITLES = {entry.url: entry.title for entry in app_pages.PAGES}


@pytest.fixture(scope="module")
def steps():
    return tour.steps("flatland-blip", "", tour.stamp("flatland-blip", ""))


def shown(at) -> str:
    return at.title[0].value.replace("\u00a0", " ")


def said(at) -> str:
    return texts(at).replace("\u2060", "")


def test_a_link_starts_it_and_buttons_lead_through_it(open_page, steps):
    at = open_page(tour="1", room="lead")
    for n, step in enumerate(steps, start=1):
        assert not at.exception and not at.error
        assert shown(at) == step.headline and f"**{n} of {len(steps)}**" in texts(at)
        assert step.words in said(at) and step.notes not in said(at)
        settings = at.session_state[state.SETTINGS.name]
        assert settings == step.settings
        assert at.query_params["tour"] in (str(n), [str(n)])
        if n < len(steps):
            at.button(key="tour_next_0").click().run()
    assert at.button(key="tour_next_0").proto.disabled
    at.button(key="tour_back_1").click().run()
    assert shown(at) == steps[-2].headline and at.session_state[state.SETTINGS.name] == steps[-2].settings


def test_it_turns_by_arrow_keys_and_by_those_of_a_pointer(open_page):
    at = open_page(tour="2")
    keys = {button.key: button.proto.shortcut.lower() for button in at.button if button.key.startswith("tour_")}
    assert keys == {
        "tour_back_0": "left",
        "tour_back_1": "pageup",
        "tour_next_0": "right",
        "tour_next_1": "pagedown",
    }


def test_whoever_looks_at_something_else_meanwhile_stays_there(open_page):
    at = open_page(tour="1")
    other = 12 if at.number_input(key="scene").value != 12 else 13
    at.number_input(key="scene").set_value(other).run()
    at.slider(key="sparsity").set_value(0.3).run()
    assert at.number_input(key="scene").value == other and at.slider(key="sparsity").value == 0.3


def test_leaving_it_brings_the_controls_back(open_page, steps):
    at = open_page(tour="2", room="left")
    hidden = '[data-testid="stSidebar"],'
    assert hidden in texts(at)
    at.button(key="leave").click().run()
    assert not at.exception and hidden not in texts(at)
    assert "tour" not in at.query_params and "room" not in at.query_params
    assert at.session_state[state.SETTINGS.name] == steps[1].settings


def test_a_button_starts_it_on_every_page(open_page, steps):
    at = open_page("compare")
    at.button(key="start_tour").click().run()
    assert not at.exception and shown(at) == steps[0].headline


def test_a_step_beyond_the_last_is_the_last(open_page, steps):
    assert shown(open_page(tour="99")) == steps[-1].headline


def test_a_model_without_figures_has_no_tour(open_page, assets):
    (assets / "results" / "flatland-blip.json").unlink()
    at = open_page(tour="1")
    assert not at.exception and not at.error
    assert "no tour of this model" in at.warning[0].value and "start_tour" not in [button.key for button in at.button]


@pytest.mark.parametrize(
    ("params", "part"),
    [({"tour": "first"}, "steps are numbered"), ({"tour": "0"}, "steps are numbered"), ({"room": "a b"}, "a code")],
)
def test_a_bad_step_or_code_is_one_sentence(open_page, params, part):
    at = open_page(**params)
    assert not at.exception and not at.error
    assert len(at.warning) == 1 and part in at.warning[0].value


# --- the presenter's own window -----------------------------------------------------------------------------------


def test_the_notes_follow(open_page, steps):
    room, notes = open_page(tour="1", room="follow"), open_page(notes="follow")
    for n, step in enumerate(steps):
        assert not notes.exception and shown(notes) == step.headline
        assert step.notes in said(notes)
        after = steps[n + 1].headline if n + 1 < len(steps) else "the end"
        assert f"**Next:** {after}" in said(notes)
        if n + 1 < len(steps):
            room.button(key="tour_next_0").click().run()
            notes.run()
    planned = sum(step.seconds for step in steps)
    assert notes.metric[1].delta == f"of {planned // 60}:{planned % 60:02d}"


def test_notes_of_no_tour_say_how_to_start_one(open_page):
    at = open_page(notes="nobody")
    assert not at.exception and not at.error and "No tour is being given by the code **nobody**" in texts(at)
