"""The command line: listings, files, and one sentence for a mistake."""

import pytest
import torch

from multiflow_core import Masks, load
from multiflow_core.cli import main
from multiflow_core.pruning.method import methods


def test_methods_are_listed_with_all_there_is_to_know(capsys):
    main(["methods"])
    head, *lines = capsys.readouterr().out.splitlines()
    nest, new, formula = (head.index(title) for title in ("masks nest", "new weights", "formula"))
    rows = [line for line in lines if not line.startswith(" ")]
    for method, line in zip(methods(), rows, strict=True):
        assert line.startswith(f"{method.name} ")
        assert method.paper in line[formula:]
        assert method.formula in line[formula:]
        assert all(need in line[:nest] for need in method.needs or ["nothing"])
        assert line[nest:new].strip() == ("yes" if method.nested else "no")
        assert line[new:formula].strip() == ("yes" if method.updates_weights else "no")
    options = [f"{name} = {option.default}: {option.doc}" for m in methods() for name, option in m.options.items()]
    assert [line.strip() for line in lines if line.startswith(" ")] == options


def test_layers_say_what_is_prunable_and_why_the_rest_is_not(capsys):
    main(["layers", "flatland-blip"])
    shown, vlm = capsys.readouterr().out, load("flatland-blip")
    assert all(f"{layer.name}\n" in shown for layer in vlm.layers)
    assert "itm_head.weight: the head of a pre-training objective" in shown
    assert f"{sum(layer.size for layer in vlm.layers):,} prunable" in shown


def test_prune_writes_masks(tmp_path, capsys):
    main(["prune", "flatland-blip", "--sparsity", "0.63", "--masks", str(tmp_path / "m.safetensors")])
    masks = Masks.load(tmp_path / "m.safetensors")
    assert masks.pruned == int(0.63 * masks.total)
    assert f"{masks.pruned:,} of {masks.total:,}" in capsys.readouterr().out


def test_prune_writes_a_checkpoint_that_opens_like_any_other(tmp_path, capsys):
    arguments = ["prune", "flatland-blip", "--method", "omp", "--sparsity", "0.5", "--out", str(tmp_path / "pruned")]
    main([*arguments, "--dtype", "float16", "--masks", str(tmp_path / "m.safetensors")])
    masks, vlm = Masks.load(tmp_path / "m.safetensors"), load(tmp_path / "pruned")
    dense = load("flatland-blip").model.state_dict()  # in float16 on disk: no bit is lost
    for name, tensor in vlm.model.state_dict().items():
        assert torch.equal(tensor, dense[name] * masks[name] if name in masks else dense[name]), name
    assert str(tmp_path / "pruned") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["layers", "nowhere/at all"], "no folder"),
        (["prune", "flatland-blip", "--sparsity", "1.2", "--masks", "x"], "from 0 to 1"),
        (["prune", "flatland-blip", "--sparsity", "0.5"], "--out FOLDER"),
        (["prune", "flatland-blip", "--method", "omq", "--sparsity", "0.5", "--masks", "x"], "did you mean 'omp'"),
        (["prune", "flatland-blip", "--sparsity", "0.5", "--masks", "x", "--device", "tpu"], "choose cpu"),
    ],
)
def test_a_mistake_gets_one_sentence(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert len(told.strip().splitlines()) == 1


def test_evaluate_knows_its_options(capsys):
    with pytest.raises(SystemExit):
        main(["evaluate", "--help"])
    shown = capsys.readouterr().out
    for option in ("--methods", "--sparsities", "--seeds", "--ablation", "--costs", "--masks", "--out"):
        assert option in shown
