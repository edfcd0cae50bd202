"""Models as people have them, on every page: a folder without a processor, a file of its authors, a checkpoint pruned before."""

import pytest
import torch
from safetensors.torch import load_file

import multiflow_core as mf
from app.engine import checkpoints, runs
from benchmarks.models import build, save
from multiflow_core.experiments.run import Run
from multiflow_core.families import family_of
from multiflow_core.models.format import FORMATS
from multiflow_core.models.vlm import VLM
from tests.app.conftest import PAGES, filled, texts
from tests.core.families import authors

WEIGHTS_ONLY = ("overview", "layers", "distributions", "learn", "methods")


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A folder of a model and nothing else."""
    folder = save("blip-base-captioning", tmp_path_factory.mktemp("models") / "bare", small=True)
    for file in folder.iterdir():
        if file.name not in ("config.json", "model.safetensors"):
            file.unlink()
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_without_a_processor_pages_work_that_need_weights_alone(open_page, bare, page):
    at = open_page(page, model=str(bare), method="omp", sparsity="0.5")
    assert not at.exception and not at.warning
    said = [error.value for error in at.error]
    if page in WEIGHTS_ONLY:
        assert not said
    else:
        assert len(said) <= 2 and all("holds no processor" in sentence for sentence in said)


def test_a_method_that_needs_pictures_says_why_it_cannot(open_page, bare):
    at = open_page("overview", model=str(bare), method="multiflow", sparsity="0.5")
    assert not at.exception and len(at.error) == 1 and "holds no processor" in at.error[0].value
    assert "OMP and LAMP" in at.error[0].value
    at.selectbox(key="method").set_value("omp").run()
    assert not at.exception and not at.error


def test_a_file_of_its_authors_opens_and_says_what_was_done(open_page, tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(authors.words()), encoding="utf-8")
    file = tmp_path / "model_base_caption.pth"
    torch.save({"model": authors.salesforce(authors.blip("captioning"))}, file)
    at = filled(open_page("captioning", model=str(file), method="omp", sparsity="0.1"))
    assert not at.exception and not at.error and not at.warning
    assert "Salesforce's BLIP" in texts(at).replace("\\", "") and "tensors renamed" in texts(at)
    (model,) = {checkpoints.model_of(str(file))}
    assert checkpoints.title(model) == file.name
    assert checkpoints.result_file(model) == tmp_path / "model_base_caption.pth.results.json"
    torch.save({"model": authors.salesforce(authors.blip("retrieval"))}, file)
    assert checkpoints.model_of(str(file)) != model  # another model, under the same address
    with pytest.raises(ValueError, match="written anew"), runs.passing(Run(model, "omp", 0.5)):
        pass


@pytest.fixture(scope="module")
def pruned(tmp_path_factory):
    model, processor = build("clip-b32", small=True)
    vlm = VLM("clip", model, processor, family_of(model))
    masks = mf.rank(model, "omp").masks(0.75)
    folder = FORMATS.get("plain").write(vlm, masks, tmp_path_factory.mktemp("models") / "sparse", None)
    assert (load_file(folder / "model.safetensors")["text_model.encoder.layers.0.mlp.fc1.weight"] == 0).any()
    return folder


@pytest.mark.parametrize(
    ("method", "sparsity", "said"),
    [
        ("omp", "0", "75 % of its prunable weights are zero already"),
        ("omp", "0.5", "OMP takes 50 % of all weights, and 75 % are zero, as before: what it takes was zero already"),
        ("omp", "0.9", "OMP takes 90 % of all weights, and 90 % are zero then"),
        ("random", "0.5", "takes 50 % of all weights, and 8"),
    ],
)
def test_what_was_zero_before_is_told(open_page, pruned, method, sparsity, said):
    at = open_page("overview", model=str(pruned), method=method, sparsity=sparsity)
    assert not at.exception and not at.error
    shown = texts(at).replace("\\", "").replace("\u00a0", " ")
    assert said in shown and not any("every weight is in place" in told.value for told in at.success)
    assert ("This is the checkpoint as it was opened" in shown) == (sparsity == "0")


def test_nothing_is_told_of_a_model_that_is_whole(open_page):
    at = open_page("overview", sparsity="0")
    assert "was pruned before" not in texts(at) and "every weight is in place" in at.success[0].value
