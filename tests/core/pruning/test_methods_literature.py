"""RIA, OWL, AlphaPruning, ECoFLaP, ADMM, ALPS and DSnoT: against slow references, and by what their papers promise."""

import copy

import pytest
import torch
from torch import nn

import multiflow_core as mf
from multiflow_core.calibration.second_moments import second_moments
from multiflow_core.calibration.sensitivity import sensitivity
from multiflow_core.calibration.spread import spread
from multiflow_core.pruning.methods.alphapruning import tail
from multiflow_core.pruning.methods.dsnot import moved
from tests.core import reference_methods as slow
from tests.core.reference import Toy, count, flat, lowest, toy_batch

ALIKE = ("admm", "alps")


@pytest.fixture(scope="module")
def model():
    return Toy()


@pytest.fixture(scope="module")
def batches():
    return [toy_batch(seed=seed) for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def statistics(model, batches):
    return mf.calibrate(model, batches)


def layer_and_inputs():
    torch.manual_seed(0)
    return torch.randn(7, 12), torch.randn(40, 12) @ torch.randn(12, 12)


def layer_of(weight):
    layer = nn.Linear(*weight.shape[::-1], bias=False)
    layer.weight = nn.Parameter(weight)
    return layer


# -- RIA -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sparsity", [0.3, 0.75])
def test_ria_against_the_reference(model, statistics, sparsity):
    order = mf.rank(model, "ria", statistics=statistics)
    for layer in order.layers:
        weight = dict(model.named_parameters())[layer.name].detach().double().tolist()
        scores = slow.ria_scores(weight, statistics.norm(layer.name).tolist())
        torch.testing.assert_close(order.score(layer.name).double(), torch.tensor(scores).double(), rtol=1e-5, atol=0)
        gone = lowest(flat(scores), order.layer_counts(sparsity)[order.layers.index(layer)])
        assert torch.equal(
            ~order.masks(sparsity)[layer.name].flatten(), torch.tensor([i in gone for i in range(layer.size)])
        )


def test_ria_without_its_power_needs_no_inputs_and_spares_small_neurons(model, statistics):
    layer = layer_of(torch.tensor([[3.0, 3.0, 3.0, 3.0], [1.0, 0.0, 0.0, 0.0]]))
    known = mf.calibrate(layer, [{"input": torch.tensor([[1.0, 5.0, 9.0, 3.0]])}])
    assert mf.rank(layer, "ria", statistics=known, power=0).masks(0.5)["weight"].any(1).tolist() == [True, True]
    assert mf.rank(layer, "omp").masks(0.5)["weight"].any(1).tolist() == [True, False]
    dead = mf.calibrate(layer_of(torch.zeros(2, 2)), [{"input": torch.zeros(1, 2)}])
    assert mf.rank(layer_of(torch.zeros(2, 2)), "ria", statistics=dead).masks(0.5).pruned == 2


# -- budgets -------------------------------------------------------------------------------------------------------


def blocks_of(layers):
    return {layer.name: layer.block or layer.name for layer in layers}


@pytest.mark.parametrize("sparsity", [0.4, 0.6])
def test_owl_against_the_reference(model, statistics, sparsity):
    options = {"beyond": 2.0, "spread": 0.2}
    order = mf.rank(model, "owl", statistics=statistics, **options)
    weights = slow.weights_of(model, order.layers)
    norms = {name: statistics.norm(name).tolist() for name in weights}
    expected = slow.owl_sparsities(weights, norms, blocks_of(order.layers), sparsity, *options.values())
    # the reference's mean is over blocks, the exact count over weights: all layers shift by the same
    shift = {name: found - expected[name] for name, found in order.layer_sparsity(sparsity).items()}
    middle = sorted(shift.values())[len(shift) // 2]
    for layer in order.layers:
        assert shift[layer.name] == pytest.approx(middle, abs=1.01 / layer.size)
    assert max(expected.values()) - min(expected.values()) == pytest.approx(0.4)


def test_owl_spares_the_block_with_the_outliers():
    torch.manual_seed(0)
    plain, wild = torch.randn(8, 8), torch.randn(8, 8)
    wild[0, 0] = 100.0
    net = nn.ModuleDict({"plain": layer_of(plain), "wild": layer_of(wild)})
    sums = {name: torch.ones(8, dtype=torch.float64) for name in ("plain.weight", "wild.weight")}
    order = mf.rank(net, "owl", statistics=mf.Statistics(sums, 1, mf.prunable_layers(net)))
    assert order.layer_sparsity(0.5) == pytest.approx({"plain.weight": 0.58, "wild.weight": 0.42}, abs=1 / 64)


@pytest.mark.parametrize("shape", [(6, 6), (5, 9), (9, 4)])
def test_the_tail_of_a_spectrum(shape):
    torch.manual_seed(0)
    weight = torch.randn(shape)
    assert tail(weight) == pytest.approx(slow.hill(weight), rel=1e-4)
    assert tail(5 * weight) == pytest.approx(tail(weight), rel=1e-4)
    assert tail(torch.eye(4)) == tail(torch.zeros(3, 3)) == 1e3


def test_alphapruning_is_proportional_and_spares_heavy_tails():
    torch.manual_seed(0)
    shapes = {"heavy": torch.diag(torch.logspace(0, 3, 16)), "light": torch.linalg.qr(torch.randn(16, 16))[0]}
    middle = torch.randn(16, 16)
    net = nn.ModuleDict({name: layer_of(weight) for name, weight in {**shapes, "middle": middle}.items()})
    order = mf.rank(net, criterion="magnitude", allocation="alpha")
    heaviest, lightest, mid = (tail(w) for w in (shapes["heavy"], shapes["light"], middle))
    place = (mid - heaviest) / (lightest - heaviest)
    factors = {"heavy.weight": 0.7, "light.weight": 1.3, "middle.weight": 0.7 + 0.6 * place}
    for sparsity in (0.2, 0.5):
        level = sparsity * 3 / sum(factors.values())
        expected = {name: level * factor for name, factor in factors.items()}
        assert order.layer_sparsity(sparsity) == pytest.approx(expected, abs=1 / 256)


def loss(model, batch):
    return model(**batch).square().mean() * 30


def test_sensitivity_is_the_length_of_the_gradient(model, batches):
    """Over many directions the mean of |g z| is |g| sqrt(2 / pi)."""
    layers = mf.prunable_layers(model)
    found = [sensitivity(model, batches[:1], loss, layers=layers, seed=seed) for seed in range(150)]
    gradient = slow.gradients(model, layers, loss, batches[0])
    blocks = blocks_of(layers)
    for block in set(blocks.values()):
        names = [name for name, own in blocks.items() if own == block]
        length = sum(float(gradient[name].square().sum()) for name in names) ** 0.5
        mean = sum(one.blocks[names[0]] for one in found) / len(found)
        assert mean == pytest.approx(length * (2 / torch.pi) ** 0.5, rel=0.25)


def test_ecoflap_shares_out_by_sensitivity_and_leaves_the_model_alone(model, batches, statistics):
    before = copy.deepcopy(model.state_dict())
    known = sensitivity(model, batches, loss)
    order = mf.rank(model, "ecoflap", statistics=statistics, evidence=[known], spread=0.2)
    sizes = {
        block: sum(x.size for x in order.layers if blocks_of([x])[x.name] == block)
        for block in blocks_of(order.layers).values()
    }
    scores = {blocks_of(order.layers)[name]: value for name, value in known.blocks.items()}
    for sparsity in (0.5, 0.7):
        # so many for everybody, and the rest by score, as long as that leaves something to prune
        kept = {
            b: (0.8 - sparsity) * size + 0.2 * order.total * scores[b] / sum(scores.values())
            for b, size in sizes.items()
        }
        assert all(kept[b] < size for b, size in sizes.items())
        for layer in order.layers:
            block = blocks_of([layer])[layer.name]
            assert order.layer_sparsity(sparsity)[layer.name] == pytest.approx(
                1 - kept[block] / sizes[block], abs=1.5 / layer.size
            )
    assert max(order.layer_sparsity(0.5).values()) <= 0.7 + 1 / 24
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("allocation", ["owl", "alpha", "ecoflap"])
def test_budgets_are_exact_nest_and_combine_with_any_criterion(model, batches, allocation):
    known = second_moments(model, batches)
    for criterion in ("flow", "snip", "ria", "random"):
        order = mf.rank(
            model, criterion=criterion, allocation=allocation, statistics=known, batches=batches, objective=loss
        )
        table = order.count_table(21)
        assert (table.sum(0) == [count(round(k / 20, 2), order.total) for k in range(21)]).all()
        assert (table[:, 1:] >= table[:, :-1]).all() and order.cuts(0.5) == {}
        assert order.masks(0.4) & order.masks(0.7) == order.masks(0.7)
        assert order.masks(1.0).pruned == order.total


def test_what_budgets_need_is_said(model, statistics):
    with pytest.raises(ValueError, match="needs activation statistics"):
        mf.rank(model, criterion="magnitude", allocation="owl")
    with pytest.raises(ValueError, match="needs sensitivity: pass batches"):
        mf.rank(model, "ecoflap", statistics=statistics)


# -- solvers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sparsity", [0.3, 0.75, 0.95])
def test_admm_as_a_method_against_the_reference(sparsity):
    weight, x = layer_and_inputs()
    order = mf.rank(layer_of(weight), "admm", statistics=second_moments(layer_of(weight), [{"input": x}]))
    keep, new = slow.admm(weight, x, x, count(sparsity, weight.numel()), 20, 15, 0.1)
    assert torch.equal(order.masks(sparsity)["weight"], keep)
    torch.testing.assert_close(order.weights(sparsity)["weight"].double(), new, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("sparsity", [0.3, 0.75, 0.95])
def test_alps_against_the_reference(sparsity):
    weight, x = layer_and_inputs()
    moments = second_moments(layer_of(weight), [{"input": x}])
    order = mf.rank(layer_of(weight), "alps", statistics=moments, refit=60)
    keep, new = slow.alps(weight, x, count(sparsity, weight.numel()), 300, 0.1, 0.01)
    assert torch.equal(order.masks(sparsity)["weight"], keep)
    torch.testing.assert_close(order.weights(sparsity)["weight"].double(), new, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("method", ALIKE)
def test_they_lose_less_than_sparsegpt(method):
    weight, x = layer_and_inputs()
    moments = second_moments(layer_of(weight), [{"input": x}])

    def error(name, sparsity):
        new = mf.rank(layer_of(weight), name, statistics=moments).weights(sparsity)["weight"]
        return float((x @ (weight - new).T).norm())

    for sparsity in (0.5, 0.7):
        assert error(method, sparsity) < error("sparsegpt", sparsity)


@pytest.mark.parametrize("method", ALIKE)
def test_layers_without_a_signal_lose_what_they_should(method):
    layer = layer_of(torch.tensor([[1.0, -3.0], [2.0, 0.5]]))
    order = mf.rank(layer, method, statistics=second_moments(layer, [{"input": torch.zeros(3, 2)}]))
    assert order.masks(0.5).pruned == 2 and bool(torch.isfinite(order.weights(0.5)["weight"]).all())
    assert torch.equal(order.weights(0.0)["weight"], layer.weight)


# -- DSnoT ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cycles", [1, 3, 50])
def test_dsnot_against_the_reference(cycles):
    torch.manual_seed(1)
    weight, x = torch.randn(9, 14), torch.randn(50, 14) * torch.rand(14) + torch.randn(14)
    layer = layer_of(weight)
    found = spread(layer, [{"input": x[:20]}, {"input": x[20:]}])
    order = mf.rank(layer, "dsnot", evidence=[found], cycles=cycles)
    start = mf.rank(layer, "wanda", statistics=found).masks(0.6)["weight"]
    norms = found.norm("weight").tolist()
    rows = [
        slow.dsnot_row(*pair, x.double().tolist(), norms, cycles)
        for pair in zip(weight.tolist(), start.tolist(), strict=True)
    ]
    assert order.masks(0.6)["weight"].tolist() == rows
    assert order.masks(0.6)["weight"].sum(1).tolist() == start.sum(1).tolist() and rows != start.tolist()

    def shift(mask):
        return (x @ (weight * ~mask).T).mean(0).abs()

    assert bool((shift(order.masks(0.6)["weight"]) <= shift(start) + 1e-5).all())
    assert order.weights(0.6) is None


def test_no_weight_of_dsnot_moves_twice_and_rows_without_error_stay():
    keep = torch.tensor([[True, False], [True, False]])
    weight, mean = torch.tensor([[1.0, 1.0], [-1.0, 1.0]]), torch.ones(2)
    assert moved(weight, keep, mean, torch.ones(2), torch.ones(2), 50).tolist() == keep.tolist()
    still = moved(torch.zeros(2, 2), keep, mean, torch.zeros(2), torch.ones(2), 50)
    assert still.tolist() == keep.tolist()


def test_spread_is_the_mean_and_the_variance_of_what_counts(model, batches):
    found, plain = spread(model, batches), mf.calibrate(model, batches)
    assert found.layers == plain.layers and all(
        torch.equal(s, plain.square_sums[n]) for n, s in found.square_sums.items()
    )
    mean, variance = found.moments("patch.weight")
    pixels = torch.cat([batch["pixel_values"].reshape(-1, 6) for batch in batches]).double()
    torch.testing.assert_close(mean, pixels.mean(0), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(variance, pixels.var(0, correction=0), rtol=1e-4, atol=1e-5)
    words = sum(int(batch["attention_mask"].sum()) for batch in batches)
    assert set(found.tokens["query.weight"].tolist()) == {words}
