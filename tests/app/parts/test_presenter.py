"""Stories in one click, presenter mode, links, and pinned runs, as a session sees them."""

import pytest

from app import state
from app.engine import runs
from app.facts import comparison, two_runs
from app.facts.stories import stories
from app.parts import link, ui
from multiflow_core.experiments.run import Run
from tests.app.conftest import texts


def test_a_story_sets_the_sidebar_and_tells_itself(open_page):
    told = stories(Run("flatland-blip", ""), comparison.load("flatland-blip", "", runs.all_titles()))
    assert len(told) == 3
    at = open_page("compare", sparsity="0.4", q="a blue house")
    at.button(key="story_sidebar_0").click().run()
    assert not at.exception and not at.error
    assert at.session_state[state.ALLOCATION.name] == told[0].settings.allocation
    assert at.slider(key="sparsity").value == told[0].settings.sparsity
    assert [info.value for info in at.info] == [ui.verbatim(told[0].words)]
    assert at.title[0].value.startswith("Compare")  # it is told where it was asked for
    at.slider(key="sparsity").set_value(0.4).run()
    assert not at.info


def test_no_stories_without_measured_runs(open_page, assets):
    (assets / "results" / "flatland-blip.json").unlink()
    at = open_page()
    assert not at.exception and not [b for b in at.button if b.key.startswith("story_")]


def test_presenter_mode_comes_by_address_and_goes_by_button(open_page):
    hidden = '[data-testid="stSidebar"],'  # the rule that hides it
    assert hidden not in texts(open_page())
    at = open_page("captioning", present="1")
    assert hidden in texts(at)
    at.button(key="leave").click().run()
    assert hidden not in texts(at)
    at.button(key="start_presenting").click().run()
    assert hidden in texts(at)


def test_a_link_keeps_what_is_not_a_word_of_its_own():
    made = link.with_parameters("http://127.0.0.1:8501/retrieval?old=1#x", {"q": "50 % & more", "sparsity": "0.5"})
    assert made == "http://127.0.0.1:8501/retrieval?q=50+%25+%26+more&sparsity=0.5"


# --- two runs -----------------------------------------------------------------------------------------------------


def test_by_default_the_sidebar_against_its_rival(open_page):
    at = open_page("two_runs", sparsity="0.75")
    assert "MULTIFLOW at 75 %" in texts(at) and "OMP at 75 %" in texts(at)
    at.slider(key="sparsity").set_value(0.5).run()
    assert "MULTIFLOW at 50 %" in texts(at) and "75 %**" not in texts(at)


def test_a_pinned_run_stays_while_the_sidebar_moves(open_page):
    at = open_page("two_runs", sparsity="0.75")
    at.button(key="hold_B").click().run()
    at.slider(key="sparsity").set_value(0.5).run()
    assert "MULTIFLOW at 50 %" in texts(at) and "OMP at 75 %" in texts(at)
    assert at.session_state[state.RUN_B.name] == "flatland-blip,omp,own,0.75"
    at.button(key="free_B").click().run()
    assert "OMP at 50 %" in texts(at)


def test_a_run_is_set_to_what_the_sidebar_says(open_page):
    at = open_page("two_runs", sparsity="0.75")
    assert "take_A" not in [button.key for button in at.button]  # it follows the sidebar already
    at.button(key="take_B").click().run()
    assert at.session_state[state.RUN_B.name] == "flatland-blip,multiflow,own,0.75"
    assert "take_B" not in [button.key for button in at.button]


def test_pins_come_by_address(open_page):
    at = open_page("two_runs", a="flatland-blip,multiflow,global,0.63", b="flatland-blip,random,own,0.3")
    assert not at.warning
    assert "MULTIFLOW (global) at 63 %" in texts(at) and "Random at 30 %" in texts(at)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("nonsense", "model,method,allocation,sparsity"),
        ("flatland-blip,omp,own,7", "between 0 and 1"),
        ("flatland-blip,magic,own,0.5", "method “magic”"),
        ("gpt,omp,own,0.5", "model “gpt”"),
        ("flatland-blip,omp,fair,0.5", "allocation “fair”"),
        ("flatland-blip,chita,global,0.5", "its own way"),
    ],
)
def test_a_pin_that_cannot_be_used_gets_a_sentence(open_page, text, part):
    at = open_page("two_runs", a=text)
    assert not at.exception and not at.error
    assert len(at.warning) == 1 and part in at.warning[0].value
    assert at.session_state[state.RUN_A.name] == ""


def test_difference_and_overlap_are_those_of_the_masks():
    a, b = Run("flatland-blip", "multiflow", 0.63), Run("flatland-blip", "omp", 0.63)
    grid, shared = two_runs.difference(a, b), two_runs.overlap(a, b)
    first, second = runs.masks(a), runs.masks(b)
    by_block: dict[str, list[float]] = {}
    for layer in runs.vlm("flatland-blip").layers:
        r, c = grid.roles.index(layer.role), grid.blocks.index(layer.block)
        assert grid.first[r][c] == pytest.approx(1 - first.layer_sparsity()[layer.name])
        assert grid.second[r][c] == pytest.approx(1 - second.layer_sparsity()[layer.name])
        both, either = by_block.setdefault(layer.block, [0, 0]), first[layer.name] | second[layer.name]
        both[0] += int((first[layer.name] & second[layer.name]).sum())
        both[1] += int(either.sum())
    assert shared.series[0][1] == pytest.approx([100 * n / m for n, m in by_block.values()])
    assert f"share {100 * first.iou(second):.0f} %" in shared.title()


def test_a_run_beside_itself():
    a = Run("flatland-blip", "omp", 0.5)
    assert all(x == y for _, _, x, y in two_runs.difference(a, a).cells())
    assert set(two_runs.overlap(a, a).series[0][1]) == {100.0}


def test_presenter_mode_leads_through_the_pages_and_the_sparsities(open_page):
    at = open_page("layers", present="1", sparsity="0.98")
    assert [link.proto.label for link in at.get("page_link")][:2] == ["Overview", "Neurons"]
    at.button(key="stride_up").click().run()
    assert at.session_state[state.SPARSITY.name] == 1.0
    at.button(key="stride_down").click().run()
    assert at.session_state[state.SPARSITY.name] == 0.95 and "OMP" not in texts(at)
    at.button(key="leave").click().run()
    assert not at.exception and "stride_up" not in [button.key for button in at.button]


def test_a_link_to_a_story_tells_it_on_every_page(open_page):
    at = open_page("layers")
    assert not at.info
    at.button(key="story_sidebar_0").click().run()
    assert "falls from" in at.info[0].value and "story" in at.query_params
    found = {"allocation": "global", "story": "1"}
    assert "falls from" in open_page("layers", **found).info[0].value
    at.slider(key="sparsity").set_value(0.2).run()
    assert not at.info and "story" not in at.query_params
