"""What the pictures of Flow say is what the masks do."""

import numpy as np
import pytest

from app.engine import runs
from app.facts import flow
from multiflow_core.experiments.run import Run
from multiflow_core.weights.dense import weight_of

MODEL = "flatland-blip"


FC2 = "text_encoder.encoder.layer.2.output.dense.weight"


def layer(name: str):
    return next(x for x in runs.order(Run(MODEL, "omp")).layers if x.name == name)


@pytest.mark.parametrize("name", [FC2, "vision_model.encoder.layers.1.self_attn.qkv.weight"])
def test_links_are_weight_times_activation_and_cut_as_the_masks_say(name):
    key = Run(MODEL, "multiflow", 0.57)
    part = flow.chain(key, layer(name))
    found = flow.paths(key, part, 4)
    picture = flow.pictures(key, part, found)[1]
    masks, model = runs.masks(key), runs.vlm(MODEL).model
    for n, (x, rows) in enumerate(((part.first, part.rows), (part.second, slice(None)))):
        matrix = weight_of(model, x.name)[rows].abs().double() * runs.statistics(MODEL, "").norm(x.name).double()
        matrix, kept = (matrix / matrix.sum()).numpy(), masks[x.name][rows].numpy()
        to, start = (found.hidden, found.inputs) if n == 0 else (found.outputs, found.hidden)
        strong = matrix[np.ix_(to, start)]
        assert picture.flow[n][:-1, :-1] == pytest.approx(strong)
        assert picture.cut[n][:-1, :-1] == pytest.approx(strong * ~kept[np.ix_(to, start)])
        assert picture.cut[n].sum() == pytest.approx(matrix[~kept].sum())
    lines = flow.retained(key, found, None)
    assert lines.strong[57] == pytest.approx(found.left(57)[0]) and (lines.strong[0], lines.strong[-1]) == (1, 0)


def test_a_fused_matrix_is_named_by_its_values():
    key = Run(MODEL, "omp", 0.5)
    part = flow.chain(key, layer("vision_model.encoder.layers.1.self_attn.qkv.weight"))
    assert part.rows == slice(384, 576)
    picture = flow.pictures(key, part, flow.paths(key, part, 4))[0]
    assert picture.roles == ("values in qkv", "attn out")


def test_the_finding_compares_with_the_rival():
    key = Run(MODEL, "multiflow", 0.63)
    part, rival = flow.chain(key, layer(FC2)), runs.rival(key)
    own, other = (flow.paths(k, part, 6) for k in (key, rival))
    assert (own.hidden, own.inputs) == (other.hidden, other.inputs)  # chosen in the dense model
    text = flow.finding(key, part, own, (rival, other))
    assert text.startswith("At 63 % MULTIFLOW keeps") and "text 2 (fc1 to fc2); OMP keeps" in text
    assert own.left(63)[0] > other.left(63)[0]
    assert "Nothing is pruned" in flow.finding(Run(MODEL, "multiflow", 0.0), part, own, None)
