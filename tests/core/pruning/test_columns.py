"""Least squares on some columns, and which: against slow references that solve everything anew."""

import pytest
import torch

from multiflow_core.pruning.columns import Regression


def test_the_best_weights_on_columns_are_those_of_a_regression():
    torch.manual_seed(0)
    t = torch.randn(200, 6, dtype=torch.float64) @ torch.randn(6, 6, dtype=torch.float64) + 1
    x = t + 0.1 * torch.randn(200, 6, dtype=torch.float64)
    weight, bias, stay = torch.randn(3, 6), torch.randn(3), torch.tensor([1, 0, 1, 1, 0, 1]).bool()
    ones = torch.ones(200, 1, dtype=torch.float64)
    seen, wanted = torch.cat([x, ones], 1), torch.cat([t, ones], 1)
    new, moved = Regression.of(weight, bias, seen.T @ seen, wanted.T @ seen, 1e-12).on(stay)
    said = t @ weight.double().T + bias.double()
    slow = torch.linalg.lstsq(seen[:, torch.cat([stay, torch.tensor([True])])], said).solution.T
    assert torch.allclose(new[:, stay].double(), slow[:, :-1], atol=1e-4) and not new[:, ~stay].any()
    assert torch.allclose(moved.double(), slow[:, -1], atol=1e-4)


def test_without_a_bias_the_constant_is_left_out():
    torch.manual_seed(0)
    x = torch.cat([torch.randn(50, 4), torch.ones(50, 1)], 1)
    weight = torch.randn(2, 4)
    new, bias = Regression.of(weight, None, x.T @ x, x.T @ x).on()
    assert bias is None and torch.allclose(new, weight, atol=1e-5)


def drawn(inputs, outputs, biased, seed=0):
    torch.manual_seed(seed)
    x = torch.randn(300, inputs, dtype=torch.float64) @ torch.randn(inputs, inputs, dtype=torch.float64)
    x = torch.cat([x, torch.ones(300, 1, dtype=torch.float64)], 1)
    weight, bias = torch.randn(outputs, inputs), torch.randn(outputs) if biased else None
    return Regression.of(weight, bias, x.T @ x, x.T @ x, 1e-3)


def error(regression, columns):
    """What least squares leave on some columns: the sum of squares, but for what is the same for all columns."""
    stay = torch.cat([columns, torch.ones(len(regression.h) - len(columns), dtype=torch.bool)])
    h, y = regression.h[stay][:, stay], regression.y[:, stay]
    return float(-(y * torch.linalg.solve(h, y.T).T).sum())


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("each", [1, 2, 3])
def test_the_unit_goes_without_which_the_others_err_least(each, biased):
    regression = drawn(12, 5, biased)
    stay = torch.ones(12, dtype=torch.bool)
    for gone in range(1, 12 // each):
        left = [unit for unit in range(12 // each) if stay[unit * each]]

        def without(unit):
            columns = stay.clone()
            columns[unit * each : (unit + 1) * each] = False
            return error(regression, columns)

        unit = min(left, key=without)
        stay[unit * each : (unit + 1) * each] = False
        found = regression.best(12 // each - gone, each)
        assert torch.equal(found.repeat_interleave(each), stay)


def test_of_two_columns_that_are_alike_one_goes_however_heavy_both_are():
    torch.manual_seed(0)
    x = torch.randn(100, 3, dtype=torch.float64)
    x = torch.cat(
        [x, x[:, :1] + 1e-3 * torch.randn(100, 1, dtype=torch.float64), torch.ones(100, 1, dtype=torch.float64)], 1
    )
    regression = Regression.of(torch.tensor([[9.0, 1.0, 1.0, 9.0]]), None, x.T @ x, x.T @ x, 1e-9)
    stay = regression.best(3)
    assert int(stay[0]) + int(stay[3]) == 1 and bool(stay[1] and stay[2])
    weight, _ = regression.on(stay)
    assert torch.allclose(weight[0, stay].sort().values, torch.tensor([1.0, 1.0, 18.0]), atol=0.05)


def test_nothing_goes_where_all_stay():
    assert bool(drawn(6, 2, True).best(6).all())
