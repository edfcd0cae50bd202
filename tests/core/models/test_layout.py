"""The layout of modules no family knows, guessed and traced."""

import pytest
import torch
from torch import nn

import multiflow_core as mf
from multiflow_core.models.tracing import trace
from tests.core.reference import MODALITIES, READS_IMAGE, Toy, toy_batch


def test_guessed_from_path_words():
    model = nn.ModuleDict(
        {
            "vision_tower": nn.ModuleList([nn.ModuleDict({"fc1": nn.Linear(2, 2)}) for _ in range(2)]),
            "text_model": nn.Linear(2, 2),
            "text_cross": nn.Linear(2, 2),
            "rest": nn.Linear(2, 2),
        }
    )
    layers = {layer.name: layer for layer in mf.prunable_layers(model)}
    assert [layer.modality for layer in layers.values()] == ["vision", "vision", "text", "fusion", "unknown"]
    second = layers["vision_tower.1.fc1.weight"]
    assert (second.block, second.role, second.shape, second.size) == ("vision_tower 1", "fc1", (2, 2), 4)


def test_output_heads_tied_to_an_embedding_are_left_out():
    model = nn.ModuleDict({"words": nn.Embedding(5, 2), "fc": nn.Linear(2, 2), "head": nn.Linear(2, 5)})
    model["head"].weight = model["words"].weight
    assert [layer.name for layer in mf.prunable_layers(model)] == ["fc.weight"]


def test_a_linear_at_two_paths_is_one_layer():
    model = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)})
    model["c"] = model["a"]
    model["b"].weight = model["a"].weight
    assert [layer.name for layer in mf.prunable_layers(model)] == ["a.weight"]


def test_traced():
    layers = mf.prunable_layers(Toy(), batch=toy_batch())
    assert {layer.name: layer.modality for layer in layers} == MODALITIES
    assert {layer.name for layer in layers if layer.reads == "image"} == READS_IMAGE
    assert {layer.reads for layer in layers} == {"image", "text"}


class Noisy(Toy):
    """Draws noise, keeps count in a buffer, and has a layer that never runs."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))
        self.unused = nn.Linear(2, 2)

    def forward(self, **batch):
        self.calls += 1
        return super().forward(**batch) + torch.rand(1)


def test_tracing_restores_everything():
    model, batch = Noisy().train(), toy_batch()
    state, copies = torch.get_rng_state(), {key: value.clone() for key, value in batch.items()}
    first = trace(model, batch)
    assert first == trace(model, batch)
    assert first["unused.weight"] == frozenset()
    assert first["fusion_fc.weight"] == {"image", "text"}
    assert model.calls == 0
    assert model.training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(batch[key], value) for key, value in copies.items())
    assert all(p.grad is None for p in model.parameters())


def test_float_text_features_and_another_forward():
    class Features(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 2), nn.Linear(4, 2)

        def forward(self, image, text):
            return self.a(image.mean((2, 3))) + self.b(text)

    batch = {"image": torch.rand(4, 3, 2, 2), "text": torch.rand(4, 4)}
    seen = trace(Features(), batch, lambda model, b: model(b["image"], b["text"]))
    assert seen == {"a.weight": {"image"}, "b.weight": {"text"}}


def test_a_batch_that_is_no_mapping():
    with pytest.raises(ValueError, match="names to tensors"):
        trace(Toy(), [torch.ones(2)])
