"""Stories are found in the measured runs, and say nothing that these do not hold."""

import pytest

from app.facts.comparison import Comparison
from app.facts.stories import stories, told
from multiflow_core.experiments.results import Measured, Results
from multiflow_core.experiments.run import Run
from tests.app.conftest import scores

DENSE = {"retrieval": 0.9, "captioning": 0.8}


def run(method, sparsity, retrieval, captioning=0.8, vision=None, blend=None):
    modalities = {"vision": vision or sparsity, "text": sparsity}
    made = Run("", method, sparsity, *(reversed(blend) if blend else ()))
    return Measured(made, scores(retrieval=retrieval, captioning=captioning), modalities)


OWN = (run("multiflow", 0.3, 0.9), run("multiflow", 0.5, 0.88, 0.78), run("multiflow", 0.75, 0.7, 0.2))
UNEVEN = run("omp", 0.5, 0.2, vision=0.56)
ABLATION = run("multiflow", 0.5, 0.1, vision=0.6, blend=("flow", "global"))


def found(*runs):
    return stories(Run("m", ""), Comparison(Results(scores(**DENSE), runs), {}))


def named(name, *runs):
    return next((story for story in found(*runs) if story.name == name), None)


def test_the_sweet_spot_is_the_last_sparsity_at_which_every_task_holds():
    story = named("The sweet spot", *OWN)
    assert story.settings == Run("m", "multiflow", 0.5)
    assert "88 % (dense 90 %)" in story.words and "78 % (dense 80 %)" in story.words


@pytest.mark.parametrize(("lowest", "tells"), [(0.0, False), (0.01, True)])
def test_a_model_that_may_be_able_to_do_nothing_has_no_story(lowest, tells):
    """As one that guesses among few pictures."""
    sure = {"retrieval": {"IR@1": (lowest, 0.95)}, "captioning": {"true": (0.7, 0.9)}}
    held = Comparison(Results(scores(**DENSE), OWN, dense_intervals=sure), {})
    assert bool(stories(Run("m", ""), held)) is tells


def test_too_far_is_the_first_sparsity_at_which_a_task_is_lost():
    story = named("Too far", *OWN)
    assert story.settings == Run("m", "multiflow", 0.75)
    assert "captioning first" in story.words and "20 % (dense 80 %)" in story.words


def test_the_collapse_is_the_uneven_run_that_falls_farthest_behind():
    assert named("Modality collapse", *OWN, UNEVEN).settings == Run("m", "omp", 0.5)
    story = named("Modality collapse", *OWN, UNEVEN, ABLATION)
    assert story.settings == Run("m", "multiflow", 0.5, "global")
    for words in ("MULTIFLOW (global) takes 60 % of vision and 50 % of text", "from 90 % to 10 %", "keeps 88 %"):
        assert words in story.words


@pytest.mark.parametrize(
    "runs",
    [
        (),
        (UNEVEN,),  # nothing to hold it against
        (run("multiflow", 0.5, 0.88), run("omp", 0.5, 0.2, vision=0.52)),  # not uneven
        (run("multiflow", 0.5, 0.88), run("omp", 0.5, 0.95, vision=0.7)),  # uneven, but better
        (run("multiflow", 0.5, 0.88), run("alphapruning", 0.5, 0.1, vision=0.7)),  # uneven by its spectra, not by a cut
    ],
)
def test_no_collapse_where_there_is_none(runs):
    assert named("Modality collapse", *runs) is None


def test_an_ablation_that_is_a_method_is_told_as_that_method():
    story = named("Modality collapse", *OWN, run("multiflow", 0.5, 0.1, vision=0.6, blend=("magnitude", "global")))
    assert story.settings == Run("m", "omp", 0.5)


def test_a_story_is_told_at_its_settings_only():
    both = found(*OWN, UNEVEN)
    assert told(both, Run("m", "omp", 0.5)).name == "Modality collapse"
    assert told(both, Run("m", "omp", 0.51)) is None
    assert told(both, Run("m", "omp", 0.5, "uniform")) is None
