"""CHITA, CHITA++, TAMT and SparseGPT: against slow references, and by what their papers promise."""

import copy

import pytest
import torch
from torch import nn

import multiflow_core as mf
from multiflow_core.calibration.second_moments import second_moments
from multiflow_core.pruning.method import METHODS
from multiflow_core.pruning.methods.sparsegpt import prune_layer
from tests.core import reference_methods as slow
from tests.core.reference import Toy, count, toy_batch


def objective(model, batch):
    return model(**batch).square().mean() * 30


@pytest.fixture(scope="module")
def model():
    return Toy(dim=4)


@pytest.fixture(scope="module")
def batches():
    return [toy_batch(seed=seed) for seed in range(6)]


def flat_of(tensors, layers):
    return torch.cat([tensors[layer.name].detach().flatten() for layer in layers])


# -- CHITA ---------------------------------------------------------------------------------------------------------


def chita_problem(model, batches):
    layers = mf.prunable_layers(model)
    w0 = flat_of(dict(model.named_parameters()), layers).double()
    rows = torch.stack([flat_of(slow.gradients(model, layers, objective, batch), layers) for batch in batches])
    return layers, w0, rows


@pytest.mark.parametrize("block", [50, 10_000])
@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize("sparsity", [0.3, 0.9])
def test_chita_minimises_its_objective(model, batches, block, alpha, sparsity):
    layers, w0, rows = chita_problem(model, batches)
    order = mf.rank(model, "chita", batches=batches, objective=objective, block=block, alpha=alpha, lam=1e-3)
    keep, new = flat_of(order.masks(sparsity), layers), flat_of(order.weights(sparsity), layers).double()
    assert int((~keep).sum()) == count(sparsity, len(w0))
    assert not bool(new[~keep].any())
    expected = slow.chita_weights(rows, w0, keep, alpha, 1e-3, block)
    torch.testing.assert_close(new, expected, rtol=1e-3, atol=1e-4)

    def cost(w):
        return slow.chita_objective(rows, w0, w, alpha, 1e-3, block)

    magnitude = flat_of(mf.rank(model, "omp").masks(sparsity), layers)
    assert cost(new) < cost(w0 * magnitude)
    assert cost(new) <= cost(slow.chita_weights(rows, w0, magnitude, alpha, 1e-3, block)) + 1e-6


def test_chita_without_the_first_order_term_selects_by_magnitude(model, batches):
    order = mf.rank(model, "chita", batches=batches, objective=objective)
    for sparsity in (0.3, 0.63, 0.9):
        assert order.masks(sparsity) == mf.rank(model, "omp").masks(sparsity)
    assert order.weights(0.0)["patch.weight"].equal(model.patch.weight)  # nothing goes, nothing moves
    stepped = mf.rank(model, "chita", batches=batches, objective=objective, alpha=20.0)
    assert stepped.masks(0.63) != order.masks(0.63)


@pytest.mark.parametrize("block", [8, 50, 10_000])
def test_all_blocks_together_go_down_no_further_than_one_solution_would(model, batches, block):
    """With nothing pruned, only the first-order term moves: by at most alpha on every batch, however many blocks."""
    layers, w0, rows = chita_problem(model, batches)
    order = mf.rank(model, "chita", batches=batches, objective=objective, block=block, alpha=0.5, lam=1e-6)
    promised = rows @ (flat_of(order.weights(0.0), layers).double() - w0)
    assert 0.2 * 0.5 < float(-promised.mean()) <= 0.5 * 1.001
    assert float(promised.norm()) <= 0.5 * len(rows) ** 0.5 * 1.001


@pytest.mark.parametrize("block", [10, 50, 400])
def test_the_loss_falls_as_the_first_order_term_promises_however_many_blocks(block):
    """Regression with noise of variance 1, where gradients do tell the bend: batches of 8, so the promise is 1/8."""
    torch.manual_seed(0)
    right, inputs, noise = torch.randn(10, 40), torch.randn(6, 8, 40), torch.randn(6, 8, 10)
    layer = nn.Linear(40, 10, bias=False)
    layer.weight = nn.Parameter(right + 0.1 * torch.randn(10, 40))
    data = [{"x": x, "y": x @ right.T + e} for x, e in zip(inputs, noise, strict=True)]

    def loss(model, batch):
        return (model(batch["x"]) - batch["y"]).square().sum(1).mean() / 2

    order = mf.rank(layer, "chita", batches=data, objective=loss, alpha=None, block=block)
    moved = order.masks(0.0).apply(layer, order.weights(0.0))
    before, after = (sum(loss(m, batch).item() for batch in data) / len(data) for m in (layer, moved))
    assert before - after == pytest.approx(1 / 8, abs=0.01)


def test_chita_keeps_what_the_gradients_see(model, batches):
    """Pruned and updated, the model moves less along its gradients than pruned alone."""
    layers, w0, rows = chita_problem(model, batches)
    order = mf.rank(model, "chita", batches=batches, objective=objective)
    new = flat_of(order.weights(0.75), layers).double()
    plain = w0 * flat_of(order.masks(0.75), layers)
    assert float((rows @ (new - w0)).norm()) < 0.2 * float((rows @ (plain - w0)).norm())


def test_new_weights_come_in_the_checkpoints_dtype_and_are_applied(model, batches):
    half = copy.deepcopy(model).half()
    order = mf.rank(half, "chita", batches=batches, objective=objective)
    masks, weights = order.masks(0.5), order.weights(0.5)
    pruned = masks.apply(half, weights)
    assert weights["key.weight"].dtype == pruned.key.weight.dtype == torch.float16
    assert torch.equal(pruned.key.weight, weights["key.weight"])
    assert not torch.equal(pruned.key.weight, half.key.weight * masks["key.weight"])
    assert pruned.patch.bias is half.patch.bias
    with pytest.raises(ValueError, match="new weight of key.weight"):
        masks.apply(half, {"key.weight": torch.zeros(2)})
    with pytest.raises(ValueError, match="no mask is called 'kee.weight'"):
        masks.apply(half, {"kee.weight": torch.zeros(2)})


@pytest.mark.parametrize(("alpha", "block"), [(None, 10_000), (None, 50), (0.5, 50)])
def test_chita_plus_against_the_reference(model, batches, alpha, block):
    options = {"stages": 3, "start": 0.4, "lam": 1e-3, "block": block}
    order = mf.rank(model, "chita++", batches=batches, objective=objective, alpha=alpha, **options)
    assert order.total == 256
    prunes = [102, 191, 204]  # 0.4, then seven eighths of the way to the target, then the target
    share = alpha or 1 / 3  # batches of three pairs
    keep, w = slow.chita_plus(model, order.layers, objective, batches, prunes, share, 1e-3, block)
    assert torch.equal(flat_of(order.masks(0.8), order.layers), keep)
    torch.testing.assert_close(flat_of(order.weights(0.8), order.layers).double(), w, rtol=1e-2, atol=1e-3)


def test_chita_plus_can_bring_a_weight_back():
    """In the first stage nothing speaks for the smallest weight and it goes; in the second everything does."""
    layer = nn.Linear(4, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 0.9, 0.8, 0.1]]))
    quiet = [{"x": torch.eye(4)[:1], "y": torch.tensor([[1.0]])}]
    loud = [{"x": torch.eye(4)[3:], "y": torch.tensor([[10.0]])}]
    passes = iter((quiet, quiet, loud))

    def loss(model, batch):
        return 0.05 * (model(batch["x"]) - batch["y"]).square().mean()

    def order(**options):
        return mf.rank(layer, "chita++", batches=lambda: next(passes), objective=loss, **options)

    assert order(stages=1).masks(0.25)["weight"].tolist() == [[True, True, True, False]]
    revived = order(stages=2)
    assert revived.masks(0.25)["weight"].tolist() == [[True, True, False, True]]
    assert float(revived.weights(0.25)["weight"][0, 3]) > 0.5


def test_chita_plus_recomputes_gradients_on_the_current_weights(model, batches):
    seen = []

    def watching(replica, batch):
        seen.append(
            float(
                (torch.cat([p.flatten() for n, p in replica.named_parameters() if "weight" in n]) == 0).double().sum()
            )
        )
        return objective(replica, batch)

    order = mf.rank(model, "chita++", batches=batches[:2], objective=watching, stages=3, start=0.4)
    masks = order.masks(0.8)
    k = count(0.8, order.total)
    assert masks.pruned == k
    cubic = round((0.8 - 0.4 / 8) * order.total)
    assert seen[::2] == pytest.approx([0, round(0.4 * order.total), cubic], abs=1)
    assert seen[::2] == seen[1::2]
    assert set(order.weights(0.8)) == set(masks)


# -- TAMT ----------------------------------------------------------------------------------------------------------


def test_tamt_against_the_reference():
    torch.manual_seed(3)
    layer = nn.Linear(6, 4, bias=False)
    target = torch.randn(6, 4)
    data = [{"input": torch.randn(8, 6)} for _ in range(3)]

    def loss(model, batch):
        return (model(**batch) - batch["input"] @ target).square().mean()

    def plain(weight, batch):
        return (batch["input"].double() @ weight.T - batch["input"].double() @ target.double()).square().mean()

    order = mf.rank(layer, "tamt", batches=data, objective=loss, steps=24, rate=2e-3, refresh=5)
    expected = slow.tamt_mask(layer.weight.detach().double(), plain, data, 0.5, steps=24, rate=2e-3, refresh=5)
    assert torch.equal(order.masks(0.5)["weight"], expected)
    assert order.masks(0.5) != mf.rank(layer, "localmp").masks(0.5)


@pytest.mark.parametrize("scope", ["layer", "global"])
def test_tamt_revives_pruned_weights_and_ends_exactly(model, batches, scope):
    order = mf.rank(model, "tamt", batches=batches, objective=objective, steps=20, rate=2e-3, refresh=5, scope=scope)
    start = mf.rank(model, "localmp" if scope == "layer" else "omp").masks(0.7)
    end = order.masks(0.7)
    revived = sum(int((end[name] & ~start[name]).sum()) for name in end)
    assert revived > 0
    assert end.pruned == start.pruned == count(0.7, order.total)
    if scope == "layer":
        assert end.layer_sparsity() == start.layer_sparsity()
    assert order.weights(0.7) is None


def test_the_sweeps_few_steps_are_enough_to_revive_some_and_not_most(model, batches):
    start = mf.rank(model, "localmp").masks(0.63)
    end = mf.rank(model, "tamt", batches=batches, objective=objective, **METHODS.get("tamt").quick).masks(0.63)
    revived = sum(int((end[name] & ~start[name]).sum()) for name in end)
    assert 0 < revived < 0.4 * start.pruned
    assert end.pruned == start.pruned


def test_tamt_starts_from_magnitude(model, batches):
    """Two steps move no score across the gap: the mask is still that of magnitude, not all pruned, not all kept."""
    order = mf.rank(model, "tamt", batches=batches, objective=objective, steps=2)
    assert order.masks(0.7) == mf.rank(model, "localmp").masks(0.7)


# -- SparseGPT -----------------------------------------------------------------------------------------------------


def layer_and_inputs(dead=()):
    torch.manual_seed(0)
    weight = torch.randn(7, 12)
    x = torch.randn(40, 12) @ torch.randn(12, 12)  # correlated inputs: there is something to make up for
    x[:, list(dead)] = 0
    return weight, x


@pytest.mark.parametrize("block", [4, 5, 128])
@pytest.mark.parametrize("dead", [(), (2, 9)])
@pytest.mark.parametrize("k", [1, 30, 63, 84])
def test_sparsegpt_against_the_reference(block, dead, k):
    weight, x = layer_and_inputs(dead)
    keep, new = prune_layer(weight, x.T @ x, k, 0.01, block)
    expected_keep, expected = slow.sparsegpt(weight, x, k, block, 0.01)
    assert keep.tolist() == expected_keep.tolist()
    torch.testing.assert_close(new.double(), expected, rtol=1e-3, atol=1e-3)
    assert int((~keep).sum()) == k


def test_sparsegpt_loses_less_of_the_output_than_plain_masking():
    weight, x = layer_and_inputs()
    layer = nn.Linear(12, 7, bias=False)
    layer.weight = nn.Parameter(weight)
    order = mf.rank(layer, "sparsegpt", statistics=second_moments(layer, [{"input": x[:20]}, {"input": x[20:]}]))
    for sparsity in (0.3, 0.63, 0.9):
        mask, new = order.masks(sparsity)["weight"], order.weights(sparsity)["weight"]
        error = float((x @ (weight - new).T).norm())
        assert error < float((x @ (weight * ~mask).T).norm())
        assert not bool(new[~mask].any())


def test_inputs_that_are_always_zero_go_first():
    weight, x = layer_and_inputs(dead=(2, 9))
    keep, _ = prune_layer(weight, x.T @ x, 14, 0.01, 12)
    assert not keep[:, [2, 9]].any()
    assert keep.sum() == 70


def test_second_moments(model, batches):
    moments = second_moments(model, iter(batches))
    plain = mf.calibrate(model, batches)
    assert (moments.samples, moments.layers) == (plain.samples, plain.layers)
    for name, matrix in moments.matrices.items():
        torch.testing.assert_close(moments.square_sums[name], plain.square_sums[name], rtol=1e-4, atol=1e-6)
        assert torch.linalg.eigvalsh(matrix.double()).min() > -1e-3
    halves = second_moments(model, batches[:2]) + second_moments(model, batches[2:])
    torch.testing.assert_close(halves.matrices["key.weight"], moments.matrices["key.weight"])
    assert mf.rank(model, "multiflow", statistics=moments).masks(0.5).pruned == 128


# -- what all of them share ----------------------------------------------------------------------------------------


def test_what_only_nested_masks_have_is_refused_in_one_sentence(model, batches):
    order = mf.rank(model, "chita", batches=batches, objective=objective)
    assert not order.nested
    for ask in (
        lambda: order.curve(),
        lambda: order.score("key.weight"),
        lambda: order.threshold("key.weight", 0.5),
        lambda: order.critical_sparsity("key.weight"),
        lambda: order.masks_nm(2, 4),
        lambda: order.masks_neurons((), 0.5),
        lambda: order.thresholds("key.weight"),
    ):
        with pytest.raises(ValueError, match="CHITA solves every sparsity anew and its masks do not nest"):
            ask()
    with pytest.raises(ValueError, match="sparsity must be a number from 0 to 1"):
        order.masks(1.1)


def test_a_sparsity_is_solved_once_and_the_oldest_are_forgotten(model, batches, monkeypatch):
    from multiflow_core.pruning import solved_order as solved

    order = mf.rank(model, "chita", batches=batches, objective=objective)
    assert order.masks(0.5) is order.masks(0.5)
    assert order.weights(0.5) is order.weights(0.5)
    assert order.layer_counts(0.5).sum() == order.masks(0.5).pruned
    assert order.layer_sparsity(0.5) == order.masks(0.5).layer_sparsity()
    assert order.dead_neurons(1.0).tolist() == [list(layer.shape) for layer in order.layers]
    monkeypatch.setattr(solved, "_REMEMBERED", 2 * order.total)
    for sparsity in (0.1, 0.2, 0.3):
        order.masks(sparsity)
    assert len(order._solved) == 2


def test_a_model_changed_after_ranking_is_noticed(batches):
    model = Toy(dim=4)
    order = mf.rank(model, "chita", batches=batches, objective=objective)
    with torch.no_grad():
        model.key.weight.mul_(2)
    with pytest.raises(RuntimeError, match=r"key\.weight was changed"):
        order.masks(0.5)
