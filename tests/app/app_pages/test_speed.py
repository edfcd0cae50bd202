"""The Speed page: what was measured and where, or that nothing was; a button where visitors may measure."""

import json

import pytest

from app.engine import checkpoints, measuring, permits, speeding
from tests.app.conftest import plots, texts
from tests.app.facts.test_speed import SHIPPED


@pytest.fixture
def shipped(assets, tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIFLOW_RESULTS", str(tmp_path / "own"))
    return SHIPPED.save(checkpoints.speed_file("flatland-blip"))


def test_what_was_measured_is_shown_with_where(open_page, shipped):
    at = open_page("speed")
    said = texts(at)
    assert not at.exception and not at.error
    assert "2.00 times as fast; zeros alone make nothing faster" in said
    assert "X 1, cpu, 2 threads" in said and "What you save" in said and len(plots(at)) == 2
    assert any("multiply-adds (arithmetic)" in column for table in at.dataframe for column in table.value.columns)


def test_where_nothing_was_measured_it_can_be(open_page, shipped):
    at = open_page("speed", model="flatland-xvlm")
    assert "Nothing has been timed" in texts(at) and at.button(key="speed_start")
    assert "multiflow_core speed flatland-xvlm" in at.code[0].value


def test_visitors_measure_only_where_they_may(open_page, shipped, monkeypatch):
    monkeypatch.setattr(permits, "here", lambda: permits.Permits(address="0.0.0.0"))
    at = open_page("speed")
    assert not at.exception and not [button for button in at.button if button.key == "speed_start"]


def test_the_button_starts_the_command(open_page, shipped, monkeypatch):
    started = []
    monkeypatch.setattr(speeding, "start", started.append)
    at = open_page("speed")
    at.button(key="speed_start").click().run()
    assert started == [speeding.SpeedPlan("flatland-blip")]


def test_a_server_that_is_busy_says_so(open_page, shipped, monkeypatch):
    def busy(plan):
        raise measuring.Busy(
            "flatland-blip on Flatland is being measured on this server: 1 of 3 done. Try again later."
        )

    monkeypatch.setattr(speeding, "start", busy)
    at = open_page("speed")
    at.button(key="speed_start").click().run()
    assert "is being measured on this server" in at.error[0].value


def test_a_choice_stands_in_the_address(open_page, shipped):
    held = json.loads(shipped.read_text())
    assert list(held["models"][0]["timings"]["retrieval"]) == ["8"]
    at = open_page("speed", at_a_time="8")
    assert at.session_state["at_a_time"] == "8" and "8 at a time" in " ".join(plots(at))
