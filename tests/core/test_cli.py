"""The command line: listings, files, and one sentence for a mistake."""

import pytest
import torch
from transformers import CLIPModel

import multiflow_core as mf
from benchmarks.models import save
from benchmarks.zoo import published
from multiflow_core import Masks, Statistics, load
from multiflow_core.cli import main
from multiflow_core.experiments import benchmark, prepare
from multiflow_core.experiments.results import Results
from multiflow_core.experiments.run import Run
from multiflow_core.models.format import FORMATS
from multiflow_core.models.vlm import ASSETS
from multiflow_core.pruning.method import methods
from multiflow_core.tasks.classification import ENSEMBLE
from tests.core.data.made import put

BLIPS = str(ASSETS / "flatland-blip" / "statistics.safetensors")


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


def test_layers_with_statistics_say_what_never_ran(tmp_path, capsys):
    vlm = load(published.save("qwen3_vl_moe", tmp_path / "model"))
    known = prepare.collect("statistics", vlm, sample=prepare.sample_of(2))
    first, *ran = known.layers
    sums = {layer.name: known.square_sums[layer.name] for layer in ran}
    file = Statistics(sums, known.samples, tuple(ran)).save(tmp_path / "statistics.safetensors")
    capsys.readouterr()
    main(["layers", str(tmp_path / "model"), "--statistics", str(file)])
    shown = capsys.readouterr().out
    assert f"{first.name}: it never ran on the calibration data" in shown
    assert f"{sum(layer.size for layer in ran):,} prunable" in shown
    assert "lm_head.weight: an output head" in shown and ".gate.weight: a router" in shown


def test_prune_writes_masks(tmp_path, capsys):
    main(["prune", "flatland-blip", "--sparsity", "0.63", "--masks", str(tmp_path / "m.safetensors")])
    masks = Masks.load(tmp_path / "m.safetensors")
    assert masks.pruned == int(0.63 * masks.total)
    assert f"{masks.pruned:,} of {masks.total:,}" in capsys.readouterr().out


def test_prune_gives_a_method_its_options(tmp_path):
    asked = [
        "prune",
        "flatland-xvlm",
        "--sparsity",
        "0.5",
        "--pairs",
        "2",
        "--method",
        "reflow",
        "--options",
        "steps=2",
    ]
    found = []
    for more in ("mask=magnitude", "budgets=uniform"):
        main([*asked, more, "--masks", str(tmp_path / "m.safetensors")])
        found.append(Masks.load(tmp_path / "m.safetensors"))
    assert found[0].pruned == found[1].pruned and set(found[1].layer_sparsity().values()) == {0.5}
    magnitude = mf.rank(load("flatland-xvlm").model, criterion="magnitude", allocation="multimodal")
    assert found[0] == magnitude.masks(0.5)


def test_prune_keeps_what_is_fixed(tmp_path, capsys):
    asked = ["--method", "omp", "--sparsity", "0.8", "--fixed", "text=dense", "vision 0=0.5"]
    main(["prune", "flatland-blip", *asked, "--masks", str(tmp_path / "m.safetensors")])
    masks, layers = Masks.load(tmp_path / "m.safetensors"), load("flatland-blip").layers
    first = [layer for layer in layers if layer.block == "vision 0"]
    free = [layer for layer in layers if layer.modality == "vision" and layer not in first]
    pruned = {name: int((~mask).sum()) for name, mask in masks.items()}
    assert not any(pruned[layer.name] for layer in layers if layer.modality == "text")
    assert sum(pruned[layer.name] for layer in first) == sum(layer.size for layer in first) // 2
    total = sum(layer.size for layer in free)
    assert sum(pruned[layer.name] for layer in free) == int(0.8 * total)
    assert f"0.8000 of the other {total:,} weights" in capsys.readouterr().out


def test_a_pattern_that_means_nothing_is_one_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["prune", "flatland-blip", "--sparsity", "0.5", "--fixed", "txt=0", "--masks", str(tmp_path / "m")])
    assert "no layer is meant by 'txt'" in capsys.readouterr().err


def test_prune_writes_a_checkpoint_that_opens_like_any_other(tmp_path, capsys):
    arguments = ["prune", "flatland-blip", "--method", "omp", "--sparsity", "0.5", "--out", str(tmp_path / "pruned")]
    main([*arguments, "--dtype", "float16", "--masks", str(tmp_path / "m.safetensors")])
    masks, vlm = Masks.load(tmp_path / "m.safetensors"), load(tmp_path / "pruned")
    dense = load("flatland-blip").model.state_dict()  # in float16 on disk: no bit is lost
    for name, tensor in vlm.model.state_dict().items():
        assert torch.equal(tensor, dense[name] * masks[name] if name in masks else dense[name]), name
    assert str(tmp_path / "pruned") in capsys.readouterr().out


def test_a_pruned_checkpoint_is_one_of_transformers_unless_it_is_packed(clip, tmp_path, capsys):
    asked = ["prune", clip, "--method", "omp", "--sparsity", "0.5"]
    main([*asked, "--out", str(tmp_path / "plain"), "--masks", str(tmp_path / "m.safetensors")])
    masks = Masks.load(tmp_path / "m.safetensors")
    model = CLIPModel.from_pretrained(tmp_path / "plain")
    assert sum(int((model.get_parameter(name) == 0).sum()) for name in masks) == masks.pruned > 0
    main([*asked, "--out", str(tmp_path / "packed"), "--format", "packed"])
    sizes = [sum(f.stat().st_size for f in (tmp_path / kind).glob("*.safetensors")) for kind in ("plain", "packed")]
    assert sizes[1] < sizes[0]  # most of so small a model is embeddings


def test_formats_are_listed(capsys):
    main(["formats"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [kind.name for kind in FORMATS.all()]
    assert all(kind.about in line for kind, line in zip(FORMATS.all(), lines, strict=True))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A folder with a small CLIP, which reads pictures of another size than the built-in models do."""
    return str(save("clip-b32", tmp_path_factory.mktemp("clip"), small=True))


def test_calibrate_collects_what_prune_would(clip, tmp_path, capsys):
    main(["calibrate", clip, "--out", str(tmp_path / "s.safetensors")])
    vlm, written = load(clip), Statistics.load(tmp_path / "s.safetensors")
    assert vlm.side != load("flatland-blip").side
    collected = prepare.order_of(vlm, Run(clip, "multiflow")).statistics
    assert written.layers == collected.layers == vlm.layers and written.samples == collected.samples == 512
    assert all(torch.equal(sums, collected.square_sums[name]) for name, sums in written.square_sums.items())
    assert f"{len(vlm.layers)} layers, 512 pairs" in capsys.readouterr().out


def test_given_statistics_take_the_place_of_collecting(clip, tmp_path, monkeypatch):
    """Statistics that nobody would collect, and a collector that fails."""
    vlm, file = load(clip), tmp_path / "s.safetensors"
    random = {layer.name: torch.rand(layer.shape[1], dtype=torch.float64) for layer in vlm.layers}
    Statistics(random, 1, vlm.layers).save(file)
    expected = mf.rank(vlm.model, "multiflow", statistics=Statistics.load(file)).masks(0.5)
    monkeypatch.setattr(prepare, "collect", lambda *asked: 1 / 0)
    main(["prune", clip, "--sparsity", "0.5", "--masks", str(tmp_path / "m.safetensors"), "--statistics", str(file)])
    assert Masks.load(tmp_path / "m.safetensors") == expected
    exam = benchmark.full_exam("test", 3)
    monkeypatch.setattr(benchmark, "short_exam", lambda data: exam)
    arguments = ["evaluate", clip, "--methods", "multiflow", "--sparsities", "0.5", "--statistics", str(file)]
    main([*arguments, "--out", str(tmp_path / "r.json"), "--masks", str(tmp_path)])
    assert Masks.load(tmp_path / "multiflow 0.50.safetensors") == expected
    (found,) = Results.load(tmp_path / "r.json").runs
    assert found.scores["retrieval"] == benchmark.measure(vlm.prune(expected), exam)["retrieval"]


def test_evaluate_tells_classes_of_a_folder_by_prompts(clip, tmp_path, capsys):
    """Pictures in a folder a class: classes alone are asked, by the prompts given, which another run may not change."""
    for first, kind in enumerate(("cat", "dog", "boat")):
        put(tmp_path / "pets" / kind, *(f"{i}.png" for i in range(14)), first=100 * first)
    out = tmp_path / "r.json"
    arguments = ["evaluate", clip, "--data", str(tmp_path / "pets"), "--methods", "omp", "--sparsities", "0.5"]
    main([*arguments, "--out", str(out), "--prompts", "ensemble", "a drawing of a {}"])
    found = Results.load(out)
    assert found.head["classes"] == 3 and found.head["prompts"] == [*ENSEMBLE, "a drawing of a {}"]
    for scores, between in (
        (found.dense, found.dense_intervals),
        (found.runs[0].scores, found.runs[0].intervals),
    ):
        assert set(scores) == {"classification"} and scores["classification"]["top-5"] == 1.0
        low, high = between["classification"]["top-1"]
        assert 0 <= low <= scores["classification"]["top-1"] <= high <= 1
    low, high = found.dense_intervals["classification"]["top-1"]
    assert f"top-1 {found.dense_figure('classification'):.3f} [{low:.3f}, {high:.3f}]" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([*arguments, "--out", str(out)])
    assert "give those with ['a photo of a {}.'] a file of their own" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["layers", "nowhere/at all"], "no folder"),
        (["prune", "flatland-blip", "--sparsity", "1.2", "--masks", "x"], "from 0 to 1"),
        (
            ["prune", "flatland-blip", "--sparsity", "0.5", "--masks", "x", "--options", "power=2"],
            "no option of method",
        ),
        (["prune", "flatland-blip", "--sparsity", "0.5"], "--out FOLDER"),
        (["prune", "flatland-blip", "--method", "omq", "--sparsity", "0.5", "--masks", "x"], "did you mean 'omp'"),
        (["prune", "flatland-blip", "--sparsity", "0.5", "--masks", "x", "--device", "tpu"], "choose cpu"),
        (["prune", "flatland-blip", "--sparsity", "0.5", "--out", "x", "--format", "pack"], "did you mean 'packed'"),
        (["prune", "flatland-xvlm", "--sparsity", "0.5", "--masks", "x", "--statistics", BLIPS], "of another model"),
        (["evaluate", "flatland-xvlm", "--out", "x", "--statistics", BLIPS], "of another model"),
        (["evaluate", "flatland-blip", "--out", "x", "--statistics", __file__], "is not"),
        (["evaluate", "flatland-blip", "--out", "x", "--prompts", "a photo"], "where the name of a class goes"),
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
    for option in ("--methods", "--sparsities", "--seeds", "--ablation", "--costs", "--masks", "--out", "--prompts"):
        assert option in shown
