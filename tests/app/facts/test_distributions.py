"""What the charts of Distributions say is what the masks do."""

import numpy as np
import pytest

from app.engine import runs
from app.facts import distributions
from multiflow_core.experiments.run import Run
from multiflow_core.weights.dense import weight_of

MODEL = "flatland-blip"


def magnitudes(key: Run) -> dict[str, np.ndarray]:
    model = runs.vlm(key.model).model
    return {layer.name: weight_of(model, layer.name).abs().numpy() for layer in runs.order(key.order).layers}


@pytest.mark.parametrize(("method", "allocation"), [("multiflow", "own"), ("omp", "own"), ("multiflow", "global")])
def test_ridges_and_spared_are_what_the_masks_do(method, allocation):
    key = Run(MODEL, method, 0.57, allocation)
    masks, rival = runs.masks(key), runs.masks(distributions.magnitude(key))
    sizes = magnitudes(key)
    found = distributions.spread(key)
    spared = {}
    for (modality, block), n in zip(found.magnitude.groups, found.spared[:, 57]):
        own = [x.name for x in runs.order(key.order).layers if (x.modality, x.block) == (modality, block)]
        spared[block] = int(sum((masks[name] & ~rival[name]).sum() for name in own))
        assert n == spared[block]
    chart = distributions.ridges(key, "magnitude", "block", "")
    for ridge in chart.ridges:
        own = [x.name for x in runs.order(key.order).layers if x.block == ridge.name]
        kept = np.concatenate([sizes[name][masks[name].numpy()] for name in own])
        cut = np.concatenate([sizes[name][~masks[name].numpy()] for name in own])
        assert ridge.kept.tolist() == np.histogram(kept, chart.edges)[0].tolist()
        assert ridge.cut.tolist() == np.histogram(cut, chart.edges)[0].tolist()
        assert ridge.zeros == (int((cut == 0).sum()), int((kept == 0).sum()))
    if method == "omp":
        assert not found.spared.any() and "One threshold for all" in chart.title()
    else:
        assert sum(spared.values()) > 0 and "that magnitude would cut" in chart.title()


def test_thresholds_of_the_prior_are_the_modalities_own():
    key = Run(MODEL, "multiflow", 0.63)
    chart = distributions.ridges(key, "magnitude", "modality", "")
    sizes = magnitudes(key)
    layers = runs.order(key.order).layers
    for ridge in chart.ridges:
        own = np.concatenate([sizes[x.name].ravel() for x in layers if x.modality == ridge.modality])
        assert (own < ridge.threshold).mean() < 0.63 <= (own <= ridge.threshold).mean()  # many are equal in float16


def test_layers_of_a_block_have_the_thresholds_of_their_scores():
    key = Run(MODEL, "multiflow", 0.63)
    chart = distributions.ridges(key, "score", "layer", "vision 3")
    order = runs.order(key.order)
    own = [x for x in order.layers if x.block == "vision 3"]
    assert [r.name for r in chart.ridges] == [x.role for x in own]
    assert [r.threshold for r in chart.ridges] == [order.threshold(x.name, 0.63) for x in own]
    assert chart.title().startswith("Thresholds of the score run from")
    assert all(r.threshold is None for r in distributions.ridges(key, "score", "modality", "").ridges)


def test_one_threshold_of_a_global_score():
    key = Run(MODEL, "lamp", 0.63)
    order = runs.order(key.order)
    highest = max(order.threshold(x.name, 0.63) for x in order.layers)
    ridges = distributions.ridges(key, "score", "modality", "").ridges
    assert [r.threshold for r in ridges] == [pytest.approx(highest, rel=1e-6)] * len(ridges)


def test_the_common_threshold_takes_what_global_magnitude_takes():
    chart = distributions.quantiles(Run(MODEL, "multiflow", 0.75))
    taken = runs.order(Run(MODEL, "omp")).modality_sparsity(0.75)
    assert dict(zip(chart.modalities, chart.taken)) == pytest.approx(taken)


def test_a_method_that_does_not_nest_has_ridges_of_its_mask(anew):
    key = Run(MODEL, anew("wanda"), 0.5)
    kept, rival = runs.masks(key), runs.masks(Run(MODEL, "omp", key.sparsity))
    assert kept == runs.masks(Run(MODEL, "wanda", key.sparsity))
    chart = distributions.ridges(key, "magnitude", "modality", "")
    gone = sum(int(r.cut.sum()) + r.zeros[0] for r in chart.ridges)
    spared = int((kept & ~rival).total - (kept & ~rival).pruned)
    assert gone == kept.pruned and spared > 0
    assert distributions.spread(key).spared.sum() == spared
    assert distributions.survival(key).below == pytest.approx(spared / gone)


def test_a_method_that_cuts_as_magnitude_does_says_so(anew):
    title = distributions.ridges(Run(MODEL, anew("omp"), 0.4), "magnitude", "block", "").title()
    assert "exactly as magnitude" in title and "Anew" in title
