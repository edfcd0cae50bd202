"""Which fine-tuned models there are, and that each is what its files say."""

from dataclasses import replace

import pytest
import torch

from app.engine import recovered, runs
from app.facts import gallery
from multiflow_core.experiments.run import Run

OMP = Run("flatland-blip", "omp", 0.63)


@pytest.mark.usefixtures("taught", "empty_store")
class TestRecovered:
    def test_the_nearest_is_taken(self):
        asked = {sparsity: recovered.nearest(OMP.at(sparsity)).sparsity for sparsity in (0.0, 0.3, 0.4, 0.63, 0.95)}
        assert asked == {0.0: 0.0, 0.3: 0.0, 0.4: 0.75, 0.63: 0.75, 0.95: 0.75}
        found = recovered.nearest(OMP)
        assert (found.data, found.tuned, found.order) == ("paperland", True, OMP.order)

    @pytest.mark.parametrize(
        "other",
        [
            replace(OMP, method="multiflow"),
            replace(OMP, allocation="uniform"),
            replace(OMP, fixed="text=dense"),
            replace(OMP, model="flatland-xvlm"),
        ],
    )
    def test_of_any_other_order_there_is_none(self, other):
        assert recovered.nearest(other) is None

    def test_a_model_has_the_zeros_of_its_masks_and_the_rest_of_its_task(self):
        tuned = recovered.nearest(OMP)
        learnt = recovered.asked(tuned, "vqa")
        parameters = dict(learnt.model.named_parameters())
        masks = runs.masks(OMP.at(0.75))
        assert all(torch.equal(parameters[name] != 0, mask) for name, mask in masks.items())
        assert recovered.asked(OMP, "vqa") is runs.pruned(OMP)
        assert recovered.asked(tuned.unpruned, "vqa").zero_share() < 0.75

    def test_other_files_are_other_answers(self, taught):
        tuned = recovered.nearest(OMP)
        before = recovered.stamp(tuned)
        assert before and not recovered.stamp(OMP)
        file = taught / "omp-75" / "vqa.safetensors"
        file.write_bytes(file.read_bytes() + b" ")
        assert recovered.stamp(tuned) != before

    def test_pictures_are_those_that_it_has_learnt(self):
        tuned = recovered.nearest(OMP)
        picture = gallery.picture(tuned.data, 0)
        assert picture.scene and picture.questions and picture.shown() != gallery.picture("", 0).shown()
        assert gallery.texts_of(picture) == picture.texts


def test_nothing_is_taught_where_nothing_lies(assets):
    assert recovered.data_of("flatland-blip") == "" and recovered.nearest(OMP) is None
