"""Pruned checkpoints: every family, bit by bit; what damaged ones and wrong uses are told."""

import json
import shutil

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

import multiflow_core as mf
from benchmarks.models import MODELS, build, pictures
from multiflow_core import Masks
from multiflow_core.families import family_of
from multiflow_core.families import folder as folders
from multiflow_core.models.formats.packed import save_packed
from multiflow_core.models.vlm import VLM
from multiflow_core.support.files import read_safetensors
from multiflow_core.weights import packed_file

BITS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def same_bits(a, b):
    """Equal, also where both are NaN, and different for 0.0 and -0.0."""
    kind = BITS[a.itemsize]
    return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a.reshape(-1).view(kind), b.reshape(-1).view(kind))


def pruned(name, sparsity=0.75, dtype=torch.float32):
    model, processor = build(name, small=True)
    vlm = VLM(name, model.to(dtype), processor, family_of(model))
    masks = mf.rank(model, "omp").masks(sparsity)
    return vlm.prune(masks), masks


@pytest.mark.parametrize("name", MODELS)
def test_a_checkpoint_comes_back_bit_by_bit(name, tmp_path):
    vlm, masks = pruned(name)
    again = mf.load(save_packed(vlm, masks, tmp_path))
    assert type(again.model) is type(vlm.model)
    assert again.tasks == vlm.tasks
    for (key, tensor), other in zip(vlm.model.state_dict().items(), again.model.state_dict().values(), strict=True):
        assert same_bits(tensor, other), key
    assert packed_file.masks_of(tmp_path) == masks
    if "captioning" in vlm.tasks:
        images = [image for image, _ in pictures(2)]
        assert again.caption(images, 3) == vlm.caption(images, 3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_on_disk(dtype, tmp_path):
    vlm, masks = pruned("clip-b32")
    again = mf.load(save_packed(vlm, masks, tmp_path, dtype), dtype=None)
    assert again.model.dtype == dtype
    for key, tensor in vlm.model.state_dict().items():
        expected = tensor.to(dtype) if tensor.is_floating_point() else tensor
        assert same_bits(expected, again.model.state_dict()[key]), key
    assert mf.load(tmp_path).model.dtype == torch.float32


def test_the_dense_model_serves_where_the_survivors_keep_their_values(tmp_path):
    model, processor = build("clip-b32", small=True)
    vlm, masks = VLM("clip", model, processor, family_of(model)), mf.rank(model, "omp").masks(0.5)
    again = mf.load(save_packed(vlm, masks, tmp_path)).model.state_dict()
    assert all(torch.equal(tensor, again[key]) for key, tensor in vlm.prune(masks).model.state_dict().items())


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(-(2**15), 2**15 - 1), st.booleans()), max_size=40),
    st.sampled_from([torch.float16, torch.bfloat16]),
)
def test_any_values_and_any_mask_come_back(entries, dtype):
    """Every bit pattern: negative zero, subnormal, infinite, not a number; no weight, none kept, all kept."""
    values = torch.tensor([bits for bits, _ in entries], dtype=torch.int16).view(dtype)
    mask = torch.tensor([keep for _, keep in entries], dtype=torch.bool)
    parts = packed_file._packed("w", values, mask)
    tensor, again = packed_file._unpacked(parts, "w", dtype, (len(entries),), True)
    assert torch.equal(mask, again.mask())
    assert same_bits(tensor[mask], values[mask])
    assert bool((tensor[~mask].view(torch.int16) == 0).all())
    dense, none = packed_file._unpacked(packed_file._packed("w", values, None), "w", dtype, (len(entries),), False)
    assert none is None and same_bits(dense, values)


def test_memory_is_that_of_the_unpacked_weights(tmp_path):
    vlm, masks = pruned("xvlm-base")
    save_packed(vlm, masks, tmp_path, torch.float16)
    tied = vlm.model.all_tied_weights_keys
    size = sum(t.numel() for key, t in vlm.model.state_dict().items() if key not in tied)
    assert folders.memory_needed(tmp_path) == 2 * size
    # what is unpacked, and the model beside it
    assert folders.memory_needed(tmp_path, torch.float32) == (2 + 4) * size


def test_other_programs_refuse_the_folder_instead_of_inventing_weights(tmp_path):
    vlm, masks = pruned("clip-b32")
    save_packed(vlm, masks, tmp_path)
    with pytest.raises(OSError, match="model.safetensors"):
        type(vlm.model).from_pretrained(tmp_path)


# --- damage and misuse ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return save_packed(*pruned("clip-b32"), tmp_path_factory.mktemp("clip"))


@pytest.fixture
def copy(clip, tmp_path):
    return shutil.copytree(clip, tmp_path / "clip")


def rewrite(folder, change):
    entries, metadata = read_safetensors(folder / packed_file.FILE)
    change(entries, metadata)
    save_file(entries, folder / packed_file.FILE, metadata)


WEIGHT = "text_model.encoder.layers.0.mlp.fc1.weight"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda entries, metadata: entries.pop(f"{WEIGHT}:0"), WEIGHT),
        (lambda entries, metadata: entries.pop(f"{WEIGHT}:mask"), WEIGHT),
        (lambda entries, metadata: entries.update({f"{WEIGHT}:0": entries[f"{WEIGHT}:0"][:-9]}), WEIGHT),
        (lambda entries, metadata: entries.update({f"{WEIGHT}:0": torch.arange(9.0)}), WEIGHT),
        (lambda entries, metadata: entries.update({f"{WEIGHT}:0": entries["logit_scale:0"].clone()}), WEIGHT),
        (lambda entries, metadata: metadata.update(tensors="{"), "which tensors"),
        (lambda entries, metadata: metadata.update(tensors='{"a": ["save", [1], true]}'), "which tensors"),
        (lambda entries, metadata: metadata.update(tensors='{"a": ["float32", [-1], true]}'), "which tensors"),
        (lambda entries, metadata: metadata.update(format="other"), "no pruned checkpoint"),
    ],
)
def test_damaged_checkpoints(copy, change, sentence):
    rewrite(copy, change)
    with pytest.raises(ValueError, match=sentence) as caught:
        mf.load(copy)
    assert "\n" not in str(caught.value)


def test_a_tensor_that_is_missing(copy):
    rewrite(
        copy,
        lambda _, m: m.update(tensors=json.dumps({k: v for k, v in json.loads(m["tensors"]).items() if k != WEIGHT})),
    )
    with pytest.raises(ValueError, match=WEIGHT):
        mf.load(copy)


@pytest.mark.parametrize("shape", [[1 << 16, 1 << 16], [1, 1]])
def test_shapes_are_checked_against_the_model_before_anything_is_unpacked(copy, shape, monkeypatch):
    """A file of a few kilobytes may say that it holds gigabytes, and deflated zeros make that true."""

    def claim(entries, metadata):
        held = json.loads(metadata["tensors"])
        metadata["tensors"] = json.dumps(held | {WEIGHT: [held[WEIGHT][0], shape, False]})

    rewrite(copy, claim)
    monkeypatch.setattr(packed_file, "_unpacked", lambda *given: pytest.fail("unpacked"))
    monkeypatch.setattr(folders, "available_memory", lambda: None)
    with pytest.raises(ValueError, match=WEIGHT):
        mf.load(copy)


def test_a_folder_with_other_weights_is_left_alone(copy):
    vlm, masks = pruned("clip-b32")
    save_file({"a": torch.ones(1)}, copy / "model.safetensors")
    with pytest.raises(ValueError, match="new folder"):
        save_packed(vlm, masks, copy)
    assert load_file(copy / "model.safetensors").keys() == {"a"}


def test_masks_of_another_model(tmp_path):
    vlm, masks = pruned("clip-b32")
    with pytest.raises(ValueError, match="did you mean"):
        save_packed(vlm, Masks({f"{WEIGHT}s": masks[WEIGHT]}), tmp_path)
    with pytest.raises(ValueError, match="mask of"):
        save_packed(vlm, Masks({WEIGHT: masks[WEIGHT].T}), tmp_path)
    assert not list(tmp_path.iterdir())
