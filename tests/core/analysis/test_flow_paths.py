"""The strongest paths of a block against counting link by link."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from multiflow_core import PrunableLayer
from multiflow_core.analysis.flow_paths import chain, link_flow, paths
from multiflow_core.families import families
from multiflow_core.families.roles import STAGES


@st.composite
def chains(draw):
    inputs, hidden, outputs, steps = (draw(st.integers(1, 5)) for _ in range(4))
    generator = np.random.default_rng(draw(st.integers(0, 999)))
    weights = [generator.normal(size=shape).astype(np.float32) for shape in ((hidden, inputs), (outputs, hidden))]
    lives = tuple(generator.integers(0, steps + 1, w.shape) for w in weights)
    norms = [generator.integers(0, 3, w.shape[1]).astype(np.float32) for w in weights]
    return weights, norms, lives, steps


def slow_paths(weights, norms, lives, count, step):
    """What `paths` finds, one link at a time: the neurons, and {(from, to): flow cut at the step} for both layers."""
    flows = []
    for weight, norm in zip(weights, norms, strict=True):
        flow = {(i, j): abs(float(weight[i][j])) * float(norm[j]) for i in range(len(weight)) for j in range(len(norm))}
        total = sum(flow.values()) or 1.0
        flows.append({link: value / total for link, value in flow.items()})
    into, out = flows
    hidden, inputs, outputs = len(weights[0]), len(norms[0]), len(weights[1])
    strength = {
        h: sum(into[h, j] for j in range(inputs)) * sum(out[o, h] for o in range(outputs)) for h in range(hidden)
    }
    top_hidden = sorted(strength, key=lambda h: (-round(strength[h], 12), h))[:count]
    near = {j: sum(into[h, j] for h in top_hidden) for j in range(inputs)}
    far = {o: sum(out[o, h] for h in top_hidden) for o in range(outputs)}
    top_inputs, top_outputs = (sorted(x, key=lambda n: (-round(x[n], 12), n))[:count] for x in (near, far))

    def cut(flow, life, tos, froms):
        found = {}
        for (i, j), value in flow.items():
            if life[i][j] <= step:
                key = (i if i in tos else "others", j if j in froms else "others")
                found[key] = found.get(key, 0.0) + value
        return found

    links = (cut(into, lives[0], top_hidden, top_inputs), cut(out, lives[1], top_outputs, top_hidden))
    return (top_inputs, top_hidden, top_outputs), links


@settings(max_examples=80, deadline=None)
@given(chains(), st.integers(1, 4), st.data())
def test_against_one_link_at_a_time(case, count, data):
    weights, norms, lives, steps = case
    step = data.draw(st.integers(0, steps))
    flows = [link_flow(torch.from_numpy(w), torch.from_numpy(n)) for w, n in zip(weights, norms, strict=True)]
    found = paths(*flows, lives, count, steps)
    (inputs, hidden, outputs), links = slow_paths(weights, norms, lives, count, step)
    assert (list(found.inputs), list(found.hidden), list(found.outputs)) == (inputs, hidden, outputs)
    for pooled, expected, tos, froms in (
        (found.first, links[0], hidden, inputs),
        (found.second, links[1], outputs, hidden),
    ):
        for i, to in enumerate([*tos, "others"]):
            for j, from_ in enumerate([*froms, "others"]):
                assert pooled[i, j, step] == pytest.approx(expected.get((to, from_), 0.0), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(chains(), st.integers(1, 4))
def test_what_is_left_shrinks_from_everything_to_nothing(case, count):
    weights, norms, lives, steps = case
    flows = [link_flow(torch.from_numpy(w), torch.from_numpy(n)) for w, n in zip(weights, norms, strict=True)]
    found = paths(*flows, lives, count, steps)
    for links, flow in ((found.first, flows[0]), (found.second, flows[1])):
        assert links[:, :, -1].sum() == pytest.approx(flow.sum())
        assert (np.diff(links, axis=-1) >= 0).all()
    for shares in zip(*(found.left(k) for k in range(steps + 1)), strict=True):
        assert list(shares) == sorted(shares, reverse=True) and shares[-1] == pytest.approx(0)


def test_by_hand():
    # hidden 1 carries most: 3 in, 4 out; its strongest input is 0, its strongest output 1
    first = np.array([[1.0, 0.0], [2.0, 1.0]]) / 4
    second = np.array([[1.0, 1.0], [0.0, 3.0]]) / 5
    found = paths(first, second, (np.array([[1, 1], [0, 1]]), np.array([[1, 1], [1, 0]])), count=1, steps=1)
    assert (found.inputs, found.hidden, found.outputs) == ((0,), (1,), (1,))
    assert found.first[:, :, 1].tolist() == [[0.5, 0.25], [0.25, 0.0]]
    assert found.first[:, :, 0].tolist() == [[0.5, 0.0], [0.0, 0.0]]
    strong, every = found.left(0)
    assert strong == 0 and every == pytest.approx((0.5 + 0.4) / 2)


def layer(role, out, into, block="text 0"):
    return PrunableLayer(f"{block}.{role}", (out, into), "text", block, role)


def test_a_fused_matrix_hands_on_its_last_third():
    layers = [layer("qkv", 12, 4), layer("attn out", 4, 4), layer("fc1", 9, 4), layer("fc2", 4, 9)]
    found = chain(layers, layers[1])
    assert (found.first.role, found.rows) == ("qkv", slice(8, 12))
    assert chain(layers, layers[0]) == found
    assert chain(layers, layers[3]).first.role == "fc1" and chain(layers, layers[2]).rows == slice(0, 9)


def test_no_chain_where_sizes_do_not_fit_or_a_layer_is_missing():
    assert chain([layer("fc1", 8, 4), layer("fc2", 4, 7)], layer("fc1", 8, 4)) is None
    assert chain([layer("fc1", 8, 4), layer("fc2", 4, 8, "text 1")], layer("fc1", 8, 4)) is None
    assert chain([layer("proj", 8, 4)], layer("proj", 8, 4)) is None


def test_the_names_of_transformers_make_chains():
    roles = (
        ("v_proj", 4, 4),
        ("o_proj", 4, 4),
        ("q_proj", 4, 4),
        ("gate_proj", 6, 4),
        ("up_proj", 6, 4),
        ("down_proj", 4, 6),
    )
    layers = [layer(*role) for role in roles]
    named = [(chain(layers, one).first.role, chain(layers, one).second.role) for one in layers]
    assert named == [("v_proj", "o_proj")] * 3 + [("up_proj", "down_proj")] * 3
    fewer = [layer("v_proj", 2, 4), layer("o_proj", 4, 4)]  # several heads share the same values
    assert chain(fewer, fewer[0]) is None


def test_no_chain_where_a_block_holds_several_of_a_kind():
    layers = [layer("fc1", 8, 4), layer("fc2", 4, 8), layer("fc1", 8, 4), layer("fc2", 4, 8)]
    assert chain(layers, layers[0]) is None


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_every_role_of_every_family_is_in_a_stage(family):
    known = {role for stage in STAGES for role in (stage.first, stage.second, *stage.beside)}
    assert {role.role for role in family.roles} <= known
