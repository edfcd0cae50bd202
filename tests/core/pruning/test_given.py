"""Masks that were made elsewhere answer as an order of one sparsity."""

import pytest
import torch

import multiflow_core as mf
from multiflow_core.models.formats.packed import save_packed
from multiflow_core.pruning.given import GivenOrder, read_given
from multiflow_core.weights.masks import Masks


@pytest.fixture(scope="module")
def vlm():
    return mf.load("flatland-blip")


@pytest.fixture(scope="module")
def masks(vlm):
    return mf.rank(vlm.model, "omp").masks(0.75)


def test_it_says_what_the_order_said_that_made_the_masks(vlm, masks):
    made, given = mf.rank(vlm.model, "omp"), GivenOrder(vlm.layers, masks)
    assert given.masks() == given.masks(0.1) == given.masks_at([0.3])[0] == masks and not given.nested
    assert given.layer_counts(0.75).tolist() == made.layer_counts(0.75).tolist()
    assert given.dead_neurons(0.75).tolist() == made.dead_neurons(0.75).tolist()
    assert given.sparsity == masks.sparsity and given.weights() is None and not given.updates_weights
    with pytest.raises(ValueError, match="no score"):
        given.score("x")


def test_a_layer_without_a_mask_keeps_everything(vlm, masks):
    some = masks.only(list(masks)[:3])
    given = GivenOrder(vlm.layers, some)
    assert list(given.masks()) == [layer.name for layer in vlm.layers]
    assert given.masks().pruned == some.pruned and given.masks().total == given.total


def test_masks_of_another_model_are_refused(vlm, masks):
    with pytest.raises(ValueError, match="of which this model prunes nothing"):
        GivenOrder(vlm.layers, Masks({"elsewhere": torch.ones(2, 2, dtype=torch.bool)}))
    first = vlm.layers[0].name
    with pytest.raises(ValueError, match=f"The mask of {first} is \\(2, 2\\)"):
        GivenOrder(vlm.layers, Masks({first: torch.ones(2, 2, dtype=torch.bool)}))


def test_files_of_masks_and_packed_checkpoints_are_read(tmp_path, vlm, masks):
    found, weights = read_given(masks.save(tmp_path / "masks.safetensors"))
    assert found == masks and weights is None
    moved = {layer.name: 2 * dict(vlm.model.named_parameters())[layer.name].detach() for layer in vlm.layers}
    folder = save_packed(vlm.prune(masks, moved), masks, tmp_path / "packed")
    found, weights = read_given(folder)
    assert found == masks
    given = GivenOrder(vlm.layers, found, weights)
    assert given.updates_weights and all(
        torch.equal(given.weights()[name], (moved[name] * mask).to(weights[name].dtype)) for name, mask in masks.items()
    )
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="give a packed checkpoint, or a file of masks"):
        read_given(tmp_path / "empty")
    with pytest.raises(ValueError):  # noqa: PT011  (each kind of file says it in its own words)
        read_given(vlm.folder / "statistics.safetensors")
