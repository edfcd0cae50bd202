"""A SmolVLM and a Qwen2-VL, as somebody opens them: on every page what applies works, what does not says so in a sentence."""

import json

import pytest

from app import state
from benchmarks.zoo import published
from tests.app.conftest import PAGES, texts


@pytest.fixture(scope="module", params=["smolvlm", "qwen2_vl", "qwen3_vl_moe"])
def folder(request, tmp_path_factory):
    return published.save(request.param, tmp_path_factory.mktemp("models") / request.param)


def test_every_page_works_or_says_why_not(open_page, folder):
    at = open_page(model=str(folder), sparsity="0.75")
    assert at.session_state[state.MODEL.name] == str(folder)
    assert at.metric[0].value == "75 %"
    said = {}
    for page in PAGES:
        at.switch_page(f"app_pages/{page}.py").run()
        assert not at.exception and not at.error and not at.warning, page
        assert len(at.title) == 1 and len(texts(at)) > 200, page
        said[page] = " ".join(info.value for info in at.info)
    assert "no embeddings of pictures and texts" in said["retrieval"] and "Captioning and VQA" in said["retrieval"]
    assert "Nothing has been measured" in said["compare"]
    assert not said["captioning"] and not said["vqa"]


def test_both_models_describe_and_answer(open_page, folder):
    at = open_page("captioning", model=str(folder), sparsity="0.9")
    assert "The dense model says" in texts(at) and "MULTIFLOW at 90 % says" in texts(at)
    at = open_page("vqa", model=str(folder), sparsity="0.9")
    assert "The dense model" in texts(at) and not at.info


def test_experts_are_shown_as_one_matrix(open_page, tmp_path):
    folder = published.save("qwen3_vl_moe", tmp_path / "experts")
    layer = "model.language_model.layers.0.mlp.experts.gate_up_proj"
    for page in ("neurons", "why", "flow", "distributions", "layers"):
        at = open_page(page, model=str(folder), sparsity="0.75", layer=layer, weight="3,1")
        assert not at.exception and not at.error and not at.warning, page
    assert at.session_state["layer"] == layer
    assert "An output head: it names the words" in texts(at) and "A router: it chooses among the experts" in texts(at)


def test_without_the_package_that_reads_pictures_the_weights_are_shown(open_page, tmp_path):
    folder = published.save("llava", tmp_path / "llava")
    file = folder / "processor_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"processor_class": "PixtralProcessor"}))
    at = open_page(model=str(folder), method="omp")
    for page in ("overview", "layers", "distributions"):
        at.switch_page(f"app_pages/{page}.py").run()
        assert not at.exception and not at.error and at.session_state[state.MODEL.name] == str(folder), page
    for page in ("captioning", "vqa", "retrieval"):
        at.switch_page(f"app_pages/{page}.py").run()
        assert not at.exception and not at.error, page
        (info,) = at.info
        assert "torchvision" in info.value and "not installed here" in info.value
