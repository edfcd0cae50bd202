"""Which fine-tuned models there are, and that each is what its files say."""

from dataclasses import replace
from itertools import product

import pytest
import torch

from app.engine import checkpoints, runs, shipped
from app.facts import gallery, pace
from multiflow_core.data import dataset
from multiflow_core.experiments.benchmark import measure
from multiflow_core.experiments.candidates import widths_of
from multiflow_core.experiments.run import SMALLER, TUNED, UNTAUGHT, Run
from multiflow_core.experiments.speed import Speeds, Timing
from multiflow_core.finetuning import differences
from multiflow_core.sweeps import plan, tuning
from multiflow_core.sweeps.cell import FINE_TUNED
from multiflow_core.weights.masks import Masks

OMP = Run("flatland-blip", "omp", 0.63)


@pytest.mark.usefixtures("taught", "empty_store")
class TestRecovered:
    def test_the_nearest_is_taken(self):
        asked = {
            sparsity: shipped.nearest(OMP.at(sparsity), TUNED).sparsity for sparsity in (0.0, 0.3, 0.4, 0.63, 0.95)
        }
        assert asked == {0.0: 0.0, 0.3: 0.0, 0.4: 0.75, 0.63: 0.75, 0.95: 0.75}
        found = shipped.nearest(OMP, TUNED)
        assert (found.data, found.form, found.order) == ("paperland", TUNED, OMP.order)

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
        assert shipped.nearest(other, TUNED) is None

    def test_a_model_has_the_zeros_of_its_masks_and_the_rest_of_its_task(self):
        tuned = shipped.nearest(OMP, TUNED)
        learnt = shipped.asked(tuned, "vqa")
        parameters = dict(learnt.model.named_parameters())
        masks = runs.masks(OMP.at(0.75))
        assert all(torch.equal(parameters[name] != 0, mask) for name, mask in masks.items())
        assert shipped.asked(OMP, "vqa") is runs.pruned(OMP)
        assert shipped.asked(tuned.unpruned, "vqa").zero_share() < 0.75

    def test_other_files_are_other_answers(self, taught):
        tuned = shipped.nearest(OMP, TUNED)
        before = shipped.stamp(tuned)
        assert before and not shipped.stamp(OMP)
        file = taught / "omp-75" / "vqa.safetensors"
        file.write_bytes(file.read_bytes() + b" ")
        assert shipped.stamp(tuned) != before

    def test_pictures_are_those_that_it_has_learnt(self):
        tuned = shipped.nearest(OMP, TUNED)
        picture = gallery.picture(tuned.data, 0)
        assert picture.scene and picture.questions and picture.shown() != gallery.picture("", 0).shown()
        assert gallery.texts_of(picture) == picture.texts


@pytest.mark.usefixtures("shrunk", "empty_store")
class TestSmaller:
    def test_it_is_an_ordinary_model_with_fewer_units(self):
        found = shipped.nearest(replace(OMP, method="multiflow"), SMALLER)
        assert (found.sparsity, found.data, found.unpruned) == (0.5, "", Run.dense("flatland-blip"))
        small = shipped.asked(found, "captioning")
        assert (
            small.model.config.vision_config.intermediate_size
            < runs.vlm("flatland-blip").model.config.vision_config.intermediate_size
        )
        assert small.trained_on == "flatland"

    def test_its_time_is_that_of_both_models_on_pictures_of_the_gallery(self, monkeypatch):
        asked = []

        def told(dense, small, task, pictures):
            asked.append((dense, small, task, len(pictures)))
            return Timing(1.5, 1.4, 1.6), Timing(0.25, 0.2, 0.3), Timing(2.0, 1.9, 2.1)

        monkeypatch.setattr(pace, "pace", told)
        found = shipped.nearest(replace(OMP, method="multiflow"), SMALLER)
        assert pace.sentence(found, "captioning") == (
            "Describing 16 pictures in 12 words took the dense model 1.50 s and this one 250 ms on this machine: 2.00 times as "
            "fast (quartiles of five turns: 1.90 and 2.10)."
        )
        assert asked == [(runs.vlm("flatland-blip"), shipped.smaller(found), "captioning", 16)]
        assert pace.sentence(OMP, "retrieval") == ""


def test_nothing_is_taught_where_nothing_lies(assets):
    assert shipped.taught("flatland-blip") == "" and shipped.nearest(OMP, TUNED) is None


def _shipped(form: str) -> list[Run]:
    known = [(model, name) for model in checkpoints.models() for name in shipped.methods(model, form)]
    return [Run(model, name, at, form=form) for model, name in known for at in shipped.sparsities(model, name, form)]


def _recipes() -> dict[tuple[str, str], dict]:
    """How the shipped sweep tunes a model for a task."""
    parts = [
        part
        for part in plan.read(checkpoints.ROOT / "assets" / "sweeps" / "paper.toml").parts
        if part.transfer == FINE_TUNED
    ]
    return {(m, t): tuning.recipe_of(part.recipe) for part in parts for m in part.models for t in part.tasks}


class TestWhatComesWithTheLab:
    def test_the_papers_sparsities_of_two_methods_and_three_smaller_models(self):
        models, methods, sparsities = ("flatland-blip", "flatland-xvlm"), ("multiflow", "omp"), (0.63, 0.75, 0.9)
        assert [(run.model, run.method, run.sparsity) for run in _shipped(TUNED)] == [
            *product(models, methods, sparsities)
        ]
        assert [(run.model, run.method, run.sparsity) for run in _shipped(SMALLER)] == [
            ("flatland-blip", "multiflow", gone) for gone in (0.5, 0.75, 0.82)
        ]

    @pytest.mark.parametrize("run", _shipped(TUNED), ids=str)
    def test_masks_are_those_of_the_method_and_files_say_how_they_were_made(self, run):
        place = shipped.place_of(replace(run, data="paperland"))
        assert Masks.load(place / differences.MASKS) == runs.masks(replace(run, form=""))
        for task in shipped.learnt(run.model):
            told = differences.about(differences.file_of(place, task))
            assert told["recipe"] == _recipes()[run.model, task] and told["seed"] == 0
            assert (told["method"], told["sparsity"], told["task"]) == (run.method, run.sparsity, task)

    @pytest.mark.parametrize("run", _shipped(SMALLER), ids=str)
    def test_smaller_models_are_those_whose_speed_was_measured(self, run):
        known = Speeds.load(checkpoints.speed_file(run.model)).models
        widths = [
            dict(one.widths)
            for one in known
            if one.pattern == "neurons" and one.share == pytest.approx(1 - run.sparsity)
        ]
        assert widths_of(shipped.smaller(run)) in widths
        assert shipped.smaller(run).caption([gallery.picture("", 0).seen_by(runs.vlm(run.model))])[0].text

    def test_xvlm_does_by_tuning_what_it_cannot_by_itself(self):
        run = Run("flatland-xvlm", "multiflow", 0.63, data="paperland", form=TUNED)
        tasks = ("retrieval", "captioning", "vqa")
        assert [[shipped.can(replace(run, form=form), task) for task in tasks] for form in ("", UNTAUGHT, TUNED)] == [
            [True, False, False],
            [True, False, False],
            [True, True, True],
        ]
        assert [shipped.before(run, task) is None for task in tasks] == [False, True, True]
        assert shipped.before(replace(run, form=""), "retrieval") is None
        picture = gallery.picture("paperland", 0)
        vlm = shipped.asked(run, "captioning")
        assert len(vlm.caption([picture.seen_by(vlm)])[0].text.split()) > 5

    def test_what_was_learnt_is_more_than_what_was_known(self):
        run = Run("flatland-blip", "multiflow", 0.75, data="paperland", form=TUNED)
        exam = dataset.open("paperland").exam("test", 12, 12, 0)
        true = {}
        for key in (run, replace(run, form=UNTAUGHT)):
            scores = measure(shipped.asked(key, "captioning"), exam, ["captioning"])["captioning"]
            true[key.form] = float(scores["BLEU-4"])
        assert true[TUNED] > 0.4 > true[UNTAUGHT]
