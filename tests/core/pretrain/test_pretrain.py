"""Training: batches are always the same, and an interrupted run ends with the same weights as one that was not."""

import pytest
import torch

from multiflow_core.data import flatland
from multiflow_core.pretrain import batches, loop
from multiflow_core.pretrain.batches import PAD, make_batch
from multiflow_core.pretrain.built_in import BUILT_INS
from multiflow_core.pretrain.recipe import Recipe

SHORT = Recipe(steps=4, batch=4, warmup=2, looking=0.25, matching=0.5)


def test_batches_are_reproducible_and_never_repeat_a_scene():
    a, b = make_batch(SHORT, 2), make_batch(SHORT, 2)
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert not torch.equal(a["pixel_values"], make_batch(SHORT, 3)["pixel_values"])


@pytest.mark.parametrize("step", [0, 3])
def test_all_captions_of_a_batch_fit_its_length(step):
    batch = make_batch(Recipe(batch=32), step)
    lengths = (batch["input_ids"] != PAD).sum(1)
    assert batch["input_ids"].shape[1] in batches.TEXT_LENGTHS
    assert lengths.max() <= batch["input_ids"].shape[1]
    assert (batch["input_ids"].gather(1, lengths[:, None] - 1) == batches.SEP).all()


def test_patch_labels_by_hand():
    # a picture has 6 x 6 patches with centres at 1/12, 3/12, ...; this cat covers 0.375 .. 0.625 of each side
    scene = flatland.Scene("day", (flatland.Thing("cat", "blue", "small", 0.5, 0.5),))
    labels = batches.patch_labels(scene)
    covered = [i for i, (kind, _, _) in enumerate(labels) if kind >= 0]
    assert covered == [14, 15, 20, 21]
    assert labels[14] == [flatland.ALL_KINDS.index("cat"), flatland.COLORS.index("blue"), 0]


def test_learning_rate_warms_up_twice_and_ends_at_zero():
    recipe = Recipe(steps=1000, warmup=100, looking=0.2, learning_rate=1.0)
    assert recipe.rate(0) == pytest.approx(0.01)
    assert recipe.rate(150) == 1.0
    assert recipe.rate(200) == pytest.approx(0.11, abs=0.01)
    assert recipe.rate(999) < 1e-4


@pytest.mark.parametrize("name", [model.name for model in BUILT_INS.all()])
def test_an_interrupted_run_ends_with_the_same_weights(name, tmp_path, monkeypatch):
    whole = loop.train(name, SHORT, tmp_path / "whole", save_every=2)
    step = loop.train_step

    def interrupted(net, optimizer, recipe, number):
        if number == 3:
            raise KeyboardInterrupt
        return step(net, optimizer, recipe, number)

    monkeypatch.setattr(loop, "train_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        loop.train(name, SHORT, tmp_path / "parts", save_every=2)
    monkeypatch.setattr(loop, "train_step", step)
    resumed = loop.train(name, SHORT, tmp_path / "parts", save_every=2)
    for (key, a), b in zip(whole.state_dict().items(), resumed.state_dict().values()):
        assert torch.equal(a, b), key
