"""The one streaming pass: what a collector sees of it, and that it sees each input once."""

import weakref

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import multiflow_core as mf
from multiflow_core.calibration import passes
from multiflow_core.calibration.passes import Sums, count_pairs, stream
from tests.core.reference import READS_IMAGE, Toy, toy_batch


class Collector:
    """Counts tokens, and remembers what it was given."""

    def __init__(self):
        self.layouts, self.seen, self.checks = [], [], 0

    def watch(self, layers, batch):
        return lambda name, x: self.seen.append((name, tuple(x.shape)))

    def check(self):
        self.checks += 1


def test_a_collector_is_begun_once_shown_every_layer_of_every_batch_and_checked_after_each():
    model, batches, made, told = Toy(), [toy_batch(2), toy_batch(3)], Collector(), []
    layers, samples = stream(
        model,
        batches,
        begin=made.layouts.append,
        watch=made.watch,
        check=made.check,
        progress=lambda *said: told.append(said),
    )
    assert made.layouts == [layers] and samples == 5 and made.checks == 2
    names = [layer.name for layer in layers]
    assert sorted(name for name, _ in made.seen) == sorted(names * 2)
    assert [shape for name, shape in made.seen if name == "patch.weight"] == [(2, 5, 6), (3, 5, 6)]
    assert told == [(0.5, "calibrating: 2 pairs"), (1.0, "calibrating: 5 pairs")]
    assert {layer.name for layer in layers if layer.reads == "image"} == READS_IMAGE


def test_batches_may_come_in_any_form():
    model = nn.Sequential(nn.Linear(2, 2))
    batch, expected = {"input": torch.ones(3, 2)}, {"0.weight": [3.0, 3.0]}
    for batches in ([batch], batch, iter([batch]), lambda: iter([batch]), [torch.ones(3, 2)]):
        sums = Sums(lambda x: x.sum(0))
        assert stream(model, batches, watch=sums.watch, check=sums.check)[1] == 3
        assert {name: total.tolist() for name, total in sums.found.items()} == expected


def test_a_generator_is_not_kept():
    """The whole set may be larger than memory: a batch is let go before the one after the next is asked for."""
    made, most = [], []

    def batches():
        for _ in range(5):
            most.append(sum(batch() is not None for batch in made))
            batch = torch.ones(1, 2)
            made.append(weakref.ref(batch))
            yield {"input": batch}
            del batch

    sums = Sums(lambda x: x.sum(0))
    stream(nn.Linear(2, 2), batches(), watch=sums.watch, check=sums.check)
    assert len(most) == 5 and max(most) <= 2


class Siblings(nn.Module):
    """q, k and v read one tensor, o reads an equal one that is not the same."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(2, 2) for _ in range(4))

    def forward(self, x):
        x = x + 0
        return self.q(x) + self.k(x) + self.v(x) + self.o(x.clone())


def test_a_tensor_that_several_layers_read_is_reduced_once_a_pass():
    reduced = []
    sums = Sums(lambda x: reduced.append(x.shape) or x.sum(0))
    stream(Siblings(), [{"x": torch.ones(3, 2)}, {"x": torch.ones(5, 2)}], watch=sums.watch, check=sums.check)
    assert reduced == [(3, 2), (3, 2), (5, 2), (5, 2)]
    assert {name: total.tolist() for name, total in sums.found.items()} == {f"{x}.weight": [8.0, 8.0] for x in "qkvo"}
    assert len({total.data_ptr() for total in sums.found.values()}) == 4  # or one layer's sum would grow with another's


def test_one_tensor_read_as_text_and_as_picture_is_reduced_twice():
    """A mask counts for the layer that reads text, and not for its sibling that does not."""
    x = torch.tensor([[[1.0], [2.0]]])
    text = mf.PrunableLayer("a", (1, 1), "text", "", "", reads="text")
    image = mf.PrunableLayer("b", (1, 1), "vision", "", "", reads="image")
    sums = Sums(lambda x: x.sum())
    record = sums.watch((text, image), {"attention_mask": torch.tensor([[1, 0]])})
    for name in ("a", "b", "a", "b"):
        record(name, x)
    assert {name: float(total) for name, total in sums.found.items()} == {"a": 2.0, "b": 6.0}


@given(
    st.integers(1, 4), st.integers(1, 5), st.integers(0, 2**20 - 1), st.booleans(), st.sampled_from(["text", "image"])
)
@settings(max_examples=60, deadline=None)
def test_padding_is_left_out_of_what_reads_it_and_of_nothing_else(pairs, tokens, bits, flat, reads):
    mask = torch.tensor([[bits >> (i * tokens + j) & 1 for j in range(tokens)] for i in range(pairs)])
    x = torch.arange(1.0, pairs * tokens * 2 + 1).reshape(pairs, tokens, 2)
    kept = {"text": x[mask.bool()], "image": x}[reads].reshape(-1, 2).sum(0)
    sums = Sums(lambda x: x.reshape(-1, 2).sum(0))
    layer = mf.PrunableLayer("w", (2, 2), "text", "", "", reads=reads)
    sums.watch((layer,), {"attention_mask": mask})("w", x.reshape(-1, 2) if flat else x)
    assert sums.found["w"].tolist() == kept.tolist()
    padded = Sums(lambda x: x.reshape(-1, 2).sum(0))
    padded.watch((layer,), {"pixel_attention_mask": mask})("w", x)
    assert padded.found["w"].tolist() == ({"image": x[mask.bool()], "text": x}[reads]).reshape(-1, 2).sum(0).tolist()


def test_a_mask_of_another_shape_leaves_nothing_out():
    x, layer = torch.ones(2, 5, 1), mf.PrunableLayer("w", (1, 1), "text", "", "", reads="text")
    for mask in (torch.zeros(2, 4), torch.zeros(2, 5, 1), torch.zeros(10), "no mask"):
        sums = Sums(lambda x: x.sum())
        sums.watch((layer,), {"attention_mask": mask})("w", x)
        assert float(sums.found["w"]) == 10


def test_sums_that_are_not_finite_name_their_layer():
    sums = Sums(lambda x: x.sum())
    record = sums.watch((), {})
    with pytest.raises(KeyError):
        record("w", torch.ones(1))  # a layer of no layout
    sums.found["text.w"] = torch.tensor([1.0, float("inf")])
    with pytest.raises(ValueError, match=r"input of text\.w are not finite"):
        sums.check()
    sums.check(lambda total: total[:1])  # where only a part has to be


@pytest.mark.parametrize(
    ("batch", "pairs"),
    [
        ({"input_ids": torch.ones(3, 7), "pixel_values": torch.ones(6, 3)}, 3),
        ({"pixel_values": torch.ones(6, 3), "input_ids": torch.ones(3, 7)}, 3),
        ({"size": 4, "scale": torch.tensor(2.0), "pixel_values": torch.ones(6, 3)}, 6),
        (torch.ones(5, 2), 5),
        ((torch.ones(2), torch.ones(9)), 2),
    ],
)
def test_pairs_are_counted_by_their_texts(batch, pairs):
    assert count_pairs(batch) == pairs


def test_a_batch_without_pairs_is_refused():
    with pytest.raises(ValueError, match="no tensor to count"):
        count_pairs({"a": 3, "b": torch.tensor(1.0)})


def test_rows_are_reduced_in_blocks_that_bound_memory():
    seen = []

    class Spy(torch.Tensor):
        def split(self, size, *more):
            seen.append(size)
            return super().split(size, *more)

    from multiflow_core.calibration.activations import square_sum

    total = square_sum(torch.ones(3000, 2).as_subclass(Spy))
    assert seen == [passes.ROWS] and total.tolist() == [3000.0, 3000.0]


def test_second_moments_of_many_rows_are_those_of_all_blocks():
    x = torch.rand(2 * passes.ROWS + 500, 3)
    found = mf.second_moments(nn.Linear(3, 1), [{"input": x}]).matrices["weight"]
    torch.testing.assert_close(found.double(), x.double().T @ x.double(), rtol=1e-5, atol=0)
