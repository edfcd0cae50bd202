"""Models that are not built in: opened by folder or hub name, on every page, in the address, and refused in a sentence."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

from app import state
from app.engine import calibration, checkpoints, runs
from app.facts import gallery
from benchmarks.models import MODELS, save
from multiflow_core.experiments.run import Run
from multiflow_core.families import folder as folders
from tests.app.conftest import PAGES, plots, texts


@pytest.fixture(scope="session")
def foreign(tmp_path_factory):
    """foreign("clip-b32") -> a folder with a very small model of the family."""
    root = tmp_path_factory.mktemp("models")

    def folder(name: str) -> Path:
        return root / name if (root / name).is_dir() else save(name, root / name, small=True)

    return folder


@pytest.fixture
def copy(foreign, tmp_path):
    """A CLIP that a test may spoil."""
    return Path(shutil.copytree(foreign("clip-b32"), tmp_path / "clip"))


def open_model(at, address) -> None:
    """What a reader does: opens the dialog, types, presses the button."""
    if "open_name" not in [field.key for field in at.text_input]:
        at.button(key="open_model").click().run()
    at.text_input(key="open_name").set_value(str(address))
    at.button(key="open_typed").click().run()


# --- every family on every page ------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", MODELS)
def test_an_opened_model_works_on_every_page(open_page, foreign, family):
    folder = foreign(family)
    at = open_page()
    open_model(at, folder)
    assert not at.exception and not at.error
    assert at.session_state[state.MODEL.name] == str(folder) and "open_name" not in [t.key for t in at.text_input]
    assert at.selectbox(key="model").options == [*checkpoints.models(), family]
    for page in PAGES:
        at.switch_page(f"app_pages/{page}.py").run()
        assert not at.exception and not at.error, page
        assert len(texts(at)) > 200, page
        assert str(folder) + "@" not in texts(at), page
        assert page != "overview" or ("BLIP counts" in texts(at)) == ("blip" in family)


def test_pages_that_do_not_apply_say_so(open_page, foreign):
    for page, family in (("captioning", "clip-b32"), ("vqa", "clip-b32"), ("captioning", "blip-base-vqa")):
        at = open_page(page, model=str(foreign(family)))
        assert [f"{family} has no" in info.value for info in at.info] == [True] and not at.error
    for direction in state.DIRECTIONS:
        at = open_page("retrieval", model=str(foreign("blip-base-captioning")), direction=direction)
        assert "It can be tried under Captioning" in at.info[0].value and not at.error
    at = open_page("compare", model=str(foreign("clip-b32")))
    assert "Nothing has been measured for clip" in at.info[0].value and str(foreign("clip-b32")) in at.code[0].value


# --- refused --------------------------------------------------------------------------------------------------------


def change_weights(folder, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def nothing_there(folder, monkeypatch):
    shutil.rmtree(folder)
    return "There is no folder"


def no_config(folder, monkeypatch):
    (folder / "config.json").unlink()
    return "holds no config.json"


def missing_key(folder, monkeypatch):
    change_weights(folder, lambda tensors: tensors.pop("logit_scale"))
    return "lacks logit"


def pickled_weights(folder, monkeypatch):
    torch.save({"w": torch.nn.Linear(1, 1)}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    return "could run code"


def unknown_architecture(folder, monkeypatch):
    config = json.loads((folder / "config.json").read_text()) | {"architectures": ["![GPT](http://elsewhere/5)"]}
    (folder / "config.json").write_text(json.dumps(config))
    return "which no family knows"


def too_large(folder, monkeypatch):
    monkeypatch.setattr(folders, "available_memory", lambda: 10_000_000)
    return "of memory left"


def not_ours_to_read(folder, monkeypatch):
    def refuse(*args):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", refuse)
    return "cannot be read: permission denied."


SPOILT = (nothing_there, no_config, missing_key, pickled_weights, unknown_architecture, too_large, not_ours_to_read)


@pytest.mark.parametrize("spoil", SPOILT)
def test_what_cannot_be_opened_is_a_sentence_and_the_model_before_stays(open_page, copy, monkeypatch, spoil):
    part = spoil(copy, monkeypatch)
    at = open_page()
    before = plots(at)
    open_model(at, copy)
    assert not at.exception and len(at.error) == 1
    sentence = at.error[0].value.replace("\\", "")
    assert part in sentence and "\n" not in sentence and "Traceback" not in sentence
    assert "![" not in at.error[0].value  # no picture is fetched from elsewhere
    assert at.session_state[state.MODEL.name] == state.MODEL.default
    assert plots(at) == before
    assert at.session_state[state.DIALOG.name]  # to try again


def test_a_hub_model_while_offline(open_page, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    at = open_page()
    at.button(key="open_model").click().run()
    at.button(key="open_openai/clip-vit-base-patch32").click().run()
    assert len(at.error) == 1 and "forbids downloads" in at.error[0].value
    assert at.session_state[state.MODEL.name] == state.MODEL.default


def test_an_empty_field_opens_nothing(open_page):
    at = open_page()
    open_model(at, "  ")
    assert not at.exception and not at.error and at.session_state[state.DIALOG.name]


def test_the_dialog_closes(open_page, foreign):
    at = open_page()
    at.button(key="open_model").click().run()
    assert "open_name" in [t.key for t in at.text_input]
    at.session_state[state.DIALOG.name] = False  # what dismissing it does
    at.run()
    assert "open_name" not in [t.key for t in at.text_input] and not at.error


# --- address --------------------------------------------------------------------------------------------------------


def test_a_link_opens_the_model_again(open_page, foreign):
    at = open_page()
    open_model(at, foreign("clip-b32"))
    at.slider(key="sparsity").set_value(0.7).run()
    address = at.query_params[state.MODEL.name]
    other = open_page("overview", model=address, sparsity="0.7")
    assert not other.exception and not other.error and not other.warning
    assert plots(other) == plots(at)
    assert other.selectbox(key="model").options == at.selectbox(key="model").options
    other.selectbox(key="model").set_value("flatland-blip").run()
    assert state.MODEL.name not in other.query_params
    assert other.selectbox(key="model").options[-1] == "clip-b32"  # stays at hand


def test_a_link_to_what_cannot_be_opened_shows_the_default(open_page, tmp_path):
    at = open_page("overview", model=str(tmp_path / "gone"))
    assert not at.exception and not at.error
    assert len(at.warning) == 1 and "There is no folder" in at.warning[0].value
    assert at.warning[0].value.endswith("Showing flatland-blip.")
    assert at.session_state[state.MODEL.name] == state.MODEL.default
    at.slider(key="sparsity").set_value(0.4).run()
    assert not at.warning


def test_a_link_may_be_written_in_short(open_page, foreign, monkeypatch):
    folder = foreign("clip-b32")
    monkeypatch.setenv("HOME", str(folder.parent))
    at = open_page("overview", model="~/clip-b32")
    assert at.session_state[state.MODEL.name] == str(folder) and not at.warning


def test_a_pinned_run_of_an_opened_model_comes_back_with_the_link(open_page, foreign):
    folder = foreign("clip-b32")
    at = open_page("two_runs", a=f"{folder},omp,own,0.5", b="flatland-blip,omp,own,0.5")
    assert not at.exception and not at.error and not at.warning
    assert "OMP at 50 %" in texts(at) and "clip-b32" in texts(at)
    assert at.session_state[state.MODEL.name] == state.MODEL.default
    assert at.query_params[state.RUN_A.name] == f"{folder},omp,own,0.5"


def test_two_runs_ask_both_models_what_they_can_read(open_page, foreign):
    """CLIP's tokenizer writes down any word, Flatland's does not: whichever comes first."""
    clip, own = f"{foreign('clip-b32')},omp,own,0.5", "flatland-blip,omp,own,0.5"
    for a, b in ((clip, own), (own, clip)):
        at = open_page("two_runs", a=a, b=b, q="a red giraffe")
        (told,) = (w.value for w in at.warning)
        assert told.startswith("flatland-blip does not know") and "giraffe" in told


def test_two_runs_call_no_words_wrong_of_a_model_that_never_learnt_flatlands(open_page, foreign):
    at = open_page("two_runs", a=f"{foreign('blip-base-captioning')},omp,own,0.5", b="flatland-blip,omp,own,0.1")
    (heading,) = (m.value for m in at.markdown if m.value.startswith("## Scene"))
    assert "A says what nobody can check" in heading and "A is" not in heading


# --- identity -------------------------------------------------------------------------------------------------------


def test_two_folders_of_one_name_are_two_models(foreign, tmp_path):
    first, second = foreign("clip-b32"), save("clip-b32", tmp_path / "clip-b32", small=True, seed=1)
    one, two = (runs.opened(str(folder)) for folder in (first, second))
    assert checkpoints.title(one) == checkpoints.title(two) == "clip-b32" and one != two
    ours, theirs = (runs.statistics(model, "").square_sums for model in (one, two))
    assert ours.keys() == theirs.keys() and not any(torch.equal(ours[name], theirs[name]) for name in ours)
    scores = [runs.order(Run(model, "omp")).score(next(iter(ours))) for model in (one, two)]
    assert not torch.equal(*scores)


def test_names_that_occur_twice_are_told_apart(open_page, foreign, tmp_path):
    at = open_page("overview", model=str(foreign("clip-b32")))
    other = save("clip-b32", tmp_path / "clip-b32", small=True, seed=1)
    open_model(at, other)
    assert at.selectbox(key="model").options == [*checkpoints.models(), str(foreign("clip-b32")), str(other)]


def test_a_folder_with_an_at_in_its_name_keeps_it(open_page, tmp_path):
    at = open_page("overview", model=str(save("clip-b32", tmp_path / "clip@step 9", small=True)))
    assert at.selectbox(key="model").options[-1] == "clip@step 9"


def test_a_folder_written_anew_is_another_model(copy):
    before = runs.opened(str(copy))
    name = runs.vlm(before).layers[0].name
    change_weights(copy, lambda tensors: tensors.update({name: 2 * tensors[name]}))
    os.utime(copy / "model.safetensors", ns=(1, 1))
    after = runs.opened(str(copy))
    assert after != before and checkpoints.address_of(after) == checkpoints.address_of(before) == str(copy)
    old, new = (dict(runs.vlm(model).model.named_parameters())[name] for model in (before, after))
    assert torch.equal(2 * old, new)
    (copy / checkpoints.RESULTS).write_text("{}")
    assert runs.opened(str(copy)) == after  # results beside a model do not make it another one


# --- what a large model gets ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("work", [1e6, 25e7, 5e9, 25e9, 60e9, 1e13])
@pytest.mark.parametrize("passes", [1, 4])
def test_the_sample_stays_within_its_budget(work, passes):
    found = calibration.sample(work, passes)
    assert found.pairs % found.batch == 0 and 16 <= found.pairs <= 512
    assert found.pairs in (16, 512) or 0.7 * calibration.MINUTE <= found.pairs * work * passes <= calibration.MINUTE
    assert 4 <= found.gradient_batch <= min(32, found.batch)
    assert found.batch in (4, 64) or found.batch * work <= calibration.PORTION


def test_built_in_models_are_calibrated_as_their_results_were(monkeypatch):
    from multiflow_core.experiments import prepare as sweep

    cost = runs.work(state.MODEL.default)
    shipped = sweep.Sample(sweep.CALIBRATION_PAIRS, sweep.CALIBRATION_BATCH, sweep.GRADIENT_BATCH)
    assert calibration.sample(cost) == calibration.slow_sample(cost) == shipped
    assert runs.statistics(state.MODEL.default, "").samples == sweep.CALIBRATION_PAIRS
    assert len(gallery.gallery(state.MODEL.default, "").images) == gallery.MOST


def test_what_a_page_does_not_wait_for_is_said_with_the_figure():
    assert calibration.too_long(25e9, runs.method("snip"), "clip") is None
    # 28 pairs at 25e9 in 7 batches of 4; 4 stages of them, or 100 steps of one batch each, at 4 x 25e9
    assert calibration.too_long(25e9, runs.method("chita++"), "clip") is None  # 3.7 minutes
    assert calibration.too_long(25e9, runs.method("tamt"), "clip") is None  # 13.3 minutes
    sentence = calibration.too_long(60e9, runs.method("tamt"), "clip")
    assert "100 batches of 4 pairs through clip and back, about 32 minutes" in sentence and "waits for 15" in sentence
    assert "20 batches" in calibration.too_long(200e9, runs.method("itersnip"), "clip")


def test_a_method_that_takes_too_long_is_not_begun(open_page, foreign, monkeypatch):
    model = str(foreign("clip-b32"))
    monkeypatch.setattr(calibration, "PATIENCE", 0)
    at = open_page("overview", model=model, method="tamt")
    assert not at.exception and not at.error
    assert len(at.info) == 1 and "TAMT would send 100 batches" in at.info[0].value
    at.selectbox(key="method").set_value("omp").run()
    assert not at.info and plots(at)


def test_the_number_of_pairs_is_on_the_page(open_page, foreign):
    model = str(foreign("clip-b32"))
    at = open_page("overview", model=model)
    samples = runs.statistics(at.session_state[state.OPENED.name][model], "").samples
    assert f"calibrated on {samples} pairs" in texts(at)
    assert "calibrated on" not in texts(open_page())


def test_statistics_beside_a_checkpoint_are_used(copy):
    model = runs.opened(str(copy))
    made = runs.statistics(model, "")
    made.__class__({n: 4 * s for n, s in made.square_sums.items()}, 4, made.layers).save(
        copy / "statistics.safetensors"
    )
    again = runs.opened(str(copy))
    assert again != model and runs.statistics(again, "").samples == 4


def test_scenes_are_drawn_as_large_as_the_model_reads_them(foreign):
    model = runs.opened(str(foreign("siglip2-base")))
    assert {image.size for image in gallery.gallery(model, "").images} == {(64, 64)}  # 32 pixels: the smallest drawn
    assert gallery.picture("", 5).seen_by(runs.vlm(state.MODEL.default)).size == (96, 96)
