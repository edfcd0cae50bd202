"""Flatland: a procedural world of flat illustrations with exact ground truth.

>>> import random
>>> from multiflow_core.data import flatland
>>> scene = flatland.scene("test", 3)
>>> text = flatland.caption(scene, random.Random(0), full=True)
>>> flatland.judge(text, scene).true
True
"""

from ..dataset import Question
from .answers import answer, means
from .dataset import Flatland
from .language import Verdict, caption, judge, parse, plural, tokenize
from .questions import ask
from .scene import ALL_KINDS, COLORS, SETTINGS, SIZES, Scene, Thing, distinct, draw_scene, scene, split_of
from .short_texts import FORMS, mistaken
from .truths import truths
from .typed import typed_queries
from .words import vocabulary

__all__ = [
    "ALL_KINDS", "COLORS", "FORMS", "SETTINGS", "SIZES", "Flatland", "Question", "Scene", "Thing", "Verdict", "answer",
    "ask", "caption", "distinct", "draw_scene", "judge", "means", "mistaken", "parse", "plural", "scene", "split_of",
    "tokenize", "truths", "typed_queries", "vocabulary",
]  # fmt: skip
