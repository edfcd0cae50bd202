"""Every claim of a sentence is read back out of it and checked against a slow count over the weights."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import multiflow_core as mf
from app.facts import weight_reasons
from app.look.words import number, percent
from multiflow_core.analysis.explain import explain
from multiflow_core.pruning import allocations

METHODS = [m.name for m in mf.methods() if m.build is None and m.needs <= {"statistics"}]
ALLOCATIONS = [None, *(a.name for a in allocations.allocations() if a.needs <= {"statistics"})]
HIGH, LOW = ("busiest", "strongest"), ("quietest", "weakest")


@st.composite
def told(draw):
    """(order, weight, norms, explanation, reasons) for any method, allocation, sparsity and weight of a small model."""
    generator = np.random.default_rng(draw(st.integers(0, 9999)))
    model = nn.ModuleDict()
    for name in ("vision", "text"):
        rows, columns = generator.integers(2, 7, 2)
        model[name] = nn.Linear(int(columns), int(rows), bias=False)
        values = (
            generator.integers(-4, 5, (rows, columns))
            if draw(st.booleans())
            else generator.normal(size=(rows, columns))
        )
        model[name].weight = nn.Parameter(torch.tensor(values, dtype=torch.float32))
    sums = {n: torch.tensor(generator.random(w.shape[1]), dtype=torch.float64) for n, w in model.named_parameters()}
    statistics = mf.Statistics(sums, 3, mf.prunable_layers(model))
    order = mf.rank(
        model, draw(st.sampled_from(METHODS)), statistics=statistics, allocation=draw(st.sampled_from(ALLOCATIONS))
    )
    layer = draw(st.sampled_from(order.layers))
    row, column = (draw(st.integers(0, size - 1)) for size in layer.shape)
    sparsity = draw(st.sampled_from([0.0, 0.25, 0.5, 0.63, 0.9, 1.0]))
    why = explain(order, model, layer.name, row, column, sparsity, statistics=statistics)
    by = order.criterion
    said = weight_reasons.of(why, order.method.title, by.formula, by.factors)
    return order, model[layer.name.split(".")[0]].weight.detach(), statistics.norm(layer.name), why, said


@settings(max_examples=250, deadline=None)
@given(told())
def test_every_claim_is_true(case):
    order, weight, norms, why, said = case
    mask = order.masks(why.sparsity)[why.layer.name]
    kept = bool(mask[why.row, why.column])
    text = " ".join(said.sentences)
    assert said.headline.startswith("Kept" if kept else "Pruned")
    _check_size(said.headline, text, weight, mask, why)
    _check_neurons(said.headline + text, weight, norms, why)
    _check_moment(said.headline, order, why, kept)
    _check_moment(said.sentences[-1], order, why, kept)
    _check_score(text, order, mask, why)


def _rivals(weight, why):
    rows = [why.row] if why.among == "row" else range(weight.shape[0])
    return [(i, j) for i in rows for j in range(weight.shape[1])]


def _check_size(headline, text, weight, mask, why):
    """ "too small": size alone, with as many to go, would prune it. "though": and so the verdict is another than size alone's."""
    rivals = _rivals(weight, why)
    gone = sum(not mask[at] for at in rivals)
    by_size = sorted(rivals, key=lambda at: (abs(float(weight[at])), at)).index((why.row, why.column))
    stays = by_size >= gone
    assert f"by size alone it would {'stay' if stays else 'go'}." in text
    assert (
        f"{percent(by_size / len(rivals))} of the {len(rivals):,} weights of its {why.among} would go before it" in text
    )
    assert f"Its value is {number(float(weight[why.row, why.column]))}." in text
    if size := re.search("too small|large enough", headline):
        assert size[0] == ("large enough" if stays else "too small")
        assert ("though" in headline) == (stays != headline.startswith("Kept"))


def _check_neurons(text, weight, norms, why):
    busy_in = weight.abs().double().mean(0) * norms.double()
    busy_out = (weight.abs().double() * norms.double()).mean(1)
    for words, values, at in (
        (r"the ((?:[\d,]+(?:st|nd|rd|th) )?)(busiest|quietest) of (\d+) (?:inputs|\(input)", busy_in, why.column),
        (r"the ((?:[\d,]+(?:st|nd|rd|th) )?)(busiest|quietest) of (\d+) (?:outputs|\(output)", busy_out, why.row),
        (r"its input is the ((?:[\d,]+(?:st|nd|rd|th) )?)(strongest|weakest) of (\d+)", norms.double(), why.column),
    ):
        for rank, word, of in re.findall(words, text):
            rank = int(re.match(r"\d+", rank)[0]) if rank else 1
            assert int(of) == len(values)
            sign = 1 if word in HIGH else -1
            beyond = int((sign * values > sign * values[at] + 1e-6).sum())
            equal = int((sign * values >= sign * values[at] - 1e-6).sum())
            assert beyond < rank <= equal


def _check_moment(text, order, why, kept):
    """The moment is the critical sparsity, rounded; and it lies on the right side of the slider."""
    said = float(re.search(r"(?:stays until|went at|gone since) ([\d.]+) %", text)[1])
    true = 100 * float(order.critical_sparsity(why.layer.name)[why.row, why.column])
    assert said == pytest.approx(true, abs=0.0500001)
    assert (said > 100 * why.sparsity + 1e-9) == kept
    assert ("stays until" in text) == kept


def _check_score(text, order, mask, why):
    score = order.score(why.layer.name)
    rivals = _rivals(score, why)
    before = sorted(rivals, key=lambda at: (float(score[at]), at)).index((why.row, why.column))
    assert re.search(rf"the {len(rivals) - before}(st|nd|rd|th) highest of", text)
    gone = [float(score[at]) for at in rivals if not mask[at]]
    if gone:
        assert f"prunes {len(gone)} of {len(rivals)} in" in text and f"this one is number {before + 1} in" in text
        assert f"up to {number(max(gone))};" in text
    else:
        assert "prunes nothing in" in text


def test_the_sentence_a_lesson_ends_with():
    """By hand: a = (0, 4), s_in = (0, 5), s_out = (4, 1), S = 0 40 | 0 2.5. The smallest of all, 0.5, is third to go."""
    model = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, -2.0], [2.5, 0.5]]))
    layers = mf.prunable_layers(model)
    statistics = mf.Statistics({"weight": torch.tensor([0.0, 32.0], dtype=torch.float64)}, 2, layers)
    order = mf.rank(model, "multiflow", statistics=statistics)
    kept, gone = (
        weight_reasons.of(
            explain(order, model, "weight", 1, j, 0.5), "MULTIFLOW", "S", order.criterion.factors
        ).headline
        for j in (1, 0)
    )
    assert kept == (
        "Kept, though too small by size alone: it connects the busiest of 2 inputs to the quietest of 2 outputs, "
        "so it stays until 75 %"
    )
    assert gone == (
        "Pruned, though large enough by size alone: it connects the quietest of 2 inputs to the quietest of 2 outputs, "
        "so it went at 50 %"
    )


def test_rounding_never_crosses_the_slider():
    model = nn.Linear(100, 100, bias=False)
    order = mf.rank(model, "omp")
    critical = order.critical_sparsity("weight")
    row, column = ((critical - 0.6301).abs()).argmin().item() // 100, ((critical - 0.6301).abs()).argmin().item() % 100
    why = explain(order, model, "weight", row, column, 0.63)
    assert why.kept and weight_reasons.moment(why.critical, why.sparsity) == "63.01 %"
