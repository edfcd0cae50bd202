"""Exact compaction: what does nothing goes, what always says the same becomes a bias, and nothing that comes out changes."""

from dataclasses import replace

import pytest
import torch
from PIL import Image
from torch import nn

import multiflow_core as mf
from multiflow_core.models.compact import compact, compacted, constants

from .test_units import llama


def emptied(vlm, columns, rows, spread=0):
    """Masks that leave nothing of so many columns of every reader and so many rows of every writer; some overlap."""
    torch.manual_seed(0)
    masks = {}
    for n, part in enumerate(mf.units_of(vlm.model)):
        reader, writer = part.reader.layer, part.writers[0].layer
        order = torch.randperm(part.units)
        masks[reader.name] = torch.ones(reader.shape, dtype=torch.bool)
        masks[reader.name][:, order[:columns]] = False
        masks[writer.name] = torch.ones(writer.shape, dtype=torch.bool)
        masks[writer.name][order[columns // 2 : columns // 2 + rows + spread * n]] = False
    return mf.Masks(masks)


@pytest.mark.parametrize("name", ["flatland-blip", "flatland-xvlm"])
def test_the_model_computes_what_it_did(name):
    vlm = mf.load(name)
    pruned = vlm.prune(emptied(vlm, 100, 90, spread=3))
    small = compact(pruned)
    # 140 of 768 do nothing in the first block of each tower, which needs the most, and more in the others
    first = next(part for part in mf.units_of(vlm.model) if "vision" in part.tower)
    assert small.model.config.vision_config.intermediate_size == first.units - 140
    pictures = [Image.effect_noise((96, 96), 40 + n).convert("RGB") for n in range(3)]
    texts = ["a red boat", "two cats on a hill", "snow"]
    for ours, theirs in (
        (small.embed_images(pictures), pruned.embed_images(pictures)),
        (small.embed_texts(texts), pruned.embed_texts(texts)),
        (small.match(pictures, texts), pruned.match(pictures, texts)),
    ):
        assert torch.allclose(ours, theirs, atol=1e-5)
    assert not torch.allclose(pruned.embed_images(pictures), vlm.embed_images(pictures), atol=1e-3)
    if "captioning" in vlm.tasks:
        assert [said.text for said in small.caption(pictures)] == [said.text for said in pruned.caption(pictures)]


def test_dense_models_stay_as_they_are(vlm):
    assert compact(vlm).model.config.to_dict() == vlm.model.config.to_dict()


def test_without_data_only_what_nothing_reads_goes(vlm):
    pruned = vlm.prune(emptied(vlm, 100, 90))
    small = compacted(pruned.model, [], None)
    assert small.config.vision_config.intermediate_size == 768 - 100


def test_the_constants_of_a_block_by_hand(vlm):
    pruned = vlm.prune(emptied(vlm, 0, 5))
    part = mf.units_of(pruned.model)[0]
    block = pruned.model.vision_model.encoder.layers[0].mlp
    batches = list(pruned.batches([(Image.effect_noise((96, 96), 60 + n).convert("RGB"), "a cat") for n in range(2)]))
    found = constants(pruned.model, (part,), batches, pruned.family.calibration_forward)[part.reader.layer.name]
    empty = (block.fc1.weight == 0).all(1)
    assert int(empty.sum()) == 5 and torch.equal(~found.isnan(), empty)
    assert torch.allclose(found[empty].float(), nn.functional.gelu(block.fc1.bias[empty]), atol=1e-6)


def test_a_gated_unit_goes_where_one_of_its_two_matrices_is_empty():
    model = llama()
    with torch.no_grad():
        for layer in model.model.layers:
            layer.mlp.gate_proj.weight[:10] = 0
            layer.mlp.up_proj.weight[10:16] = 0
    ids = [torch.randint(50, (2, 7)) for _ in range(2)]
    small = compacted(model, ids, lambda model, batch: model(batch))
    assert small.config.intermediate_size == 48 - 16
    with torch.no_grad():
        assert torch.allclose(small(ids[0]).logits, model(ids[0]).logits, atol=1e-6)


def test_a_constant_that_no_bias_could_say_keeps_its_unit():
    model = llama(mlp_bias=True)
    with torch.no_grad():
        for layer in model.model.layers:
            layer.mlp.gate_proj.weight[:4], layer.mlp.up_proj.weight[:4] = 0, 0
            layer.mlp.gate_proj.bias[:4], layer.mlp.up_proj.bias[:4] = 1, 1
            layer.mlp.down_proj.bias = None
    ids = [torch.randint(50, (2, 7)) for _ in range(2)]
    assert constants(model, mf.units_of(model), ids, lambda model, batch: model(batch)).popitem()[1].isnan().all()


def test_a_model_without_a_processor_is_compacted_by_its_weights_alone(vlm):
    from multiflow_core.families.absent import NoProcessor

    bare = replace(vlm.prune(emptied(vlm, 8, 8)), processor=NoProcessor("there is none"))
    assert compact(bare).model.config.text_config.intermediate_size == 768 - 8
