"""Validation while a model is in training: what it is measured by, on scenes that are neither trained on nor reported."""

from __future__ import annotations

from ..data.flatland import Flatland
from ..experiments.benchmark import measure
from ..families import family_of
from ..models.vlm import VLM
from .objectives import Objectives
from .reading import flatland_processor

SCENES, CAPTIONED, ASKED = 300, 200, 60
# those that count, besides all types of questions
COUNTED = ("IR@1", "TR@1", "true", "complete", "thing", "two", "relation", "count", "none", "precision")


def check(net: Objectives) -> dict[str, float]:
    """The figures, and the mean of those that count."""
    net.eval()
    vlm = VLM("in training", net.model, flatland_processor(), family_of(net.model))
    measured = measure(vlm, Flatland().exam("val", SCENES, CAPTIONED, ASKED))
    net.train()
    types = {f"vqa {name}": value for name, value in measured.pop("vqa", {"all": 0}).items() if name != "all"}
    others = {name: value for scores in measured.values() for name, value in scores.items()}
    counted = {**types, **{name: others[name] for name in COUNTED if name in others}}
    alone = {name: value for name, value in others.items() if name.endswith("alone")}
    return {"mean": sum(counted.values()) / len(counted)} | counted | alone
