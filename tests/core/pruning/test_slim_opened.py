"""A smaller model is an ordinary one: plain transformers opens its folder, in a process without the lab, and says the same."""

import subprocess
import sys

import pytest
import torch

import multiflow_core as mf
from multiflow_core.data import dataset
from multiflow_core.models.formats.plain import save_plain
from multiflow_core.pruning.slim import slim

OPENED = """
import sys, torch, transformers
model = getattr(transformers, sys.argv[2]).from_pretrained(sys.argv[1]).eval()
given = torch.load(sys.argv[3])
with torch.no_grad():
    found = model(**given["batch"])
print(float((found[given["name"]] - given["said"]).abs().max()), "multiflow_core" in sys.modules)
"""


def opened(folder, kind, given, tmp_path):
    """How far plain transformers is from what the lab says, in a process that never imports the lab."""
    torch.save(given, tmp_path / "given.pt")
    ran = subprocess.run(
        [sys.executable, "-c", OPENED, folder, kind, tmp_path / "given.pt"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    far, lab = ran.stdout.split()
    assert lab == "False"
    return float(far)


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("flatland-blip", "BlipForConditionalGeneration", "logits"),
        ("clip-b32", "CLIPModel", "logits_per_image"),
        ("siglip-base", "SiglipModel", "logits_per_image"),
    ],
)
def test_plain_transformers_opens_it_and_says_the_same(name, kind, said, tmp_path):
    from benchmarks.models import MODELS, build
    from multiflow_core.families import family_of
    from multiflow_core.models.vlm import VLM

    if name in MODELS:
        model, processor = build(name, small=True)
        vlm = VLM(name, model.eval(), processor, family_of(model))
    else:
        vlm = mf.load(name)
    batch = next(iter(vlm.batches(dataset.open().pairs(3, 0, 32))))
    small = slim(vlm, 0.5, batches=[batch])
    folder = save_plain(small, mf.Masks({}), tmp_path / "small", torch.float32)
    with torch.no_grad():
        view = small.model.captioner if name == "flatland-blip" else small.model
        given = {"batch": batch, "name": said, "said": view(**batch)[said]}
    assert opened(folder, kind, given, tmp_path) < 1e-4
    again = mf.load(folder)
    assert torch.allclose(again.embed_texts(["a cat"]), small.embed_texts(["a cat"]), atol=1e-5)
