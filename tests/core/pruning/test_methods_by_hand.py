"""A 3 x 4 layer, worked on paper."""

import pytest
import torch
from torch import nn

import multiflow_core as mf
from multiflow_core.pruning.criteria import saliencies

WEIGHT = torch.tensor(
    [
        [1.0, -2.0, 0.0, 4.0],
        [-3.0, 1.0, 2.0, 0.0],
        [2.0, 3.0, -1.0, -2.0],
    ]
)


@pytest.fixture
def layer():
    module = nn.Linear(4, 3, bias=False)
    with torch.no_grad():
        module.weight.copy_(WEIGHT)
    return module


@pytest.fixture
def stats(layer):
    """Two samples, two tokens: sums of squares 8, 2, 32, 18; n = 2; a = sqrt(4, 1, 16, 9) = (2, 1, 4, 3)."""
    tokens = torch.tensor([[2.0, 1.0, 4.0, 3.0], [-2.0, -1.0, 4.0, -3.0]])
    return mf.calibrate(layer, [{"input": tokens}])


def test_norms(stats):
    assert stats.square_sums["weight"].tolist() == [8.0, 2.0, 32.0, 18.0]
    assert stats.square_sums["weight"].dtype == torch.float64
    assert stats.norm("weight").tolist() == [2.0, 1.0, 4.0, 3.0]


def test_saliencies_and_score(layer, stats):
    """|w| a =  2 2 0 12 | 16     s_out = 16/4 = 4
             6 1 8  0 | 15             15/4 = 3.75
             4 3 4  6 | 17             17/4 = 4.25
            12 6 12 18        s_in = 4 2 4 6
    S = s_out |w| s_in:
        4    * (1 2 0 4) * (4 2 4 6) = 16    16   0   96
        3.75 * (3 1 2 0) * (4 2 4 6) = 45    7.5  30  0
        4.25 * (2 3 1 2) * (4 2 4 6) = 34    25.5 17  51
    """
    s_in, s_out = saliencies(layer.weight, stats.norm("weight"))
    assert s_in.tolist() == [4.0, 2.0, 4.0, 6.0]
    assert s_out.tolist() == [4.0, 3.75, 4.25]
    order = mf.rank(layer, "multiflow", statistics=stats)
    expected = [[16.0, 16.0, 0.0, 96.0], [45.0, 7.5, 30.0, 0.0], [34.0, 25.5, 17.0, 51.0]]
    assert order.score("weight").tolist() == expected


def test_masks_at_the_papers_ratios(layer, stats):
    """12 weights. Ascending: 0 (0,2), 0 (1,3), 7.5 (1,1), 16 (0,0), 16 (0,1), 17 (2,2), 25.5 (2,1), 30 (1,2),
    34 (2,0), 45 (1,0), 51 (2,3), 96 (0,3). floor(0.63 * 12) = 7, floor(0.75 * 12) = 9, floor(0.9 * 12) = 10.
    """
    order = mf.rank(layer, "multiflow", statistics=stats)
    assert order.masks(0.63)["weight"].int().tolist() == [[0, 0, 0, 1], [1, 0, 1, 0], [1, 0, 0, 1]]
    assert order.masks(0.75)["weight"].int().tolist() == [[0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 1]]
    assert order.masks(0.90)["weight"].int().tolist() == [[0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 1]]
    assert order.threshold("weight", 0.63) == 25.5
    assert order.threshold("weight", 0.0) == float("-inf")


def test_ties_go_by_position(layer, stats):
    """At 4/12 the first of the two 16s goes, the second stays."""
    mask = mf.rank(layer, "multiflow", statistics=stats).masks(4 / 12)["weight"]
    assert mask.int().tolist() == [[0, 1, 0, 1], [1, 0, 1, 0], [1, 1, 1, 1]]


def test_critical_sparsity(layer, stats):
    """Place in the order above, counted from 1, over 12."""
    critical = mf.rank(layer, "multiflow", statistics=stats).critical_sparsity("weight")
    places = torch.tensor([[4, 5, 1, 12], [10, 3, 8, 2], [9, 7, 6, 11]], dtype=torch.float64)
    assert torch.equal(critical, places / 12)


def test_the_prior_counts_weights_under_one_threshold_per_modality():
    """Vision |w| 1..4 and 5..8, text 1 1 1 9: at one half vision loses all of its first layer and none of the
    second; text two of its ones."""
    model = nn.ModuleDict({"vision_a": nn.Linear(4, 1), "vision_b": nn.Linear(4, 1), "text": nn.Linear(4, 1)})
    with torch.no_grad():
        model["vision_a"].weight.copy_(torch.tensor([[4.0, -3.0, 2.0, -1.0]]))
        model["vision_b"].weight.copy_(torch.tensor([[5.0, 6.0, 7.0, 8.0]]))
        model["text"].weight.copy_(torch.tensor([[1.0, 1.0, 9.0, 1.0]]))
    order = mf.rank(model, criterion="magnitude", allocation="multimodal")
    assert order.layer_counts(0.5).tolist() == [4, 0, 2]
    assert order.masks(0.5)["text.weight"].tolist() == [[False, False, True, True]]
    assert order.modality_sparsity(0.5) == {"vision": 0.5, "text": 0.5}
    assert mf.rank(model, "omp").layer_counts(0.5).tolist() == [3, 0, 3]  # 1 1 1 1 2 3
