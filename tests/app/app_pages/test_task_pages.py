"""What Retrieval, Captioning and VQA share: ladders, own pictures, and other models."""

import io
import threading

import pytest
from PIL import Image

from app import state
from app.engine import permits, runs
from app.facts import climb, typed_text
from benchmarks.models import save
from tests.app.conftest import filled, plots, texts


def png(color="skyblue", size=(80, 60)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "PNG")
    return file.getvalue()


def add(at, *files: bytes, names=()):
    """Upload own pictures."""
    for n, data in enumerate(files):
        at.file_uploader[0].upload(names[n] if names else f"own {n}.png", data, "image/png")
    return at.run()


def charts(at) -> list[str]:
    """The titles above charts and rankings."""
    titles = (m.value.replace("\u00a0", " ") for m in at.markdown)
    return [title.removeprefix("## ") for title in titles if title.startswith("## ")]


# --- ladders ----------------------------------------------------------------------------------------------------


def test_ranks_over_sparsity_are_drawn_when_asked_for(open_page):
    at = open_page("retrieval")
    assert len(plots(at)) == 1 and not at.toggle(key="ladder").value
    filled(at.toggle(key="ladder").set_value(True).run())
    assert not at.exception and len(plots(at)) == 2
    assert charts(at)[-1].startswith("The best true picture stays first up to")
    at = filled(open_page("retrieval", direction="Image to text", ladder="true"))
    assert charts(at)[-1].startswith("The true caption")


@pytest.mark.parametrize("page", ["retrieval", "captioning", "vqa"])
def test_a_method_without_an_order_says_why_there_is_no_ladder(open_page, anew, page):
    at = open_page(page, method=anew("omp"), sparsity="0.5", ladder="true")
    assert not at.exception and not at.error
    assert "Anew solves every sparsity anew" in texts(at)
    assert not at.toggle


def test_a_large_model_is_asked_only_on_demand(open_page, monkeypatch):
    monkeypatch.setattr(runs, "SMALL", 1000)
    at = open_page("vqa")
    assert len(plots(at)) == 1
    filled(at.toggle(key="ladder").set_value(True).run())
    assert len(plots(at)) == 2


def test_answers_do_not_wait_for_the_strip_which_can_be_stopped_and_goes_on(open_page, monkeypatch, empty_store):
    """While a strip is being climbed the page is complete but for it, down to what stands after it in the sidebar."""
    held, go = climb.Climb._climb, threading.Event()
    monkeypatch.setattr(climb.Climb, "_climb", lambda self, rung, report: go.wait(60) and held(self, rung, report))
    at = open_page("vqa")
    assert not at.exception and "The dense model answers" in texts(at)
    assert at.button(key="start_presenting") and at.button(key="climb_stop")
    at.button(key="climb_stop").click().run()
    assert "Stopped after 0 of at most" in texts(at)
    go.set()
    at.text_input(key="ask").set_value("where is this").run()
    assert filled(at).button(key="start_presenting")
    assert charts(at)[1].startswith("MULTIFLOW answers")
    at.text_input(key="ask").set_value("how many things are there").run()
    assert charts(filled(at))[1].startswith("MULTIFLOW answers")


# --- own pictures -----------------------------------------------------------------------------------------------


def test_an_own_picture_is_asked_about_on_every_page(open_page):
    at = add(open_page("captioning"), png())
    assert not at.exception and not at.error
    assert "says" in texts(at) and "What is really there" not in texts(at)
    assert "has only ever seen Flatland" in texts(at)
    at.switch_page("app_pages/vqa.py").run()
    assert "own 0.png, the picture asked about" in texts(at)
    assert [b.label for b in at.button if b.key.startswith("example_")] == list(typed_text.QUESTIONS)
    assert "nobody has told it what this picture shows" in texts(at)
    at.switch_page("app_pages/two_runs.py").run()
    assert "own 0.png" in charts(at)[-1]
    at.switch_page("app_pages/vqa.py").run()
    at.button(key="random_scene").click().run()
    assert "own 0.png, the picture asked about" not in texts(at)


def test_own_pictures_are_searched(open_page):
    at = add(open_page("retrieval"), png("red"), png("blue"))
    assert "of 162" in texts(at) and "never marked as true" in texts(at)
    at.toggle(key=state.ONLY_OWN.name).set_value(True).run()
    assert texts(at).count("<figure") == 4 and "best of 2" in texts(at)
    assert charts(at)[-1].startswith("The dense model's first picture leads by")
    at.button(key="remove_own").click().run()
    assert "of 160" in texts(at)


def test_a_single_own_picture_has_no_rival(open_page):
    at = add(open_page("retrieval"), png("red"))
    at.toggle(key=state.ONLY_OWN.name).set_value(True).run()
    assert not at.exception and not at.error and not plots(at)


def test_the_same_picture_counts_once_and_there_is_a_limit(open_page, monkeypatch):
    monkeypatch.setattr(permits, "here", lambda: permits.Permits(pictures=3))
    at = add(open_page("retrieval"), png("red"), png("red"), png("blue"))
    assert "of 162" in texts(at)
    at = add(at, png("green"), png("pink"), png("white"))
    assert "of 163" in texts(at)
    assert len(at.error) == 1 and "3 own pictures are as many" in at.error[0].value
    at.slider(key="sparsity").set_value(0.5).run()
    assert not at.error and "of 163" in texts(at)


@pytest.mark.parametrize(
    ("page", "params"),
    [("captioning", {}), ("vqa", {}), ("retrieval", {}), ("retrieval", {"direction": "Image to text"})],
)
def test_a_bad_picture_is_one_sentence(open_page, page, params):
    at = add(open_page(page, **params), b"not a picture")
    assert not at.exception
    assert len(at.error) == 1 and "not a PNG" in at.error[0].value


# --- other models -----------------------------------------------------------------------------------------------


TASKS = {
    "clip-b32": "retrieval",
    "xvlm-base": "retrieval",
    "blip-base-retrieval": "retrieval",
    "blip-base-captioning": "captioning",
    "blip-base-vqa": "vqa",
}


@pytest.mark.parametrize("name", TASKS)
def test_other_models_work_on_the_pages_that_their_tasks_allow(open_page, assets, empty_store, name):
    save(name, assets / name, small=True)
    for page in ("retrieval", "captioning", "vqa"):
        at = filled(open_page(page, model=name, method="omp", ladder="true"))
        assert not at.exception and not at.error and not at.warning
        if page == TASKS[name]:
            assert "was not trained on Flatland" in texts(at) and plots(at)
            assert charts(add(at, png()))
        else:
            assert len(at.info) == 1 and name in at.info[0].value
            assert (
                f"It can be tried under {dict(retrieval='Retrieval', captioning='Captioning', vqa='VQA')[TASKS[name]]}"
                in (at.info[0].value)
            )
            assert not plots(at)
