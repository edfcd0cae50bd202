"""Zero-shot classes: places by hand, prompts averaged at unit length, and only where there are classes."""

from types import SimpleNamespace

import pytest
import torch

from multiflow_core import load
from multiflow_core.data.dataset import Exam
from multiflow_core.tasks import classification
from multiflow_core.tasks.classification import ENSEMBLE, PLAIN
from multiflow_core.tasks.task import TASKS


def exam(classes, labels, prompts=()):
    data = SimpleNamespace(pictures=lambda items, side: [f"{item} at {side}" for item in items])
    return Exam(data, "test", tuple("abcdefgh"[: len(labels)]), (), classes=classes, labels=labels, prompts=prompts)


def test_top_1_and_top_5_by_hand():
    """Seven classes; the pictures like them in the order 0, 1, 2, ...: the own one is at place 1, 2, 5, 6."""
    images = torch.tensor([[1.0, 0.0]] * 4)
    classes = torch.tensor([[7.0 - i, 0.0] for i in range(7)])
    found = classification.score((images, classes), exam(tuple("tuvwxyz"), (0, 1, 4, 5)))
    assert found == {"top-1": 0.25, "top-5": 0.75}


def test_a_model_that_sees_no_difference_knows_no_class():
    same = torch.ones(6, 3)
    assert set(classification.score((same, same), exam(tuple("uvwxyz"), (0, 1, 2, 3, 4, 5))).values()) == {0.0}
    broken = torch.full((6, 3), torch.nan)
    assert set(classification.score((broken, same), exam(tuple("uvwxyz"), (0, 1, 2, 3, 4, 5))).values()) == {0.0}


def test_prompts_are_averaged_and_the_mean_has_unit_length():
    asked = []
    vectors = {"a {} b": (1.0, 0.0), "c {} d": (0.0, 1.0)}

    def embed(texts):
        asked.extend(texts)
        kinds = [next(prompt for prompt in vectors if text[0] == prompt[0]) for text in texts]
        return torch.tensor([vectors[kind] for kind in kinds])

    vlm = SimpleNamespace(side=7, embed_images=lambda pictures: pictures, embed_texts=embed)
    images, classes = classification.predict(vlm, exam(("cat", "{x}"), (0, 1), tuple(vectors)))
    assert asked == ["a cat b", "c cat d", "a {x} b", "c {x} d"] and images == ["a at 7", "b at 7"]
    assert classes.tolist() == [pytest.approx([0.5**0.5, 0.5**0.5])] * 2


def test_the_usual_prompt_where_none_is_given():
    asked = []
    vlm = SimpleNamespace(side=7, embed_images=len, embed_texts=lambda texts: asked.extend(texts) or torch.eye(2))
    classification.predict(vlm, exam(("cat", "dog"), (0,)))
    assert asked == ["a photo of a cat.", "a photo of a dog."] and all("{}" in prompt for prompt in (*PLAIN, *ENSEMBLE))


def test_prompts_by_name_and_by_sentence():
    assert classification.prompts_of(["plain", "a drawing of a {}"]) == (*PLAIN, "a drawing of a {}")
    with pytest.raises(ValueError, match=r"'ensembel' does not say with \{\} where .* plain and ensemble are known"):
        classification.prompts_of(["ensembel"])


def test_it_is_asked_only_where_there_are_classes():
    task = TASKS.get("classification")
    assert (
        task.asks(exam(("cat", "dog"), (0, 1))) and not task.asks(exam((), ())) and not task.asks(exam(("cat",), (0,)))
    )


def test_a_built_in_model_knows_its_colours():
    """Flatland's scenes with one thing on a plain day, by the colour that is named."""
    from multiflow_core.data.flatland import COLORS, Flatland, Scene, Thing

    colors = tuple(COLORS)[:6]
    things = tuple(Scene("day", (Thing("car", color, "large", 0.5, 0.6),)) for color in colors)
    asked = Exam(Flatland(), "test", things, (), classes=colors, labels=range(6), prompts=("a {} car",))
    assert TASKS.get("classification").measure(load("flatland-blip"), asked)["top-1"] >= 4 / 6
