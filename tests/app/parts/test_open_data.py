"""One's own data in the app: opened by a link or the dialog, shown on every page, refused in a sentence."""

import json

import pytest
import torch

from app import state
from app.engine import archives, data_sets, permits, runs
from app.facts import gallery, truth
from multiflow_core.data import dataset
from multiflow_core.experiments.run import Run
from tests.app.conftest import PAGES, texts
from tests.app.engine.test_archives import packed
from tests.core.data.made import picture, put, write

PICTURES = 16
MODEL = state.MODEL.default
opened = dataset.open


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Pictures with one or two captions each, and two rows that cannot be used."""
    folder = tmp_path_factory.mktemp("data") / "my photos"
    put(folder, *(f"{n}.png" for n in range(PICTURES)))
    rows = [f"{n}.png,a red cat number {n}" for n in range(PICTURES)]
    rows += [f"{n}.png,another text of {n}" for n in range(0, PICTURES, 2)]
    write(folder / "captions.csv", "\n".join(["image,caption", *rows, "missing.png,gone", "1.png,"]) + "\n")
    return folder


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Pictures with questions that ten people have answered."""
    folder = tmp_path_factory.mktemp("asked")
    numbers = range(1, PICTURES + 1)
    put(folder, *(f"COCO_val2014_{n:012}.jpg" for n in numbers))
    questions = [{"image_id": n, "question_id": n, "question": "how many things are there"} for n in numbers]
    answers = [
        {"answer": a, "answer_id": i} for i, a in enumerate(["one", "two", "three", "two", "one", "one"] + ["four"] * 4)
    ]
    write(folder / "v2_OpenEnded_mscoco_val2014_questions.json", {"questions": questions, "data_subtype": "val2014"})
    held = [
        {
            "image_id": n,
            "question_id": n,
            "multiple_choice_answer": "four",
            "answers": answers,
            "question_type": "how many",
        }
        for n in numbers
    ]
    write(folder / "v2_mscoco_val2014_annotations.json", {"annotations": held})
    return folder


def gone_through(at, page):
    at.switch_page(f"app_pages/{page}.py").run()
    assert not at.exception and not at.error, page
    return texts(at)


@pytest.mark.parametrize("model", ["flatland-blip", "flatland-xvlm"])
def test_every_page_shows_own_data(open_page, photos, model):
    at = open_page(data=str(photos), model=model, method="omp")
    assert at.session_state[state.DATA.name] == str(photos)
    for page in PAGES:
        gone_through(at, page)
        assert at.session_state[state.SETTINGS.name].data == data_sets.data_of(str(photos))


def test_a_caption_finds_its_picture_and_nothing_is_called_true(open_page, photos):
    pool = gallery.gallery(MODEL, data_sets.data_of(str(photos)))
    text = pool.captions[0]
    at = open_page("retrieval", data=str(photos), q=text, method="omp")
    said = texts(at)
    assert "✓ matching" in said and "✓ true" not in said and "1 matching picture" in said
    assert f"of {len(pool.pictures)}" in said
    assert [b.label for b in at.button if b.key.startswith("example_")] == list(pool.examples)
    at = open_page("retrieval", data=str(photos), q="a red cat", method="omp")
    assert "✓ matching" not in texts(at) and "of the dense model's first" in texts(at)


def test_captions_are_shown_beside_what_people_wrote(open_page, photos):
    data = data_sets.data_of(str(photos))
    at = open_page("captioning", data=str(photos), scene="2", method="omp")
    said = texts(at)
    assert "cannot tell whether this is true" in said and "What people wrote" in said
    assert gallery.picture(data, 2).texts[0] in said and "false of this picture" not in said
    assert "has only ever seen Flatland" in said


def test_the_sidebar_says_what_was_found_and_what_cannot_be_used(open_page, photos):
    at = open_page(data=str(photos), method="omp")
    told = next(caption for caption in at.sidebar.caption if "pictures" in caption.value)
    assert (
        told.value.replace("\\", "")
        == f"{PICTURES} pictures, {PICTURES + PICTURES // 2} captions; 2 rows cannot be used."
    )
    reasons = told.proto.help.replace("\\", "")
    assert "line 26: missing.png is missing" in reasons and "its caption is empty" in reasons
    assert not any("pictures" in caption.value for caption in open_page(method="omp").sidebar.caption)


def test_two_runs_show_what_people_wrote_where_nobody_can_check(open_page, photos):
    text = gallery.picture(data_sets.data_of(str(photos)), 2).texts[0]
    said = texts(open_page("two_runs", data=str(photos), scene="2", method="omp"))
    assert "Picture 2: what A and B say" in said and f"What people wrote: *{text}" in said


def test_a_picture_finds_all_its_own_texts(open_page, photos):
    data = data_sets.data_of(str(photos))
    number = next(n for n in range(gallery.last(data)) if len(gallery.picture(data, n).texts) == 2)
    at = open_page("retrieval", data=str(photos), direction=state.DIRECTIONS[1], scene=str(number), method="omp")
    assert "2 matching captions" in texts(at)


def test_answers_are_judged_by_what_people_said(open_page, asked):
    data = data_sets.data_of(str(asked))
    shown = gallery.picture(data, 0)
    assert truth.right_answer("how many things are there", shown) == ("four", "")
    at = open_page("vqa", data=str(asked), ask="how many things are there", scene="0", method="omp", sparsity="0")
    said, answer = (
        texts(at),
        runs.vlm(MODEL).answer([shown.seen_by(runs.vlm(MODEL))], ["how many things are there"])[0].text,
    )
    expected = {"one": 0.9, "two": 0.6, "three": 0.3, "four": 1.0}.get(answer, 0) >= 0.5
    assert said.count("✓ Right") == (2 if expected else 0)
    at = open_page("vqa", data=str(asked), ask="is there a cat", scene="0", method="omp")
    assert "nobody has answered it for this picture" in texts(at)


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (lambda place: place / "nothing", "There is no"),
        (lambda place: place, "holds no pictures"),
        (lambda place: write(place / "notes.json", json.dumps({"a": 1})), ""),
    ],
)
def test_an_address_that_cannot_be_opened_is_a_sentence(open_page, tmp_path, make, part):
    at = open_page(data=str(make(tmp_path)))
    assert not at.exception and at.session_state[state.DATA.name] == state.DATA.default
    said = " ".join(warning.value for warning in at.warning)
    assert (
        "data set of the address cannot be opened" in said
        and part in said.replace("\\", "")
        and "Showing Flatland" in said
    )


def test_the_dialog_refuses_in_a_sentence_and_opens(open_page, photos):
    at = open_page(method="omp")
    at.button(key="open_data").click().run()
    at.text_input(key=state.DATA_NAME.name).set_value(str(photos / "nothing"))
    at.button(key="data_typed").click().run()
    assert "There is no" in at.error[0].value and not at.exception
    at.text_input(key=state.DATA_NAME.name).set_value(str(photos))
    at.button(key="data_typed").click().run()
    assert not at.error and at.session_state[state.DATA.name] == str(photos)


def test_elsewhere_only_what_the_file_allows_is_opened_and_uploads(open_page, photos, tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIFLOW_UPLOADS", str(tmp_path))
    address = archives.keep(packed({f"{n}.png": picture(n) for n in range(8)}), 1 << 20)
    monkeypatch.setattr(permits, "here", lambda: permits.Permits(address="0.0.0.0"))
    at = open_page(data=str(photos), method="omp")
    assert permits.REFUSAL_OF_DATA in " ".join(warning.value for warning in at.warning).replace("\\", "")
    at = open_page("retrieval", data=address, method="omp")
    assert not at.warning and at.session_state[state.SETTINGS.name].data and "pictures" in texts(at)
    at = open_page(data="upload-0123456789abcdef", method="omp")
    assert "no longer kept" in " ".join(warning.value for warning in at.warning)


def test_what_sees_data_is_calibrated_on_it_and_what_sees_none_is_shared(photos):
    data = data_sets.data_of(str(photos))
    ours, flat = runs.statistics(MODEL, data), runs.statistics(MODEL, "")
    name = next(iter(flat.square_sums))
    assert 0 < ours.samples < PICTURES and not torch.equal(
        ours.square_sums[name] / ours.samples, flat.square_sums[name] / flat.samples
    )
    assert runs.order(Run(MODEL, "omp", data=data)) is runs.order(Run(MODEL, "omp"))
    masks = [runs.masks(Run(MODEL, "multiflow", 0.5, data=where)) for where in (data, "")]
    assert 0.5 < masks[0].iou(masks[1]) < 1


def test_the_sidebar_counts_the_pairs_that_there_are(open_page, photos):
    there = len(dataset.open(str(photos)).pairs(512, 0, 64))
    at = open_page(data=str(photos), method="multiflow")
    said = f"calibrated on {there} pairs of my photos, all that it has to calibrate with."
    assert there < PICTURES and said in " ".join(caption.value for caption in at.sidebar.caption)


def test_overview_says_how_much_calibrating_matters(open_page, photos):
    data = data_sets.data_of(str(photos))
    at = open_page(data=str(photos), method="multiflow")
    masks = [runs.masks(Run(MODEL, "multiflow", 0.63, data=where)) for where in (data, "")]
    assert f"both keep {masks[0].iou(masks[1]):.0%}" in texts(at).replace("\u202f", "").replace(" %", "%")
    assert "instead of Flatland" not in texts(open_page(data=str(photos), method="omp"))


@pytest.mark.parametrize("method", ["multiflow", "omp"])
def test_a_pinned_run_opens_no_data_that_was_not_opened(open_page, photos, monkeypatch, method):
    seen = []
    monkeypatch.setattr(dataset, "open", lambda name=dataset.DEFAULT: seen.append(str(name)) or opened(name))
    at = open_page("two_runs", a=str(Run(MODEL, method, 0.5, data=str(photos))))
    assert not at.exception and "data set" in " ".join(warning.value for warning in at.warning)
    assert str(photos) not in seen


def test_a_pinned_run_keeps_its_data_by_its_address(open_page, photos):
    at = open_page("two_runs", data=str(photos), method="omp")
    at.button(key="hold_A").click().run()
    pinned = Run.read(at.session_state[state.RUN_A.name])
    assert pinned.data == str(photos) and not at.warning and not at.exception
    at = open_page("two_runs", data=str(photos), method="multiflow", a=str(pinned))
    assert not at.warning and not at.exception and "A · OMP" in texts(at).replace("**", "")
