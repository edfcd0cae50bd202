"""A checkpoint that was pruned before: its zeros are counted, and what sparsity then means is said."""

import pytest
import torch

import multiflow_core as mf
from benchmarks.models import build
from multiflow_core.cli import main
from multiflow_core.families import family_of
from multiflow_core.models.format import FORMATS
from multiflow_core.models.vlm import VLM


@pytest.fixture(scope="module", params=["packed", "plain"])
def sparse(request, tmp_path_factory):
    """A folder of a model without three quarters of its prunable weights, and its masks."""
    model, processor = build("clip-b32", small=True)
    vlm = VLM("clip", model, processor, family_of(model))
    masks = mf.rank(model, "lamp").masks(0.75)
    folder = tmp_path_factory.mktemp("sparse") / request.param
    return FORMATS.get(request.param).write(vlm.prune(masks), masks, folder, None), masks


def zeros(vlm):
    """Counted one by one."""
    return sum(sum(w == 0 for w in vlm.model.get_parameter(layer.name).flatten().tolist()) for layer in vlm.layers)


def test_zeros_are_counted_layer_by_layer(sparse):
    folder, masks = sparse
    vlm = mf.load(folder)
    assert vlm.zeros == {name: int((~mask).sum()) for name, mask in masks.items()}
    assert vlm.zero_share() == pytest.approx(zeros(vlm) / masks.total) == pytest.approx(masks.sparsity)


@pytest.mark.parametrize("method", ["omp", "random", "lamp"])
@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.75, 0.9])
def test_zeros_after_pruning_are_those_of_before_and_what_goes(sparse, method, sparsity):
    vlm = mf.load(sparse[0])
    masks = mf.rank(vlm.model, method).masks(sparsity)
    share = vlm.zero_share(masks)
    assert share == pytest.approx(zeros(vlm.prune(masks)) / masks.total)
    assert max(sparsity, 0.75) - 1e-3 <= share <= sparsity + 0.75 + 1e-3
    if method == "omp":  # what is zero goes first
        assert share == pytest.approx(max(sparsity, 0.75), abs=1e-3)


def test_zeros_of_some_layers_only():
    vlm = mf.load("flatland-blip")
    first = vlm.layers[0]
    masks = mf.Masks({first.name: torch.zeros(first.shape, dtype=torch.bool)})
    assert vlm.zero_share(masks) == pytest.approx(first.size / sum(layer.size for layer in vlm.layers), abs=1e-3)


def test_the_commands_say_what_was_zero_before(sparse, capsys, tmp_path):
    folder, masks = sparse
    main(["layers", str(folder)])
    shown = capsys.readouterr().out
    assert f"{masks.pruned:,} of them zero already (75.00%)" in shown
    layer, gone = next(iter(masks.layer_sparsity().items()))
    assert f"{gone:.1%} zero  {layer}\n" in shown
    asked = ["--method", "omp", "--sparsity", "0.5", "--masks", str(tmp_path / "m.safetensors")]
    main(["prune", str(folder), *asked])
    shown = capsys.readouterr().out
    assert "weights pruned (0.5" in shown and "0.7500 were zero before, 0.7500 are now" in shown
    main(["prune", "flatland-blip", *asked])
    assert "zero" not in capsys.readouterr().out
