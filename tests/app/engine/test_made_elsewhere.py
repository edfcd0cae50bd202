"""Masks from outside are kept by content, and asked like any other run's."""

import pytest
import torch

import multiflow_core as mf
from app.engine import made_elsewhere, runs, shipped
from app.facts import two_runs
from multiflow_core.experiments.run import Run
from multiflow_core.models.formats.packed import save_packed

MOST = 1 << 26
OMP = Run("flatland-blip", "omp", 0.75)


@pytest.fixture
def uploads(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIFLOW_UPLOADS", str(tmp_path / "uploads"))
    return tmp_path / "uploads"


@pytest.fixture
def data(tmp_path) -> bytes:
    return mf.rank(mf.load("flatland-blip").model, "omp").masks(0.75).save(tmp_path / "m.safetensors").read_bytes()


def test_a_file_becomes_a_run_with_its_masks(uploads, data):
    form = made_elsewhere.keep("../../mine.safetensors", data, MOST)
    assert [place.name for place in (uploads / form).iterdir()] == ["mine.safetensors"]
    run = runs.given("flatland-blip", form)
    assert Run.read(str(run)) == run and (run.sparsity, run.given, two_runs.name(run)) == (
        0.75,
        True,
        "mine at 75 %",
    )
    assert runs.masks(run) == runs.masks(OMP) and run.unpruned == Run.dense("flatland-blip")
    both = [shipped.asked(key, "vqa").model.state_dict() for key in (run, OMP)]
    assert all(torch.equal(tensor, both[1][name]) for name, tensor in both[0].items())


def test_the_same_file_is_kept_once_and_the_oldest_go(uploads, data, monkeypatch):
    monkeypatch.setattr(made_elsewhere, "KEPT", 1)
    first = made_elsewhere.keep("a.safetensors", data, MOST)
    assert made_elsewhere.keep("b.safetensors", data, MOST) == first
    other = mf.rank(mf.load("flatland-blip").model, "localmp").masks(0.5).save(uploads / "o.safetensors").read_bytes()
    made_elsewhere.keep("c.safetensors", other, MOST)
    with pytest.raises(FileNotFoundError, match="no longer kept here"):
        made_elsewhere.title(first)


def test_what_holds_no_masks_leaves_nothing(uploads):
    with pytest.raises(ValueError, match="^no.safetensors"):
        made_elsewhere.keep("no.safetensors", b"nothing of the kind", MOST)
    packed = save_packed(mf.load("flatland-blip"), mf.Masks({}), uploads.parent / "packed") / "pruned.safetensors"
    with pytest.raises(ValueError, match="holds a larger model than this one"):
        made_elsewhere.keep("large.safetensors", packed.read_bytes(), 1 << 20)
    assert list(uploads.iterdir()) == []
