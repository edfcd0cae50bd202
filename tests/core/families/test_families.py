"""Every family with small random weights: folder, layout, calibration, pruning, tasks, and the modalities traced."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

import multiflow_core as mf
from benchmarks.models import MODELS, build, pictures, save
from multiflow_core.families import families, family_of
from multiflow_core.models.tracing import trace
from multiflow_core.models.vlm import VLM
from multiflow_core.weights.capture import LinearInputs
from multiflow_core.weights.layers import linear_weights

READS_PADDING = ("siglip-base", "siglip2-base")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """name -> a folder of save_pretrained, written once."""
    written = {}

    def folder(name):
        if name not in written:
            written[name] = save(name, tmp_path_factory.mktemp(name), small=True)
        return written[name]

    return folder


def case_of(name):
    model, processor = build(name, small=True)
    vlm = VLM(name, model, processor, family_of(model))
    return SimpleNamespace(name=name, vlm=vlm, model=model, batch=next(vlm.batches(pictures(3))))


@pytest.fixture(params=MODELS)
def case(request):
    return case_of(request.param)


def matrices(model):
    return {name for name, p in model.named_parameters(remove_duplicate=False) if p.ndim > 1}


def test_there_is_a_model_of_every_special_family():
    special = {family.name for family in families() if not family.general}
    assert {family_of(build(name, small=True)[0]).name for name in MODELS} == special


@pytest.mark.parametrize("name", MODELS)
def test_a_folder_loads_as_the_class_it_names(folders, name):
    model, _ = build(name, small=True)
    vlm = mf.load(folders(name))
    assert type(vlm.model) is type(model)
    assert not vlm.model.training
    for (key, tensor), other in zip(model.state_dict().items(), vlm.model.state_dict().values(), strict=True):
        assert torch.equal(tensor, other), key
    assert list(vlm.tokens(["a red boat"])) == ["input_ids"] + ["attention_mask"] * (name not in READS_PADDING)


def test_every_matrix_is_prunable_or_excluded_with_a_reason(case):
    prunable = {layer.name for layer in case.vlm.layers}
    excluded = case.vlm.family.excluded(case.model)
    assert not prunable & set(excluded)
    assert matrices(case.model) <= prunable | set(excluded)
    assert all(len(reason) > 10 for reason in excluded.values())
    assert "not a weight of a block" not in excluded.values()  # each has a reason of its own
    assert all(layer.shape == dict(case.model.named_parameters())[layer.name].shape for layer in case.vlm.layers)
    assert all(layer.block and layer.role and layer.reads in ("image", "text") for layer in case.vlm.layers)


def test_calibration_reaches_every_layer_and_leaves_padding_out(case):
    if "attention_mask" in case.batch:
        case.batch["attention_mask"][0, 5:] = 0
    before = mf.calibrate(case.model, [case.batch])
    assert not before.missing
    assert before.samples == 3
    if "attention_mask" in case.batch:
        changed = dict(case.batch, input_ids=case.batch["input_ids"].clone())
        changed["input_ids"][0, 5:] = changed["input_ids"][0, 4]
        after = mf.calibrate(case.model, [changed])
        for name, sums in before.square_sums.items():
            assert torch.allclose(sums, after.square_sums[name], rtol=1e-4), name


def test_statistics_are_those_of_the_inputs_themselves(case):
    """Against the definition, layer by layer; what counts as padding is decided by what the layer reads."""
    weights = {layer.name: dict(case.model.named_parameters())[layer.name] for layer in case.vlm.layers}
    seen = {name: [] for name in weights}
    with torch.no_grad(), LinearInputs(weights, lambda name, x: seen[name].append(x.double())):
        case.vlm.family.calibration_forward(case.model, case.batch)
    masks = {"text": case.batch.get("attention_mask"), "image": case.batch.get("pixel_attention_mask")}
    sums = mf.calibrate(case.model, [case.batch]).square_sums
    for layer in case.vlm.layers:
        mask = masks[layer.reads]
        total = 0
        for x in seen[layer.name]:
            counts = mask is not None and x.shape[:2] == mask.shape
            total = total + (x[mask.bool()] if counts else x.flatten(0, -2)).square().sum(0)
        assert torch.allclose(sums[layer.name], total, rtol=1e-4), layer.name


def test_pruning_changes_what_the_model_does_and_not_the_dense_one(case):
    vlm, images = case.vlm, [image for image, _ in pictures(3)]
    before = {name: tensor.clone() for name, tensor in case.model.state_dict().items()}
    statistics = mf.calibrate(case.model, [case.batch])
    pruned = vlm.prune(mf.rank(case.model, "multiflow", statistics=statistics).masks(0.75))
    assert type(pruned.model) is type(case.model)
    assert all(torch.equal(tensor, before[name]) for name, tensor in case.model.state_dict().items())
    if "retrieval" in vlm.tasks:
        assert vlm.embed_images(images).dtype == torch.float32
        assert torch.allclose(vlm.embed_images(images).norm(dim=1), torch.ones(3), atol=1e-5)
        assert not torch.allclose(vlm.embed_images(images), pruned.embed_images(images), atol=1e-3)
        texts = [text for _, text in pictures(3)]
        assert not torch.allclose(vlm.embed_texts(texts), pruned.embed_texts(texts), atol=1e-3)
        matched = vlm.match(images, texts)
        assert matched is None or (matched.shape == (3,) and bool(((matched > 0) & (matched < 1)).all()))
    if "captioning" in vlm.tasks:
        assert all(len(caption.words) == len(caption.probabilities) for caption in pruned.caption(images, 3))
    if "vqa" in vlm.tasks:
        assert all(0 <= answer.probability <= 1 for answer in pruned.answer(images, ["is there a boat"] * 3, 2))


def test_the_objective_is_deterministic_and_reaches_every_layer(case):
    family, parameters = case.vlm.family, dict(case.model.named_parameters())
    weights = [parameters[layer.name] for layer in case.vlm.layers]
    loss = family.objective(case.model, case.batch)
    assert loss.ndim == 0
    assert torch.equal(loss, family.objective(case.model, case.batch))
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    silent = [layer.name for layer, g in zip(case.vlm.layers, gradients) if g is None or not bool(g.abs().sum() > 0)]
    assert not silent


# --- modalities, by experiment --------------------------------------------------------------------------------------


class Unknown(nn.Module):
    """A model that no family knows by its class: the same modules, run by the family's own passes."""

    def __init__(self, model):
        super().__init__()
        self.inner = model
        self.family = SimpleNamespace(run=family_of(model).calibration_forward)

    def forward(self, **batch):
        return self.family.run(self.inner, batch)


def traced(case):
    """{name: layer} of the same modules when nobody knows them."""
    layers = mf.prunable_layers(Unknown(case.model), batch=case.batch)
    return {layer.name.removeprefix("inner."): layer for layer in layers}


@pytest.mark.parametrize("name", [name for name in MODELS if not name.startswith("blip")])
def test_traced_modality_equals_the_familys(name):
    case = case_of(name)
    found = traced(case)
    assert {layer.name for layer in case.vlm.layers} <= set(found)
    for layer in case.vlm.layers:
        assert found[layer.name].modality == layer.modality, layer.name
        assert found[layer.name].reads == layer.reads, layer.name


@pytest.mark.parametrize("name", ["blip-base-retrieval", "blip-base-captioning", "blip-base-vqa"])
def test_blip_differs_where_its_convention_does(name):
    """Traced, a text block that reads the image is fusion. By BLIP's convention its text side is text throughout."""
    case = case_of(name)
    found, layers = traced(case), case.vlm.layers
    for layer in layers:
        expected = {"vision": "vision", "text": "fusion"}[layer.modality]
        assert found[layer.name].modality == expected, layer.name
    keys = [layer for layer in layers if layer.role == "cross key" and layer.block == "text 0"]
    seen = trace(case.model, case.batch, case.vlm.family.calibration_forward)
    assert all(seen[layer.name] == {"image"} for layer in keys)  # which its keys and values see, alone


def test_calibration_with_both_passes_of_blips_retrieval():
    """The text encoder runs alone for the embeddings and with the image for the matching head: both count."""
    case = case_of("blip-base-retrieval")
    model, batch = case.model, case.batch

    def passes(*heads):
        return lambda model, batch: [model(**batch, use_itm_head=head) for head in heads]

    both = mf.calibrate(model, [batch])
    assert both.square_sums.keys() == mf.calibrate(model, [batch], forward=passes(True, False)).square_sums.keys()
    matching = mf.calibrate(model, [batch], forward=passes(True))
    assert matching.missing == ()
    contrast = mf.calibrate(model, [batch], forward=passes(False))
    assert all("crossattention" in name for name in contrast.missing)
    for name, sums in both.square_sums.items():
        vision = name.startswith("vision")  # run once for both
        expected = matching.square_sums[name] + (0 if vision else contrast.square_sums.get(name, 0))
        assert torch.allclose(sums, expected, rtol=1e-4), name


def test_a_fused_qkv_is_one_matrix():
    model, _ = build("blip-base-retrieval", small=True)
    layers = {layer.name: layer for layer in mf.prunable_layers(model)}
    assert layers["vision_model.encoder.layers.0.self_attn.qkv.weight"].shape == (96, 32)


@pytest.mark.parametrize("name", READS_PADDING)
def test_siglips_pooling_block(name):
    """Its packed projections stay dense; what its output projection is fed is seen although no hook would fire."""
    model, _ = build(name, small=True)
    layers = {layer.name: layer for layer in mf.prunable_layers(model)}
    assert "packed" in family_of(model).excluded(model)["vision_model.head.attention.in_proj_weight"]
    assert layers["vision_model.head.attention.out_proj.weight"].block == "vision pool"
    assert "vision_model.head.attention.out_proj.weight" in linear_weights(model)


def test_siglip2_leaves_out_patches_that_pad_a_picture():
    model, processor = build("siglip2-base", small=True)
    vlm = VLM("siglip2", model, processor, family_of(model))
    pairs = [(image.resize((80, 32)), text) for image, text in pictures(2)]
    batch = next(vlm.batches(pairs))
    mask = batch["pixel_attention_mask"]
    assert not mask.all()
    before = mf.calibrate(model, [batch])
    noise = torch.randn_like(batch["pixel_values"]) * (mask == 0)[..., None]
    after = mf.calibrate(model, [dict(batch, pixel_values=batch["pixel_values"] + noise)])
    for name, sums in before.square_sums.items():
        assert torch.allclose(sums, after.square_sums[name], rtol=1e-4), name


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["clip-b32", "xvlm-base"])
def test_half_precision_checkpoints(tmp_path, name, dtype):
    folder = save(name, tmp_path, small=True, dtype=dtype)
    half, full = mf.load(folder, dtype=None), mf.load(folder)
    assert half.model.dtype == dtype
    assert full.model.dtype == torch.float32
    images = [image for image, _ in pictures(2)]
    assert torch.allclose(half.embed_images(images), full.embed_images(images), atol=0.1)
    assert half.embed_images(images).dtype == torch.float32
    # scores are float32 in any case: from the same statistics, the same masks
    statistics = mf.calibrate(full.model, full.batches(pictures(3)))
    masks = [mf.rank(vlm.model, "multiflow", statistics=statistics).masks(0.63) for vlm in (half, full)]
    assert masks[0] == masks[1]
    assert half.prune(masks[0]).model.dtype == dtype


def test_the_same_masks_on_every_device_there_is(tmp_path):
    folder = save("xvlm-base", tmp_path, small=True)
    pairs, masks = pictures(8), []
    for device in ("cpu", "cuda" if torch.cuda.is_available() else "cpu"):
        vlm = mf.load(folder, device=device)
        order = mf.rank(vlm.model, "multiflow", statistics=mf.calibrate(vlm.model, vlm.batches(pairs)))
        masks.append(order.masks(0.63))
        assert vlm.embed_images([pairs[0][0]]).device.type == "cpu"
    assert masks[0].iou(masks[1]) > 0.9999  # sums in another order: weights at the very threshold may change places


def test_xvlm_has_three_modalities():
    model, _ = build("xvlm-base", small=True)
    blocks = {layer.block for layer in mf.prunable_layers(model)}
    assert blocks == {f"{side} {n}" for side in ("vision", "text", "fusion") for n in range(2)}
    cross = [layer for layer in mf.prunable_layers(model) if layer.role.startswith("cross")]
    assert {layer.modality for layer in cross} == {"fusion"}
    assert {layer.role for layer in cross if layer.reads == "image"} == {"cross key", "cross value"}
