"""A model card says what its figures say, and nothing of tasks that the model has not."""

import json
from dataclasses import asdict

import pytest

from multiflow_core.models.vlm import ASSETS, BUILT_IN
from multiflow_core.pretrain.built_in import BUILT_INS
from multiflow_core.pretrain.model_card import card_text, training_text
from multiflow_core.pretrain.recipe import Recipe


@pytest.mark.parametrize("name", BUILT_IN)
def test_shipped_card_is_the_text_of_its_figures(name):
    card = json.loads((ASSETS / name / "card.json").read_text())
    assert (ASSETS / name / "README.md").read_text() == card_text(name, card)


def test_a_model_without_a_decoder_says_nothing_of_captions():
    figures = {"retrieval": {"IR@1": 0.125, "IR@5": 0.5, "TR@1": 0.25, "TR@5": 1.0}}
    log = [{"step": 10, "seconds": 120, "itc": 0.4, "mlm": 1.25}]
    recipe = Recipe(seed=3, looking=4, wording=3, joint=2, fading=1, batch=4)
    training = training_text("flatland-xvlm", recipe, 120, "cpu")
    sizes = dict(parameters=1000, prunable=900)
    weights = dict(spread={"text": 0.5}, kept={key: {"text": [0.3, 0.2, 0.1]} for key in ("global", "multimodal")})
    card = dict(training=training, **sizes, log=log, test=figures, heldout=figures, weights=weights)
    text = card_text("flatland-xvlm", card | {"recipe": asdict(recipe) | {"device": "cuda"}})
    assert "--seed 3" in text and "--device cuda" in text and "| text | 0.500 | 0.300 |" in text
    assert "| IR@1 (text finds image) | 0.125 | 0.125 |" in text
    assert (
        "10 steps of 4 scenes (40 scenes" in text
        and "2\nminutes on two" in text
        and "| step | ITC loss | masked-word loss |" in text
    )
    assert "VQA" not in text and "captions" not in text


def test_every_built_in_model_is_described():
    assert set(BUILT_IN) == {model.name for model in BUILT_INS.all()}
