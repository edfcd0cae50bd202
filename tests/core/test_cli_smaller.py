"""slim and speed on the command line: what they write opens, what they print was measured, and mistakes are sentences."""

import json

import pytest
import torch

import multiflow_core as mf
from multiflow_core.cli import main
from multiflow_core.experiments.speed import Speeds
from multiflow_core.models.formats.plain import save_plain


def test_slim_writes_a_folder_that_opens(tmp_path, capsys):
    main(["slim", "flatland-xvlm", "--keep", "0.5", "--no-fit", "--dtype", "float16", "--out", str(tmp_path / "small")])
    said = capsys.readouterr().out
    assert "vision_config.intermediate_size" in said and "-> " in said and "parameters (" in said
    again = mf.load(tmp_path / "small")
    assert again.model.config.vision_config.intermediate_size < 500 and again.tasks == ("retrieval",)


def test_slim_as_json_says_what_is_left(tmp_path, capsys):
    main(["slim", "flatland-xvlm", "--keep", "0.5", "--no-fit", "--json", "--out", str(tmp_path / "small")])
    found = json.loads(capsys.readouterr().out)
    small = mf.load(found["folder"]).model
    assert (
        found["parameters"] == sum(parameter.numel() for parameter in small.parameters()) < found["dense"]["parameters"]
    )
    assert found["widths"]["vision_config.intermediate_size"] == small.config.vision_config.intermediate_size
    assert found["dense"]["widths"]["vision_config.intermediate_size"] == 768


def test_slim_exact_takes_out_what_does_nothing(tmp_path, capsys, vlm):
    masks = {}
    for part in mf.units_of(vlm.model):
        masks[part.reader.layer.name] = torch.ones(part.reader.layer.shape, dtype=torch.bool)
        masks[part.reader.layer.name][:, :68] = False
    save_plain(vlm, mf.Masks(masks), tmp_path / "pruned")
    main(["slim", str(tmp_path / "pruned"), "--exact", "--out", str(tmp_path / "small")])
    assert "768 -> 700" in capsys.readouterr().out
    small, wide = mf.load(tmp_path / "small"), mf.load(tmp_path / "pruned")
    assert torch.allclose(small.embed_texts(["a cat"]), wide.embed_texts(["a cat"]), atol=1e-5)


def test_speed_prints_and_writes_what_it_measured(tmp_path, capsys):
    asked = ["--smaller", "0.5", "--batches", "1", "--repeats", "1", "--method", "omp"]
    threads = torch.get_num_threads()
    main(["speed", "flatland-xvlm", *asked, "--threads", str(threads), "--out", str(tmp_path / "speed.json")])
    said, found = capsys.readouterr().out, Speeds.load(tmp_path / "speed.json")
    assert "neurons, 50 %" in said and "(arithmetic)" in said
    assert found.model == "flatland-xvlm" and found.models[-1].file < found.models[0].file


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["slim", "flatland-blip", "--keep", "1.5", "--no-fit", "--out", "x"], "above 0 and at most 1"),
        (
            ["slim", "flatland-blip", "--keep", "0.5", "--no-fit", "--heads", "--method", "nonsense", "--out", "x"],
            "nonsense",
        ),
        (["speed", "flatland-blip", "--smaller", "many"], "is no smaller model"),
    ],
)
def test_mistakes_are_sentences(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
