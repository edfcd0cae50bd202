"""The Distributions page as a session sees it."""

from tests.app.conftest import plots, texts


def test_the_address_sets_what_is_shown(open_page):
    at = open_page("distributions", of="score", per="layer", layer="text_encoder.encoder.layer.2.output.dense.weight")
    assert not at.exception and not at.error and not at.warning
    assert (at.session_state["of"], at.session_state["per"]) == ("score", "layer")
    assert "Thresholds of the score run" in texts(at)
    assert "layer of text 2" in plots(at)[0]


def test_a_bad_switch_in_the_address_gives_way(open_page):
    at = open_page("distributions", of="colour", per="galaxy")
    assert not at.exception and not at.error
    assert (at.session_state["of"], at.session_state["per"]) == ("magnitude", "modality")


def test_the_slider_moves_every_chart_and_keeps_what_is_shown(open_page):
    at = open_page("distributions", per="block")
    before = plots(at)
    at.slider(key="sparsity").set_value(0.8).run()
    after = plots(at)
    assert len(before) == len(after) == 3 and all(a != b for a, b in zip(before, after))
    assert at.session_state["per"] == "block"
