"""Reflow and what it is made of: against slow references, exact, untouched by being stopped, and never more than a block held."""

import copy
import itertools
import weakref

import pytest
import torch
from torch import nn

import multiflow_core as mf
from multiflow_core.calibration.samples import Samples, uses_of
from multiflow_core.calibration.side_by_side import Pairing, Sums
from multiflow_core.data import dataset
from multiflow_core.experiments.prepare import evidence_of, order_of, sample_of
from multiflow_core.experiments.run import Run
from multiflow_core.pruning import block_by_block
from multiflow_core.pruning.least_squares import LeastSquares, largest
from multiflow_core.pruning.method import METHODS
from multiflow_core.pruning.methods.reflow import PARTS
from tests.core import reference_methods as slow
from tests.core.reference import READS_IMAGE, Toy, count, toy_batch


class Pair(nn.Module):
    """Two layers after one another in a block."""

    def __init__(self, side, inner):
        super().__init__()
        self.up, self.down = nn.Linear(side, inner, bias=False), nn.Linear(inner, side, bias=False)

    def forward(self, x):
        return x + self.down(torch.tanh(self.up(x)))


class Pairs(nn.Module):
    """Two blocks of two layers."""

    def __init__(self, side=6, inner=10):
        torch.manual_seed(1)
        super().__init__()
        self.layers = nn.ModuleList(Pair(side, inner) for _ in range(2))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Chain(nn.Module):
    """Four layers with tanh between."""

    def __init__(self, sides=(6, 10, 8, 8, 5)):
        torch.manual_seed(1)
        super().__init__()
        self.blocks = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in itertools.pairwise(sides))

    def forward(self, x):
        for layer in self.blocks:
            x = torch.tanh(layer(x))
        return x


@pytest.fixture(scope="module")
def batches():
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(6, 6, generator=generator)
    return [{"x": torch.randn(4, 5, 6, generator=generator) @ mixing} for _ in range(3)]


def flat_inputs(batches):
    return torch.cat([batch["x"].reshape(-1, 6) for batch in batches])


# -- one layer -----------------------------------------------------------------------------------------------------


def layer_and_inputs():
    torch.manual_seed(0)
    weight, t = torch.randn(7, 12), torch.randn(40, 12) @ torch.randn(12, 12)
    return weight, t + 0.3 * torch.randn(40, 12), t


@pytest.mark.parametrize("k", [1, 30, 63, 84])
def test_admm_against_the_reference(k):
    weight, x, t = layer_and_inputs()
    keep, new = (problem := LeastSquares.of(weight, x.T @ x, t.T @ x, 0.02)).admm(k, 20, 10)
    expected_keep, expected = slow.admm(weight, x, t, k, 20, 10, 0.02)
    assert torch.equal(keep, expected_keep) and int((~keep).sum()) == k
    torch.testing.assert_close(problem.weights(new).double(), expected, rtol=1e-3, atol=1e-3)


def test_on_a_support_the_values_are_the_best():
    weight, x, t = layer_and_inputs()
    problem = LeastSquares.of(weight, x.T @ x, t.T @ x, 0.01)
    keep, new = problem.admm(60)
    best = problem.fitted(new, keep, 60)
    torch.testing.assert_close(
        problem.weights(best).double(), slow.best_on_support(weight, x, t, keep, 0.01), rtol=1e-3, atol=1e-3
    )
    assert not bool(best[~keep].any())
    plain = problem.start * largest(weight.abs(), 60)
    assert problem.error(best) <= problem.error(new) < problem.error(plain)


def test_the_error_is_that_of_what_the_layer_writes():
    weight, x, t = layer_and_inputs()
    problem = LeastSquares.of(weight, x.T @ x, t.T @ x, 1e-12)
    one, two = problem.start, problem.start * largest(weight.abs(), 40)
    written = [float((x @ problem.weights(w).T - t @ weight.T).square().sum()) for w in (one, two)]
    assert problem.error(two) - problem.error(one) == pytest.approx(written[1] - written[0], rel=1e-3)


@pytest.mark.parametrize("dead", [(), (2, 9), range(12)])
def test_inputs_that_are_always_zero_go_first_and_harm_nothing(dead):
    weight, x, _ = layer_and_inputs()
    x[:, list(dead)] = 0
    problem = LeastSquares.of(weight, x.T @ x)
    keep, new = problem.admm(14)
    assert int((~keep).sum()) == 14 and bool(torch.isfinite(new).all())
    if len(dead) == 2:
        assert not keep[:, [2, 9]].any()


def test_where_nothing_changed_and_nothing_goes_the_weights_stay():
    weight, x, _ = layer_and_inputs()
    problem = LeastSquares.of(weight, x.T @ x)
    torch.testing.assert_close(problem.weights(problem.admm(0)[1]), weight, rtol=1e-4, atol=1e-4)


# -- two models side by side ---------------------------------------------------------------------------------------


def test_sums_are_those_of_all_tokens_that_count():
    dense = Toy()
    pruned = mf.rank(dense, "omp").masks(0.6).apply(dense)
    data = [toy_batch(seed=seed) for seed in (1, 2)]
    layers = mf.prunable_layers(dense, batch=data[0])
    found = Pairing(layers).over(dense, pruned, data, lambda model, batch: model(**batch))
    inputs = []
    for model in (dense, pruned):
        seen = {}
        handles = [
            module.register_forward_pre_hook(
                lambda _, args, name=f"{name}.weight", seen=seen: seen.setdefault(name, []).append(args[0])
            )
            for name, module in model.named_modules()
            if isinstance(module, nn.Linear)
        ]
        with torch.no_grad():
            for batch in data:
                model.eval()(**batch)
        for handle in handles:
            handle.remove()
        inputs.append(seen)
    for layer in layers:
        rows = []
        for seen in inputs:
            parts = [x.reshape(-1, x.shape[-1]) for x in seen[layer.name]]
            if layer.name not in READS_IMAGE:
                parts = [x[b["attention_mask"].reshape(-1).bool()] for x, b in zip(parts, data, strict=True)]
            rows.append(torch.cat(parts).double())
        t, x = rows
        torch.testing.assert_close(found[layer.name].products[0].double(), x.T @ x, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(found[layer.name].crossed[0].double(), t.T @ x, rtol=1e-4, atol=1e-4)


def test_all_uses_of_a_shared_weight_count_and_a_pass_ends_with_the_last():
    model, after = Chain((6, 6, 6)), []
    model.blocks[1].weight = model.blocks[0].weight
    layers = mf.prunable_layers(model)
    assert len(layers) == 1

    def forward(model, batch):
        model(batch)
        after.append(True)

    uses = [uses_of(model, layers, torch.ones(1, 6), forward)]
    after.clear()
    found = Pairing(layers, uses).over(model, model, [torch.ones(1, 6)], forward)
    second = torch.tanh(model.blocks[0](torch.ones(1, 6)))
    expected = torch.ones(6, 6) + second.T @ second
    torch.testing.assert_close(found["blocks.0.weight"].products[0], expected.detach())
    assert uses == [{"blocks.0.weight": 2}] and not after


def test_what_is_changed_in_place_after_it_was_read_is_summed_as_it_was_read():
    class InPlace(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            x = x.clone()
            y = self.a(x)
            x.mul_(0)
            return self.b(x + 1) + y

    model = InPlace()
    found = Pairing(mf.prunable_layers(model)).over(model, model, [torch.full((1, 2), 3.0)], lambda m, b: m(b))
    assert found["a.weight"].crossed.tolist() == [[[9.0, 9.0], [9.0, 9.0]]]
    assert found["b.weight"].crossed.tolist() == [[[1.0, 1.0], [1.0, 1.0]]]


# -- the method ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sparsity", [0.5, 0.8])
def test_reflow_against_the_reference(batches, sparsity):
    model = Chain()
    order = mf.rank(model, "reflow", batches=batches, steps=16, rising=8)
    budgets = mf.rank(model, criterion="magnitude", allocation="multimodal").layer_counts(sparsity)
    assert order.layer_counts(sparsity).tolist() == budgets.tolist()
    expected = slow.reflow(list(model.blocks), flat_inputs(batches), budgets.tolist(), 16, 8, 0.01)
    for layer, (keep, new) in zip(order.layers, expected, strict=True):
        assert torch.equal(order.masks(sparsity)[layer.name], keep)
        torch.testing.assert_close(order.weights(sparsity)[layer.name].double(), new, rtol=5e-3, atol=5e-3)


def left(model, order, batches, sparsity=0.6):
    """How far the pruned model is from the dense one."""
    pruned = order.masks(sparsity).apply(model, order.weights(sparsity))
    with torch.no_grad():
        return sum(float((pruned(**batch) - model(**batch)).square().sum()) for batch in batches)


def test_it_keeps_more_of_the_model_than_what_it_is_made_from(batches):
    model, moments = Chain(), mf.second_moments(Chain(), batches)
    ours = left(model, mf.rank(model, "reflow", batches=batches), batches)
    assert ours < left(model, mf.rank(model, "sparsegpt", statistics=moments), batches)
    assert ours < left(model, mf.rank(model, "multiflow", statistics=moments), batches)


TAKEN_OUT = [f"{option}={value}" for option, values in PARTS.items() for value in values]


@pytest.mark.parametrize("part", [*TAKEN_OUT, "refit=20", "steps=3", "budgets=owl"])
def test_every_part_can_be_taken_out_and_counts(batches, part):
    model = Pairs() if part.startswith("at_once") else Chain()
    questions = [{"x": batches[0]["x"] * torch.arange(6)}]
    samples, (option, value) = [Samples.of(model, batches, questions)], part.split("=")
    part = {option: int(value) if value.isdecimal() else value}
    order, other = mf.rank(model, "reflow", evidence=samples), mf.rank(model, "reflow", evidence=samples, **part)
    assert other.masks(0.6).pruned == order.masks(0.6).pruned == count(0.6, order.total)
    assert any(not torch.equal(w, other.weights(0.6)[name]) for name, w in order.weights(0.6).items())
    if part.get("mask") == "magnitude":
        assert other.masks(0.6)["blocks.2.weight"].sum() == order.masks(0.6)["blocks.2.weight"].sum()


def test_a_matrix_makes_up_for_those_before_it_in_its_block(batches):
    """Against what is solved one by one by hand, on what the model with all before it pruned reads."""
    model, settings = Pairs(), METHODS.get("reflow").settings({})
    order = mf.rank(model, "reflow", batches=batches, budgets="uniform")
    weights, replaced = order.weights(0.5), {}
    for name in [f"layers.{i}.{part}.weight" for i in range(2) for part in ("up", "down")]:
        pruned = copy.deepcopy(model)
        pruned.load_state_dict(replaced, strict=False)
        read = []
        for one in (pruned, model):
            module, seen = one.get_submodule(name.removesuffix(".weight")), []
            handle = module.register_forward_pre_hook(
                lambda _, args, seen=seen: seen.append(args[0].reshape(-1, args[0].shape[-1]))
            )
            with torch.no_grad():
                [one(**batch) for batch in batches]
            handle.remove()
            read.append(torch.cat(seen))
        x, t = read
        problem = LeastSquares.of(model.state_dict()[name], x.T @ x, t.T @ x, settings["damping"])
        _, solved = problem.admm(weights[name].numel() // 2, settings["steps"], settings["rising"])
        torch.testing.assert_close(weights[name], problem.weights(solved), rtol=1e-3, atol=1e-4)
        replaced[name] = weights[name]
    whole = mf.rank(model, "reflow", batches=batches, budgets="uniform", at_once="block")
    assert left(model, order, batches, 0.7) < left(model, whole, batches, 0.7)


@pytest.mark.parametrize("name", ["", "flatland-blip"])
def test_run_by_itself_a_block_gives_the_same_bits(name, batches, monkeypatch):
    model, again, entered = Pairs(), [], block_by_block.Door.again
    samples = Samples.of(model, batches)
    if name:
        vlm = mf.load(name)
        model, samples = vlm.model, evidence_of("samples", vlm, sample=sample_of(2))

    def weights():
        return mf.rank(model, "reflow", evidence=[samples], steps=2).weights(0.6)

    monkeypatch.setattr(block_by_block.Door, "again", lambda *given: again.append(given) or entered(*given))
    alone = weights()
    assert again
    again.clear()
    monkeypatch.setattr(block_by_block.Door, "entered", lambda *_: None)
    through = weights()
    assert not again and all(torch.equal(weight, through[name]) for name, weight in alone.items())


def test_stopped_it_goes_on_where_it_was_and_ends_with_the_same_bits(batches):
    model, passes = Chain(), []

    def forward(model, batch):
        passes.append(True)
        model(**batch)

    def stopping(fraction, message):
        if message == "Reflow: block 3 of 4":
            raise KeyboardInterrupt

    whole = mf.rank(model, "reflow", evidence=[Samples.of(model, batches, forward=forward)])
    expected = whole.weights(0.6)
    assert len(passes) == 3 + 4 * 6
    order = mf.rank(model, "reflow", evidence=[Samples.of(model, batches, forward=forward)])
    passes.clear()
    with pytest.raises(KeyboardInterrupt):
        order.masks(0.6, progress=stopping)
    assert len(passes) == 2 * 6 + 2
    passes.clear()
    assert order.masks(0.6) == whole.masks(0.6) and len(passes) == 2 * 6
    assert all(torch.equal(w, order.weights(0.6)[name]) for name, w in expected.items())


def test_another_process_goes_on_where_one_was_ended(batches, tmp_path):
    model, passes = Chain(), []

    def forward(model, batch):
        passes.append(True)
        model(**batch)

    def ranked(model=model, **options):
        return mf.rank(model, "reflow", evidence=[Samples.of(model, batches, forward=forward)], **options)

    def stopping(fraction, message):
        if message == "Reflow: block 3 of 4":
            raise KeyboardInterrupt

    expected, folder = ranked().weights(0.6), str(tmp_path / "kept")
    with pytest.raises(KeyboardInterrupt):
        ranked(kept=folder).masks(0.6, progress=stopping)
    (place,) = (tmp_path / "kept").iterdir()
    assert [file.name for file in sorted(place.iterdir())] == ["block 0000.safetensors", "block 0001.safetensors"]
    (place / "block 0001.safetensors").write_bytes(b"cut off")
    again, other = ranked(kept=folder), ranked(kept=folder, steps=20)
    other.masks(0.6)  # what was asked with other options is another matter
    passes.clear()
    assert again.masks(0.6) == ranked().masks(0.6)
    assert all(torch.equal(w, again.weights(0.6)[name]) for name, w in expected.items())
    assert (
        len(passes) == 3 * 6 + 3 + 4 * 6
    )  # blocks 1 to 3; and all, with one pass before, of the one that is compared with
    assert not list((tmp_path / "kept").iterdir())


def test_progress_never_falls_and_ends(batches):
    told = []
    mf.rank(Chain(), "reflow", batches=batches).masks(0.5, progress=lambda fraction, message: told.append(fraction))
    assert told == sorted(told) and told[0] == 1 / 16 and told[-1] == pytest.approx(1)


def test_no_more_than_the_sums_of_one_block_are_held(batches, monkeypatch):
    alive, most = weakref.WeakSet(), []

    class Seen(Sums):
        __hash__ = object.__hash__

        def __init__(self, *parts):
            super().__init__(*parts)
            alive.add(self)

    monkeypatch.setattr("multiflow_core.calibration.side_by_side.Sums", Seen)

    def look(fraction, message):
        most.append(sum(sums.products.numel() + sums.crossed.numel() for sums in alive))

    mf.rank(Chain(), "reflow", batches=batches).masks(0.5, progress=look)
    assert max(most) == 2 * 10**2  # the widest of the four layers, each of them a block


def test_too_little_memory_is_said_before(batches, monkeypatch):
    monkeypatch.setattr("multiflow_core.support.memory.available_memory", lambda: 1000)
    with pytest.raises(ValueError, match="Reflow holds two matrices for every layer of blocks 0"):
        mf.rank(Chain(), "reflow", batches=batches).masks(0.5)


def test_the_dense_model_is_untouched_and_fixed_layers_keep_their_sparsity(batches):
    model = Chain()
    before = copy.deepcopy(model.state_dict())
    order = mf.rank(model, "reflow", batches=batches, fixed={"blocks 0": 0, "blocks 2": 0.25})
    masks = order.masks(0.6)
    assert masks.layer_sparsity()["blocks.0.weight"] == 0 and masks.layer_sparsity()["blocks.2.weight"] == 0.25
    assert masks.only(["blocks.1.weight", "blocks.3.weight"]).pruned == count(0.6, order.total)
    pruned = masks.apply(model, order.weights(0.6))
    assert pruned.blocks[0].weight is not None and torch.equal(pruned.blocks[0].weight, model.blocks[0].weight)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_half_precision_and_every_sparsity(batches):
    half = Chain().bfloat16()
    data = [{"x": batch["x"].bfloat16()} for batch in batches]
    order = mf.rank(half, "reflow", batches=data)
    for sparsity in (0.0, 0.3, 1.0):
        assert order.masks(sparsity).pruned == count(sparsity, order.total)
    assert order.weights(0.3)["blocks.1.weight"].dtype == torch.bfloat16
    assert torch.equal(order.weights(0.0)["blocks.1.weight"], half.blocks[1].weight)


def test_what_it_cannot_do_it_says(batches):
    with pytest.raises(ValueError, match=r"needs samples: pass batches"):
        mf.rank(Chain(), "reflow")
    with pytest.raises(ValueError, match="needs at least one batch"):
        mf.rank(Chain(), "reflow", batches=[]).masks(0.5)
    with pytest.raises(ValueError, match="mask of Reflow must be admm or magnitude or sparsegpt"):
        mf.rank(Chain(), "reflow", batches=batches, mask="best")
    idle = nn.ModuleDict({"used": nn.Linear(2, 2), "idle": nn.Linear(2, 2)})
    samples = Samples.of(idle, [torch.ones(1, 2)], forward=lambda model, batch: model["used"](batch))
    with pytest.raises(ValueError, match=r"never ran: idle\.weight"):
        mf.rank(idle, "reflow", evidence=[samples])
    with pytest.raises(ValueError, match=r"activations at the input of blocks\.0\.weight are not finite"):
        mf.rank(Chain(), "reflow", batches=[{"x": torch.full((1, 6), float("nan"))}]).masks(0.5)


# -- on models of families -----------------------------------------------------------------------------------------


def test_blocks_come_in_the_order_of_the_signal(vlm):
    samples = evidence_of("samples", vlm, sample=sample_of(2))
    request = block_by_block.Request(vlm.model, vlm.layers, METHODS.get("reflow"))
    walk = block_by_block.Walk(request, samples)
    names = [vlm.layers[block[0]].block for block in walk.blocks]
    assert names == list(dict.fromkeys(layer.block for layer in vlm.layers))
    assert names[0] == "vision 0" and names[-1].startswith("decoder")


def test_questions_reach_the_decoder_as_when_they_are_answered(vlm):
    """The keys of its cross-attention read the states of the question, each as if it were asked alone, without padding."""
    pictures, asked = dataset.open().asked(3, 0, vlm.side)
    together = next(iter(vlm.question_batches(pictures, asked, 9)))
    alone = [next(iter(vlm.question_batches(pictures, [question], 1))) for question in asked]
    assert len(together["pixel_values"]) == 3 and len(together["input_ids"]) == 9
    layer = tuple(x for x in vlm.layers if x.name.startswith("text_decoder") and x.role == "cross key")[:1]
    sums = [mf.second_moments(vlm.model, data, layers=layer).matrices[layer[0].name] for data in ([together], alone)]
    torch.testing.assert_close(sums[0], sums[1], rtol=1e-3, atol=1e-2)


def test_questions_are_asked_where_data_has_some_and_the_model_answers(vlm, tmp_path):
    assert sum(len(batch["input_ids"]) for batch in evidence_of("samples", vlm, sample=sample_of(4)).questions) == 12
    xvlm = mf.load("flatland-xvlm")
    assert not list(evidence_of("samples", xvlm, sample=sample_of(4)).questions)
    assert not list(evidence_of("samples", vlm, sample=sample_of(4), data="assets/pictures").questions)


@pytest.mark.parametrize("model", ["flatland-blip", "flatland-xvlm"])
def test_pictures_are_looked_at_no_more_once_all_that_reads_them_is_solved(model, monkeypatch):
    vlm, looked = mf.load(model), []
    samples = evidence_of("samples", vlm, sample=sample_of(2))
    blocks = {layer.block for layer in vlm.layers if layer.modality == "vision"}
    look = type(vlm.family).look

    def counted(self, model, batch):
        looked.append("image_states" not in batch)
        return look(self, model, batch)

    monkeypatch.setattr(type(vlm.family), "look", counted)
    order = mf.rank(vlm.model, "reflow", evidence=[samples], steps=2)
    masks, weights = order.masks(0.75), order.weights(0.75)
    beside = len(samples.uses)  # once in the dense model, to see which matrices read the same
    assert looked.count(True) == 2 * len(samples.uses) * (len(blocks) + 1) + beside
    monkeypatch.setattr(type(vlm.family), "eye", "")
    again = mf.rank(vlm.model, "reflow", evidence=[samples], steps=2)
    assert again.masks(0.75) == masks
    assert all(torch.equal(weight, again.weights(0.75)[name]) for name, weight in weights.items())


@pytest.mark.parametrize("model", ["flatland-blip", "flatland-xvlm"])
def test_a_built_in_model_at_once(model, request):
    order = order_of(found := mf.load(model), Run(model, "reflow", options=(("steps", 3),)), sample=sample_of(2))
    masks = order.masks(0.75)
    assert masks.pruned == count(0.75, order.total)
    budgets = mf.rank(found.model, criterion="magnitude", allocation="multimodal").layer_counts(0.75)
    assert order.layer_counts(0.75).tolist() == budgets.tolist()
