"""Fine-tuning learns, keeps its zeros, and goes on to the same bits."""

import json

import pytest
import torch
from transformers import CLIPConfig, CLIPModel

from multiflow_core import load, rank
from multiflow_core.data import dataset
from multiflow_core.data.flatland import vocabulary
from multiflow_core.families import family_of
from multiflow_core.finetuning import finetune as module
from multiflow_core.finetuning.finetune import finetune
from multiflow_core.finetuning.kept import LOG, STATE, Kept
from multiflow_core.finetuning.recipe import Recipe
from multiflow_core.models.format import FORMATS
from multiflow_core.models.vlm import VLM
from multiflow_core.pretrain.reading import flatland_processor
from multiflow_core.weights.masks import Masks

SHORT = Recipe(steps=4, batch=4, check_every=2, checked=3, pictures=12, warm_up=1, precision="float32")


def bits(model: torch.nn.Module) -> dict[str, list]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    a, b = bits(a), bits(b)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def left(vlm: VLM, masks) -> int:
    """How many bits are set where masks leave nothing."""
    parameters = dict(vlm.model.named_parameters(remove_duplicate=False))
    return sum(int((parameters[n].detach().view(torch.int32)[~mask] != 0).sum()) for n, mask in masks.items())


@pytest.mark.parametrize("task", ["retrieval", "captioning", "vqa"])
def test_every_task_is_learnt_with_zeros_where_they_were(task, blip, masks):
    before = bits(blip.model)
    last = Recipe(**{**SHORT.__dict__, "learning_rate": 1e-4, "weight_decay": 0.5})
    tuned = finetune(blip, task, "paperland", masks=masks, recipe=last)
    assert tuned.steps == 4 and [check.step for check in tuned.curve] == [0, 2, 4]
    assert left(tuned.vlm, masks) == 0 and tuned.locked == masks.pruned
    assert all(torch.equal(before[name], tensor) for name, tensor in blip.model.state_dict().items())
    assert not {p.data_ptr() for p in tuned.vlm.model.parameters()} & {p.data_ptr() for p in blip.model.parameters()}
    assert not tuned.vlm.model.training and tuned.vlm.tasks == blip.tasks


class Stop(Exception):
    pass


def stopping(at: int):
    calls = []

    def progress(fraction: float, message: str) -> None:
        calls.append(message)
        if len(calls) == at:
            raise Stop

    return progress


@pytest.mark.parametrize("at", [1, 3, 4])
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(at, blip, masks, tmp_path):
    settings = dict(masks=masks, seed=3, recipe=SHORT)
    whole = finetune(blip, "captioning", "paperland", **settings)
    with pytest.raises(Stop):
        finetune(blip, "captioning", "paperland", folder=tmp_path, progress=stopping(at), **settings)
    tuned = finetune(blip, "captioning", "paperland", folder=tmp_path, **settings)
    assert same(whole.vlm.model, tuned.vlm.model) and left(tuned.vlm, masks) == 0
    assert whole.curve == tuned.curve and whole.losses == tuned.losses


def test_what_has_ended_is_read_and_not_repeated(blip, masks, tmp_path, monkeypatch):
    settings = dict(masks=masks, recipe=SHORT, folder=tmp_path)
    first = finetune(blip, "captioning", "paperland", **settings)
    monkeypatch.setattr(module.Training, "_step", lambda *_: pytest.fail("it learns again"))
    again = finetune(blip, "captioning", "paperland", **settings)
    assert same(first.vlm.model, again.vlm.model) and (again.curve, again.seconds) == (first.curve, first.seconds)
    rows = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert [row["step"] for row in rows if "val" in row] == [0, 2, 4]
    assert "optimizer" not in torch.load(tmp_path / STATE, weights_only=True)


def test_a_folder_of_another_training_is_left_alone(blip, masks, tmp_path):
    quick = Recipe(**{**SHORT.__dict__, "steps": 1})
    finetune(blip, "captioning", "paperland", masks=masks, recipe=quick, folder=tmp_path)
    with pytest.raises(ValueError, match="holds another training"):
        finetune(blip, "captioning", "paperland", masks=masks, recipe=quick, folder=tmp_path, seed=1)


def test_patterns_of_two_in_four_stay(blip):
    masks = _two_in_four(blip)
    tuned = finetune(blip, "captioning", "paperland", masks=masks, recipe=SHORT)
    assert left(tuned.vlm, masks) == 0
    for layer in tuned.vlm.layers:
        weight = dict(tuned.vlm.model.named_parameters())[layer.name]
        assert ((weight != 0).view(-1, 4).sum(1) <= 2).all(), layer.name


def _two_in_four(vlm: VLM):
    found = {}
    for name, parameter in vlm.model.named_parameters():
        if name in {layer.name for layer in vlm.layers}:
            rows = parameter.detach().abs().view(-1, 4)
            kept = torch.zeros_like(rows, dtype=torch.bool).scatter_(1, rows.topk(2).indices, True)
            found[name] = kept.view(parameter.shape)
    return Masks(found)


def test_new_weights_of_a_method_are_where_it_starts(blip, masks):
    moved = {name: mask * 0.01 for name, mask in masks.items()}
    start = blip.prune(masks, moved)
    still = Recipe(**{**SHORT.__dict__, "steps": 1, "learning_rate": 0.0})
    tuned = finetune(start, "captioning", "paperland", masks=masks, recipe=still)
    assert same(tuned.vlm.model, start.model)
    unasked = finetune(start, "captioning", "paperland", recipe=still)  # its zeros are its mask
    assert same(unasked.vlm.model, start.model) and unasked.locked == masks.pruned


def test_parts_of_a_batch_add_up_to_it(blip):
    """One step of captioning in two parts of equally long texts is that of the whole, but for rounding."""
    one = Recipe(**{**SHORT.__dict__, "steps": 1, "learning_rate": 1e-6})
    parts = Recipe(**{**one.__dict__, "accumulation": 2})
    losses = [finetune(blip, "captioning", "paperland", recipe=recipe).losses[0][1] for recipe in (one, parts)]
    assert losses[0] == pytest.approx(losses[1], rel=0.1)


@pytest.mark.parametrize("task", ["retrieval", "captioning", "vqa"])
def test_xvlm_learns_all_three_tasks_and_its_decoder_starts_from_its_own_masked_weights(task, xvlm, tmp_path):
    vlm = VLM("tiny", xvlm, flatland_processor(), family_of(xvlm))
    masks = rank(vlm.model, "omp").masks(0.5)
    tuned = finetune(vlm, task, "paperland", masks=masks, recipe=SHORT)
    assert vlm.tasks == ("retrieval",) and set(tuned.vlm.tasks) == {"retrieval", task}
    assert left(tuned.vlm, masks) == 0 and len(tuned.curve) == 3
    copied = {
        name.replace("fusion_encoder", "answer_decoder"): mask for name, mask in masks.items() if "fusion" in name
    }
    if task == "vqa":
        assert left(tuned.vlm, copied) == 0 and tuned.locked == masks.pruned + Masks(copied).pruned
        assert {layer.block for layer in tuned.vlm.layers if "answer" in layer.name} == {
            "decoder 0",
            "decoder 1",
            "decoder 2",
        }
    FORMATS.get("plain").write(tuned.vlm, masks, tmp_path, None)
    again, picture = load(tmp_path), dataset.open("paperland").pairs(1, 0, 96)[0][0]
    assert again.tasks == tuned.vlm.tasks and same(again.model, tuned.vlm.model)
    if task == "captioning":
        assert again.caption([picture])[0].text == tuned.vlm.caption([picture])[0].text
    if task == "vqa":
        asked = [picture], ["what is left of the cat"]
        assert again.answer(*asked)[0].text == tuned.vlm.answer(*asked)[0].text


def test_a_model_with_two_towers_learns_retrieval_alone():
    words = vocabulary()
    side = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, projection_dim=8)
    text = side | dict(vocab_size=len(words), max_position_embeddings=32, eos_token_id=words["[SEP]"])
    torch.manual_seed(0)
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=side | dict(image_size=96), projection_dim=8)).eval()
    vlm = VLM("tiny", model, flatland_processor(), family_of(model))
    tuned = finetune(vlm, "retrieval", "paperland", recipe=SHORT)
    assert len(tuned.losses) == 2 and tuned.losses[0][1] > 0
    with pytest.raises(ValueError, match=r"tiny \(clip\) cannot be trained for vqa: it learns retrieval\."):
        finetune(vlm, "vqa", "paperland", recipe=SHORT)


def test_a_loss_falls_where_there_is_something_to_learn(blip):
    recipe = Recipe(
        steps=40, batch=6, pictures=6, checked=2, warm_up=1, check_every=40, learning_rate=5e-3, precision="float32"
    )
    first = finetune(blip, "captioning", "paperland", recipe=SHORT).losses[0][1]
    tuned = finetune(blip, "captioning", "paperland", recipe=recipe)
    parts = Kept("", "float32", checks=[[0, 0.2], [1, 0.5], [2, 0.5], [3, 0.4]])
    assert parts.best == 1 and parts.stalls(2) and not parts.stalls(3)
    assert tuned.best.figure >= tuned.curve[0].figure
    assert tuned.losses[-1][1] < 0.8 * first


def test_data_without_texts_has_nothing_to_learn_from(blip):
    with pytest.raises(ValueError, match="has no captions to learn captioning from"):
        finetune(blip, "captioning", dataset.open("assets/pictures"), recipe=SHORT)


def test_a_recipe_that_cannot_be_is_told():
    with pytest.raises(ValueError, match="unknown precision 'float8'"):
        Recipe(precision="float8")
    with pytest.raises(ValueError, match="a batch of 2 cannot be taken in 3 parts"):
        Recipe(batch=2, accumulation=3)


def test_the_rate_rises_and_falls():
    recipe = Recipe(steps=12, warm_up=2, learning_rate=1.0)
    rates = [recipe.rate(step) for step in range(12)]
    assert rates[:3] == [0.5, 1.0, 1.0] and rates[7] == pytest.approx(0.5) and rates[2:] == sorted(rates[2:])[::-1]
    assert recipe.rate(12) == 0
