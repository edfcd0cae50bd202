"""What a config can say of a model's units: found by trying, for neurons of every kind and for heads where they have a width."""

import pytest
import torch
from torch import nn
from transformers import CLIPConfig, CLIPModel, LlamaConfig, LlamaForCausalLM

from multiflow_core import load
from multiflow_core.models.units import HEADS, NEURONS, blank, changed, units_of


def llama(**more):
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "vocab_size": 50}
    heads = {"num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 8}
    return LlamaForCausalLM(LlamaConfig(**sizes | heads | more)).eval()


def described(part):
    return part.kind, part.units, [(side.layer.role, side.each) for side in (*part.writers, part.reader)], part.fields


def test_every_feed_forward_block_of_a_tower_is_a_part(parts):
    found = units_of(parts)
    assert [part.reader.layer.title for part in found] == [
        *("vision 0 fc2", "vision 1 fc2", "text 0 fc2", "text 1 fc2", "decoder 0 fc2", "decoder 1 fc2")
    ]
    assert {part.units for part in found} == {64}
    # the encoder and the decoder of texts are told their width by one number
    assert [part.tower for part in found] == ["vision_config.intermediate_size"] * 2 + [
        "text_config.intermediate_size"
    ] * 4
    for part in found:
        (writer,) = part.writers
        assert writer.layer.block == part.reader.layer.block and writer.layer.role == "fc1"


def test_the_layers_of_fusion_have_the_width_of_the_text(xvlm):
    towers = {part.reader.layer.modality: part.tower for part in units_of(xvlm)}
    assert towers["fusion"] == towers["text"] != towers["vision"]


def test_a_gated_block_is_written_by_two_matrices():
    first, second = units_of(llama())
    assert described(first) == (
        NEURONS,
        48,
        [("gate_proj", 1), ("up_proj", 1), ("down_proj", 1)],
        (("intermediate_size", 1),),
    )
    assert first.reader.layer.name == "model.layers.0.mlp.down_proj.weight" != second.reader.layer.name


def test_queries_go_with_the_key_and_the_value_that_they_share():
    heads = units_of(llama(), kinds=[HEADS])
    sides = [("q_proj", 16), ("k_proj", 8), ("v_proj", 8), ("o_proj", 16)]
    assert described(heads[0]) == (HEADS, 4, sides, (("num_attention_heads", 2), ("num_key_value_heads", 1)))
    assert len(units_of(llama(), kinds=[NEURONS, HEADS])) == 4


@pytest.mark.parametrize("kind", ["parts", "xvlm"])
def test_heads_that_share_out_the_hidden_size_cannot_go(kind, request):
    with pytest.raises(ValueError, match="cannot say of any block how many heads"):
        units_of(request.getfixturevalue(kind), kinds=[HEADS])


def test_a_model_without_a_config_is_refused():
    with pytest.raises(ValueError, match="Sequential has no config"):
        units_of(nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2)))


def test_what_is_tried_has_no_numbers_and_leaves_the_model_as_it_is(parts):
    model = CLIPModel(CLIPConfig(text_config={"num_hidden_layers": 1}, vision_config={"num_hidden_layers": 1}))
    tried = blank(model, {"text_config.intermediate_size": 8})
    assert all(p.is_meta for p in tried.parameters())
    assert tried.text_model.encoder.layers[0].mlp.fc1.out_features == 8
    assert model.config.text_config.intermediate_size == 2048
    with pytest.raises(ValueError, match=r"BlipParts cannot be built with .*divisible by"):
        blank(parts, {"vision_config.num_attention_heads": 7})


def test_a_place_in_a_config_is_changed_in_a_copy():
    config = CLIPConfig()
    assert changed(config, {"vision_config.intermediate_size": 5}).vision_config.intermediate_size == 5
    assert config.vision_config.intermediate_size == 3072


def test_the_built_in_models_can_say_it_of_all_blocks():
    for name in ("flatland-blip", "flatland-xvlm"):
        vlm = load(name)
        readers = {part.reader.layer.name for part in units_of(vlm.model)}
        assert readers == {layer.name for layer in vlm.layers if layer.role == "fc2"}
