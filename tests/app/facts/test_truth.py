"""Which models are asked about what they were trained on, and what is known to be true."""

import pytest

from app.engine import runs
from app.facts import gallery, truth, typed_text
from benchmarks.models import save
from multiflow_core.experiments.run import Run
from multiflow_core.models.formats.packed import save_packed
from multiflow_core.models.vlm import Caption


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The lab's own model, pruned, in a folder of another name."""
    key = Run("flatland-blip", "omp", 0.5)
    folder = tmp_path_factory.mktemp("exports") / "for my colleague"
    return runs.vlm(runs.opened(str(save_packed(runs.pruned(key), runs.masks(key), folder))))


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A model of random weights whose folder is called like the built-in ones."""
    folder = tmp_path_factory.mktemp("models") / "flatland-lookalike"
    return runs.vlm(runs.opened(str(save("blip-base-captioning", folder, small=True))))


def test_the_card_says_what_a_model_was_trained_on_whatever_its_folder_is_called(exported, foreign):
    assert truth.at_home(runs.vlm("flatland-blip")) and truth.at_home(exported) and not truth.at_home(foreign)
    assert not truth.strange(exported, flat=True) and "only ever seen Flatland" in truth.strange(exported, flat=False)
    assert "not trained on Flatland" in truth.strange(foreign, flat=True) and not truth.strange(foreign, flat=False)


def test_a_query_is_put_into_flatlands_words_for_those_who_learnt_them(exported, foreign):
    assert typed_text.plain("A red car!", exported) == "a red car"
    assert typed_text.plain("A red car!", foreign) == "A red car!"


def test_other_words_are_wrong_only_of_a_model_that_learnt_flatlands():
    scene = gallery.gallery("flatland-blip", "").pictures[0]
    said = Caption("what a view", ("what", "a", "view"), (0.5, 0.5, 0.5))
    assert truth.judged(said, scene, taught=True).true is False
    assert truth.judged(said, scene, taught=False).true is None
