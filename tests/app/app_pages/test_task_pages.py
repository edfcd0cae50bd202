"""Retrieval, captioning and VQA as a session sees them: on the shipped checkpoint, on others, and with own pictures."""

import io

import pytest
from PIL import Image

from app import state
from app.engine import permits, runs
from app.facts import gallery, truth, typed_text
from benchmarks.models import save
from tests.app.conftest import plots, texts


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
    return [title.removeprefix("##### ") for title in titles if title.startswith("##### ")]


# --- retrieval --------------------------------------------------------------------------------------------------


def test_every_example_has_true_pictures(open_page):
    scenes = gallery.gallery(state.MODEL.default).scenes
    for example in (*typed_text.EXAMPLES, state.QUERY.default):
        assert sum(truth.of(example, scenes).true) >= 2, example


def test_an_example_is_one_click(open_page):
    at = open_page("retrieval")
    at.button(key="example_1").click().run()
    assert at.text_input(key="q").value == typed_text.EXAMPLES[1]
    assert not at.exception and "<img" in texts(at)


@pytest.mark.parametrize(
    ("query", "part", "ranked"),
    [
        ("", "Type what", False),
        ("   ", "Type what", False),
        ("?!…", "no words", False),
        ("a red giraffe", "giraffe", True),
        ("xyzzy plugh", "none of these words", False),
        ("a cat " * 100, "characters", False),
        ("<script>alert(1)</script> red", "script", True),
    ],
)
def test_queries_that_need_a_word(open_page, query, part, ranked):
    at = open_page("retrieval")
    at.text_input(key="q").set_value(query).run()
    assert not at.exception and not at.error
    assert len(at.warning) == 1 and part in at.warning[0].value
    assert ("<img" in texts(at)) == ranked
    assert "<script>" not in texts(at)


def test_a_wording_that_cannot_be_judged_is_said_so(open_page):
    at = open_page("retrieval", q="red red red")
    assert not at.exception and "cannot check this wording" in texts(at)


def test_both_rankings_mark_what_is_true(open_page):
    at = open_page("retrieval", q="a red thing at night", sparsity="0.3")
    assert texts(at).count("mf-card") >= 16
    assert "of 160" in texts(at)


def test_at_zero_sparsity_both_models_agree(open_page):
    at = open_page("retrieval", sparsity="0")
    assert "▲" not in texts(at).replace("▲ 3", "") and "▼" not in texts(at)


def test_from_picture_to_text(open_page):
    at = open_page("retrieval", direction="Image to text", scene="12")
    assert not at.exception and not at.error
    assert texts(at).count("<li") == 16


# --- captioning -------------------------------------------------------------------------------------------------


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
    said = [html.proto.body for html in at.get("html") if "<h4>" in html.proto.body]
    assert len(said) == 2 and all("mf-differs" in html for html in said)
    at = open_page("captioning", sparsity="0")
    assert not any("mf-differs" in html.proto.body for html in at.get("html") if "<h4>" in html.proto.body)


def test_the_caption_is_followed_over_sparsity(open_page):
    at = open_page("captioning", scene="5")
    assert any(title.startswith("MULTIFLOW keeps the dense model's caption") for title in charts(at))
    before = plots(at)[0]
    at.slider(key="sparsity").set_value(0.8).run()
    assert charts(at)[-1].startswith("MULTIFLOW keeps") and plots(at)[0] != before  # the slider's place


# --- vqa --------------------------------------------------------------------------------------------------------


def test_a_question_in_the_address_is_answered_and_judged(open_page):
    at = open_page("vqa", scene="5", ask="What colour is the castle?", sparsity="0")
    assert "color" not in at.text_input(key="ask").value
    assert texts(at).count("✓ Right") == 2 and "orange" in texts(at)
    assert "answers as the dense model does, and is right" in texts(at)


def test_examples_fit_the_picture(open_page):
    at = open_page("vqa", scene="12")
    examples = [button.label for button in at.button if button.key.startswith("example_")]
    scene = gallery.scene_picture(12).scene
    assert len(examples) >= 5 and all(truth.right_answer(example, scene)[0] for example in examples)
    at.button(key="example_2").click().run()
    assert at.text_input(key="ask").value == examples[2] and f"“{examples[2]}”" in texts(at)
    at.button(key="scene_27").click().run()
    assert [b.label for b in at.button if b.key.startswith("example_")] != examples


@pytest.mark.parametrize(
    ("question", "part"),
    [("is the castle happy", "'happy' stands where"), ("what color is the dog", "no 'dog' in this picture")],
)
def test_what_the_lab_does_not_know_it_says(open_page, question, part):
    at = open_page("vqa", scene="5", ask=question)
    assert "The lab does not know the right answer: " in texts(at) and part in texts(at)
    assert "✓ Right" not in texts(at) and "✗ Wrong" not in texts(at)


@pytest.mark.parametrize(
    ("question", "part"),
    [("  ", "Type a question"), ("?!", "no words"), ("who " * 90, "characters"), ("hic sunt", "none of these")],
)
def test_a_question_without_a_word_gets_a_sentence(open_page, question, part):
    at = open_page("vqa")
    at.text_input(key="ask").set_value(question).run()
    assert not at.exception and not at.error
    assert len(at.warning) == 1 and part in at.warning[0].value
    assert "<h4>" not in texts(at)


def test_two_models_that_disagree(open_page):
    at = open_page("vqa", scene="5", ask="is there a purple car", sparsity="0.8")
    assert "“is there a purple car”: only the dense model is right" in texts(at)
    assert "MULTIFLOW answers “yes” up to" in texts(at) and "✗ Wrong" in texts(at)
    assert len(plots(at)) == 2


# --- ladders ----------------------------------------------------------------------------------------------------


def test_ranks_over_sparsity_are_drawn_when_asked_for(open_page):
    at = open_page("retrieval")
    assert len(plots(at)) == 1 and not at.toggle(key="ladder").value
    at.toggle(key="ladder").set_value(True).run()
    assert not at.exception and len(plots(at)) == 2
    assert charts(at)[-1].startswith("The best true picture stays first up to")
    at = open_page("retrieval", direction="Image to text", ladder="true")
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
    at.toggle(key="ladder").set_value(True).run()
    assert len(plots(at)) == 2


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
        at = open_page(page, model=name, method="omp", ladder="true")
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
