"""A model with fewer units computes what the wide one does with zeros in their place, and is an ordinary one of its class."""

import pytest
import torch

from multiflow_core import Masks, units_of
from multiflow_core.models.smaller import smaller, widths
from multiflow_core.pruning.neurons import unit_masks

from .test_units import llama


def kept_at_random(parts, units, seed=0):
    """So many units of every part, drawn."""
    generator = torch.Generator().manual_seed(seed)
    order = {part.reader.layer.name: torch.randperm(part.units, generator=generator) for part in parts}
    return {name: order[name].argsort() < units for name in order}


def batch(side=96):
    generator = torch.Generator().manual_seed(1)
    return {
        "pixel_values": torch.randn(2, 3, side, side, generator=generator),
        "input_ids": torch.randint(6, 100, (2, 5), generator=generator),
        "attention_mask": torch.ones(2, 5, dtype=torch.long),
    }


def test_a_smaller_blip_computes_what_the_masked_one_does(parts):
    found = units_of(parts)
    kept = kept_at_random(found, 24)
    small, masked = smaller(parts, found, kept), unit_masks(found, kept).apply(parts)
    for view in ("retriever", "captioner"):
        with torch.no_grad():
            ours, theirs = (getattr(model, view)(**batch()) for model in (small, masked))
        first = next(name for name in ours if name in ("itm_score", "logits"))
        assert torch.allclose(ours[first], theirs[first], atol=1e-6)
    assert small.config.vision_config.intermediate_size == small.config.text_config.intermediate_size == 24
    assert parts.config.vision_config.intermediate_size == 64
    assert small.vision_proj.weight is parts.vision_proj.weight and not small.training


def test_a_smaller_llama_with_fewer_heads_computes_what_the_masked_one_does():
    model = llama()
    found = units_of(model, kinds=["neurons", "heads"])
    kept = {part.reader.layer.name: torch.arange(part.units) % 2 == 1 for part in found}
    small, masked = smaller(model, found, kept), unit_masks(found, kept).apply(model)
    ids = torch.randint(50, (2, 7))
    with torch.no_grad():
        assert torch.allclose(small(ids).logits, masked(ids).logits, atol=1e-5)
    assert (small.config.num_attention_heads, small.config.num_key_value_heads, small.config.intermediate_size) == (
        4,
        2,
        24,
    )
    assert small.generation_config is model.generation_config


def test_tied_weights_stay_tied():
    model = llama(tie_word_embeddings=True)
    found = units_of(model)
    small = smaller(model, found, kept_at_random(found, 8))
    assert small.lm_head.weight is small.model.embed_tokens.weight


def test_a_tower_has_one_width(parts):
    found = units_of(parts)
    kept = kept_at_random(found, 24)
    assert widths(parts.config, found, kept) == {
        "vision_config.intermediate_size": 24,
        "text_config.intermediate_size": 24,
    }
    kept[found[0].reader.layer.name] = torch.arange(64) < 25
    with pytest.raises(ValueError, match="every block that vision_config.intermediate_size is about keeps as many"):
        smaller(parts, found, kept)


def test_all_units_leave_the_model_as_it_is(parts):
    found = units_of(parts)
    same = smaller(parts, found, kept_at_random(found, 64))
    assert all(torch.equal(a, b) for a, b in zip(same.parameters(), parts.parameters(), strict=True))
    assert isinstance(unit_masks(found, kept_at_random(found, 64)), Masks)
