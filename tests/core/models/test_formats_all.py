"""Claims that every registered format of checkpoints must keep, also one added tomorrow."""

import pytest
import torch

import multiflow_core as mf
from benchmarks.models import build
from multiflow_core.families import family_of
from multiflow_core.models.format import FORMATS
from multiflow_core.models.vlm import VLM


@pytest.mark.parametrize("kind", FORMATS.all(), ids=lambda kind: kind.name)
@pytest.mark.parametrize("dtype", [None, torch.float16], ids=str)
def test_claims(kind, dtype, tmp_path):
    model, processor = build("clip-b32", small=True)
    vlm = VLM("clip", model, processor, family_of(model))
    masks = mf.rank(model, "omp").masks(0.75)
    pruned = vlm.prune(masks)
    before = {name: tensor.clone() for name, tensor in pruned.model.state_dict().items()}
    assert "\n" not in kind.about and len(kind.about) > 10
    written = kind.write(pruned, masks, tmp_path / "pruned", dtype)
    assert written.exists() and tmp_path in written.parents
    assert all(torch.equal(tensor, before[name]) for name, tensor in pruned.model.state_dict().items())
    if kind.opens:
        for name, tensor in mf.load(written, dtype=None).model.state_dict().items():
            assert torch.equal(tensor, before[name].to(tensor.dtype) if dtype is None else before[name].to(dtype)), name
