"""Gradients: right, streamed, bounded, and without a trace on the dense model; SNIP and IterSNIP."""

import copy
import itertools
import sys
import threading
from types import SimpleNamespace

import pytest
import torch
from torch import nn

import multiflow_core as mf
from multiflow_core.calibration import gradients as module
from multiflow_core.calibration.gradients import Replica, Source, gradient_rows, mean_gradients
from multiflow_core.calibration.second_moments import second_moments
from multiflow_core.support import memory
from multiflow_core.support.memory import forget_peak, process_memory
from tests.core import reference_methods as slow
from tests.core.reference import Toy, count, toy_batch

FEW = {
    "itersnip": {"steps": 3},
    "chita++": {"stages": 2},
    "tamt": {"steps": 4, "rate": 5e-3, "refresh": 2},
}


def objective(model, batch):
    return model(**batch).square().mean()


@pytest.fixture(scope="module")
def model():
    return Toy()


@pytest.fixture(scope="module")
def batches():
    return [toy_batch(seed=seed) for seed in (1, 2, 3)]


def ranked(model, method, batches, objective=objective, **options):
    statistics = second_moments(model, batches)
    return mf.rank(
        model, method, statistics=statistics, batches=batches, objective=objective, **FEW.get(method, {}) | options
    )


# -- the dense model -----------------------------------------------------------------------------------------------


class Stop(BaseException):
    pass


def state(model):
    return {
        "tensors": {n: t.clone() for n, t in model.state_dict().items()},
        "versions": [t._version for t in model.state_dict(keep_vars=True).values()],
        "identities": [id(t) for t in model.parameters()],
        "grads": [p.grad for p in model.parameters()],
        "flags": [p.requires_grad for p in model.parameters()],
        "modes": [m.training for m in model.modules()],
        "hooks": [len(m._forward_pre_hooks) + len(m._forward_hooks) for m in model.modules()],
        "random": torch.get_rng_state(),
    }


def assert_same(before, after):
    for name, tensor in before.pop("tensors").items():
        assert torch.equal(tensor, after["tensors"][name])
    assert torch.equal(before.pop("random"), after["random"])
    for key, value in before.items():
        if key == "grads":
            assert all(a is b for a, b in zip(value, after[key], strict=True))
        else:
            assert value == after[key], key


@pytest.mark.parametrize("method", mf.methods(), ids=lambda method: method.name)
def test_the_dense_model_is_left_exactly_as_it_was(method, batches):
    model = Toy().train()
    model.text_fc.eval()
    model.register_buffer("queue", torch.zeros(3))
    model.key.weight.requires_grad_(False)
    model.query.weight.grad = torch.ones_like(model.query.weight)

    def careless(replica, batch):
        replica.train()
        replica.queue += 1
        return objective(replica, batch) + torch.rand(()) * 0

    before = state(model)
    order = ranked(model, method.name, batches, careless)
    pruned = order.masks(0.5).apply(model, order.weights(0.5))
    assert_same(before, state(model))
    assert pruned.embedding.weight is model.embedding.weight

    def stop(fraction, message):
        raise Stop

    before = state(model)
    with pytest.raises(Stop):
        mf.rank(
            model,
            method.name,
            statistics=order.statistics,
            batches=batches,
            objective=careless,
            progress=stop,
            **FEW.get(method.name, {}),
        ).masks(0.5, progress=stop)
    assert_same(before, state(model))


def test_no_thread_ever_sees_the_dense_model_change(model, batches):
    """While the objective runs: its model is another one, and the dense one answers as before."""
    x = batches[0]
    model.eval()
    expected = model(**x)
    seen = []

    def watching(replica, batch):
        assert replica is not model
        assert not {id(p) for p in replica.parameters()} & {id(p) for p in model.parameters()}
        thread = threading.Thread(target=lambda: seen.append(torch.equal(model(**x), expected)))
        thread.start()
        thread.join()
        assert replica.patch.weight.data_ptr() == model.patch.weight.data_ptr()  # no copy of what is only read
        return objective(replica, batch)

    mf.rank(model, "snip", batches=batches, objective=watching)
    assert seen == [True] * 3


# -- gradients -----------------------------------------------------------------------------------------------------


def test_mean_gradients_against_backward(model, batches):
    layers = mf.prunable_layers(model)
    expected = slow.mean_gradients(model, layers, objective, batches)
    found = mean_gradients(model, iter(batches), objective)
    assert found.batches == 3
    for name, gradient in found.mean.items():
        torch.testing.assert_close(gradient.double(), expected[name], rtol=1e-4, atol=1e-7)


def test_bfloat16_and_half_checkpoints(model, batches):
    exact = mean_gradients(model, batches, objective).mean
    rough = mean_gradients(model, batches, objective, precision="bfloat16").mean
    half = mean_gradients(copy.deepcopy(model).half(), batches, objective).mean
    for name, gradient in exact.items():
        assert rough[name].dtype == half[name].dtype == torch.float32
        assert float((rough[name] - gradient).norm() / gradient.norm()) < 0.1
        assert float((half[name] - gradient).norm() / gradient.norm()) < 0.01
    with pytest.raises(ValueError, match="precision must be one of float32, bfloat16"):
        mean_gradients(model, batches, objective, precision="float16")


@pytest.mark.parametrize("method", [m.name for m in mf.methods() if "gradients" in m.needs])
def test_every_gradient_method_runs_under_bfloat16_autocast(model, batches, method):
    seen = []

    def watching(replica, batch):
        seen.append(replica(**batch).dtype)
        return objective(replica, batch)

    order = ranked(model, method, batches, watching, precision="bfloat16")
    masks, weights = order.masks(0.5), order.weights(0.5)
    assert set(seen) == {torch.bfloat16}
    assert masks.pruned == count(0.5, order.total)
    assert weights is None or all(w.dtype == torch.float32 and w.isfinite().all() for w in weights.values())


def test_a_shared_weight_has_the_gradient_of_all_its_uses():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Tanh(), nn.Linear(2, 2, bias=False))
    model[2].weight = model[0].weight
    found = mean_gradients(model, [{"input": torch.ones(1, 2)}], objective).mean
    copied = copy.deepcopy(model)
    objective(copied, {"input": torch.ones(1, 2)}).backward()
    assert list(found) == ["0.weight"]
    torch.testing.assert_close(found["0.weight"], copied[0].weight.grad)


@pytest.mark.parametrize(
    ("loss", "sentence"),
    [
        (lambda m, b: m(**b), "must return one number"),
        (lambda m, b: 3.0, "must return one number"),
        (lambda m, b: m(**b).sum().detach(), "depends on the model's weights"),
        (lambda m, b: m(**b).sum() / 0, "finite loss"),
        (
            lambda m, b: m.patch(b["pixel_values"]).sum(),
            r"does not depend on these layers: vision_fc.weight, .* and 6 more",
        ),
    ],
)
def test_a_wrong_objective_is_one_sentence(model, batches, loss, sentence):
    with pytest.raises(ValueError, match=sentence):
        mf.rank(model, "snip", batches=batches, objective=loss)


def test_what_is_missing_is_said(model, batches):
    with pytest.raises(ValueError, match=r"'snip' needs gradients: pass batches="):
        mf.rank(model, "snip", objective=objective)
    with pytest.raises(ValueError, match=r"pass objective=fn\(model, batch\)"):
        mf.rank(model, "snip", batches=batches)
    for method in ("snip", "itersnip", "chita", "tamt"):
        with pytest.raises(ValueError, match="at least one batch"):
            mf.rank(model, method, batches=[], objective=objective).masks(0.5)
    with pytest.raises(ValueError, match="second moments"):
        mf.rank(model, "sparsegpt", statistics=mf.calibrate(model, batches))


def test_batches_may_be_a_list_a_function_or_an_iterator(batches):
    for given in (batches, lambda: iter(batches), iter(batches)):
        source = Source(given)
        assert [id(b) for b in itertools.islice(source.endless(), 5)] == [id(batches[i % 3]) for i in range(5)]
        assert len(list(source)) == 3
    assert len(list(Source(batches[0]))) == 1


def test_memory_is_refused_with_the_figure_before_anything_runs(model, batches, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 10_000)

    def never(replica, batch):
        raise AssertionError("ran")

    total = sum(layer.size for layer in mf.prunable_layers(model))
    sentence = rf"CHITA holds 3 gradients of {total:,} weights in float32, .* GB .* GB are free: give fewer batches"
    with pytest.raises(ValueError, match=sentence):
        mf.rank(model, "chita", batches=batches, objective=never)
    with pytest.raises(ValueError, match="training masks"):
        mf.rank(model, "tamt", batches=batches, objective=never)


def test_gradient_rows_in_bfloat16(model, batches, monkeypatch):
    layers = mf.prunable_layers(model)
    exact = gradient_rows(Replica(model, layers, objective), Source(batches), 2)
    monkeypatch.setattr(module, "_EXACT_BYTES", 0)
    rough = gradient_rows(Replica(model, layers, objective), Source(iter(batches)), 500)
    assert (exact.n, rough.n, rough._layers[0].dtype, rough.pairs) == (2, 3, torch.bfloat16, 3)
    total = sum(layer.size for layer in layers)
    a, b = exact.block(0, total), rough.block(0, total)[:2]
    assert float((a - b).norm() / a.norm()) < 0.005
    expected = torch.cat([g.flatten() for g in slow.gradients(model, layers, objective, batches[1]).values()])
    torch.testing.assert_close(a[1], expected, rtol=1e-4, atol=1e-7)


def test_50_gradients_of_200_million_weights_fit_into_24_gib(monkeypatch):
    """A BLIP-base of that size, as the check beforehand sees it: half precision, and what solving takes."""
    sizes = {f"{i}.weight": 768 * 3072 for i in range(85)}
    asked = []

    def check(*figures):
        asked.append(figures)
        raise Stop

    monkeypatch.setattr(module, "check_memory", check)
    replica = SimpleNamespace(weights={name: torch.empty(size, device="meta") for name, size in sizes.items()})
    with pytest.raises(Stop):
        gradient_rows(replica, Source([None] * 50), 500, who="CHITA")
    ((needed, sentence, _),) = asked
    assert sentence == "CHITA holds 50 gradients of 200,540,160 weights in bfloat16"
    assert 50 * sum(sizes.values()) * 2 < needed < 24 << 30


def test_gradient_rows_take_their_memory_once(monkeypatch):
    """Ten layers of a million weights, and rows of 2 MB each, which a heap does not give back once it has them."""
    monkeypatch.setattr(module, "_EXACT_BYTES", 0)
    layers = nn.ModuleList(nn.Linear(1024, 1024, bias=False) for _ in range(10))
    batches = [torch.full((1, 1024), float(i)) for i in range(12)]

    def loss(model, x):
        return sum(layer(x).mean() for layer in model)

    replica = Replica(layers, mf.prunable_layers(layers), loss)
    replica.gradients(batches[0])
    forget_peak()
    before = process_memory("VmRSS")
    rows = gradient_rows(replica, Source(batches), 500)
    grown, weights = (process_memory("VmHWM") or 0) - (before or 0), 10 << 20
    assert rows.block(0, 3)[:, 0].tolist() == pytest.approx([i / 1024 for i in range(12)], rel=0.01)
    assert grown < 12 * weights * 2 * 1.2 + 2 * weights * 4  # all rows, and the gradients of one batch twice


def test_available_memory_is_plausible():
    free = memory.available_memory()
    assert free is None or 1 << 20 < free < 1 << 50


# -- SNIP ----------------------------------------------------------------------------------------------------------


def test_snip_against_the_reference(model, batches):
    order = mf.rank(model, "snip", batches=batches, objective=objective)
    expected = slow.snip_scores(model, order.layers, objective, batches)
    for name, values in expected.items():
        torch.testing.assert_close(order.score(name).double(), torch.tensor(values).double(), rtol=1e-3, atol=1e-8)
    reused = mf.rank(model, "snip", gradients=mean_gradients(model, batches, objective), allocation="multimodal")
    assert reused.masks(0.63).pruned == order.masks(0.63).pruned == count(0.63, order.total)


def test_snip_takes_the_absolute_value_after_averaging():
    """The first weight's gradients are +1 and -1 and cancel; the second's are 0.1 twice."""
    layer = nn.Linear(2, 1, bias=False)
    nn.init.ones_(layer.weight)
    batches = [{"input": torch.tensor([[1.0, 0.1]])}, {"input": torch.tensor([[-1.0, 0.1]])}]
    order = mf.rank(layer, "snip", batches=batches, objective=lambda m, b: m(**b).sum())
    assert order.score("weight").tolist() == [[0.0, pytest.approx(0.1)]]
    assert order.masks(0.5)["weight"].tolist() == [[False, True]]


@pytest.mark.parametrize("allocation", ["global", "uniform", "multimodal", "row", {"patch.weight": 0.5}])
def test_gradient_scores_combine_with_any_allocation(model, batches, allocation):
    order = mf.rank(
        model, criterion="snip", allocation=allocation, batches=batches, objective=objective, statistics=None
    )
    assert order.masks(0.63).pruned == count(0.63, order.total)


# -- IterSNIP ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sparsity", [0.5, 0.9])
def test_itersnip_against_the_reference(model, batches, sparsity):
    order = mf.rank(model, "itersnip", batches=batches, objective=objective, steps=4, batches_per_step=2)
    expected = slow.itersnip_masks(model, order.layers, objective, batches, sparsity, steps=4, per_step=2)
    masks = order.masks(sparsity)
    differ = sum(int((masks[n] != torch.tensor(m).view(masks[n].shape)).sum()) for n, m in expected.items())
    assert masks.pruned == count(sparsity, order.total)
    assert differ <= 2  # float32 beside float64: a pair of weights may change places at the cut


def test_itersnip_follows_the_schedule_also_when_the_loader_is_short(model, batches, monkeypatch):
    itersnip = sys.modules["multiflow_core.pruning.methods.itersnip"]
    counts, kept, used = [], [], []

    def spy(scores, k, select=itersnip.select):
        counts.append(k)
        kept.append(select(scores, k))
        return kept[-1]

    def counting(replica, batch):
        used.append(id(batch["input_ids"]))
        return objective(replica, batch)

    monkeypatch.setattr(itersnip, "select", spy)
    order = mf.rank(model, "itersnip", batches=batches[:2], objective=counting, steps=10, batches_per_step=3)
    masks = order.masks(0.9)
    target = count(0.9, order.total)
    kappa = 1 - target / order.total
    for t, k in enumerate(counts, start=1):
        assert abs((1 - k / order.total) - kappa ** (t / 10)) <= 1 / order.total
    assert counts[-1] == masks.pruned == target
    for earlier, later in itertools.pairwise(kept):  # pruned stays pruned
        assert all((a | ~b).all() for a, b in zip(earlier, later, strict=True))
    assert used == [id(batches[i % 2]["input_ids"]) for i in range(30)]


def test_itersnip_in_one_step_is_snip(model, batches):
    one = mf.rank(model, "itersnip", batches=batches, objective=objective, steps=1, batches_per_step=3)
    snip = mf.rank(model, "snip", batches=batches, objective=objective)
    assert one.masks(0.75) == snip.masks(0.75)
    assert one.masks(0.0).pruned == 0
    assert one.masks(1.0).pruned == one.total


# -- BLIP's own losses ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def blip():
    from transformers import BlipConfig

    from multiflow_core.families.blip_parts import BlipParts

    torch.manual_seed(0)
    small = dict(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, initializer_range=0.2
    )
    text = small | dict(encoder_hidden_size=16, vocab_size=50, bos_token_id=1, max_position_embeddings=12)
    vision = small | dict(image_size=32, patch_size=16)
    return BlipParts(BlipConfig(text_config=text, vision_config=vision, image_text_hidden_size=8)).eval()


def pairs(n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(3, 50, (n, 6), generator=generator)
    mask = (torch.arange(6) < torch.tensor([6, 4, 5, 6])[:n, None]).long()
    return {"pixel_values": torch.randn(n, 3, 32, 32, generator=generator), "input_ids": ids, "attention_mask": mask}


def test_blip_has_its_own_objective(blip):
    order = mf.rank(blip, "snip", batches=[pairs(4), pairs(1, seed=1)])
    assert order.masks(0.63).pruned == count(0.63, order.total)
    assert all(float(order.score(layer.name).sum()) > 0 for layer in order.layers)


def test_blip_losses_by_hand(blip):
    from torch.nn import functional as F

    from multiflow_core.families import family_of

    batch = pairs(4)
    with torch.no_grad():
        loss = family_of(blip).objective(blip, batch)
        states = blip.vision_model(pixel_values=batch["pixel_values"]).last_hidden_state
        image = F.normalize(blip.vision_proj(states[:, 0]), dim=-1)
        text = F.normalize(blip.text_proj(blip.text_encoder(**tokens(batch)).last_hidden_state[:, 0]), dim=-1)
        logits = image @ text.T / 0.07
        expected = sum(-float(x.log_softmax(1).diagonal().mean()) for x in (logits, logits.T)) / 2
        matched = []
        for i in range(4):  # each image with its own text, and with that of the next pair
            for j, label in ((i, 1), ((i + 1) % 4, 0)):
                one = {key: value[j : j + 1] for key, value in tokens(batch).items()}
                fused = blip.text_encoder(**one, encoder_hidden_states=states[i : i + 1]).last_hidden_state
                matched.append(-float(blip.itm_head(fused[0, 0]).log_softmax(-1)[label]))
        expected += sum(matched) / len(matched)
        words = []
        for i in range(4):  # word by word, each from what was said before it
            for j in range(1, int(batch["attention_mask"][i].sum())):
                said = torch.cat([torch.tensor([1]), batch["input_ids"][i, 1:j]])[None]
                out = blip.text_decoder(input_ids=said, encoder_hidden_states=states[i : i + 1]).logits[0, -1]
                words.append(float(F.cross_entropy(out, batch["input_ids"][i, j])))
        expected += sum(words) / len(words)
    assert float(loss) == pytest.approx(expected, rel=1e-4)


def tokens(batch):
    return {key: batch[key] for key in ("input_ids", "attention_mask")}


def test_padding_does_not_count_in_blips_losses(blip):
    from multiflow_core.families import family_of

    batch = pairs(3)
    other = batch | {"input_ids": batch["input_ids"].where(batch["attention_mask"] == 1, 7)}
    with torch.no_grad():
        first, second = (float(family_of(blip).objective(blip, b)) for b in (batch, other))
    assert first == pytest.approx(second, rel=1e-5)


@pytest.mark.parametrize("view", ["retriever", "captioner", "answerer"])
def test_each_task_class_has_an_objective(blip, view):
    model = getattr(blip, view)
    order = mf.rank(model, "snip", batches=[pairs(3)])
    assert order.masks(0.5).pruned == order.total // 2
