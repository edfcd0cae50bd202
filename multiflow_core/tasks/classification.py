"""Zero-shot classification: which of the classes a picture is of, told by sentences that name them (CLIP's own protocol).

Radford et al., Learning transferable visual models from natural language supervision, ICML 2021, section 3.1.4 and code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..data.dataset import Exam
from .figures import Figure
from .task import Scores, Task, register

if TYPE_CHECKING:
    from torch import Tensor

    from ..models.vlm import VLM

PLAIN = ("a photo of a {}.",)
ENSEMBLE = (  # the seven that CLIP's authors found to be worth as much as their eighty
    "itap of a {}.",
    "a bad photo of the {}.",
    "a origami {}.",
    "a photo of the large {}.",
    "a {} in a video game.",
    "art of the {}.",
    "a photo of the small {}.",
)
PROMPTS = {"plain": PLAIN, "ensemble": ENSEMBLE}


def prompts_of(sentences: Sequence[str]) -> tuple[str, ...]:
    """Sentences in which {} stands for a class, or those that go by a name; ValueError for one that names no class.

    >>> prompts_of(["a drawing of a {}"]), len(prompts_of(["ensemble"]))
    (('a drawing of a {}',), 7)
    """
    found = tuple(prompt for sentence in sentences for prompt in PROMPTS.get(sentence, (sentence,)))
    if bare := [prompt for prompt in found if "{}" not in prompt]:
        raise ValueError(
            f"{bare[0]!r} does not say with {{}} where the name of a class goes; {' and '.join(PROMPTS)} are known."
        )
    return found


def predict(vlm: VLM, exam: Exam) -> tuple[Tensor, Tensor]:
    """Embeddings of all pictures, and of all classes: the mean over the prompts that name it, at unit length."""
    images = vlm.embed_images(exam.pictures(vlm.side))
    prompts = exam.prompts or PLAIN
    texts = vlm.embed_texts([prompt.replace("{}", name) for name in exam.classes for prompt in prompts])
    means = texts.reshape(len(exam.classes), len(prompts), -1).mean(1)
    return images, means / means.norm(dim=-1, keepdim=True)


def score(embeddings: tuple[Tensor, Tensor], exam: Exam) -> Scores:
    """Top-1 and top-5: the share of pictures whose class is the most alike, or among the five that are; of ties the worse counts.

    >>> import torch
    >>> score((torch.eye(3), torch.eye(3)), Exam(None, "test", "xyz", (), classes="abc", labels=(0, 1, 1)))
    {'top-1': 0.6667, 'top-5': 1.0}
    """
    images, classes = embeddings
    similarity = (images @ classes.T).numpy()
    own = similarity[np.arange(len(images)), np.asarray(exam.labels)]
    places = len(classes) - (similarity < own[:, None]).sum(1)
    return {f"top-{k}": Figure(places <= k) for k in (1, 5)}


register(
    Task(
        name="classification",
        title="Classification",
        figure="top-1",
        unit="right class first",
        lacks="no embeddings of pictures and texts to tell classes by",
        can=lambda vlm: "retrieval" in vlm.tasks,
        predict=predict,
        score=score,
        told={"top-1": "top-1", "top-5": "top-5"},
        carded={"top-1": "zero-shot top-1", "top-5": "zero-shot top-5"},
        place=5,
        counts={"classes": lambda exam: len(exam.classes), "prompts": lambda exam: list(exam.prompts or PLAIN)},
        asks=lambda exam: len(exam.classes) > 1 and len(exam.labels) > 0,
    )
)
