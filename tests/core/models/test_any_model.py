"""Models that no family knows: what is traced, what stays dense and why, what pruned copies keep, what models come wrapped in."""

from types import SimpleNamespace

import pytest
import torch
import transformers
from torch import nn
from torch.nn.utils import parametrizations, prune

import multiflow_core as mf
from benchmarks.models import build as known
from benchmarks.zoo import published
from benchmarks.zoo.batches import batches_of
from benchmarks.zoo.types import TYPES, build
from multiflow_core.calibration.gradients import Replica
from multiflow_core.experiments import prepare
from multiflow_core.experiments.run import Run
from multiflow_core.families import family_of
from multiflow_core.models.layout import left_dense
from multiflow_core.models.tracing import trace


def batch_for(name):
    model = build(name)
    return model, next(batches_of(model, TYPES[name].pictures))


# --- tracing --------------------------------------------------------------------------------------------------------


class Scatter(nn.Module):
    """Puts its picture where the text has a 9, of the whole picture's patches exactly as many as there are."""

    def __init__(self):
        super().__init__()
        self.words, self.image, self.both = nn.Embedding(20, 4), nn.Linear(6, 4), nn.Linear(4, 4)
        self.config = SimpleNamespace(image_token_id=9)

    def forward(self, input_ids, pixel_values, image_grid_thw, position_ids=None):
        assert int((input_ids == 9).sum()) == len(pixel_values) == int(image_grid_thw.prod(-1).sum())
        assert position_ids is None or bool((position_ids == torch.arange(input_ids.shape[1])).all())
        found = self.words(input_ids)
        found[input_ids == 9] = self.image(pixel_values)
        return self.both(found)


def test_placeholders_and_packed_patches_stay_together():
    ids = torch.tensor([[3, 9, 9, 5], [9, 4, 9, 9], [9, 7, 8, 6]])
    batch = {
        "input_ids": ids,
        "pixel_values": torch.randn(6, 6),
        "image_grid_thw": torch.tensor([[1, 1, 2], [1, 1, 3], [1, 1, 1]]),
    }
    batch["position_ids"] = torch.arange(4).expand(3, 4)
    assert trace(Scatter(), batch) == {"image.weight": {"image"}, "both.weight": {"image", "text"}}


def test_a_batch_made_by_any_seed_is_changed_not_scaled():
    class Normed(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, pixel_values):
            return self.fc(nn.functional.layer_norm(pixel_values, (4,), eps=0.0))

    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        assert trace(Normed(), {"pixel_values": torch.randn(2, 3, 4, generator=generator)}) == {"fc.weight": {"image"}}


def test_rows_and_columns_of_patches_are_no_noise():
    class Numbered(nn.Module):
        def __init__(self):
            super().__init__()
            self.rows, self.fc = nn.Embedding(3, 4), nn.Linear(4, 4)

        def forward(self, flattened_patches):
            return self.fc(flattened_patches[..., 1:] + self.rows(flattened_patches[..., 0].long()))

    places = torch.tensor([0.0, 1.0, 2.0])[:, None].expand(2, 3, 1)
    batch = {"flattened_patches": torch.cat([places, torch.randn(2, 3, 4)], 2)}
    assert trace(Numbered(), batch) == {"fc.weight": {"image"}}


# --- pruned copies --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["clip-b32", "siglip-base"])
def test_a_copy_keeps_its_hidden_states(name):
    model = known(name, small=True)[0]
    asked = dict(
        pixel_values=torch.randn(1, 3, 32, 32), input_ids=torch.ones(1, 3, dtype=torch.long), output_hidden_states=True
    )
    dense = model(**asked)
    pruned = mf.rank(model, "omp").masks(0.5).apply(model)(**asked)
    replica = Replica(model, mf.prunable_layers(model), lambda model, batch: None).model(**asked)
    for part in ("vision_model_output", "text_model_output"):
        wanted = len(dense[part].hidden_states)
        assert wanted > 2 and len(pruned[part].hidden_states) == len(replica[part].hidden_states) == wanted
    assert len(model(**asked).vision_model_output.hidden_states) == len(dense.vision_model_output.hidden_states)


# --- what stays dense -----------------------------------------------------------------------------------------------


class Dormant(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.never = nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x):
        return self.used(x)


def test_what_never_ran_stays_dense():
    model = Dormant()
    statistics = mf.calibrate(model, [{"x": torch.randn(5, 3)}])
    order = mf.rank(model, "multiflow", statistics=statistics)
    masks = order.masks(0.5)
    assert list(masks) == ["used.weight"] and masks.pruned == 4
    assert left_dense(model, statistics) == {"never.weight": "it never ran on the calibration data"}
    assert torch.equal(masks.apply(model).never.weight, model.never.weight)


def test_what_never_ran_stays_dense_for_sparsegpt_too():
    model = Dormant()
    moments = mf.second_moments(model, [{"x": torch.randn(5, 3)}])
    assert list(mf.rank(model, "sparsegpt", evidence=[moments]).masks(0.5)) == ["used.weight"]


def test_a_known_family_is_refused_where_a_layer_never_ran():
    model = known("blip-base-retrieval", small=True)[0]
    batch = {"pixel_values": torch.randn(2, 3, 32, 32), "input_ids": torch.tensor([[2, 5, 3], [2, 6, 3]])}
    alone = mf.calibrate(model, [batch], forward=lambda model, batch: model(**batch, use_itm_head=False))
    assert alone.missing
    with pytest.raises(ValueError, match="never ran"):
        mf.rank(model, "multiflow", statistics=alone)


def test_left_dense_is_what_a_family_says():
    model = known("clip-b32", small=True)[0]
    assert left_dense(model) == family_of(model).excluded(model)
    assert left_dense(model)["visual_projection.weight"].startswith("a projection")


def test_every_matrix_is_prunable_or_left_dense_with_a_reason():
    for name in ("JanusForConditionalGeneration", "GroupViTModel", "Florence2ForConditionalGeneration"):
        model = build(name)
        matrices = {name for name, parameter in model.named_parameters() if parameter.ndim > 1}
        prunable, dense = {layer.name for layer in mf.prunable_layers(model)}, left_dense(model)
        assert not prunable & dense.keys() and matrices <= prunable | dense.keys()


def test_an_untied_head_is_told_by_the_model_not_by_its_name():
    class Named(transformers.LlamaForCausalLM):
        def __init__(self, config):
            super().__init__(config)
            self.layers_of_words = nn.ModuleList([nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 12, bias=False))])

        def get_output_embeddings(self):
            return self.layers_of_words[0][1] if hasattr(self, "layers_of_words") else None

    sizes = dict(hidden_size=8, intermediate_size=8, num_attention_heads=2, num_key_value_heads=2)
    config = transformers.LlamaConfig(vocab_size=12, num_hidden_layers=1, tie_word_embeddings=False, **sizes)
    model = Named(config)
    names = {layer.name for layer in mf.prunable_layers(model)}
    assert "layers_of_words.0.0.weight" in names and "layers_of_words.0.1.weight" not in names
    assert "names the words" in left_dense(model)["layers_of_words.0.1.weight"]


def test_statistics_of_a_general_model_come_back_from_a_file(tmp_path):
    """What data has said of a model, which layers run and what they read, is a part of its layout and still fits it."""
    folder = published.save("qwen3_vl_moe", tmp_path / "model")
    vlm = mf.load(folder)
    statistics = prepare.collect("statistics", vlm, sample=prepare.sample_of(4))
    read = prepare.read("statistics", vlm, statistics.save(tmp_path / "statistics.safetensors"))
    assert read.layers == statistics.layers
    orders = [
        prepare.order_of(vlm, Run(str(folder), method), known={"statistics": read}) for method in ("multiflow", "omp")
    ]
    assert all(order.layers == read.layers for order in orders)
    other = mf.calibrate(Dormant(), [{"x": torch.randn(5, 3)}])
    with pytest.raises(ValueError, match="another model"):
        prepare.read("statistics", vlm, other.save(tmp_path / "other.safetensors"))


def test_a_layer_that_runs_for_nothing_has_no_gradient():
    """LLaVA reads the last block but one of its vision tower; the last block is computed all the same."""
    model = build("LlavaForConditionalGeneration")
    batches = list(batches_of(model, TYPES["LlavaForConditionalGeneration"].pictures))

    def objective(model, batch):
        return model(**batch).logits.square().mean()

    last = "model.vision_tower.encoder.layers.1.mlp.fc1.weight"
    order = mf.rank(model, "snip", batches=batches, objective=objective)
    assert float(order.score(last).max()) == 0 < float(order.score(last.replace("1.mlp", "0.mlp")).min())
    with pytest.raises(ValueError, match="does not depend on these layers"):
        mf.rank(Dormant(), "snip", batches=[torch.ones(2, 3)], objective=lambda model, x: model(x).sum())


# --- modalities -----------------------------------------------------------------------------------------------------


def test_modalities_are_those_of_the_parts_of_the_configuration():
    layers = mf.prunable_layers(build("Blip2ForConditionalGeneration"))
    assert {(layer.name.split(".")[0], layer.modality) for layer in layers} == {
        ("vision_model", "vision"),
        ("qformer", "fusion"),
        ("language_model", "text"),
    }


def test_packed_patches_are_not_traced_where_the_configuration_says_all():
    model, batch = batch_for("Qwen2_5_VLForConditionalGeneration")
    layers = mf.prunable_layers(model, batch=batch, forward=lambda model, batch: pytest.fail("it ran"))
    assert layers == mf.prunable_layers(model)
    assert {(layer.modality, layer.reads) for layer in layers} == {("vision", "image"), ("text", "text")}


def test_a_single_stream_is_traced():
    model, batch = batch_for("GitForCausalLM")
    layers = mf.prunable_layers(model, batch=batch)
    assert {layer.modality for layer in layers if "image_encoder" in layer.name} == {"vision"}
    assert {layer.modality for layer in layers if "image_encoder" not in layer.name} == {"fusion"}


# --- wrappers -------------------------------------------------------------------------------------------------------


def wrapped(kind, model):
    return nn.DataParallel(model) if kind == "parallel" else torch.compile(model)


@pytest.mark.parametrize("kind", ["parallel", "compiled"])
def test_a_wrapper_changes_nothing(kind):
    model = known("clip-b32", small=True)[0]
    batch = {"pixel_values": torch.randn(2, 3, 32, 32), "input_ids": torch.tensor([[5, 6, 7], [8, 9, 7]])}
    around = wrapped(kind, model)
    assert family_of(around) is family_of(model) and mf.prunable_layers(around) == mf.prunable_layers(model)
    assert left_dense(around) == left_dense(model)
    statistics = mf.calibrate(around, [batch])
    masks = mf.rank(around, "multiflow", statistics=statistics).masks(0.5)
    assert masks == mf.rank(model, "multiflow", statistics=mf.calibrate(model, [batch])).masks(0.5)
    assert torch.equal(masks.apply(around)(**batch).logits_per_image, masks.apply(model)(**batch).logits_per_image)


def test_a_wrapped_part_is_one_sentence():
    model = known("clip-b32", small=True)[0]
    model.vision_model = torch.compile(model.vision_model)
    with pytest.raises(ValueError, match="vision_model is a wrapped part"):
        mf.prunable_layers(model)


def test_meta_tensors_are_one_sentence():
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(2, 2))
    assert [layer.shape for layer in mf.prunable_layers(model)] == [(2, 2)]
    for use in (lambda: mf.calibrate(model, [{"input": torch.ones(1, 2)}]), lambda: mf.rank(model, "omp")):
        with pytest.raises(ValueError, match=r"0\.weight has no values.*meta"):
            use()


@pytest.mark.parametrize(
    ("computed", "advice"),
    [
        (lambda layer: prune.random_unstructured(layer, "weight", 0.5), r"prune\.remove"),
        (parametrizations.weight_norm, "remove_parametrizations"),
        (torch.nn.utils.weight_norm, "remove_weight_norm"),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_weight_that_is_computed_is_one_sentence(computed, advice):
    model = nn.ModuleDict({"fc": computed(nn.Linear(3, 3)), "other": nn.Linear(3, 3)})
    for use in (mf.prunable_layers, left_dense, lambda model: mf.rank(model, "omp")):
        with pytest.raises(ValueError, match=rf"The weight of fc is .*{advice}"):
            use(model)


def test_quantised_weights_are_one_sentence():
    model = nn.ModuleDict({"fc": nn.Linear(3, 3)})
    model["fc"].weight = nn.Parameter(torch.ones(3, 3, dtype=torch.int8), requires_grad=False)
    with pytest.raises(ValueError, match=r"The weight of fc is quantised \(int8\)"):
        mf.prunable_layers(model)


class Adapted(nn.Module):
    """As peft has it: the layer that was there, and two narrow ones beside it."""

    def __init__(self, layer):
        super().__init__()
        self.base_layer, self.merged = layer, False
        self.lora_A = nn.ModuleDict({"default": nn.Linear(layer.in_features, 1, bias=False)})
        self.lora_B = nn.ModuleDict({"default": nn.Linear(1, layer.out_features, bias=False)})

    def forward(self, x):
        found = self.base_layer(x)
        return found if self.merged else found + self.lora_B["default"](self.lora_A["default"](x))

    def merge(self):
        with torch.no_grad():
            self.base_layer.weight += self.lora_B["default"].weight @ self.lora_A["default"].weight
        self.merged = True

    def get_base_layer(self):
        return self.base_layer


def test_adapters_are_merged_into_a_copy():
    model = known("clip-b32", small=True)[0]
    attention = model.vision_model.encoder.layers[0].self_attn
    plain = [layer.name for layer in mf.prunable_layers(model)]
    attention.q_proj = Adapted(attention.q_proj)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert family_of(model).name == "clip" and [layer.name for layer in mf.prunable_layers(model)] == plain
    batch = {"pixel_values": torch.randn(2, 3, 32, 32), "input_ids": torch.tensor([[5, 6, 7], [8, 9, 7]])}
    masks = mf.rank(model, "multiflow", statistics=mf.calibrate(model, [batch])).masks(0.0)
    same = masks.apply(model)(**batch).logits_per_image
    assert torch.allclose(same, model(**batch).logits_per_image, atol=1e-6)
    assert not any("lora" in name for name, _ in masks.apply(model).named_parameters())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    with torch.no_grad():
        attention.q_proj.lora_B["default"].weight.add_(1)  # a step of training
    assert not torch.allclose(masks.apply(model)(**batch).logits_per_image, same)


def test_adapters_that_cannot_be_merged_are_one_sentence():
    model = nn.Sequential(Adapted(nn.Linear(3, 3)))
    model[0].merge = None
    with pytest.raises(ValueError, match="merge_and_unload"):
        mf.prunable_layers(model)


@pytest.mark.parametrize(
    "name", ["LlavaForConditionalGeneration", "Qwen2VLForConditionalGeneration", "SmolVLMForConditionalGeneration"]
)
def test_blocks_are_called_by_their_modality_where_they_stand_in_one_list(name):
    layers = mf.prunable_layers(build(name))
    assert {layer.block for layer in layers} == {"vision 0", "vision 1", "text 0", "text 1"}
    assert all(f".{layer.block.split()[1]}." in layer.name for layer in layers)
