"""Captioning as a session sees it, on the shipped checkpoint."""

from app import state
from tests.app.conftest import filled, plots, texts


def charts(at) -> list[str]:
    """The titles above charts and rankings."""
    titles = (m.value.replace("\u00a0", " ") for m in at.markdown)
    return [title.removeprefix("## ") for title in titles if title.startswith("## ")]


def test_both_models_caption_the_scene(open_page):
    at = open_page("captioning", scene="12", sparsity="0.75")
    assert "The dense model says" in texts(at) and "MULTIFLOW at 75 % says" in texts(at)
    assert "What is really there" in texts(at)


def test_a_random_scene_is_in_the_state(open_page):
    at = open_page("captioning", scene="12")
    at.button(key="random_scene").click().run()
    assert not at.exception
    number = at.number_input(key="scene").value
    at.switch_page("app_pages/retrieval.py").run()
    at.session_state[state.DIRECTION.name] = "Image to text"
    at.run()
    assert at.number_input(key="scene").value == number


def test_words_that_differ_are_framed(open_page):
    at = open_page("captioning", method="omp", sparsity="0.9")
    said = [html.proto.body for html in at.get("html") if "<h2>" in html.proto.body]
    assert len(said) == 2 and all("mf-differs" in html for html in said)
    at = open_page("captioning", sparsity="0")
    assert not any("mf-differs" in html.proto.body for html in at.get("html") if "<h2>" in html.proto.body)


def test_the_caption_is_followed_over_sparsity(open_page):
    at = filled(open_page("captioning", scene="5"))
    assert any(title.startswith("MULTIFLOW keeps the dense model's caption") for title in charts(at))
    before = plots(at)[0]
    filled(at.slider(key="sparsity").set_value(0.8).run())
    assert charts(at)[-1].startswith("MULTIFLOW keeps") and plots(at)[0] != before  # the slider's place
