"""A SmolVLM and a Qwen2-VL, as somebody opens them: on every page what applies works, what does not says so in a sentence."""

import pytest

from app import state
from benchmarks.zoo import published
from tests.app.conftest import PAGES, texts


@pytest.fixture(scope="module", params=["smolvlm", "qwen2_vl"])
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
