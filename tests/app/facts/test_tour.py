"""The guided tour: its steps are those for which there are figures, and its figures those of the result file."""

import json

import pytest

from app import state
from app.app_pages import PAGES
from app.facts import gallery, tour, truth
from app.look.words import percent
from multiflow_core.experiments.run import Run
from tests.app.conftest import figures

ALL = ["captioning", "neurons", "overview", "two-runs", "captioning", "compare"]


def entry(method: str, sparsity: float, value: float) -> dict:
    return {"method": method, "sparsity": sparsity, "seed": 0, "scores": figures(value)}


@pytest.fixture
def steps(assets, result_file):
    """steps(entries, ...) -> the tour, with these runs measured besides those of the result file."""

    def made(*more: dict) -> tuple[tour.Step, ...]:
        held = result_file | {"runs": [*result_file["runs"], *more]}
        (assets / "results" / "flatland-blip.json").write_text(json.dumps(held))
        return tour.steps.__wrapped__("flatland-blip", "", 0, lambda *_: None)

    return made


WHOLE = (entry("multiflow", 0.5, 0.94), entry("multiflow", 0.8, 0.21), entry("sparsegpt", 0.8, 0.77))


def test_where_plain_magnitude_does_as_well_it_is_said_and_only_where_it_was_measured(steps):
    said = "Here even cutting the smallest weights keeps about as much"
    assert said not in steps(*WHOLE)[2].words
    assert said in steps(*WHOLE, entry("omp", 0.5, 0.93))[2].words
    assert said not in steps(*WHOLE, entry("omp", 0.5, 0.8))[2].words


def test_what_a_recovery_costs_is_said_where_it_was_timed(steps, result_file):
    assert " s instead of a moment" not in steps(*WHOLE)[-1].words
    result_file["costs"] = [{"method": "sparsegpt", "seconds": 1234.4}]
    assert "without any task, in 1,234 s instead of a moment." in steps(*WHOLE)[-1].words


def test_a_tour_takes_about_three_minutes(steps):
    found = steps(*WHOLE)
    assert [step.page for step in found] == ALL and {step.page for step in found} <= {entry.url for entry in PAGES}
    assert 150 <= sum(step.seconds for step in found) <= 210
    assert all(step.headline and step.words and step.notes for step in found)


def test_a_step_without_figures_is_left_out(steps, assets):
    assert [step.page for step in steps()] == ALL[:4]  # nothing was measured that breaks, or that comes back
    assert [step.page for step in steps(*WHOLE[:2])] == ALL[:5]
    assert [step.page for step in steps(*WHOLE[:2], entry("sparsegpt", 0.8, 0.22))] == ALL[:5]  # which is no recovery
    (assets / "results" / "flatland-blip.json").unlink()
    assert tour.steps.__wrapped__("flatland-blip", "", 0, lambda *_: None) == ()


def test_the_figures_are_those_of_the_file(steps):
    dense, _, saved, against, far, back = steps(*WHOLE)
    assert "true captions 95 %" in dense.words and "1,000 new pictures" in dense.words
    assert saved.settings == Run("flatland-blip", "multiflow", 0.5) and "true captions 94 %" in saved.words
    assert saved.headline.startswith("What is saved: 44 % of the file")
    assert against.settings.sparsity == 0.63 and "70 % for A, 20 % for B, and 95 % before" in against.words
    assert far.settings.sparsity == 0.8 and "21 % (dense 95 %)" in far.words
    assert (
        back.settings == Run("flatland-blip", "sparsegpt", 0.8) and "true captions 77 % instead of 21 %" in back.words
    )


def test_magnitude_is_not_said_to_lose_where_it_does_not(steps, result_file):
    for run in result_file["runs"]:
        if run["method"] == "omp":
            run["scores"] = figures(0.95)
    assert "two-runs" not in [step.page for step in steps()]


def test_the_same_picture_is_asked_about_all_along(steps):
    found = [step for step in steps(*WHOLE) if step.page in ("captioning", "two-runs")]
    numbers = {dict(step.choices)[state.SCENE] for step in found}
    assert len(found) == 3 and len(numbers) == 1
    picture = gallery.picture("", numbers.pop())
    assert truth.judged(gallery.caption(Run.dense("flatland-blip"), picture), picture, True).true


def test_a_model_that_only_searches_is_asked_to_search():
    found = tour.steps.__wrapped__("flatland-xvlm", "", 0, lambda *_: None)
    assert found[0].page == "retrieval" and "captioning" not in [step.page for step in found]
    assert len({dict(step.choices).get(state.QUERY) for step in found if step.page in ("retrieval", "two-runs")}) == 1


def test_everything_that_is_shown_is_chosen(steps):
    for step in steps(*WHOLE):
        chosen = dict(step.all_choices())
        assert chosen[state.METHOD] == step.settings.method and chosen[state.SPARSITY] == step.settings.sparsity
        assert all(isinstance(slot, state.Slot) for slot in chosen)
        for key, value in chosen.items():
            if isinstance(key, state.Key):
                assert key.read(str(value)) == value
    assert percent(0.5) in steps(*WHOLE)[1].words
