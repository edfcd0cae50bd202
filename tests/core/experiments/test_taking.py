"""What is taken away: it opens without the lab, says what it is, needs no network, and a failed one leaves nothing."""

import json
import re
import shlex
import subprocess
import sys
import zipfile
from dataclasses import replace
from functools import partial
from html import escape
from html.parser import HTMLParser

import pytest
import torch
from safetensors.torch import save_file

import multiflow_core as mf
from benchmarks.models import save
from benchmarks.zoo import published
from multiflow_core import Masks
from multiflow_core.cli import main
from multiflow_core.data import dataset
from multiflow_core.experiments import drawings, prepare, report, taking
from multiflow_core.experiments.manifest import Manifest, hash_of, python
from multiflow_core.experiments.results import Results
from multiflow_core.experiments.run import Run
from multiflow_core.experiments.taking import Taken
from multiflow_core.models.format import FORMATS
from multiflow_core.models.vlm import ASSETS
from multiflow_core.weights.packed_file import masks_of

ELSEWHERE = """
import sys
import torch, transformers
from safetensors.torch import load_file
folder, name, given, expected = sys.argv[1:]
model = getattr(transformers, name).from_pretrained(folder).eval()
transformers.AutoProcessor.from_pretrained(folder)
with torch.inference_mode():
    found = model(**load_file(given))
for key, value in load_file(expected).items():
    torch.testing.assert_close(getattr(found, key), value)
print("multiflow_core" in sys.modules)
"""
FAMILIES = ("blip-base-retrieval", "clip-b32", "siglip-base", "llava")


def taken(vlm, method="omp", sparsity=0.5, results=None):
    order = mf.rank(vlm.model, method)
    masks = order.masks(sparsity)
    return Taken(vlm, order, masks, Manifest.of(vlm, Run(vlm.name, method, sparsity), masks), results)


@pytest.mark.parametrize("name", FAMILIES)
def test_plain_transformers_opens_the_checkpoint_and_says_the_same(name, tmp_path):
    """In a process that never imports the lab; of every family its own class, and one that writes about pictures."""
    dense = (published.save if name == "llava" else partial(save, small=True))(name, tmp_path / "dense")
    vlm = mf.load(dense)
    (batch,) = vlm.batches(dataset.open().pairs(2, 0, vlm.side), 2)
    batch = {key: value for key, value in batch.items() if isinstance(value, torch.Tensor)}
    masks = mf.rank(vlm.model, "omp", statistics=mf.calibrate(vlm.model, [batch])).masks(0.5)
    folder = FORMATS.get("plain").write(vlm, masks, tmp_path / "pruned", None)
    with torch.inference_mode():
        said = vlm.prune(masks).model(**batch)
    found = {
        key: value.contiguous() for key, value in said.items() if key in ("logits", "logits_per_image", "itm_score")
    }
    assert found and masks.sparsity == pytest.approx(0.5, abs=1e-4)
    save_file({key: value.contiguous() for key, value in batch.items()}, tmp_path / "given")
    save_file(found, tmp_path / "expected")
    asked = [folder, type(vlm.model).__name__, tmp_path / "given", tmp_path / "expected"]
    ran = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, *map(str, asked)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.stdout == "False\n", ran.stderr[-2000:]


def test_everything_in_a_folder_opens_again(vlm, tmp_path):
    known = prepare.evidence_of("statistics", vlm)
    order = mf.rank(vlm.model, "multiflow", statistics=known)
    masks = order.masks(0.75)
    run = Run("flatland-blip", "multiflow", 0.75)
    found = Taken(vlm, order, masks, Manifest.of(vlm, run, masks))
    told = []
    what = ["masks", "checkpoint", "packed", "statistics"]
    folder = found.write(tmp_path / "run", what, progress=lambda fraction, message: told.append((fraction, message)))
    assert {path.name for path in folder.iterdir()} == {
        "masks.safetensors",
        "checkpoint",
        "packed",
        "statistics.safetensors",
        "manifest.json",
    }
    assert Masks.load(folder / "masks.safetensors") == masks and masks_of(folder / "packed") == masks
    assert mf.Statistics.load(folder / "statistics.safetensors").samples == 512
    expected = vlm.prune(masks).model.state_dict()
    for kind in ("checkpoint", "packed"):
        held = json.loads((folder / kind / "manifest.json").read_text())
        assert held["achieved"] == 0.75 and held["pruned"] == masks.pruned
        for name, tensor in mf.load(folder / kind).model.state_dict().items():
            assert torch.equal(tensor, expected[name]), name
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told) and told[-1][0] == 1.0


def test_a_failed_one_leaves_nothing(vlm, tmp_path, monkeypatch):
    def full(*asked):
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(taking.WRITERS, "report", full)
    with pytest.raises(OSError, match="No space"):
        taken(vlm).write(tmp_path / "run", ["masks", "report"])
    assert list(tmp_path.iterdir()) == []


def test_it_does_not_write_over_anything(vlm, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="give a new folder"):
        taken(vlm).write(tmp_path)
    with pytest.raises(ValueError, match="no 'statistics' of this run"):
        taken(vlm).write(tmp_path / "new", ["statistics"])
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_checkpoint_as_one_file_is_a_zip_that_opens(vlm, tmp_path):
    found = taken(vlm)
    packed = found.file("packed", tmp_path / "made")
    with zipfile.ZipFile(packed) as held:
        held.extractall(tmp_path / "there")
    assert masks_of(tmp_path / "there" / "packed") == found.masks


def test_the_command_of_a_manifest_makes_the_same_masks(vlm, tmp_path):
    run = Run("flatland-blip", "omp", 0.7, allocation="uniform", fixed="vision 0=dense")
    order = prepare.order_of(vlm, run)
    said = shlex.split(
        Manifest.of(vlm, run, order.masks(0.7)).command("prune", "--masks", str(tmp_path / "m.safetensors"))
    )
    assert said[:4] == ["python", "-m", "multiflow_core", "prune"]
    main(said[3:])
    assert Masks.load(tmp_path / "m.safetensors") == order.masks(0.7)
    known = {}
    exec(python(run), known)
    assert known["masks"] == order.masks(0.7)
    held = json.loads((tmp_path / "m.manifest.json").read_text())
    assert (held["allocation"], held["method"], held["fixed"]) == ("uniform", "omp", run.fixed)


def test_the_hash_of_a_model_is_of_its_weights_alone(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"abc")
    (tmp_path / "config.json").write_text("{}")
    assert hash_of(tmp_path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


# --- the report -----------------------------------------------------------------------------------------------------


class Seen(HTMLParser):
    """What a page would fetch, and whether its tags close."""

    VOID = ("meta", "img", "br", "rect", "line", "polyline")

    def __init__(self, text):
        super().__init__()
        self.open, self.fetched, self.tags = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.fetched += [value for name, value in attributes if name in ("src", "href", "srcset", "data", "action")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_report_is_one_page_that_fetches_nothing(vlm, tmp_path):
    results = Results.load(ASSETS / "results" / "flatland-blip.json")
    found = taken(vlm, "omp", 0.63, results)
    file = report.write(tmp_path / "r.html", vlm, found.order, found.masks, found.manifest, results, pictures=2)
    text = file.read_text(encoding="utf-8")
    seen = Seen(text)
    assert not seen.open and seen.tags.count("img") == 2 and "script" not in seen.tags and "link" not in seen.tags
    assert all(value.startswith("data:image/") for value in seen.fetched) and not re.search(r"url\(|@import", text)
    assert file.stat().st_size < 6e6
    assert "63 % pruned by" in text and "prefers-color-scheme: dark" in text and "@media print" in text
    dense, pruned = results.dense_figure("vqa"), results.figure("omp", "vqa", 0.63)
    assert f"<td>{dense:.3f}</td><td>{pruned:.3f}</td>" in text
    for layer in found.order.layers:
        assert f"{100 * found.masks.layer_sparsity()[layer.name]:.3g} %" in text
    assert escape(found.manifest.command()) in text


def test_a_name_with_marks_is_text(tmp_path, vlm):
    order = mf.rank(vlm.model, "omp")
    masks = order.masks(0.5)
    manifest = Manifest.of(vlm, Run("<b>&model", "omp", 0.5), masks)
    file = report.write(tmp_path / "r.html", replace(vlm, name="<b>&model"), order, masks, manifest, pictures=0)
    assert "<b>" not in file.read_text() and "&lt;b&gt;&amp;model" in file.read_text()


def test_bars_are_as_long_as_their_shares():
    widths = [
        float(width) for width in re.findall(r'width="([\d.]+)" height="18"', drawings.bars({"a": 0.5, "b": 0.25}))
    ]
    assert widths == [245.0, 122.5]


def test_a_curve_goes_through_its_figures():
    svg = drawings.lines({"omp": [(0.5, 0.5)]}, "omp", 0.5, 1.0, "x")
    points = re.search(r'points="([^"]+)" class="line"', svg)[1].split()
    # 440 wide from 130 on, 165 high from 12 on, the highest figure at the top
    assert points == ["130.0,12.0", "350.0,94.5"]


# --- the command line -----------------------------------------------------------------------------------------------


def test_export_tells_programs_what_it_wrote(tmp_path, capsys):
    asked = ["export", "flatland-xvlm", "--method", "omp", "--sparsity", "0.5", "--what", "masks", "--json"]
    main([*asked, "--out", str(tmp_path / "run")])
    told = capsys.readouterr()
    assert json.loads(told.out)["manifest"] == json.loads((tmp_path / "run" / "manifest.json").read_text())
    with pytest.raises(SystemExit) as ended:
        main([*asked, "--out", str(tmp_path / "run")])
    assert ended.value.code == 2 and "give a new folder" in capsys.readouterr().err


def test_explain_says_what_the_mask_says(vlm, capsys):
    name = vlm.layers[0].name
    masks = mf.rank(vlm.model, "omp").masks(0.63)
    for row, column in ((0, 0), (5, 7), (100, 3)):
        asked = ["explain", "flatland-blip", name, str(row), str(column), "--method", "omp", "--sparsity", "0.63"]
        main([*asked, "--json"])
        held = json.loads(capsys.readouterr().out)
        assert held["kept"] == bool(masks[name][row, column])
        assert held["weight"] == vlm.model.get_parameter(name)[row, column].item()
        main(asked)
        assert ("kept at 63%" if held["kept"] else "pruned at 63%") in capsys.readouterr().out


def test_models_are_listed(capsys):
    main(["models", "--json"])
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == ["flatland-blip", "flatland-xvlm"]
